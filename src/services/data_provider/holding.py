"""What a provider has at hand of one symbol, without asking a source."""

from dataclasses import dataclass
from datetime import date, datetime

from src.services.data_provider.base import SuspectBar


@dataclass(frozen=True)
class Holding:
    """What is kept of one symbol, with at least one row.

    Attributes:
        symbol, source: of whom, from where.
        first_day, last_day: of its first and its last row.
        rows: how many days.
        fetched_at: when the source was last asked, with a time zone; None for a file that a person put there.
        covered_to: up to this day the source need not be asked; None where there is none to ask.
        suspects: rows that are not as a bar should be, by day.
    """

    symbol: str
    source: str
    first_day: date
    last_day: date
    rows: int
    fetched_at: datetime | None
    covered_to: date | None
    suspects: tuple[SuspectBar, ...] = ()
