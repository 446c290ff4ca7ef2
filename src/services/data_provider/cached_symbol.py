"""A summary of the stored prices of one symbol."""

from dataclasses import dataclass
from datetime import date, datetime

from src.services.data_provider.base import SuspectBar


@dataclass(frozen=True)
class CachedSymbol:
    """The stored prices of one symbol, with at least one row.

    Attributes:
        symbol: the prices' symbol.
        source: name of their source.
        first_day, last_day: days of the first and last row.
        rows: number of days.
        fetched_at: when the source was last asked, with a time zone; None for a user's file.
        covered_to: up to this day the source need not be asked; None without a source.
        suspects: faulty rows, by day.
    """

    symbol: str
    source: str
    first_day: date
    last_day: date
    rows: int
    fetched_at: datetime | None
    covered_to: date | None
    suspects: tuple[SuspectBar, ...] = ()
