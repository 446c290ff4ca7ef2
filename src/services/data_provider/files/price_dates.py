"""The days in a price file, in the formats that people and programs write."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from src.services.data_provider.arrays import Dates
from src.services.data_provider.files.problem import PriceFileProblem, quoted

Seconds = npt.NDArray[np.int64]

WRITE_ISO = "write days as YYYY-MM-DD"
SECONDS_A_DAY = 86_400
UTC_NAMES = frozenset(("z", "utc", "gmt", "+00:00", "+0000", "+00", "etc/utc"))

YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)", re.ASCII)
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)", re.ASCII)
YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)", re.ASCII)
DAY_MONTH_NAME = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3,9})\.?,?[- ](\d{4})(?!\d)", re.ASCII)
MONTH_NAME_DAY = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})(?!\d)", re.ASCII)
EPOCH = re.compile(r"-?\d{9,10}|-?\d{12,13}", re.ASCII)
TIME = re.compile(r"[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp][Mm])?\s*(\S*)", re.ASCII)

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Stamps:
    """Time stamps as written.

    Attributes:
        days: (n_rows,) datetime64[D].
        seconds: (n_rows,) since midnight.
        is_utc: whether they are in UTC; None without a time zone.
    """

    days: Dates
    seconds: Seconds
    is_utc: bool | None


def read_days(column: "pa.ChunkedArray[Any]", name: str) -> Dates:
    """The day of each row.

    A stamp means the day it shows, unless it is a midnight in a time zone east of Greenwich given in UTC: then it means
    the next day. Weekends decide which: a market's days do not fall on them.

    Args:
        column: text, dates, time stamps or whole numbers, without nulls.
        name: the column's name, for messages.

    Raises:
        PriceFileProblem: a cell is not a day, or the column can be read in two ways.
    """
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            return np.asarray(column.cast(pa.date32()).to_numpy(), dtype="datetime64[D]")  # all of them YYYY-MM-DD
        except pa.ArrowInvalid:
            stamps = _of_texts([str(text).strip() for text in column.to_pylist()], name)
    elif pa.types.is_date(column.type):
        return np.asarray(column.to_numpy(), dtype="datetime64[D]")
    elif pa.types.is_timestamp(column.type):
        stamps = _of_timestamps(column)
    elif pa.types.is_integer(column.type):
        stamps = _of_texts([str(number) for number in column.to_pylist()], name)
    else:
        raise PriceFileProblem(f"its dates are of type {column.type}; {WRITE_ISO}", None, name)
    return _settled(stamps, name)


def _of_timestamps(column: "pa.ChunkedArray[Any]") -> Stamps:
    zone = column.type.tz
    if zone is not None:
        # By pandas: pyarrow needs the system's time zone files, which slim images lack.
        moments = column.to_pandas().dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    else:
        moments = column.to_numpy().astype("datetime64[s]")
    days = moments.astype("datetime64[D]")
    return Stamps(days, (moments - days).astype(np.int64), None if zone is None else zone.lower() in UTC_NAMES)


def _of_texts(texts: Sequence[str], name: str) -> Stamps:
    if texts and all(EPOCH.fullmatch(text) for text in texts):
        return _of_epochs(texts)
    for pattern, order in ORDERS:
        if texts and pattern.match(texts[0]):
            return _in_order(texts, pattern, order, name)
    if not texts:
        return Stamps(np.empty(0, "datetime64[D]"), np.empty(0, np.int64), None)
    raise _no_day(0, texts[0], name)


def _of_epochs(texts: Sequence[str]) -> Stamps:
    values = np.array([int(text) // (1000 if len(text.lstrip("-")) > 10 else 1) for text in texts], dtype=np.int64)
    return Stamps((values // SECONDS_A_DAY).astype("datetime64[D]"), values % SECONDS_A_DAY, True)


Order = Callable[[Sequence["re.Match[str]"], str], Callable[["re.Match[str]"], date]]


def _in_order(texts: Sequence[str], pattern: "re.Pattern[str]", order: Order, name: str) -> Stamps:
    matches = []
    for row, text in enumerate(texts):
        match = pattern.match(text)
        if match is None or text[match.end() :][:1] not in ("", "T", " "):
            raise _no_day(row, text, name)
        matches.append(match)
    read = order(matches, name)
    days, seconds, zones = [], [], set()
    for row, (text, match) in enumerate(zip(texts, matches, strict=True)):
        try:
            days.append(read(match))
        except ValueError as error:
            raise PriceFileProblem(f"{quoted(text)} is not a calendar day", row, name) from error
        second, zone = _time(text[match.end() :])
        seconds.append(second)
        zones.add(zone)
    is_utc = None if zones == {""} else zones <= UTC_NAMES
    return Stamps(np.array(days, "datetime64[D]"), np.array(seconds, np.int64), is_utc)


def _time(text: str) -> tuple[int, str]:
    """Seconds since midnight and the time zone, in lower case."""
    match = TIME.match(text)
    if match is None:
        return 0, ""
    hour, minute, second, half, zone = match.groups()
    hours = int(hour) % 12 + (12 if half.lower() == "pm" else 0) if half else int(hour)
    return 3600 * hours + 60 * int(minute) + int(second or 0), zone.lower()


def _no_day(row: int, text: str, name: str) -> PriceFileProblem:
    return PriceFileProblem(f"{quoted(text)} is not a date, or not written like the others; {WRITE_ISO}", row, name)


def _year_first(_matches: Sequence["re.Match[str]"], _name: str) -> Callable[["re.Match[str]"], date]:
    return lambda match: date(int(match[1]), int(match[3]), int(match[4]))


def _compact(_matches: Sequence["re.Match[str]"], _name: str) -> Callable[["re.Match[str]"], date]:
    return lambda match: date(int(match[1]), int(match[2]), int(match[3]))


def _named_second(_matches: Sequence["re.Match[str]"], _name: str) -> Callable[["re.Match[str]"], date]:
    return lambda match: date(int(match[3]), _month(match[2]), int(match[1]))


def _named_first(_matches: Sequence["re.Match[str]"], _name: str) -> Callable[["re.Match[str]"], date]:
    return lambda match: date(int(match[3]), _month(match[1]), int(match[2]))


def _month(name: str) -> int:
    return MONTHS.index(name[:3].lower()) + 1


def _year_last(matches: Sequence["re.Match[str]"], name: str) -> Callable[["re.Match[str]"], date]:
    """Day first or month first, decided by the whole column.

    Raises:
        PriceFileProblem: the column leaves it open, or contradicts itself.
    """
    day_first = next((row for row, match in enumerate(matches) if int(match[1]) > 12), None)
    month_first = next((row for row, match in enumerate(matches) if int(match[3]) > 12), None)
    if day_first is not None and month_first is not None:
        row, other = max(day_first, month_first), min(day_first, month_first)
        raise PriceFileProblem(
            f"{quoted(matches[row][0])} and {quoted(matches[other][0])} have day and month in different orders; "
            f"{WRITE_ISO}",
            row,
            name,
        )
    is_told = day_first is not None or month_first is not None or all(match[2] == "." for match in matches)
    unsure = next((row for row, match in enumerate(matches) if int(match[1]) != int(match[3])), None)
    if not is_told and unsure is not None:
        raise PriceFileProblem(
            f"{quoted(matches[unsure][0])} may have the day or the month first, and no other row shows which; "
            f"{WRITE_ISO}",
            unsure,
            name,
        )
    if month_first is not None:
        return lambda match: date(int(match[4]), int(match[1]), int(match[3]))
    return lambda match: date(int(match[4]), int(match[3]), int(match[1]))


ORDERS: tuple[tuple["re.Pattern[str]", Order], ...] = (
    (YEAR_FIRST, _year_first),
    (COMPACT, _compact),
    (YEAR_LAST, _year_last),
    (DAY_MONTH_NAME, _named_second),
    (MONTH_NAME_DAY, _named_first),
)

EAST_FROM = 10 * 3600
"""In UTC, midnights of the day before east of Greenwich fall on this hour or later (UTC+14 is the furthest east)."""

NO_CLOSE_FROM = 21 * 3600
"""No exchange that trades on Sundays closes this late in local time."""

CLOSES_IN_UTC = (12 * 3600, 12 * 3600 + 1800)
"""When Riyadh and Cairo close, from Sunday to Thursday; in New Zealand it is midnight."""

SUMMER_IN_LONDON = 23 * 3600
HALF_HOUR = 1800
TELLING = 0.1
"""Share of the rows by which one reading must have fewer weekends than the other."""


def _settled(stamps: Stamps, name: str) -> Dates:
    """The days that the stamps mean.

    Raises:
        PriceFileProblem: they may mean the days shown or the next ones.
    """
    days, seconds = stamps.days, stamps.seconds
    is_late = seconds >= EAST_FROM
    if stamps.is_utc is False or not _may_be_midnights(seconds, is_late):
        return days
    shown, following = _weekend_share(days[is_late]), _weekend_share(days[is_late] + 1)
    if shown <= following - TELLING:
        return days
    late = seconds[is_late]
    if following <= shown - TELLING:
        may_be_close = np.isin(late, CLOSES_IN_UTC).any() if stamps.is_utc else (late < NO_CLOSE_FROM).any()
        if not may_be_close:
            return np.where(is_late, days + 1, days)
    elif stamps.is_utc is None or (late == CLOSES_IN_UTC[0]).all():
        return days  # noon is written so that no time zone moves the day
    raise _two_days(stamps, int(np.flatnonzero(is_late)[0]), name)


def _may_be_midnights(seconds: Seconds, is_late: npt.NDArray[np.bool_]) -> bool:
    """Whether the stamps can be midnights of one time zone east of Greenwich, or of London with its summer time."""
    if not is_late.any() or (seconds[is_late] % HALF_HOUR).any():
        return False
    return bool(is_late.all() or (np.isin(seconds, (0, SUMMER_IN_LONDON)).all()))


def _two_days(stamps: Stamps, row: int, name: str) -> PriceFileProblem:
    hour, minute = divmod(int(stamps.seconds[row]) // 60, 60)
    shown = f"{stamps.days[row]} {hour:02}:{minute:02}{' UTC' if stamps.is_utc else ''}"
    return PriceFileProblem(
        f"{shown} may mean that day or, as a midnight further east, the next; {WRITE_ISO}", row, name
    )


def _weekend_share(days: Dates) -> float:
    return float(np.mean(~np.is_busday(days)))
