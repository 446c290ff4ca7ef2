"""Numbers in price files as people and programs write them: 1234.5, 1,234.50, 1.234,50, 1'234.50, $12.30."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from src.services.data_provider.arrays import Float64Array
from src.services.data_provider.files.problem import PriceFileProblem, quoted

Texts = Sequence[str | None]
Column: TypeAlias = "pa.ChunkedArray[Any]"

MISSING = frozenset(("", "-", "--", ".", "n/a", "na", "#n/a", "nan", "null", "none"))
"""Spellings of a missing number, in lower case."""

IGNORED = re.compile(r"^[$€£¥]|(?<=\d)[\s'’](?=\d{3})|[$€£¥]$")
"""Currency signs around a number; spaces and apostrophes between its thousands."""

LIKE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
"""1.234 and 1,234: the mark may be a decimal mark or a thousands separator."""

MULTIPLES = {"k": 1e3, "m": 1e6, "b": 1e9}
"""Suffixes by which some sites shorten volumes."""

VOLUME = "volume"


def numbers(columns: Mapping[str, Column], names: Mapping[str, str], dots_may_group: bool) -> dict[str, Float64Array]:
    """The columns as float64, NaN for empty cells. All prices are read by the same convention.

    Args:
        columns: by meaning: open, high, low, close, adjusted, volume.
        names: the columns' names as the file spells them.
        dots_may_group: whether 1.234 may be 1234, as in files whose fields are not separated by commas.

    Raises:
        PriceFileProblem: a cell is not a number, or the column's numbers can be read in two ways.
    """
    texts = {what: _without_missing(column) for what, column in columns.items() if _is_text(column)}
    found = {what: _typed(column, names[what]) for what, column in columns.items() if what not in texts}
    at_once = None if dots_may_group and not _dots_are_decimal(texts) else _cast(texts)
    return found | (_by_convention(texts, names, dots_may_group) if at_once is None else at_once)


def _cast(texts: Mapping[str, Column]) -> dict[str, Float64Array] | None:
    """All columns, if every cell is in a program's number format: the fast path for nearly all files."""
    try:
        return {what: np.asarray(pc.cast(column, pa.float64()).to_numpy()) for what, column in texts.items()}
    except pa.ArrowInvalid:
        return None


def _dots_are_decimal(texts: Mapping[str, Column]) -> bool:
    """Whether a price shows that points are decimal marks, or no price has a point."""
    prices = [column for what, column in texts.items() if what != VOLUME]
    has_dots = [pc.match_substring(column, ".") for column in prices]
    if not any(pc.any(dots).as_py() for dots in has_dots):
        return True
    told = (
        pc.and_not(dots, pc.match_substring_regex(column, f"^{LIKE_THOUSANDS.pattern}$"))
        for dots, column in zip(has_dots, prices, strict=True)
    )
    return any(pc.any(is_told).as_py() for is_told in told)


def _by_convention(
    texts: Mapping[str, Column], names: Mapping[str, str], dots_may_group: bool
) -> dict[str, Float64Array]:
    cells = {what: [text and _bare(text) for text in column.to_pylist()] for what, column in texts.items()}
    mark = _decimal_mark({what: some for what, some in cells.items() if what != VOLUME}, names, dots_may_group)
    return {what: _read(some, mark, names[what], is_volume=what == VOLUME) for what, some in cells.items()}


def _without_missing(column: Column) -> Column:
    trimmed = pc.utf8_trim_whitespace(column)
    is_missing = pc.is_in(pc.utf8_lower(trimmed), pa.array(sorted(MISSING), trimmed.type))
    return pc.if_else(is_missing, pa.scalar(None, trimmed.type), trimmed)


def _is_text(column: Column) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _typed(column: Column, name: str) -> Float64Array:
    try:
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    except pa.ArrowException as error:
        raise PriceFileProblem(f"its values are of type {column.type}, not numbers", None, name) from error


def _bare(text: str) -> str:
    return IGNORED.sub("", text.replace("−", "-"))


def _decimal_mark(columns: Mapping[str, Texts], names: Mapping[str, str], dots_may_group: bool) -> str | None:
    """The decimal mark of all prices; None when no number depends on it.

    Raises:
        PriceFileProblem: the prices contradict each other, or each could be read in two ways.
    """
    seen: dict[str, tuple[str, int, str]] = {}
    unsure: tuple[str, int, str] | None = None
    for what, row, text in _marked(columns):
        mark = _mark_of(text, dots_may_group)
        if mark is None:
            unsure = unsure or (what, row, text)
        else:
            seen.setdefault(mark, (what, row, text))
    if len(seen) == 2:
        (_, _, other), (what, row, text) = sorted(seen.values(), key=lambda place: place[1])
        raise PriceFileProblem(f"{quoted(text)} and {quoted(other)} use different decimal marks", row, names[what])
    if not seen and unsure is not None:
        what, row, text = unsure
        raise PriceFileProblem(
            f"{quoted(text)} can be read in two ways, and no other price in the file shows which; write decimals "
            "with a point, and no thousands separators",
            row,
            names[what],
        )
    return next(iter(seen), None)


def _marked(columns: Mapping[str, Texts]) -> Iterator[tuple[str, int, str]]:
    for what, cells in columns.items():
        for row, text in enumerate(cells):
            if text is not None and ("." in text or "," in text):
                yield what, row, text


def _mark_of(text: str, dots_may_group: bool) -> str | None:
    """The decimal mark of this number; None when it may be either."""
    last = "." if text.rfind(".") > text.rfind(",") else ","
    other = "," if last == "." else "."
    if text.count(last) > 1:
        return other  # 1,234,567 has no decimals, but shows the thousands separator
    if other in text:
        return last
    if LIKE_THOUSANDS.fullmatch(text) and (last == "," or dots_may_group):
        return None
    return last


def _read(cells: Texts, mark: str | None, name: str, *, is_volume: bool) -> Float64Array:
    values = np.full(len(cells), np.nan)
    for row, text in enumerate(cells):
        if text is None:
            continue
        value = _number(text, mark or ".", groups_anyhow=is_volume and mark is None, may_be_short=is_volume)
        if value is None:
            raise PriceFileProblem(f"{quoted(text)} is not a number", row, name)
        values[row] = value
    return values


def _number(text: str, mark: str, *, groups_anyhow: bool, may_be_short: bool) -> float | None:
    multiple = MULTIPLES.get(text[-1:].lower()) if may_be_short else None
    if multiple is not None:
        text = text[:-1].rstrip()
    if groups_anyhow and LIKE_THOUSANDS.fullmatch(text):
        text = text.replace(",", "").replace(".", "")
    grouping = "," if mark == "." else "."
    whole = text.partition(mark)[0]
    if grouping in text and not re.fullmatch(rf"[+-]?\d{{1,3}}(\{grouping}\d{{2,3}})*\{grouping}\d{{3}}", whole):
        return None
    plain = text.replace(grouping, "").replace(mark, ".")
    # Python also reads 1_000 and the digits of other scripts.
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", plain, re.ASCII | re.IGNORECASE):
        return None
    return float(plain) * (multiple or 1.0)
