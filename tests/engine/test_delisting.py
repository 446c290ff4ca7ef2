"""A symbol that is delisted: its position is settled on its day, free of costs, and it is never traded again."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hqg_algorithms import BarSize

from src.engine.costs import HalfSpread, PerOrder, VolumeParticipation
from src.engine.simulator import simulate
from tests.engine.markets import (
    CLOSE_TO_CLOSE,
    NEXT_OPEN,
    always,
    fills,
    market,
    market_of,
    plan,
    real_prices,
    rules,
    settled,
)

DEAD_AFTER_TWO = {"DEAD": [10, 8, None, None], "SPY": [50, 50, 50, 100]}
LEAVES = {0: 2}
TIMINGS = pytest.mark.parametrize("execution", [CLOSE_TO_CLOSE, NEXT_OPEN])


@TIMINGS
def test_the_position_is_settled_at_the_last_close_on_the_first_day_without_a_bar(execution) -> None:
    """Bought at 10 (day 0) or at the open of 10 (day 1): 100 shares, settled at 8 on day 2."""
    given = market(DEAD_AFTER_TWO, opens={"DEAD": [10, 10, None, None], "SPY": [50] * 4}, delistings=LEAVES)
    ledger = simulate(given, rules(execution=execution), plan({0: [1.0, 0.0]}))
    assert len(fills(ledger)) == 1
    assert settled(ledger) == [(2, 0, -100.0, 8.0, 0.0)]
    assert ledger.cash == ([0.0, 0.0, 800.0, 800.0] if execution is CLOSE_TO_CLOSE else [1000.0, 0.0, 800.0, 800.0])
    assert ledger.equity[1:] == [800.0, 800.0, 800.0]
    assert ledger.unfilled == []


@pytest.mark.parametrize(("delisting_return", "price"), [(-1.0, 0.0), (-0.25, 6.0), (0.5, 12.0)])
def test_the_delisting_return_applies_to_the_last_close(delisting_return, price) -> None:
    given = market(DEAD_AFTER_TWO, delistings=LEAVES)
    ledger = simulate(given, rules(delisting_return=delisting_return), plan({0: [0.5, 0.0]}))
    assert settled(ledger) == [(2, 0, -50.0, price, 0.0)]
    assert ledger.equity == [1000.0, 900.0, 500 + 50 * price, 500 + 50 * price]


def test_a_settlement_pays_no_costs_and_needs_no_volume() -> None:
    given = market(DEAD_AFTER_TWO, volumes={"DEAD": [1e9, 0.0, None, None]}, delistings=LEAVES)
    slippage = VolumeParticipation("linear", 0.1, 0.01)
    costly = rules(commission=PerOrder(7.0), slippage=slippage, min_trade_value=5000, initial_capital=6000.0)
    ledger = simulate(given, costly, plan({0: [1.0, 0.0]}))
    ((_, _, shares, _, fee),) = fills(ledger)
    assert fee == 7.0
    assert settled(ledger) == [(2, 0, -shares, 8.0, 0.0)]  # worth less than the smallest trade


def test_the_strategy_learns_of_a_delisting_on_its_day_and_not_before() -> None:
    seen = []

    def decide(
        day: int, bars: memoryview, equity: float, cash: float, shares: Sequence[float], *_: object
    ) -> list[float] | None:
        seen.append((day, shares[0], cash, equity))
        return [1.0, 0.0] if day == 0 else None

    given = market(DEAD_AFTER_TWO, delistings=LEAVES)
    simulate(given, rules(delisting_return=-0.5), decide)
    assert seen == [(0, 0.0, 1000.0, 1000.0), (1, 100.0, 0.0, 800.0), (2, 0.0, 400.0, 400.0), (3, 0.0, 400.0, 400.0)]


def test_the_cash_of_a_settlement_can_be_invested_on_the_same_day() -> None:
    """The signal of day 1 moves from DEAD to SPY: at the open of day 2 DEAD is settled and SPY bought for 800."""
    ledger = simulate(
        market(DEAD_AFTER_TWO, delistings=LEAVES), rules(execution=NEXT_OPEN), plan({0: [1.0, 0.0], 1: [0.0, 1.0]})
    )
    assert fills(ledger) == [(1, 0, 125.0, 8.0, 0.0), (2, 1, 20.0, 50.0, 0.0)]
    assert settled(ledger) == [(2, 0, -125.0, 8.0, 0.0)]
    assert ledger.unfilled == []
    assert ledger.equity[-1] == 2000.0


@TIMINGS
def test_signals_for_a_delisted_symbol_leave_cash_and_are_noted_once(execution) -> None:
    given = market({"DEAD": [10, None, None, None], "SPY": [50] * 4}, delistings={0: 1})
    ledger = simulate(given, rules(execution=execution), always(0.5, 0.5))
    assert [symbol for day, symbol, *_ in fills(ledger) if day] in ([], [1])
    assert ledger.cash[-1] == 500.0
    (entry,) = ledger.unfilled[:1]
    assert (entry.symbol, entry.reason, entry.first_day, entry.n_days) == (0, "it is no longer listed", 1, 1)
    assert [entry.reason for entry in ledger.unfilled[1:]] == (
        ["no trading day left in the window"] * (len(ledger.unfilled) - 1)
    )


def test_an_order_waiting_for_a_delisted_symbol_is_dropped_with_the_reason() -> None:
    """The signal of DEAD's last close would fill at an open that never comes; later signals do not name it."""
    given = market(DEAD_AFTER_TWO, delistings=LEAVES)
    ledger = simulate(given, rules(execution=NEXT_OPEN), plan({1: [1.0, 0.0], 2: [0.0, 1.0]}))
    assert [(entry.symbol, entry.reason, entry.first_day) for entry in ledger.unfilled] == [
        (0, "it is no longer listed", 2)
    ]
    assert fills(ledger) == [(3, 1, 10.0, 100.0, 0.0)]


def test_with_no_day_left_the_position_is_settled_at_the_end_of_the_last_one() -> None:
    """Both symbols end on day 1: bought at its close, settled after it."""
    given = market({"DEAD": [10, 8], "GONE": [5, 4]}, delistings={0: 1, 1: 1})
    ledger = simulate(given, rules(delisting_return=-0.5), plan({1: [0.5, 0.5]}))
    assert fills(ledger) == [(1, 0, 62.5, 8.0, 0.0), (1, 1, 125.0, 4.0, 0.0)]
    assert settled(ledger) == [(1, 0, -62.5, 4.0, 0.0), (1, 1, -125.0, 2.0, 0.0)]
    assert (ledger.cash, ledger.equity) == ([1000.0, 500.0], [1000.0, 500.0])


def test_a_gap_in_the_prices_is_not_a_delisting() -> None:
    ledger = simulate(market({"A": [10, None, 20], "B": [5, 5, 5]}), rules(), plan({0: [1.0, 0.0]}))
    assert settled(ledger) == []
    assert ledger.equity == [1000, 1000, 2000]


@pytest.mark.parametrize("bar_size", list(BarSize))
def test_the_position_is_settled_on_its_day_at_every_cadence(bar_size) -> None:
    """DEAD trades through the first quarter of 2024 and two days of April."""
    dates = [moment.date() for moment in pd.bdate_range("2024-01-01", "2024-06-28")]
    last = dates.index(date(2024, 4, 2))
    dead = [10.0 + day if day <= last else None for day in range(len(dates))]
    given = market({"DEAD": dead, "SPY": [50.0] * len(dates)}, dates=dates, delistings={0: last + 1})
    ledger = simulate(given, rules(bar_size=bar_size), always(1.0, 0.0))
    ((day, symbol, _, price, fee),) = settled(ledger)
    assert (day, symbol, price, fee) == (last + 1, 0, 10.0 + last, 0.0)
    assert ledger.equity[last:] == [ledger.equity[last]] * (len(dates) - last)


@TIMINGS
@pytest.mark.slow
@pytest.mark.xdist_group("vectorbt")
def test_equity_agrees_with_vectorbt_where_a_real_symbol_is_cut_off(execution, market_folder: Path) -> None:
    """Equal thirds each Friday until GLD ends on 2009-06-30 and pays 70 % of its last close on the next day."""
    import vectorbt  # noqa: PLC0415 - takes seconds, and every worker collects this file

    prices = real_prices(market_folder, ("SPY", "TLT", "GLD"), "2008-01-02", "2010-12-31")
    dates = prices["close"].index
    leaves = int(dates.searchsorted(pd.Timestamp("2009-06-30"), side="right"))
    payment = prices["close"]["GLD"].iloc[leaves - 1] * 0.7
    for frame in prices.values():
        frame.iloc[leaves:, 2] = np.nan
    asked = rules(
        bar_size=BarSize.WEEKLY, execution=execution, initial_capital=10_000.0, delisting_return=-0.3,
        slippage=HalfSpread(5),
    )  # fmt: skip
    ledger = simulate(market_of(prices, delistings={2: leaves}), asked, always(0.3, 0.3, 0.3))

    close = prices["close"].copy()
    field = close.copy() if execution is CLOSE_TO_CLOSE else prices["open"].copy()
    close.iloc[leaves:, 2] = payment
    field.iloc[leaves:, 2] = payment
    ends = close.groupby(close.index.to_period("W-FRI")).tail(1).index
    shift = 0 if execution is CLOSE_TO_CLOSE else 1
    bought = {(dates.get_loc(day) + shift, symbol) for day in ends for symbol in range(3)}
    shares = pd.DataFrame(0.0, index=dates, columns=close.columns)
    costs = pd.DataFrame(0.0, index=dates, columns=close.columns)
    for day, symbol, change, price, _ in [*fills(ledger), *settled(ledger)]:
        shares.iloc[day, symbol] += change
        costs.iloc[day, symbol] = abs(price / field.iloc[day, symbol] - 1)
        assert (day, symbol) in bought or (day, symbol) == (leaves, 2)
    theirs = vectorbt.Portfolio.from_orders(
        close, size=shares, price=field, slippage=costs, cash_sharing=True, group_by=True, call_seq="auto",
        init_cash=10_000.0, freq="D",
    )  # fmt: skip
    assert settled(ledger)[0][3] == pytest.approx(payment)
    np.testing.assert_allclose(ledger.equity, theirs.value().to_numpy(), rtol=1e-9)
