"""The day loop by hand: fills, marks, the strategy's view, different calendars."""

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hqg_algorithms import BarSize

from src.engine.costs import Fraction, PerOrder, Rate
from src.engine.ledger import TooManyOrders
from src.engine.market import Market
from src.engine.simulator import simulate
from tests.engine.markets import NEXT_OPEN, always, consecutive, fills, market, plan, rules

approx = pytest.approx


def test_close_to_close_fills_at_the_close_the_strategy_saw() -> None:
    """Half A at 10 is 50 shares, three tenths B at 20 is 15, 200 stay cash; next day 50·11 + 15·18 + 200."""
    ledger = simulate(market({"A": [10, 11], "B": [20, 18]}), rules(), plan({0: [0.5, 0.3]}))
    assert fills(ledger) == [(0, 0, 50.0, 10.0, 0.0), (0, 1, 15.0, 20.0, 0.0)]
    assert ledger.cash == [200.0, 200.0]
    assert ledger.equity == [1000.0, 1020.0]
    assert ledger.decisions == 2
    assert ledger.unfilled == []


def test_close_to_next_open_fills_at_the_next_days_open() -> None:
    """Sized at the open of 8: 125 shares, worth 9 each at the close."""
    given = market({"A": [10, 9]}, opens={"A": [7, 8]})
    ledger = simulate(given, rules(execution=NEXT_OPEN), plan({0: [1.0]}))
    assert fills(ledger) == [(1, 0, 125.0, 8.0, 0.0)]
    assert ledger.equity == [1000.0, 1125.0]


def test_a_rebalance_at_the_open_is_sized_by_equity_at_the_open() -> None:
    """100 A gap from 10 to 20: of 2,000, half is 50 A at 20 and half 50 B at 20."""
    given = market({"A": [10, 10, 20], "B": [20, 20, 20]}, opens={"A": [10, 10, 20], "B": [20, 20, 20]})
    ledger = simulate(given, rules(execution=NEXT_OPEN), plan({0: [1.0, 0.0], 1: [0.5, 0.5]}))
    assert fills(ledger) == [(1, 0, 100.0, 10.0, 0.0), (2, 0, -50.0, 20.0, 0.0), (2, 1, 50.0, 20.0, 0.0)]


def test_sells_come_before_buys_each_in_universe_order() -> None:
    given = market({"A": [10, 10], "B": [10, 10], "C": [10, 10], "D": [10, 10]})
    ledger = simulate(given, rules(), plan({0: [0, 0.5, 0, 0.5], 1: [0.5, 0.25, 0.25, 0]}))
    assert [(symbol, shares > 0) for day, symbol, shares, _, _ in fills(ledger) if day == 1] == [
        (1, False),
        (3, False),
        (0, True),
        (2, True),
    ]


def test_a_monthly_strategy_is_marked_every_day() -> None:
    """Bought on 2024-01-31, halved within February, back at its end: the drawdown shows."""
    dates = [date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 15), date(2024, 2, 29)]
    given = market({"A": [10, 9, 5, 10]}, dates=dates)
    ledger = simulate(given, rules(bar_size=BarSize.MONTHLY), plan({0: [1.0]}))
    assert ledger.decisions == 2
    assert ledger.equity == [1000, 900, 500, 1000]


def test_a_monthly_signal_fills_at_the_next_days_open_not_the_next_months() -> None:
    dates = [date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 29)]
    given = market({"A": [10, 10, 10]}, dates=dates)
    ledger = simulate(given, rules(bar_size=BarSize.MONTHLY, execution=NEXT_OPEN), plan({0: [1.0]}))
    assert [day for day, *_ in fills(ledger)] == [1]


def test_liquidate_sells_everything_and_leaves_exactly_no_shares() -> None:
    seen: list[list[float]] = []

    def decide(day: int, bars: object, equity: float, cash: float, shares: Sequence[float], *_: object) -> list[float]:
        seen.append(list(shares))
        return [0.1, 0.7] if day == 0 else [0.0, 0.0]

    ledger = simulate(market({"A": [3, 7, 7], "B": [9, 11, 11]}), rules(min_trade_value=5), decide)
    assert seen[2] == [0.0, 0.0]
    assert ledger.equity[2] == ledger.cash[2] == approx(100 * 7 / 3 + 700 * 11 / 9 + 200)


def test_small_changes_are_skipped_but_closing_a_position_is_not() -> None:
    given = market({"A": [10, 10, 10]})
    ledger = simulate(given, rules(min_trade_value=20), plan({0: [0.5], 1: [0.51], 2: [0.0]}))
    assert [(day, shares) for day, _, shares, _, _ in fills(ledger)] == [(0, 50.0), (2, -50.0)]


def test_repeating_a_signal_never_pays_a_fee_for_rounding() -> None:
    given = market({"A": [3, 7, 11, 13], "B": [7, 3, 9, 1]})
    ledger = simulate(given, rules(commission=PerOrder(1.0)), always(1.0, 0.0))
    assert len(fills(ledger)) == 1


def test_costs_show_on_the_day_of_the_fill() -> None:
    """A rate of 1 % and slippage of 1 %: E'·1.01·1.01 = 1000; shares at 10.1, worth 10."""
    given = market({"A": [10, 10]})
    ledger = simulate(given, rules(commission=Rate(0.01), slippage=Fraction(0.01)), plan({0: [1.0]}))
    shares = 100 / 1.01**2
    assert fills(ledger) == [(0, 0, approx(shares), approx(10.1), approx(shares * 0.101))]
    assert ledger.cash[0] == approx(0, abs=1e-9)
    assert ledger.equity == [approx(10 * shares), approx(10 * shares)]


def test_the_strategy_sees_its_books_at_this_close_and_prices_up_to_it() -> None:
    """B is listed on the second day; on the third A has no bar and keeps its last close."""
    seen = []

    def decide(
        day: int,
        bars: memoryview,
        equity: float,
        cash: float,
        shares: Sequence[float],
        marks: Sequence[float],
        *_: object,
    ) -> list[float]:
        seen.append((bars[3], bars[8], equity, cash, list(shares), list(marks)))
        return [0.5, 0.0]

    simulate(market({"A": [10, 20, None], "B": [None, 5, 6]}), rules(), decide)
    nan = approx(math.nan, nan_ok=True)
    assert seen == [
        (10.0, nan, 1000.0, 1000.0, [0.0, 0.0], [10.0, nan]),
        (20.0, 5.0, 1500.0, 500.0, [50.0, 0.0], [20.0, 5.0]),
        (nan, 6.0, 1500.0, 750.0, [37.5, 0.0], [20.0, 6.0]),
    ]


def test_one_day_is_decided_and_filled_at_its_close() -> None:
    ledger = simulate(market({"A": [10]}), rules(commission=PerOrder(10.0)), always(1.0))
    assert fills(ledger) == [(0, 0, 99.0, 10.0, 10.0)]
    assert ledger.equity == [990.0]


def test_an_empty_market_leaves_empty_books() -> None:
    ledger = simulate(Market([], ("A",), memoryview(b"").cast("d")), rules(), always(1.0))
    assert (ledger.cash, ledger.equity, ledger.decisions, fills(ledger)) == ([], [], 0, [])


def test_an_exception_of_the_strategy_passes_through() -> None:
    def decide(*_: object) -> list[float]:
        raise ZeroDivisionError("theirs")

    with pytest.raises(ZeroDivisionError, match="theirs"):
        simulate(market({"A": [10]}), rules(), decide)


def test_exceeding_the_order_limit_ends_the_run_on_that_day() -> None:
    given, asked = market({"A": [1, 2, 3, 4], "B": [1, 1, 1, 1]}), []

    def swap(day: int, *_: object) -> list[float]:
        asked.append(day)
        return [1.0, 0.0] if day % 2 else [0.0, 1.0]

    assert len(fills(simulate(given, rules(max_orders=7), swap))) == 7
    asked.clear()
    with pytest.raises(TooManyOrders):
        simulate(given, rules(max_orders=3), swap)
    assert asked == [0, 1, 2]


def test_a_market_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="bars must hold 10 doubles, got 5"):
        Market([1, 2], ("A",), memoryview(bytes(40)).cast("d"))
    with pytest.raises(ValueError, match="got 5 of 'f'"):
        Market([1], ("A",), memoryview(bytes(20)).cast("f"))


def test_a_coin_beside_a_share_trades_on_weekends_and_the_share_waits_for_monday() -> None:
    """Friday 2024-01-05 to Monday: half each on Saturday. The coin fills at once, the share on Monday."""
    given = market({"COIN": [10, 20, 20, 40], "SHARE": [50, None, None, 50]}, dates=consecutive(4, date(2024, 1, 5)))
    ledger = simulate(given, rules(), plan({1: [0.5, 0.5]}))
    assert fills(ledger) == [(1, 0, 25.0, 20.0, 0.0), (3, 1, 10.0, 50.0, 0.0)]
    (wait,) = ledger.unfilled
    assert (wait.symbol, wait.reason, wait.first_day, wait.last_day, wait.n_days) == (1, "no bar at its fill", 1, 2, 2)
    assert ledger.equity == [1000.0, 1000.0, 1000.0, 1500.0]


def test_a_late_listing_fills_on_its_first_day_and_an_early_end_keeps_its_last_close() -> None:
    given = market({"OLD": [10, 10, None, None], "NEW": [None, None, 5, 10]})
    ledger = simulate(given, rules(), plan({0: [0.5, 0.5], 3: [0.0, 1.0]}))
    assert fills(ledger) == [(0, 0, 50.0, 10.0, 0.0), (2, 1, 100.0, 5.0, 0.0)]
    assert ledger.equity == [1000, 1000, 1000, 1500]
    waits = [(wait.symbol, wait.reason, wait.first_day, wait.last_day) for wait in ledger.unfilled]
    assert waits == [
        (1, "no bar at its fill", 0, 1),
        (0, "no bar at its fill", 3, 3),
        (1, "not enough cash while a sell waits", 3, 3),
    ]


def test_average_costs_are_fill_prices_with_slippage_and_without_fees() -> None:
    """A quarter is bought at the open of 10, a half at that of 20, both one percent dearer."""
    seen = []

    def decide(day: int, *account: Any) -> list[float] | None:
        seen.append(account[-1]()[0])
        return {0: [0.25], 1: [0.75]}.get(day)

    costly = rules(execution=NEXT_OPEN, commission=PerOrder(1.0), slippage=Fraction(0.01))
    orders = simulate(market({"A": [10, 10, 20, 20]}), costly, decide).orders
    assert orders.price == [10.1, 20.2]
    average = (orders.shares[0] * 10.1 + orders.shares[1] * 20.2) / sum(orders.shares)
    assert seen == approx([math.nan, 10.1, average, average], nan_ok=True)
