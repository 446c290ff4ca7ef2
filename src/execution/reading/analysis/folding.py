"""Computes expressions made of literals, within bounds and without running the source."""

import ast
import re
from collections.abc import Callable
from contextlib import suppress

from src.execution.reading import policy
from src.execution.reading.analysis.code_map import CodeMap, Value

_LONGEST = policy.MAX_FOLDED_CHARACTERS
_LARGEST = 1 << 32
_PLAIN_PERCENT = re.compile(r"(?:[^%]|%[sdrc%])*", re.DOTALL)
_ENCODINGS = ((), ("utf-8",), ("utf8",), ("ascii",), ("latin-1",))
_SHORTENING_METHODS = frozenset(
    {
        *("lower", "upper", "casefold", "swapcase", "capitalize", "title", "strip", "lstrip", "rstrip"),
        *("removeprefix", "removesuffix", "split"),
    }
)
"""Methods of str and bytes whose result is about as long as their input."""


class _Unknown(Exception):
    """The expression is not made only of literals, or its value is too large."""


def fold(node: ast.AST, code: CodeMap) -> str | None:
    """The string that an expression made of literals evaluates to.

    Returns:
        The string; None for any other expression, or a string longer than MAX_FOLDED_CHARACTERS.

    Raises:
        TooComplex: the source has built too much text in total.
    """
    value = _known(node, code, 0)
    return value if isinstance(value, str) else None


def _known(node: ast.AST, code: CodeMap, depth: int) -> Value | None:
    key = id(node)
    if key not in code.folded:
        code.folded[key] = None  # ends the recursion for a name whose value refers to itself
        with suppress(_Unknown, ValueError, TypeError, LookupError, OverflowError):
            code.folded[key] = _bounded(_computed(node, code, depth), node, code)
    return code.folded[key]


def _value(node: ast.AST, code: CodeMap, depth: int) -> Value:
    value = _known(node, code, depth + 1)
    if value is None:
        raise _Unknown
    return value


def _bounded(value: Value, node: ast.AST, code: CodeMap) -> Value:
    if isinstance(value, int):
        if abs(value) > _LARGEST:
            raise _Unknown
        return value
    if len(value) > _LONGEST:
        raise _Unknown
    if not isinstance(node, (ast.Constant, ast.Name, ast.Attribute)):
        code.spend(len(value), node)
    return value


def _computed(node: ast.AST, code: CodeMap, depth: int) -> Value:
    if depth > policy.MAX_DEPTH:
        raise _Unknown
    match node:
        case ast.Constant(value=str() | bytes() | int() as value):
            return value
        case ast.Name(id=name) if name in code.once:
            return _value(code.once[name], code, depth)
        case ast.NamedExpr(value=inner):
            return _value(inner, code, depth)
        case ast.List(elts=parts) | ast.Tuple(elts=parts) if len(parts) <= _LONGEST:
            return tuple(_value(part, code, depth) for part in parts)
        case ast.BinOp(left=left, op=operator, right=right):
            return _operated(operator, _value(left, code, depth), _value(right, code, depth))
        case ast.JoinedStr(values=parts):
            return _joined("", tuple(_value(part, code, depth) for part in parts))
        case ast.FormattedValue(value=inner, conversion=-1 | 115, format_spec=None):
            return str(_value(inner, code, depth))
        case ast.Subscript(value=whole, slice=place):
            return _part(_value(whole, code, depth), place, code, depth)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _called(name, arguments, code, depth)
        case ast.Call(func=ast.Attribute(value=receiver, attr=name), args=arguments, keywords=[]):
            return _method(receiver, name, arguments, code, depth)
    raise _Unknown


def _operated(operator: ast.operator, left: Value, right: Value) -> Value:
    match operator, left, right:
        case ast.Add(), str(), str():
            return left + right
        case ast.Add(), bytes(), bytes():
            return left + right
        case ast.Add(), int(), int():
            return left + right
        case ast.Sub(), int(), int():
            return left - right
        case ast.Mult(), int(), int():
            return left * right
        case ast.Mult(), str() | bytes(), int() if len(left) * right <= _LONGEST:
            return left * right
        case ast.Mult(), int(), str() | bytes() if left * len(right) <= _LONGEST:
            return left * right
        case ast.Mod(), str(), _ if _PLAIN_PERCENT.fullmatch(left) and _size(right) <= _LONGEST:
            return left % right
    raise _Unknown


def _joined(glue: str, parts: Value) -> str:
    if not isinstance(parts, (str, tuple)) or _size(parts) + len(glue) * len(parts) > _LONGEST:
        raise _Unknown
    return glue.join(part if isinstance(part, str) else _refused() for part in parts)


def _refused() -> str:
    raise _Unknown


def _size(value: Value) -> int:
    if isinstance(value, tuple):
        return sum(_size(part) for part in value)
    return 10 if isinstance(value, int) else len(value)


def _part(whole: Value, place: ast.expr, code: CodeMap, depth: int) -> Value:
    if isinstance(whole, int):
        raise _Unknown
    if not isinstance(place, ast.Slice):
        return whole[_index(place, code, depth)]
    bounds = [None if bound is None else _index(bound, code, depth) for bound in (place.lower, place.upper, place.step)]
    return whole[slice(*bounds)]


def _index(node: ast.expr, code: CodeMap, depth: int) -> int:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_index(node.operand, code, depth)
    value = _value(node, code, depth)
    if not isinstance(value, int):
        raise _Unknown
    return value


def _called(name: str, arguments: list[ast.expr], code: CodeMap, depth: int) -> Value:
    match name, arguments:
        case "map", [ast.Name(id="chr"), numbers]:
            found = _value(numbers, code, depth)
            return tuple(_character(number) for number in found) if isinstance(found, (tuple, bytes)) else _refused()
        case (("chr" | "str" | "bytes" | "reversed" | "list" | "tuple"), [argument]):
            return _BUILTINS[name](_value(argument, code, depth))
    raise _Unknown


def _character(value: Value) -> str:
    return chr(value) if isinstance(value, int) else _refused()


def _bytes(value: Value) -> bytes:
    if isinstance(value, (bytes, tuple)):
        return bytes(part if isinstance(part, int) else ord(_refused()) for part in value)
    raise _Unknown


def _sequence(value: Value) -> Value:
    return value if isinstance(value, int) else tuple(value)


_BUILTINS: dict[str, Callable[[Value], Value]] = {
    "chr": _character,
    "str": lambda value: str(value) if isinstance(value, (str, int)) else _refused(),
    "bytes": _bytes,
    "reversed": lambda value: _refused() if isinstance(value, int) else value[::-1],
    "list": _sequence,
    "tuple": _sequence,
}


def _method(receiver: ast.expr, name: str, arguments: list[ast.expr], code: CodeMap, depth: int) -> Value:
    if isinstance(receiver, ast.Name) and (receiver.id, name) == ("bytes", "fromhex") and len(arguments) == 1:
        return bytes.fromhex(str(_value(arguments[0], code, depth)))
    if name not in _SHORTENING_METHODS | {"join", "replace", "encode", "decode", "format"}:
        raise _Unknown
    whole = _value(receiver, code, depth)
    values = tuple(_value(argument, code, depth) for argument in arguments)
    if name == "join" and isinstance(whole, str) and len(values) == 1:
        return _joined(whole, values[0])
    if name == "format" and isinstance(whole, str) and not set(whole) & set(":.[!") and _size(values) <= _LONGEST:
        # Each field has at least two characters.
        if len(whole) * _size(values) > 20 * _LONGEST:
            raise _Unknown
        return whole.format(*values)
    if name == "replace" and len(values) == 2 and isinstance(whole, (str, bytes)):
        if len(whole) * (_size(values) + 1) > 20 * _LONGEST:
            raise _Unknown
        return whole.replace(*values)  # type: ignore[arg-type]
    is_plain = name in _SHORTENING_METHODS or (name in {"encode", "decode"} and values in _ENCODINGS)
    if not is_plain or isinstance(whole, (int, tuple)):
        raise _Unknown
    found = getattr(whole, name)(*values)
    return tuple(found) if isinstance(found, list) else found
