"""The break-even cost: by hand where possible, and against replays that really pay it."""

import math
from array import array

import numpy as np
import pytest
from hqg_algorithms import BarSize, ExecutionTiming

from src.engine.costs import NoSlippage, Rate
from src.engine.market import Market, Rules
from src.engine.simulator import simulate
from src.utils.break_even import break_even_cost_bps
from src.utils.return_stats import Undefined
from src.utils.trade_stats import TradeColumns


def orders(*rows):
    """(day, symbol, shares, price, fee, reference price) each."""
    columns = np.array(rows, dtype=np.float64).reshape(-1, 6).T
    return TradeColumns(columns[0].astype(np.int64), columns[1].astype(np.int64), *columns[2:])


def break_even(trades, equity, positions):
    return break_even_cost_bps(trades, np.array(equity, dtype=np.float64), 100.0, np.array(positions, dtype=np.float64))


def test_a_position_that_is_bought_once_and_kept():
    # All 100 into shares at 10, which end at 11. Paying c: 100 / (1 + c) is invested and grows by a tenth,
    # 110 / (1 + c) = 100, so c = 10 %.
    trades = orders((0, 0, 10, 10, 0, 10))
    assert break_even(trades, [100, 105, 110], [100, 105, 110]) == pytest.approx(1000)


def test_a_round_trip():
    # (1 − c) / (1 + c) · 1.1 = 1, so c = 0.1 / 2.1.
    trades = orders((0, 0, 10, 10, 0, 10), (1, 0, -10, 11, 0, 11))
    assert break_even(trades, [100, 110], [100, 0]) == pytest.approx(0.1 / 2.1 * 10_000)


def test_two_round_trips_of_unequal_profit_compound():
    # (1 − c)² / (1 + c)² · 1.2 = 1, so (1 + c) / (1 − c) = √1.2.
    trades = orders((0, 0, 10, 10, 0, 10), (1, 0, -10, 12, 0, 12), (2, 0, 12, 10, 0, 10), (3, 0, -12, 10, 0, 10))
    expected = (math.sqrt(1.2) - 1) / (math.sqrt(1.2) + 1)
    assert break_even(trades, [100, 120, 120, 120], [100, 0, 120, 0]) == pytest.approx(expected * 10_000)


def test_costs_already_paid_do_not_change_the_break_even():
    # Half of equity in shares at 10 that end at 14: growth 1.2. Free of costs that buys 5 shares, and
    # 1 / (1 + c / 2) · 1.2 = 1 gives c = 40 %.
    free = break_even(orders((0, 0, 5, 10, 0, 10)), [100, 120], [50, 70])
    assert free == pytest.approx(4000)
    # With a fee of 1 and 2 % slippage E = 100 − 1 − 0.02 · E / 2 = 99 / 1.01 is left, and E / 2 is invested.
    left = 99 / 1.01
    shares = left / 2 / 10
    costly = orders((0, 0, shares, 10.2, 1, 10))
    assert break_even(costly, [left, left + shares * 4], [left / 2, left * 0.7]) == pytest.approx(4000)


@pytest.mark.parametrize(
    ("rows", "equity", "reason"),
    [
        ((), [100, 110], "no orders"),
        (((0, 0, 10, 10, 0, 10),), [100, 100], "the total return is not positive"),
        (((0, 0, 10, 10, 0, 10),), [100, 90], "the total return is not positive"),
        (((0, 0, 10, 10, 0, 10),), [0, 190], "equity reached zero"),
        (((0, 0, -1, 10, 900, 10),), [100, 190], "out of proportion"),
        (((0, 0, 1, 10, 1e308, 10), (1, 0, 1, 10, 1e308, 10)), [1e-300, 190], "out of proportion"),
    ],
)
def test_without_orders_or_profit_there_is_none(rows, equity, reason):
    with pytest.raises(Undefined, match=reason):
        break_even(orders(*rows), equity, equity)


def rebalanced(closes, weights, cost):
    """A plain replay: each day to the day's weights, paying `cost` of each trade, solved by iteration."""
    cash, shares, rows, equity, positions = 100.0, np.zeros(closes.shape[1]), [], [], []
    for day, (prices, target) in enumerate(zip(closes, weights, strict=True)):
        before = cash + float(shares @ prices)
        after = before
        for _ in range(200):
            after = before - cost * float(np.abs(target * after - shares * prices).sum())
        changes = target * after / prices - shares
        rows += [
            (day, symbol, change, prices[symbol], cost * abs(change) * prices[symbol], prices[symbol])
            for symbol, change in enumerate(changes)
            if change
        ]
        shares = shares + changes
        cash = after - float(shares @ prices)
        equity.append(after)
        positions.append(float(shares @ prices))
    return rows, equity, positions


@pytest.mark.parametrize("seed", range(6))
def test_a_rerun_that_pays_the_break_even_cost_ends_where_it_began(seed):
    rng = np.random.default_rng(seed)
    closes = 50 * np.cumprod(1 + 0.004 + rng.normal(0, 0.01, (120, 3)), axis=0)
    weights = rng.dirichlet(np.ones(4), 120)[:, :3]
    weights[rng.random(120) < 0.2] = 0.0
    rows, equity, positions = rebalanced(closes, weights, 0.0)
    bps = break_even(orders(*rows), equity, positions)
    assert equity[-1] > 105  # a profit worth measuring
    _, rerun, _ = rebalanced(closes, weights, bps / 10_000)
    assert rerun[-1] == pytest.approx(100, rel=1e-9)


def test_a_costly_run_and_a_free_run_of_the_same_strategy_have_the_same_answer():
    rng = np.random.default_rng(9)
    closes = 50 * np.cumprod(1 + 0.003 + rng.normal(0, 0.01, (250, 3)), axis=0)
    weights = rng.dirichlet(np.ones(4), 250)[:, :3]
    answers = []
    for cost in (0.0, 0.0005):
        rows, equity, positions = rebalanced(closes, weights, cost)
        answers.append(break_even(orders(*rows), equity, positions))
    assert answers[1] == pytest.approx(answers[0], rel=1e-9)


def simulated(closes, weights, least, rate):
    """The engine's own run of daily target weights at a commission rate."""
    bars = array("d", np.repeat(closes[:, :, np.newaxis], 5, axis=2).ravel().tolist())
    market = Market(list(range(len(closes))), tuple("ABC"), memoryview(bars))
    terms = Rules(BarSize.DAILY, ExecutionTiming.CLOSE_TO_CLOSE, 10_000.0, least, Rate(rate), NoSlippage())
    return simulate(market, terms, lambda day, *_: weights[day])


def rerun_break_even(closes, weights, least):
    """The rate at which a rerun ends where it began, by bisection."""
    low, high = 0.0, 0.1
    for _ in range(50):
        middle = (low + high) / 2
        is_profit = simulated(closes, weights, least, middle).equity[-1] > 10_000
        low, high = (middle, high) if is_profit else (low, middle)
    return high * 10_000


@pytest.mark.parametrize(("least", "tolerance"), [(0.0, 1e-3), (1.0, 1e-3), (50.0, 0.02)])
@pytest.mark.parametrize("seed", range(3))
def test_reruns_of_the_engine_agree_and_nearly_so_with_a_minimum_trade(seed, least, tolerance):
    """Two symbols are rebalanced daily with orders near the minimum trade, and a third comes and goes."""
    rng = np.random.default_rng(seed)
    closes = 50 * np.cumprod(1 + 0.0004 + rng.normal(0, 0.003, (250, 3)), axis=0)
    weights = [[0.3, 0.3, 0.3 * (day // 5 % 2)] for day in range(250)]
    ledger = simulated(closes, weights, least, 0.0)
    found = ledger.orders
    held = np.zeros(closes.shape)
    np.add.at(held, (found.day, found.symbol), found.shares)
    rows = zip(found.day, found.symbol, found.shares, found.price, found.fee, found.price, strict=True)
    positions = (np.cumsum(held, axis=0) * closes).sum(axis=1)
    bps = break_even_cost_bps(orders(*rows), np.array(ledger.equity), 10_000.0, positions)
    assert bps == pytest.approx(rerun_break_even(closes, weights, least), rel=tolerance)
