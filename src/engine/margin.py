"""Rebalancing in a margin account, whose positions and cash may be negative within a limit on gross exposure."""

from collections.abc import Sequence

from src.engine.budget import largest_affordable
from src.engine.portfolio import Change
from src.engine.rebalancing import Rebalancer

ROOM_IN_AN_ORDER = "no room below max_gross while another order waits"
NO_ROOM = "no room below max_gross"

NEGLIGIBLE_GROWTH = 1e-9
"""Growth of a position, as a fraction of it, that is rounding: a long turned into an equal short has not grown."""


class MarginRebalancer(Rebalancer):
    """Makes the orders that reduce positions first, then those that increase them, each in universe order.

    An order that increases a position may take gross exposure, Σ|shares| · price, up to max_gross times equity, both at
    this moment's prices and after the order's costs. With a limit of one and no shorts that is exactly the cash at
    hand. Orders that reduce are never held back: their costs may take equity below zero.
    """

    waits_for = ROOM_IN_AN_ORDER

    def fill(
        self,
        day: int,
        prices: Sequence[float],
        marks: Sequence[float],
        volumes: Sequence[float],
        equity: float,
    ) -> None:
        """See Rebalancer.fill. Weights of an equity that is gone at this moment close every position."""
        if equity <= 0:
            self._weights = [0.0] * len(self._weights)
        super().fill(day, prices, marks, volumes, equity)

    def _trade(self, day: int, changes: Sequence[Change], short_reason: str | None) -> tuple[list[int], str | None]:
        increases = []
        for symbol, change in changes:
            if self._increases(symbol, change):
                increases.append((symbol, change))
            elif not self._reduce(day, symbol, change):
                short_reason = short_reason or NO_ROOM
        if not increases:
            return [], short_reason
        self._room = self._room_left()
        return [s for s, change in increases if not self._increase(day, s, change, short_reason)], short_reason

    def _frees(self, symbol: int, change: float) -> bool:
        return not self._increases(symbol, change)

    def _increases(self, symbol: int, change: float) -> bool:
        held = self._portfolio.shares[symbol]
        return abs(held + change) - abs(held) > NEGLIGIBLE_GROWTH * abs(held)

    def _room_left(self) -> float:
        """Account currency by which gross exposure may still grow."""
        held = zip(self._portfolio.shares, self._sizing.prices, strict=True)
        gross = sum(abs(shares) * price for shares, price in held if shares)
        return self._rules.max_gross * self._portfolio.value(self._sizing.prices) - gross

    def _reduce(self, day: int, symbol: int, wanted: float) -> bool:
        """Make what the day's volume allows; True when all of it filled."""
        change = self._fillable(day, symbol, wanted) if self._uses_volume else wanted
        self._portfolio.trade(day, symbol, change, *self._sizing.quote(symbol, change))
        return change == wanted

    def _increase(self, day: int, symbol: int, wanted: float, short_reason: str | None) -> bool:
        """Make what the day's volume and the room allow; False when it falls short for `short_reason`."""
        portfolio, sizing = self._portfolio, self._sizing
        allowed = self._fillable(day, symbol, wanted) if self._uses_volume else wanted
        change, taken = allowed, self._room_taken(symbol, allowed)
        if taken > self._room + sizing.rounding and self._increases(symbol, allowed):
            change = self._within_room(symbol, allowed)
            taken = self._room_taken(symbol, change)
        is_closed = change == -portfolio.shares[symbol]
        if change and (is_closed or not sizing.is_too_small(symbol, abs(change))):
            portfolio.trade(day, symbol, change, *sizing.quote(symbol, change))
            self._room -= taken
        if short_reason is None or sizing.is_too_small(symbol, abs(allowed - change)):
            return True
        self._log.note(day, symbol, short_reason)
        return False

    def _room_taken(self, symbol: int, change: float) -> float:
        """What an order takes of the room: the growth of its position, and its costs times max_gross."""
        held, reference = self._portfolio.shares[symbol], self._sizing.prices[symbol]
        price, fee = self._sizing.quote(symbol, change)
        cost = (price - reference) * change + fee
        return (abs(held + change) - abs(held)) * reference + self._rules.max_gross * cost

    def _within_room(self, symbol: int, change: float) -> float:
        """The part of an order that the room allows; what closes an opposite position is always part of it."""
        side = 1.0 if change > 0 else -1.0
        closing = max(0.0, -side * self._portfolio.shares[symbol])

        def spend(opening: float) -> float:
            return self._room_taken(symbol, side * (closing + opening)) + closing * self._sizing.prices[symbol]

        budget = self._room + closing * self._sizing.prices[symbol]
        return side * (closing + largest_affordable(spend, budget, side * change - closing))
