"""The bars that a strategy has received so far, kept as frames and read as columns when it asks for them."""

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from math import isnan
from operator import index
from typing import Any

from src.execution.runner.signals import shown, unknown_symbol

TIME_OFFSET = 0
"""Where a frame holds its time, in bytes."""

_TIMES = object()
"""The field of `History.last` that gives times, which strategies cannot name."""

_read_number = struct.Struct("=d").unpack_from


class _Column:
    """One field of one symbol: its values on the bars of the first `n_read` frames."""

    __slots__ = ("close", "n_read", "offset", "values")

    def __init__(self, close: int, offset: int) -> None:
        self.close, self.offset = close, offset
        self.values: list[float] = []
        self.n_read = 0


class History:
    """The frames received so far, oldest first. A column costs nothing before it is asked for.

    Args:
        offsets: where a frame holds each field of each symbol, in bytes.
        bar: makes a bar of the five numbers at an offset.

    Attributes:
        frames: every frame, as long as the strategy's source mentions a use for them.
    """

    def __init__(self, offsets: dict[str, dict[str, int]], bar: Callable[[bytes, int], Any]) -> None:
        self.frames: list[bytes] = []
        self._offsets = offsets
        self._bar = bar
        self._columns: dict[tuple[str, Any], _Column] = {}

    def last(self, frame: bytes, symbol: str, n: int, field: Any) -> list[Any]:
        """The last n values up to that frame, oldest first; fewer where there are fewer.

        Raises:
            ValueError: no such symbol or field, or n is no whole number above zero.
        """
        frames = self.frames
        try:
            column = self._columns[symbol, field]
        except (KeyError, TypeError):
            column = self._new_column(symbol, field)
        if type(n) is not int or n < 1:
            n = _whole_number(n)
        if field == "bar" or frame is not frames[-1]:
            return self._walked(frame, column, n, field == "bar")
        if column.n_read < len(frames):
            self._catch_up(column)
        return column.values[-n:]

    def _catch_up(self, column: _Column) -> None:
        close, offset, values = column.close, column.offset, column.values
        for frame in self.frames[column.n_read :]:
            (price,) = _read_number(frame, close)
            if not isnan(price):
                values.append(price if offset == close else _read_number(frame, offset)[0])
        column.n_read = len(self.frames)

    def _walked(self, frame: bytes, column: _Column, n: int, are_bars: bool) -> list[Any]:
        """Backwards from that frame: for slices that were kept, and for bars, which take too much memory to keep."""
        found = list(islice(self._with_bar(frame, column.close), n))
        found.reverse()
        if are_bars:
            return [self._bar(frame, column.offset) for frame in found]
        return [_read_number(frame, column.offset)[0] for frame in found]

    def _with_bar(self, frame: bytes, close: int) -> Iterator[bytes]:
        position = len(self.frames) - 1
        if frame is not self.frames[position]:
            position = bisect_left(self.frames, _time(frame), key=_time)
        for earlier in range(position, -1, -1):
            if not isnan(_read_number(self.frames[earlier], close)[0]):
                yield self.frames[earlier]

    def _new_column(self, symbol: Any, field: Any) -> _Column:
        offsets = self._offsets.get(symbol) if isinstance(symbol, str) else None
        if offsets is None:
            raise ValueError(unknown_symbol(symbol, tuple(self._offsets)))
        offset = TIME_OFFSET if field is _TIMES else offsets.get(field) if isinstance(field, str) else None
        if offset is None:
            raise ValueError(f"{shown(field)} is not a field of history; it has {', '.join(offsets)}")
        column = self._columns[symbol, field] = _Column(offsets["close"], offset)
        return column

    def table(self, pandas: Any, frame: bytes, symbol: str, n: int, fields: Sequence[str]) -> Any:
        """A DataFrame of that pandas with the last n bars up to that frame, indexed by time in UTC.

        Raises:
            ValueError: see `last`.
        """
        columns = {field: self.last(frame, symbol, n, field) for field in fields}
        times = self.last(frame, symbol, n, _TIMES)
        return pandas.DataFrame(columns, index=pandas.to_datetime(times, unit="s", utc=True).rename("time"))


def _time(frame: bytes) -> float:
    time: float = _read_number(frame, TIME_OFFSET)[0]
    return time


def _whole_number(n: Any) -> int:
    """NumPy's integers are whole numbers; bools are mistakes."""
    try:
        number = index(n)
    except TypeError:
        number = 0
    if isinstance(n, bool) or number < 1:
        raise ValueError(f"n is {shown(n)}; it must be a whole number of at least 1, a number of bars")
    return number
