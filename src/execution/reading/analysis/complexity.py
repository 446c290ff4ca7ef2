"""Rejects short sources that would be slow to compile, before the compiler sees them."""

import ast
import sys

from src.execution.reading import policy
from src.execution.reading.analysis.code_map import CodeMap
from src.execution.reading.analysis.scope import TooComplex
from src.execution.reading.analysis.walk import COMPREHENSIONS, FUNCTIONS

_BLOCKS = (*FUNCTIONS, *COMPREHENSIONS, ast.ClassDef)
_CAPTURES = (ast.MatchAs, ast.MatchStar, ast.MatchMapping)
_EXITS = (ast.Return, ast.Break, ast.Continue)
_HASH_MODULUS = sys.hash_info.modulus


def check_complexity(code: CodeMap) -> None:
    """Check the source against the policy's bounds on compilation.

    Raises:
        TooComplex: with the first bound that the source exceeds.
    """
    _check_visible_names(code)
    blocks = uncommon_numbers = 0
    captures: dict[int, int] = {}
    copies_code = False
    for index, node in enumerate(code.nodes):
        if isinstance(node, _BLOCKS):
            blocks += 1
            if blocks > policy.MAX_CODE_BLOCKS:
                reason = f"The source has more than {policy.MAX_CODE_BLOCKS:,} functions, classes and comprehensions"
                raise TooComplex(reason, node)
        elif _keywords(node) > policy.MAX_KEYWORDS:
            raise TooComplex(f"More than {policy.MAX_KEYWORDS} keyword arguments", node)
        elif isinstance(node, ast.Constant):
            uncommon_numbers += _is_uncommon_number(node.value)
            if uncommon_numbers > policy.MAX_UNCOMMON_NUMBERS:
                reason = f"The source has more than {policy.MAX_UNCOMMON_NUMBERS} huge or imaginary numbers"
                raise TooComplex(reason, node)
        elif isinstance(node, _CAPTURES):
            case = _case_of(code, index)
            captures[case] = captures.get(case, 0) + 1
            if captures[case] > policy.MAX_CAPTURES:
                raise TooComplex(f"A case that binds more than {policy.MAX_CAPTURES} names", node)
        elif isinstance(node, ast.Try) and node.finalbody:
            copies_code = True
    if copies_code:
        _check_copies(code)


def _keywords(node: ast.AST) -> int:
    if isinstance(node, (ast.Call, ast.ClassDef)):
        return len(node.keywords)
    return len(node.kwd_attrs) if isinstance(node, ast.MatchClass) else 0


def _is_uncommon_number(value: object) -> bool:
    return isinstance(value, complex) or (isinstance(value, int) and value >= _HASH_MODULUS)


def _check_visible_names(code: CodeMap) -> None:
    """For each block, the compiler copies the names of all enclosing functions and those declared global."""
    visible: dict[int, int] = {id(code.module): 0}
    total = 0
    # Outer scopes come before inner ones.
    for scope in code.all_scopes[1:]:
        parent = scope.parent or code.module
        own = len(parent.bound) if parent.kind in {"function", "comprehension"} else 0
        visible[id(scope)] = visible[id(parent)] + own + len(parent.outside)
        total += visible[id(scope)]
    if total > policy.MAX_VISIBLE_NAMES:
        reason = "The source's nested functions have too many names from the functions around them"
        raise TooComplex(reason, ast.Pass(lineno=1, col_offset=0))


def _case_of(code: CodeMap, index: int) -> int:
    while index >= 0 and not isinstance(code.nodes[index], ast.match_case):
        index = code.parents[index]
    return index


def _check_copies(code: CodeMap) -> None:
    """The compiler copies a `finally` block once for each exit from its `try`."""
    ends = {id(statement) for node in code.nodes if isinstance(node, ast.Try) for statement in node.finalbody}
    exits = [0] * len(code.nodes)
    for index in range(len(code.nodes) - 1, 0, -1):
        node = code.nodes[index]
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            exits[code.parents[index]] += exits[index] + isinstance(node, _EXITS)
    sizes = [1] * len(code.nodes)
    for index in range(len(code.nodes) - 1, 0, -1):
        node, parent = code.nodes[index], code.parents[index]
        copies = 2 + exits[parent] if id(node) in ends else 1
        sizes[parent] += sizes[index] * copies
        if sizes[parent] > policy.MAX_COMPILED_NODES:
            reason = "The `finally` blocks are too long or too deeply nested"
            raise TooComplex(reason, code.placed(parent))
