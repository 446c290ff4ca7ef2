"""The books of a run: filled orders, daily marks, and orders that could not fill."""

from array import array
from collections import Counter
from typing import Any, NamedTuple

STRETCH_DAYS = 7
"""Misses at most this many timeline days apart form one stretch, such as all weekends of equities beside a coin."""

SIGNAL, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP = range(4)
"""Why an order was made."""

MAX_LEVEL_CHANGES = 1_500_000
"""Changes of protective levels in a run: 200 symbols whose levels move every day for 25 years have 1.26 million."""

MAX_STRETCHES = 20
"""Maximum stretches per symbol and reason; later misses extend the last, which keeps the list short."""


class Orders(NamedTuple):
    """Filled orders in order of filling, one column per field, all of one length.

    Attributes:
        day: index into the timeline's days.
        symbol: index into the universe's symbols.
        shares: signed share count; positive buys, negative sells; never zero.
        price: fill price per share in account currency, slippage included.
        fee: commission of this order in account currency, at least zero.
        reason: SIGNAL, or the level that closed the position.
    """

    day: list[int]
    symbol: list[int]
    shares: list[float]
    price: list[float]
    fee: list[float]
    reason: list[int]


class TooManyOrders(Exception):
    """A run has more orders than its rules allow."""


class TooManyLevels(Exception):
    """A run has more than MAX_LEVEL_CHANGES."""


class Unfilled(NamedTuple):
    """A stretch of days on which one symbol could not fill for one reason.

    Attributes:
        symbol: index into the universe's symbols.
        reason: a short clause without symbol or date, one of those in `src/engine/rebalancing.py`.
        first_day: timeline index of the first such day.
        last_day: timeline index of the last such day.
        n_days: number of such days in the stretch, at least one.
    """

    symbol: int
    reason: str
    first_day: int
    last_day: int
    n_days: int = 1


class Ledger:
    """The books of one run.

    Attributes:
        orders: every fill of a signal or of a protective exit.
        settlements: the positions closed because their symbol was delisted, without a fee. They are not sent to the
            host, which derives them from the orders.
        cash: cash after the day's last fill, one per timeline day.
        equity: cash plus positions at the day's close (last known close for a symbol
            without a bar), one per timeline day.
        unfilled: orders that waited or never filled, by first_day.
        levels: the changes of a symbol's protective levels, a column each: day of the signal, symbol, stop loss, take
            profit and trailing stop as fractions, 0.0 for none. Arrays, for there may be as many as orders.
        decisions: number of calls of the strategy.
        signals: number of calls that returned weights.
        most_requested: until the first fill, the largest position requested by a signal that could have filled, in
            account currency before costs; None when no signal could.
        most_affordable: the largest of those orders after costs.
        ruined_on: timeline index of the day at whose mark equity was gone, after which cash and equity are zero; None
            for an account that survived.
    """

    def __init__(self) -> None:
        self.orders = self.settlements = Orders([], [], [], [], [], [])
        self.cash: list[float] = []
        self.equity: list[float] = []
        self.unfilled: list[Unfilled] = []
        self.levels: tuple[array[Any], ...] = tuple(array(code) for code in "iiddd")
        self.decisions = 0
        self.signals = 0
        self.most_requested: float | None = None
        self.most_affordable = 0.0
        self.ruined_on: int | None = None


class UnfilledLog:
    """Gathers single misses into stretches.

    Args:
        unfilled: the list that the stretches are appended to.
    """

    def __init__(self, unfilled: list[Unfilled]) -> None:
        self._unfilled = unfilled
        self._latest: dict[tuple[int, str], int] = {}
        self._counts: Counter[tuple[int, str]] = Counter()

    def note(self, day: int, symbol: int, reason: str) -> None:
        """Record that an order in `symbol` could not fill, or only in part, on that timeline day."""
        key = (symbol, reason)
        if key in self._latest:
            stretch = self._unfilled[self._latest[key]]
            if day - stretch.last_day <= STRETCH_DAYS or self._counts[key] >= MAX_STRETCHES:
                self._unfilled[self._latest[key]] = stretch._replace(last_day=day, n_days=stretch.n_days + 1)
                return
        self._latest[key] = len(self._unfilled)
        self._counts[key] += 1
        self._unfilled.append(Unfilled(symbol, reason, day, day))
