"""Names: which may be loaded, which may be bound, and modules used other than before a dot."""

import ast

from src.execution.reading import policy
from src.execution.reading.analysis.members import check_guarded
from src.execution.reading.analysis.rule_context import RuleContext, is_dunder, is_reserved
from src.execution.reading.analysis.scope import Binding, Scope
from src.execution.reading.analysis.violations import shown


def check_name(reading: RuleContext, index: int) -> None:
    """Check a name that is read. check_bindings checks the names that are bound."""
    node, scope = reading.code.nodes[index], reading.code.scopes[index]
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or reading.is_settled(node):
        return
    name = node.id
    if is_dunder(name):
        if not _may_read_dunder(reading, name, scope):
            reading.report.add(node, "name-not-allowed", f"The name '{shown(name)}' is not allowed")
        return
    if is_reserved(name) and name not in policy.ENUM_NAMES:
        reading.report.add(node, "name-not-allowed", f"The name '{shown(name)}' is reserved")
    paths = reading.code.import_paths(name, scope)
    for path in sorted(paths):
        if is_module(path):
            _check_module_value(reading, index, node)
        else:
            check_guarded(reading, index, path)
    if not paths and not reading.code.is_local(name, scope):
        _check_builtin(reading, node, name)


def is_module(path: str) -> bool:
    """Whether a dotted path is an allowed module; the request's parameters count as data, not as a module."""
    return path in policy.ALLOWED_MODULES and path != policy.PARAMETERS_MODULE


def check_bindings(reading: RuleContext) -> None:
    """Check every name that the source binds, by any statement."""
    for binding in reading.code.bindings:
        name = binding.name
        if is_dunder(name):
            if not _may_bind_dunder(binding):
                reading.report.add(_place(binding), "name-not-allowed", f"'{shown(name)}' may not be defined")
        elif is_reserved(name) and not (name in policy.ENUM_NAMES and binding.scope.kind == "class"):
            reading.report.add(_place(binding), "name-not-allowed", f"The name '{shown(name)}' is reserved")
        elif name in policy.UNDEFINABLE_FIELDS and binding.scope.kind == "class" and isinstance(binding.node, ast.Name):
            message = f"A class may not have a field '{name}': a class pattern could read it from any object"
            reading.report.add(binding.node, "name-not-allowed", message)
        elif not binding.is_import:
            _check_rebinding(reading, binding)


def _check_builtin(reading: RuleContext, node: ast.Name, name: str) -> None:
    if reason := policy.DENIED_BUILTINS.get(name):
        message = f"Use of '{name}' is not allowed: {reason}"
        reading.report.add(node, "builtin-not-allowed", message)
    elif name in policy.CALL_ONLY_BUILTINS and not (name == "type" and id(node) in reading.code.annotation_names):
        message = f"'{name}' may only be called directly, not passed around or called with computed names"
        reading.report.add(node, "builtin-not-allowed", message)


def _check_module_value(reading: RuleContext, index: int, node: ast.Name) -> None:
    if is_compared_with_none(reading.code.parent(index)):
        return
    message = f"The module '{shown(node.id)}' must be followed by a dot and a name"
    reading.report.add(node, "module-as-value", message)


def is_compared_with_none(node: ast.AST | None) -> bool:
    """Whether the node is `… is None` or `… is not None`, the usual test for an optional module."""
    match node:
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
    return False


def _may_read_dunder(reading: RuleContext, name: str, scope: Scope) -> bool:
    if name in policy.ALLOWED_DUNDER_NAMES:
        return True
    if name in policy.DEFINABLE_DUNDERS:  # __rmul__ = __mul__
        return scope.kind == "class" and name in scope.bound
    return name in policy.DESCRIPTIVE_DUNDERS and name in reading.code.module.bound


def _may_bind_dunder(binding: Binding) -> bool:
    if binding.scope.kind == "class" and binding.name in policy.CLASS_DUNDERS:
        return True
    is_description = binding.name in policy.DESCRIPTIVE_DUNDERS and isinstance(binding.node, ast.Name)
    return is_description and binding.scope.kind in {"class", "module"}


def _check_rebinding(reading: RuleContext, binding: Binding) -> None:
    name, scope = binding.name, binding.scope
    if name == "Strategy" and scope.kind == "module":
        message = "'Strategy' is the base class of strategies and may not be redefined"
        reading.report.add(_place(binding), "imported-name-rebound", message)
        return
    is_none = isinstance(binding.value, ast.Constant) and binding.value.value is None
    for path in scope.imports.get(name, ()):
        is_framework = path.split(".")[0] == policy.FRAMEWORK
        if (is_module(path) and not is_none) or is_framework:
            message = f"'{shown(name)}' is imported and may not be given another value"
            reading.report.add(_place(binding), "imported-name-rebound", message)


def _place(binding: Binding) -> ast.AST:
    node = binding.node
    return node if hasattr(node, "lineno") else ast.Pass(lineno=1, col_offset=0)
