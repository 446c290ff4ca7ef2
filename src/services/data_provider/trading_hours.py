"""Which days of a market are over, so that their bars are final and should exist."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from src.services.data_provider.calendar import last_finished_session

SETTLING = timedelta(hours=1)
"""How long after the end of its day a bar may still change: auctions print late, indices close later."""

PUBLISHING = timedelta(hours=6)
"""How much later a bar may still appear; a bar still missing then is taken not to exist."""

NEW_YORK = "America/New_York"
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class TradingHours:
    """When a symbol trades, in the detail needed to know whether its latest bar is final.

    New York's sessions, half-days and closures come from the exchange's calendar. Of every other market
    only the time zone is known: its days run from Monday to Friday, or all seven where the symbol has
    traded on a weekend, and a day ends at its midnight. A holiday there costs one request that finds
    nothing, never a wrong price.

    Attributes:
        time_zone: IANA name of the zone in which the source separates days.
        has_new_york_sessions: trades when the New York Stock Exchange does.
        trades_weekends: has recent bars on Saturdays or Sundays.
    """

    time_zone: str
    has_new_york_sessions: bool
    trades_weekends: bool

    def last_finished_day(self, now: datetime) -> date:
        """The last trading day whose bar is final.

        Args:
            now: with a time zone.

        Raises:
            ValueError: it has none.
        """
        if now.tzinfo is None:
            raise ValueError("now needs a time zone")
        settled = now.astimezone(UTC) - SETTLING
        if self.has_new_york_sessions:
            return last_finished_session(settled)
        day = settled.astimezone(ZoneInfo(self.time_zone)).date() - timedelta(days=1)
        while not self.trades_weekends and day.weekday() >= SATURDAY:
            day -= timedelta(days=1)
        return day

    def covered_to(self, last_bar: date, now: datetime) -> date:
        """The day up to which an answer received now is complete, given the day of its last bar.

        This is the last finished day even when that has no bar (a holiday, a halt, a delisting), except within the
        first hours, when the source may just be late.
        """
        return max(last_bar, self.last_finished_day(now - PUBLISHING))
