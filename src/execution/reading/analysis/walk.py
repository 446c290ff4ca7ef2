"""One walk over the syntax tree: every node with its parent and scope, and where each name is bound.

The walk keeps its own stack, so no source can overflow Python's, and it stops at the policy's bounds.
"""

import ast
from collections.abc import Callable, Iterator
from typing import Any, Literal

from src.execution.reading import policy
from src.execution.reading.analysis.annotations import annotation_nodes, quoted_expression
from src.execution.reading.analysis.scope import Binding, Scope, TooComplex

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
AnyComprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_WITHOUT_A_PLACE = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)


class Walk:
    """The walked source.

    Attributes:
        module: the outermost scope.
        nodes: every node with a meaning of its own, parents before children, in source order.
        parents: index of each node's parent, -1 for the module.
        scopes: the scope in which each node is evaluated.
        bindings: every binding of a name, in source order.
        own_names: attributes that the source itself defines, in class bodies and on self.
        annotation_names: ids of Name nodes inside annotations.
        statement_strings: ids of string constants that are statements (docstrings), which no code can use.
        looped: id of a loop's target → the iterable.
        all_scopes: every scope, outer before inner.
        definitions: (scope, name) → the functions and classes defined there under that name.
        attribute_values: attribute → the expressions that plain assignments give it, on any object.
        stored_attributes: attributes set or deleted on any object.
        filled: names of variables and attributes whose items are set.

    Raises:
        TooComplex: the tree has too many nodes or is too deep.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope("module", None)
        self.nodes: list[ast.AST] = []
        self.parents: list[int] = []
        self.scopes: list[Scope] = []
        self.bindings: list[Binding] = []
        self.own_names: set[str] = set()
        self.annotation_names: set[int] = set()
        self.statement_strings: set[int] = set()
        self.looped: dict[int, ast.expr] = {}
        self.all_scopes: list[Scope] = [self.module]
        self._bound_somewhere: set[str] = set()
        self._is_walked = False
        self._values: dict[int, ast.expr] = {}
        self.definitions: dict[tuple[Scope | None, str | None], list[ast.AST]] = {}
        self.filled: set[str] = set()
        self.stored_attributes: set[str] = set()
        self.attribute_values: dict[str, list[ast.expr]] = {}
        self._walk(tree)
        self._is_walked = True

    def owner(self, name: str, scope: Scope) -> Scope | None:
        """The scope in which a name is looked up; None if it can only be a builtin."""
        if not self._is_walked:
            return self._find_owner(name, scope)
        if name not in self._bound_somewhere:
            return None
        if name not in scope.owners:
            scope.owners[name] = self._find_owner(name, scope)
        return scope.owners[name]

    def _find_owner(self, name: str, scope: Scope) -> Scope | None:
        current: Scope | None = scope
        while current is not None:
            # A class's names are visible in its own body, not in the functions inside it.
            if current.kind != "class" or current is scope:
                if current.outside.get(name) == "global":
                    return self.module if name in self.module.bound else None
                if name in current.bound:
                    return current
            current = current.parent
        return None

    def is_self(self, node: ast.AST, scope: Scope) -> bool:
        """Whether the node is a method's first parameter."""
        if not isinstance(node, ast.Name):
            return False
        owner = self.owner(node.id, scope)
        return owner is not None and owner.first_parameter == node.id

    def parent(self, index: int) -> ast.AST | None:
        """The node's parent; None for the module."""
        return self.nodes[self.parents[index]] if self.parents[index] >= 0 else None

    def placed(self, index: int) -> ast.AST:
        """The node, or the nearest node before it that has a position in the source."""
        for candidate in range(index, -1, -1):
            if hasattr(self.nodes[candidate], "lineno"):
                return self.nodes[candidate]
        return ast.Pass(lineno=1, col_offset=0)

    # --- the walk ---

    def _walk(self, tree: ast.Module) -> None:
        stack: list[tuple[ast.AST, int, Scope, int]] = [(tree, -1, self.module, 0)]
        while stack:
            node, parent, scope, depth = stack.pop()
            index = len(self.nodes)
            self.nodes.append(node)
            self.parents.append(parent)
            self.scopes.append(scope)
            if index >= policy.MAX_NODES:
                reason = f"The source has more than {policy.MAX_NODES:,} elements"
                raise TooComplex(reason, self.placed(index))
            if depth > policy.MAX_DEPTH:
                raise TooComplex("The source is nested too deeply", self.placed(index))
            bind = _BINDERS.get(type(node))
            if bind is not None:
                bind(self, node, scope)
            children = [(child, index, where, depth + 1) for child, where in self._children(node, scope)]
            stack.extend(reversed(children))

    def _children(self, node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        special = _CHILDREN.get(type(node))
        if special is not None:
            yield from special(self, node, scope)
            return
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, _WITHOUT_A_PLACE):
                yield child, scope

    def _opened(self, kind: Literal["class", "function", "comprehension"], parent: Scope) -> Scope:
        self.all_scopes.append(Scope(kind, parent))
        return self.all_scopes[-1]

    def _function_children(self, node: AnyFunction, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        inner = self._opened("function", scope)
        inner.node = node
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        extras = [extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None]
        parameters = [*positional, *arguments.kwonlyargs, *extras]
        annotations = [parameter.annotation for parameter in parameters]
        if not isinstance(node, ast.Lambda):
            annotations.append(node.returns)
            for outer in (*node.decorator_list, *getattr(node, "type_params", [])):
                yield outer, scope
            if scope.kind == "class" and positional and not _is_static(node):
                inner.first_parameter = positional[0].arg
                inner.is_of_class = _is_of_class(node)
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                yield default, scope
        for annotation in annotations:
            yield from self._annotation(annotation, scope)
        for parameter in parameters:
            yield parameter, inner
        for statement in [node.body] if isinstance(node, ast.Lambda) else node.body:
            yield statement, inner

    def _class_children(self, node: ast.ClassDef, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        inner = self._opened("class", scope)
        inner.node = node
        for outer in (*node.decorator_list, *getattr(node, "type_params", []), *node.bases, *node.keywords):
            yield outer, scope
        for statement in node.body:
            yield statement, inner

    def _comprehension_children(self, node: AnyComprehension, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        inner = self._opened("comprehension", scope)
        for position, generator in enumerate(node.generators):
            # The first iterable is evaluated in the enclosing scope.
            self.looped[id(generator.target)] = generator.iter
            yield generator.iter, scope if position == 0 else inner
            yield generator.target, inner
            for condition in generator.ifs:
                yield condition, inner
        for result in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            yield result, inner

    def _walrus_children(self, node: ast.NamedExpr, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        around = scope
        while around.kind == "comprehension" and around.parent is not None:
            around = around.parent
        yield node.target, around
        yield node.value, scope

    def _annotated_children(self, node: ast.AnnAssign, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        yield from self._annotation(node.annotation, scope)
        if node.value is not None:
            if isinstance(node.target, ast.Name):
                self._values[id(node.target)] = node.value
            yield node.value, scope
        yield node.target, scope

    def _no_children(self, _node: ast.AST, _scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        yield from ()

    def _annotation(self, annotation: ast.expr | None, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        """The annotation and the expressions in its quoted parts, which libraries evaluate and so obey the rules."""
        if annotation is None:
            return
        yield annotation, scope
        for node in annotation_nodes(annotation):
            if isinstance(node, ast.Name):
                self.annotation_names.add(id(node))
            elif isinstance(node, ast.Constant) and (quoted := quoted_expression(node)) is not None:
                yield from self._annotation(quoted, scope)

    # --- bindings ---

    def _bind_name(self, node: ast.Name, scope: Scope) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._add(node.id, scope, node, value=self._values.get(id(node)))

    def _bind_own_name(self, node: Any, scope: Scope) -> None:
        name = node.arg if isinstance(node, ast.arg) else node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name is not None:
            self._add(name, scope, node)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            self.definitions.setdefault((scope, name), []).append(node)

    def _bind_import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self._add(name, scope, alias, path=alias.name if alias.asname else name)

    def _bind_import_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            if alias.name != "*":
                self._add(alias.asname or alias.name, scope, alias, path=f"{node.module}.{alias.name}")
            elif node.module in policy.STAR_IMPORTS:
                for name in sorted(policy.FRAMEWORK_NAMES):
                    self._add(name, scope, alias, path=f"{node.module}.{name}")

    def _bind_outside(self, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
        kind = "global" if isinstance(node, ast.Global) else "nonlocal"
        scope.outside.update(dict.fromkeys(node.names, kind))

    def _bind_attribute(self, node: ast.Attribute, scope: Scope) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.stored_attributes.add(node.attr)
        if isinstance(node.ctx, ast.Store) and (self.is_self(node.value, scope) or self._is_own(node.value, scope)):
            self.own_names.add(node.attr)

    def _is_own(self, node: ast.expr, scope: Scope) -> bool:
        """Whether the node names a function or class of the source, as in wrapper._calls = 0."""
        return isinstance(node, ast.Name) and (self.owner(node.id, scope), node.id) in self.definitions

    def _note_value(self, node: ast.Assign, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._values[id(target)] = node.value
            elif isinstance(target, ast.Attribute):
                self.attribute_values.setdefault(target.attr, []).append(node.value)
        if scope.kind == "class" and any(_is_name(target, "__slots__") for target in node.targets):
            slots = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
            self.own_names.update(slot for slot in slots if isinstance(slot, str))

    def _note_item(self, node: ast.Subscript, _scope: Scope) -> None:
        if isinstance(node.ctx, ast.Store):
            self._note_filled(node.value)

    def _note_method(self, node: ast.Call, _scope: Scope) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"update", "setdefault"}:
            self._note_filled(node.func.value)

    def _note_filled(self, node: ast.expr) -> None:
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None
        if name is not None:
            self.filled.add(name)

    def _note_loop(self, node: ast.For, _scope: Scope) -> None:
        self.looped[id(node.target)] = node.iter

    def _note_statement_string(self, node: ast.Expr, _scope: Scope) -> None:
        if isinstance(node.value, ast.Constant):
            self.statement_strings.add(id(node.value))

    def _add(
        self, name: str, scope: Scope, node: ast.AST, path: str | None = None, value: ast.expr | None = None
    ) -> None:
        if scope.outside.get(name) == "global":
            scope = self.module
        if path is not None:
            paths = scope.imports.setdefault(name, set())
            paths.add(bounded_path(path))
            if len(paths) > policy.MAX_MEANINGS:
                raise TooComplex(f"One name is imported with more than {policy.MAX_MEANINGS} meanings", node)
        if scope.kind == "class":
            self.own_names.add(name)
        self._note_rebinding(name, scope, node)
        self._bound_somewhere.add(name)
        if scope.outside.get(name) != "nonlocal":
            scope.bound.add(name)
        self.bindings.append(Binding(name, scope, node, path is not None, value))

    def _note_rebinding(self, name: str, scope: Scope, node: ast.AST) -> None:
        """Note `self = other`, after which the name may refer to any object."""
        around: Scope | None = scope
        while around is not None and scope.outside.get(name) == "nonlocal" and name not in around.bound:
            around = around.parent
        if around is not None and around.first_parameter == name and not isinstance(node, ast.arg):
            around.first_parameter = None


def bounded_path(path: str) -> str:
    """The dotted path; if longer than any that matters, its first part and a member that does not exist."""
    return path if len(path) <= policy.MAX_PATH_CHARACTERS else path.partition(".")[0][:50] + ".?"


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_of_class(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    is_decorated = any(_is_name(item, "classmethod") for item in node.decorator_list)
    return is_decorated or node.name in {"__new__", "__init_subclass__"}


def _is_static(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(_is_name(item, "staticmethod") for item in node.decorator_list)


_BINDERS: dict[type[ast.AST], Callable[[Walk, Any, Scope], None]] = {
    ast.Name: Walk._bind_name,
    ast.arg: Walk._bind_own_name,
    ast.FunctionDef: Walk._bind_own_name,
    ast.AsyncFunctionDef: Walk._bind_own_name,
    ast.ClassDef: Walk._bind_own_name,
    ast.ExceptHandler: Walk._bind_own_name,
    ast.MatchAs: Walk._bind_own_name,
    ast.MatchStar: Walk._bind_own_name,
    ast.MatchMapping: Walk._bind_own_name,
    ast.Import: Walk._bind_import,
    ast.ImportFrom: Walk._bind_import_from,
    ast.Global: Walk._bind_outside,
    ast.Nonlocal: Walk._bind_outside,
    ast.Attribute: Walk._bind_attribute,
    ast.Assign: Walk._note_value,
    ast.For: Walk._note_loop,
    ast.Subscript: Walk._note_item,
    ast.Call: Walk._note_method,
    ast.Expr: Walk._note_statement_string,
}

_CHILDREN: dict[type[ast.AST], Callable[[Walk, Any, Scope], Iterator[tuple[ast.AST, Scope]]]] = {
    ast.FunctionDef: Walk._function_children,
    ast.AsyncFunctionDef: Walk._function_children,
    ast.Lambda: Walk._function_children,
    ast.ClassDef: Walk._class_children,
    ast.ListComp: Walk._comprehension_children,
    ast.SetComp: Walk._comprehension_children,
    ast.DictComp: Walk._comprehension_children,
    ast.GeneratorExp: Walk._comprehension_children,
    ast.NamedExpr: Walk._walrus_children,
    ast.AnnAssign: Walk._annotated_children,
    ast.arg: Walk._no_children,  # its annotation is evaluated, and walked, outside the function
}
