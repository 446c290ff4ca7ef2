"""Dividends as cash: before the day's first fill, on the previous day's holdings."""

from dataclasses import replace

import pytest

from src.engine.simulator import simulate
from tests.engine.markets import CLOSE_TO_CLOSE, NEXT_OPEN, fills, market, plan, rules, settled


def test_holders_of_the_day_before_are_paid_and_buyers_of_the_ex_date_are_not() -> None:
    """100 shares at 10; 0.50 each on day 1, when the price has fallen by as much."""
    given = replace(market({"A": [10, 9.5, 9.5]}), dividends={1: [(0, 0.5)]})
    held = simulate(given, rules(), plan({0: [1.0]}))
    assert (held.cash, held.equity) == ([0.0, 50.0, 50.0], [1000.0, 1000.0, 1000.0])
    bought_then = simulate(given, rules(), plan({1: [1.0]}))
    assert bought_then.equity == [1000.0] * 3
    assert bought_then.cash[1:] == pytest.approx([0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize(("execution", "price"), [(CLOSE_TO_CLOSE, 9.5), (NEXT_OPEN, 9.0)])
def test_the_cash_of_a_dividend_can_be_spent_in_the_same_days_fills(execution, price) -> None:
    given = market({"A": [10, 10, 9.5]}, opens={"A": [10, 10, 9]})
    given = replace(given, dividends={2: [(0, 0.5)]})
    signals = {0: [1.0], (2 if execution is CLOSE_TO_CLOSE else 1): [1.0]}
    ledger = simulate(given, rules(execution=execution), plan(signals))
    assert fills(ledger)[1] == (2, 0, pytest.approx(50 / price), price, 0.0)
    assert ledger.cash[-1] == pytest.approx(0, abs=1e-9)


def test_the_strategy_sees_the_cash_at_the_close_of_the_ex_date() -> None:
    seen = []

    def decide(day, bars, equity, cash, *_):  # type: ignore[no-untyped-def]
        seen.append((cash, equity))
        return [0.5] if day == 0 else None

    simulate(replace(market({"A": [10, 10]}), dividends={1: [(0, 1.0)]}), rules(), decide)
    assert seen == [(1000.0, 1000.0), (550.0, 1050.0)]


def test_a_dividend_on_the_day_of_a_delisting_is_paid_before_the_settlement() -> None:
    given = market({"DEAD": [10, None], "SPY": [5, 5]}, delistings={0: 1})
    ledger = simulate(replace(given, dividends={1: [(0, 2.0)]}), rules(delisting_return=-1), plan({0: [0.5, 0]}))
    assert settled(ledger) == [(1, 0, -50.0, 0.0, 0.0)]
    assert ledger.cash == [500.0, 600.0]
