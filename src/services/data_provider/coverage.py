"""Which days of a market are over, so that their bars are final and can be expected to exist."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from src.services.data_provider.calendar import last_finished_session

SETTLING = timedelta(hours=1)
"""How long after the end of its day a bar may still change: auctions print late, indices end later."""

PUBLISHING = timedelta(hours=6)
"""How much later a bar may still appear; a bar that is missing after that is taken not to exist."""

NEW_YORK = "America/New_York"
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Market:
    """When a symbol trades, as far as one must know to tell whether its latest bar is final.

    New York's sessions, half-days and closures are known from the exchange's calendar. Of every other
    market only the time zone is: its days count from Monday to Friday, or all seven where the symbol
    has traded on a weekend, and a day is over with its midnight. A holiday there costs one request
    that finds nothing, never a wrong price.

    Attributes:
        time_zone: IANA name of the zone in which the source tells the days apart.
        has_new_york_sessions: trades when the New York Stock Exchange does.
        trades_weekends: has had bars on Saturdays or Sundays of late.
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
            raise ValueError("a moment needs a time zone")
        settled = now.astimezone(UTC) - SETTLING
        if self.has_new_york_sessions:
            return last_finished_session(settled)
        day = settled.astimezone(ZoneInfo(self.time_zone)).date() - timedelta(days=1)
        while not self.trades_weekends and day.weekday() >= SATURDAY:
            day -= timedelta(days=1)
        return day

    def covered_to(self, last_bar: date, now: datetime) -> date:
        """The day up to which an answer given now is complete, when its last bar is of `last_bar`.

        It is the last finished day even when that has no bar (a holiday, a halt, a delisting), but
        not within the first hours: then the source may just be late.
        """
        return max(last_bar, self.last_finished_day(now - PUBLISHING))
