"""What names refer to: the walked source with its imports, aliases and constants resolved."""

import ast
from collections import Counter

from src.execution.reading import policy
from src.execution.reading.analysis.scope import Binding, Scope, TooComplex
from src.execution.reading.analysis.walk import Walk, bounded_path

Value = str | bytes | int | tuple["Value", ...]
"""Values that can be built from literals."""


class CodeMap(Walk):
    """The walked source, and queries about its names.

    Attributes:
        once: name → value, for names bound once in the whole source, by a plain `name = value`.
        choices: name → strings, for names bound once in the whole source, by a loop over literal strings.
        values: name → the expressions that plain assignments give it in any scope.
        folded: id of an expression → its value folded from literals, for expressions folded so far.

    Raises:
        TooComplex: the tree has too many nodes or is too deep.
    """

    def __init__(self, tree: ast.Module) -> None:
        super().__init__(tree)
        self.folded: dict[int, Value | None] = {}
        self._work_left = policy.MAX_WORK
        once = self._bound_once()
        self.once = {binding.name: binding.value for binding in once if binding.value is not None}
        self.choices = self._choices(once)
        self.values: dict[str, list[ast.expr]] = {}
        for binding in self.bindings:
            if binding.value is not None:
                self.values.setdefault(binding.name, []).append(binding.value)
        for binding in self.bindings:
            self._note_alias(binding)

    def spend(self, characters: int, node: ast.AST) -> None:
        """Count work that a short source can multiply.

        Args:
            characters: length of the text about to be read.
            node: the node being read; it must have a position.

        Raises:
            TooComplex: the source exceeds MAX_WORK.
        """
        self._work_left -= characters
        if self._work_left < 0:
            raise TooComplex("The source builds too many strings, or strings that are too long", node)

    def is_local(self, name: str, scope: Scope) -> bool:
        """Whether the name can only be a function's variable, never a builtin or a module-level import.

        A class body and the module fall back to builtins until they bind the name.
        """
        owner = self.owner(name, scope)
        return owner is not None and owner.kind in {"function", "comprehension"}

    def import_paths(self, name: str, scope: Scope) -> set[str]:
        """Dotted paths that an imported name may refer to; empty for any other name."""
        owner = self.owner(name, scope)
        if owner is None:
            return {f"{policy.FRAMEWORK}.{name}"} if name in policy.PRELUDE_NAMES else set()
        paths = owner.imports.get(name, set())
        if owner.kind == "class" and owner.parent is not None:
            # Until the class body binds the name, Python looks it up outside.
            return paths | self.import_paths(name, owner.parent)
        return paths

    def paths(self, node: ast.AST, scope: Scope) -> set[str]:
        """Dotted import paths that a name or a chain of attributes may refer to, following aliases."""
        members: list[str] = []
        while isinstance(node, ast.Attribute):
            members.append(node.attr)
            node = node.value
        if len(members) > policy.MAX_PATH_CHARACTERS // 2:
            members = ["?"]
        if not isinstance(node, ast.Name):
            return set()
        owner = self.owner(node.id, scope)
        roots = self.import_paths(node.id, scope) | (owner.aliases.get(node.id, set()) if owner else set())
        return {bounded_path(".".join([root, *reversed(members)])) for root in roots}

    def framework_name(self, node: ast.AST, scope: Scope) -> str | None:
        """The framework name ("Strategy", "Cadence", …) that the node refers to; None for any other node."""
        for path in self.paths(node, scope):
            root, _, name = path.rpartition(".")
            if root.split(".")[0] == policy.FRAMEWORK and name in policy.FRAMEWORK_NAMES:
                return name
        return None

    def _bound_once(self) -> list[Binding]:
        counts = Counter(binding.name for binding in self.bindings)
        return [binding for binding in self.bindings if counts[binding.name] == 1]

    def _choices(self, once: list[Binding]) -> dict[str, tuple[str, ...]]:
        tuples = {binding.name: binding.value for binding in once if isinstance(binding.value, ast.Tuple)}
        choices = {}
        known: dict[int, tuple[str, ...]] = {}
        for binding in once:
            looped = self.looped.get(id(binding.node))
            if isinstance(looped, ast.Name):
                looped = tuples.get(looped.id)
            if looped is None:
                continue
            if id(looped) not in known:
                known[id(looped)] = literal_strings(looped)
            if texts := known[id(looped)]:
                choices[binding.name] = texts
        return choices

    def _note_alias(self, binding: Binding) -> None:
        if isinstance(binding.value, (ast.Name, ast.Attribute)):
            aliases = binding.scope.aliases.get(binding.name, set())
            # Stopping at the bound loses nothing: the name is already known to refer to imported objects.
            if len(aliases) < policy.MAX_MEANINGS and (paths := self.paths(binding.value, binding.scope)):
                binding.scope.aliases[binding.name] = aliases | paths


def literal_strings(node: ast.expr | None) -> tuple[str, ...]:
    """The strings of a literal list, tuple or set of at most MAX_CHOICES strings; empty for anything else."""
    if not isinstance(node, (ast.List, ast.Tuple, ast.Set)) or len(node.elts) > policy.MAX_CHOICES:
        return ()
    values = [part.value if isinstance(part, ast.Constant) else None for part in node.elts]
    texts = tuple(value for value in values if isinstance(value, str))
    return texts if len(texts) == len(values) else ()
