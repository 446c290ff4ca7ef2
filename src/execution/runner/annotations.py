"""What a strategy says beside its signals: points of its own series, and on which bars it printed.

The strategy process collects it bar by bar, and sends it before its decision where there is any. The runner trusts none
of it: it checks the form and the limits of each message and keeps the rest.
"""

import io
import json
import math
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from src.execution.protocol import MAX_SERIES, MAX_SERIES_CHARACTERS
from src.execution.runner.errors import RunFailed

MAX_BYTES = 16_384
"""Limit on a message: every series, with names of which each character takes twelve bytes."""


class Annotations:
    """Collects points and counts printed bytes, in the strategy process.

    Attributes:
        points: this bar's, by the name of their series.
        printed_bytes: one number, the bytes printed so far.
    """

    def __init__(self) -> None:
        self.points: dict[str, float] = {}
        self.printed_bytes = [0]
        self._names: set[str] = set()
        for name in ("stdout", "stderr"):
            _count(name, self.printed_bytes)

    def plot(self, name: str, value: float | None) -> None:
        """Add a point to a series of the result's plots at this bar; another point of the bar replaces it.

        Args:
            name: of the series, at most 60 characters. A strategy has at most 20 series.
            value: in any unit; None and NaN add nothing.

        Raises:
            ValueError: an infinite value, a name that is too long, or one series too many.
            TypeError: the name is no text, or the value no number.
        """
        if not isinstance(name, str):
            raise TypeError(f"the name of a plot must be text, not {type(name).__name__}")
        if not 0 < len(name) <= MAX_SERIES_CHARACTERS:
            raise ValueError(f"the name of a plot must have 1 to {MAX_SERIES_CHARACTERS} characters")
        number = math.nan if value is None else float(value)
        if math.isinf(number):
            raise ValueError(f"a point of the plot {name!r} is infinite")
        if math.isnan(number):
            return
        self._names.add(name)
        if len(self._names) > MAX_SERIES:
            raise ValueError(f"{name!r} is one plot too many: a strategy has at most {MAX_SERIES}")
        self.points[name] = number


class _Counted(io.FileIO):
    """A descriptor that counts what is written to it.

    Args:
        n_bytes: one number, which grows.
    """

    def __init__(self, descriptor: int, n_bytes: list[int]) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._n_bytes = n_bytes

    def write(self, data: Any) -> int:
        written = super().write(data) or 0
        self._n_bytes[0] += written
        return written


def _count(name: str, n_bytes: list[int]) -> None:
    """Put a counting file in place of a standard stream, with its encoding, one line at a time."""
    stream: Any = getattr(sys, name)
    buffer = io.BufferedWriter(_Counted(stream.fileno(), n_bytes))
    setattr(sys, name, io.TextIOWrapper(buffer, stream.encoding, stream.errors, line_buffering=True))


class Record:
    """What a strategy said, as the runner keeps it."""

    def __init__(self) -> None:
        self._series: dict[str, tuple[list[int], list[float]]] = {}
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._days: list[int] = []

    def take(self, payload: bytes, day: int, timeline_day: int | None) -> None:
        """Keep a message.

        Args:
            day: index into the timeline with its warm-up.
            timeline_day: index into the timeline; None during the warm-up, whose points are ignored.

        Raises:
            RunFailed: it is not of the right form, or exceeds a limit.
        """
        points, start, end = _read(payload)
        if not (self._ends[-1] if self._ends else 0) <= start <= end:
            raise RunFailed("malformed")
        if end > start:
            self._starts.append(start)
            self._ends.append(end)
            self._days.append(day)
        if timeline_day is None:
            return
        for name, value in points.items():
            days, values = self._series.setdefault(name, ([], []))
            days.append(timeline_day)
            values.append(value)
        if len(self._series) > MAX_SERIES:
            raise RunFailed("malformed")

    def plots(self, n_days: int) -> dict[str, "array[float]"]:
        """Every series, NaN on days without a point."""
        columns = {}
        for name, (days, values) in self._series.items():
            column = columns[name] = array("d", [math.nan]) * n_days
            for day, value in zip(days, values, strict=True):
                column[day] = value
        return columns

    def line_days(self, output: bytes) -> list[list[int | None]]:
        """For each run of lines of one day, that day's index into the timeline with its warm-up, and their number.

        Lines printed before the first bar have the day None.
        """
        if not self._days:
            return []
        return [[day, sum(1 for _ in lines)] for day, lines in groupby(self._each_line(output))]

    def _each_line(self, output: bytes) -> Iterator[int | None]:
        start = 0
        # The same lines as in the logs, with the length of every byte that is no UTF-8 kept.
        for line in output.decode("utf-8", "surrogateescape").splitlines(keepends=True):
            at = bisect_right(self._starts, start) - 1
            yield None if at < 0 else self._days[at]
            start += len(line.encode("utf-8", "surrogateescape"))


def _read(payload: bytes) -> tuple[dict[str, float], int, int]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        raise RunFailed("malformed") from None
    match value:
        case {"points": dict(points), "printed": [int(start), int(end)]} if all(map(_is_point, points.items())):
            return points, start, end
    raise RunFailed("malformed")


def _is_point(point: tuple[str, Any]) -> bool:
    name, value = point
    return 0 < len(name) <= MAX_SERIES_CHARACTERS and type(value) is float and math.isfinite(value)
