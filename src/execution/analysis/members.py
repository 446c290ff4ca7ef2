"""Members of modules: what an import or a dot may take out of an allowed module."""

import ast
import re

from src.execution import policy
from src.execution.analysis.folding import fold
from src.execution.analysis.reading import Reading
from src.execution.analysis.violations import shown

_THIRD_PARTY = frozenset({"numpy", "pandas", "scipy", "sklearn"})


def member_problem(module: str, name: str) -> str | None:
    """Why `name` may not be taken from an allowed module, if so."""
    if f"{module}.{name}" in policy.ALLOWED_MODULES:
        return None
    allowed = policy.ALLOWED_MODULES[module]
    denied = name in policy.DENIED_MEMBERS.get(module, ())
    if name.startswith("_"):
        denied = name != "__version__"
    elif allowed is not None:
        denied = name not in allowed
    elif module.partition(".")[0] in _THIRD_PARTY:
        denied = denied or _is_denied_anywhere(name)
    return f"'{shown(name)}' of module '{module}' is not allowed" if denied else None


def _is_denied_anywhere(name: str) -> bool:
    return (
        name in policy.DENIED_MEMBERS_ANYWHERE
        or name in policy.DENIED_ATTRIBUTES
        or name in policy.DENIED_IO_METHODS
        or name.startswith("read_")
    )


def check_guarded(reading: Reading, index: int, path: str) -> None:
    """The few members that are fine in one form only; the node at `index` stands for the whole path."""
    form = _FORMS.get(path)
    if form is not None and not form[0](reading, index):
        reading.report.add(reading.code.placed(index), "member-not-allowed", form[1])


def _call_of(reading: Reading, index: int) -> ast.Call | None:
    parent = reading.code.parent(index)
    return parent if isinstance(parent, ast.Call) and parent.func is reading.code.nodes[index] else None


def _is_plain_wraps(reading: Reading, index: int) -> bool:
    """@functools.wraps(function) over a def: with more arguments it copies attributes by name."""
    call = _call_of(reading, index)
    if call is None or call.keywords or len(call.args) != 1 or not isinstance(call.args[0], ast.Name):
        return False
    # In the walk decorators come first, so whatever stands at the function's head before its body is one.
    decorated = reading.code.parent(reading.code.parents[index])
    return isinstance(decorated, ast.FunctionDef) and call.lineno < decorated.lineno


def _is_with_item(reading: Reading, index: int) -> bool:
    """with warnings.catch_warnings(): as a value it would hand out the warnings module."""
    call = _call_of(reading, index)
    if call is None or any(keyword.arg in {None, "module"} for keyword in call.keywords) or call.args:
        return False
    return isinstance(reading.code.parent(reading.code.parents[index]), ast.withitem)


def _sets_a_harmless_option(reading: Reading, index: int) -> bool:
    call = _call_of(reading, index)
    if call is None or call.keywords or not call.args:
        return False
    for name in call.args[::2]:
        text = fold(name, reading.code)
        if text is None or not re.fullmatch(policy.OPTION_PATTERN, text):
            return False
    return True


_FORMS = {
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
"""Path → (whether the use at this node is in the allowed form, what to say otherwise)."""
