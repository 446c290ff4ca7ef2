"""Members of modules: what an import or a dot may take from an allowed module."""

import ast
import re

from src.execution.reading import policy
from src.execution.reading.analysis.folding import fold
from src.execution.reading.analysis.rule_context import RuleContext
from src.execution.reading.analysis.violations import shown


def member_problem(module: str, name: str) -> str | None:
    """Why `name` may not be taken from an allowed module, or None if it may."""
    if f"{module}.{name}" in policy.ALLOWED_MODULES:
        return None
    allowed = policy.ALLOWED_MODULES[module]
    denied = name in policy.DENIED_MEMBERS.get(module, ())
    if name.startswith("_"):
        denied = name != "__version__"
    elif allowed is not None:
        denied = name not in allowed
    elif module.partition(".")[0] in policy.THIRD_PARTY:
        denied = denied or _is_denied_anywhere(name)
    return f"'{shown(name)}' of module '{module}' is not allowed" if denied else None


def _is_denied_anywhere(name: str) -> bool:
    return (
        name in policy.DENIED_MEMBERS_ANYWHERE
        or name in policy.DENIED_ATTRIBUTES
        or name in policy.DENIED_IO_METHODS
        or name.startswith("read_")
    )


def check_guarded(reading: RuleContext, index: int, path: str) -> None:
    """Check the few members that are allowed in one form only; the node at `index` is the whole path."""
    form = _FORMS.get(path)
    if form is not None and not form[0](reading, index):
        reading.report.add(reading.code.placed(index), "member-not-allowed", form[1])


def _call_of(reading: RuleContext, index: int) -> ast.Call | None:
    parent = reading.code.parent(index)
    return parent if isinstance(parent, ast.Call) and parent.func is reading.code.nodes[index] else None


def _is_plain_wraps(reading: RuleContext, index: int) -> bool:
    """Whether it is @functools.wraps(function) on a def. With more arguments it copies attributes by name."""
    call = _call_of(reading, index)
    if call is None or call.keywords or len(call.args) != 1 or not isinstance(call.args[0], ast.Name):
        return False
    # Among a function's children only decorators start above its def line.
    decorated = reading.code.parent(reading.code.parents[index])
    return isinstance(decorated, ast.FunctionDef) and call.lineno < decorated.lineno


def _is_with_item(reading: RuleContext, index: int) -> bool:
    """Whether it is a with item. As a value, warnings.catch_warnings() gives access to the warnings module."""
    call = _call_of(reading, index)
    if call is None or any(keyword.arg in {None, "module"} for keyword in call.keywords) or call.args:
        return False
    return isinstance(reading.code.parent(reading.code.parents[index]), ast.withitem)


def _sets_a_harmless_option(reading: RuleContext, index: int) -> bool:
    call = _call_of(reading, index)
    if call is None or call.keywords or not call.args:
        return False
    for name in call.args[::2]:
        text = fold(name, reading.code)
        if text is None or not re.fullmatch(policy.OPTION_PATTERN, text):
            return False
    return True


def _is_metaclass(reading: RuleContext, index: int) -> bool:
    """Whether it is class A(metaclass=ABCMeta). A call of ABCMeta creates classes with computed names."""
    node, parent = reading.code.nodes[index], reading.code.parent(index)
    return isinstance(parent, ast.keyword) and parent.arg == "metaclass" and parent.value is node


def _has_literal_fields(reading: RuleContext, index: int) -> bool:
    """Whether a named tuple's fields are literal: namedtuple("Point", "x y"). A pattern reads them from any object."""
    parent = reading.code.parent(index)
    if isinstance(parent, ast.ClassDef):
        return True
    call = _call_of(reading, index)
    if call is None or len(call.args) < 2 or any(keyword.arg not in _NAMEDTUPLE_KEYWORDS for keyword in call.keywords):
        return False
    fields = call.args[1]
    names = reading.remember("fields", _subject(fields), lambda: _field_names(reading, fields))
    return names is not None and not names & policy.UNDEFINABLE_FIELDS


def _field_names(reading: RuleContext, fields: ast.expr) -> set[str] | None:
    fields = reading.code.once.get(fields.id, fields) if isinstance(fields, ast.Name) else fields
    if not isinstance(fields, (ast.List, ast.Tuple)):
        text = fold(fields, reading.code)
        return None if text is None else set(text.replace(",", " ").split())
    # typing.NamedTuple takes (name, type) pairs.
    names = [
        fold(part.elts[0] if isinstance(part, ast.Tuple) and part.elts else part, reading.code) for part in fields.elts
    ]
    known = {name for name in names if name is not None}
    return known if None not in names else None


def _subject(node: ast.expr) -> str | int:
    return node.id if isinstance(node, ast.Name) else id(node)


def _has_literal_members(reading: RuleContext, index: int) -> bool:
    """Whether it is a base, or Enum("Side", "LONG SHORT"). Computed members could take names that Python looks up."""
    call = _call_of(reading, index)
    return call is None or _is_plain_enumeration(reading, call)


def _is_plain_enumeration(reading: RuleContext, call: ast.Call) -> bool:
    if len(call.args) < 2:
        return not call.keywords
    members = call.args[1]
    if isinstance(members, ast.Dict):
        return all(key is not None and fold(key, reading.code) is not None for key in members.keys)
    return reading.remember("fields", _subject(members), lambda: _field_names(reading, members)) is not None


def _is_called_or_named(reading: RuleContext, index: int) -> bool:
    """Whether it is SimpleNamespace(a=1) or a type. Passed on, it could be given attributes of any name."""
    node, parent = reading.code.nodes[index], reading.code.parent(index)
    is_default = isinstance(parent, ast.keyword) and parent.arg == "default_factory"
    is_kind = isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "isinstance"
    is_type = id(node) in reading.code.annotation_names
    return _call_of(reading, index) is not None or is_default or is_kind or is_type


_NAMEDTUPLE_KEYWORDS = frozenset({"defaults", "rename"})

_FORMS = {
    "abc.ABCMeta": (_is_metaclass, "'ABCMeta' may only be used as class Name(metaclass=ABCMeta)"),
    **dict.fromkeys(
        ("collections.namedtuple", "typing.NamedTuple"),
        (_has_literal_fields, "A named tuple's fields must be literal names, and none that Python reserves"),
    ),
    **{
        f"enum.{name}": (_has_literal_members, "An enumeration's members must be literal names")
        for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ReprEnum")
    },
    "types.SimpleNamespace": (
        _is_called_or_named,
        "'SimpleNamespace' may only be called, not passed around or subclassed",
    ),
    "functools.wraps": (
        _is_plain_wraps,
        "'functools.wraps' may only be used as @wraps(function) above a def",
    ),
    "warnings.catch_warnings": (
        _is_with_item,
        "'warnings.catch_warnings' may only be used in a with statement",
    ),
    **{
        f"pandas.{name}": (
            _sets_a_harmless_option,
            f"'pandas.{name}' may only be called with literal display, mode, future or compute options",
        )
        for name in policy.OPTION_FUNCTIONS
    },
}
"""Path → (test that the use at a node has the allowed form, message if not)."""
