"""Closed trades, turnover and the money totals, each with its arithmetic shown."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.utils import trade_stats
from src.utils.return_stats import Undefined
from src.utils.trade_stats import TradeColumns, close_trades, equity_stats


def orders(*rows):
    """(day, symbol, shares, price, fee) each; the reference price is the price."""
    columns = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    day, symbol = columns[0].astype(np.int64), columns[1].astype(np.int64)
    return TradeColumns(day, symbol, columns[2], columns[3], columns[4], columns[3])


def closed(*rows):
    return close_trades(orders(*rows))


def short(*rows):
    """The same for an account that may be short."""
    return close_trades(replace(orders(*rows), may_be_short=True))


def test_a_sell_is_measured_against_the_average_cost_with_the_fees_of_both_sides():
    # 10 at 10 with a fee of 1 and 10 at 20 with a fee of 2: 20 shares cost 101 + 202 = 303.
    # Selling 5 at 18 with a fee of 3 closes a quarter of them: 75.75. pnl = 90 − 3 − 75.75 = 11.25.
    trades = closed((0, 0, 10, 10, 1), (1, 0, 10, 20, 2), (2, 0, -5, 18, 3))
    assert trades.cost == pytest.approx([75.75])
    assert trades.pnl == pytest.approx([11.25])


def test_the_rest_of_a_position_keeps_its_average_cost_after_a_sell():
    # 10 for 100; 4 sold at 15 (cost 40), 10 more at 20: 16 shares cost 60 + 200 = 260; 8 of them cost 130.
    trades = closed((0, 0, 10, 10, 0), (1, 0, -4, 15, 0), (2, 0, 10, 20, 0), (3, 0, -8, 20, 0))
    assert trades.cost == pytest.approx([40, 130])
    assert trades.pnl == pytest.approx([60 - 40, 160 - 130])


def test_symbols_do_not_share_their_cost():
    trades = closed((0, 0, 1, 10, 0), (0, 1, 1, 50, 0), (1, 0, -1, 11, 0), (1, 1, -1, 40, 0))
    assert trades.pnl == pytest.approx([1, -10])


def test_a_reopened_position_starts_without_its_old_cost():
    trades = closed((0, 0, 1, 10, 0), (1, 0, -1, 20, 0), (2, 0, 1, 30, 0), (3, 0, -1, 33, 0))
    assert trades.pnl == pytest.approx([10, 3])


def test_a_sell_of_a_hair_more_than_is_held_closes_all_of_it():
    trades = closed((0, 0, 1, 10, 0), (1, 0, -1.0000000000001, 20, 0), (2, 0, 1, 30, 0), (3, 0, -1, 30, 0))
    assert trades.cost == pytest.approx([10, 30])


def test_a_sell_of_shares_never_bought_closes_nothing():
    assert len(closed((0, 0, -1, 10, 0)).pnl) == 0


THREE = ((0, 0, 10, 10, 0), (1, 0, -2, 15, 0), (2, 0, -2, 8, 0), (3, 0, -2, 9, 0), (4, 0, -2, 10, 0))
"""Sells of 2 shares that cost 20: +10 (50 %), −4 (−20 %), −2 (−10 %) and even."""


def test_rates_of_winners_and_losers_by_hand():
    trades = closed(*THREE)
    assert trade_stats.win_rate(trades) == 1 / 4
    assert trade_stats.loss_rate(trades) == 2 / 4
    assert trade_stats.average_win(trades) == pytest.approx(0.5)
    assert trade_stats.average_loss(trades) == pytest.approx((-0.2 - 0.1) / 2)
    assert trade_stats.profit_factor(trades) == pytest.approx(10 / (4 + 2))
    assert trade_stats.profit_loss_ratio(trades) == pytest.approx(0.5 / 0.15)
    assert trade_stats.expectancy(trades) == pytest.approx(1 / 4 * 0.5 + 2 / 4 * -0.15)


def test_a_trade_that_misses_break_even_only_by_rounding_is_neither_won_nor_lost():
    trades = closed((0, 0, 0.1, 7.7, 0), (1, 0, 0.2, 7.7, 0), (2, 0, -0.3, 7.7, 0))
    assert trades.pnl[0] > 0.0  # 4e-16, what an exact comparison with zero would call a win
    assert trade_stats.win_rate(trades) == trade_stats.loss_rate(trades) == 0.0


@pytest.mark.parametrize(
    ("name", "rows", "reason"),
    [
        ("win_rate", (), "no closed trades"),
        ("loss_rate", (), "no closed trades"),
        ("average_win", (), "no closed trades"),
        ("expectancy", (), "no closed trades"),
        ("profit_factor", (), "no closed trades"),
        ("average_win", ((0, 0, 1, 10, 0), (1, 0, -1, 9, 0)), "no closed trade made a profit"),
        ("average_loss", ((0, 0, 1, 10, 0), (1, 0, -1, 11, 0)), "no closed trade made a loss"),
        ("profit_factor", ((0, 0, 1, 10, 0), (1, 0, -1, 11, 0)), "no closed trade made a loss"),
        ("profit_loss_ratio", ((0, 0, 1, 10, 0), (1, 0, -1, 9, 0)), "no closed trade made a profit"),
    ],
)
def test_measures_without_a_matching_trade_are_undefined(name, rows, reason):
    with pytest.raises(Undefined, match=reason):
        getattr(trade_stats, name)(closed(*rows))


def test_a_run_with_losers_only_has_a_profit_factor_of_zero():
    assert trade_stats.profit_factor(closed((0, 0, 1, 10, 0), (1, 0, -1, 9, 0))) == 0.0


def test_turnover_by_hand():
    # Day 0: 100 of 100 bought. Day 2: 60 sold and 60 bought of 120. ½ · (1 + 1) a 4 days, 252 days a year.
    trades = orders((0, 0, 10, 10, 0), (2, 0, -5, 12, 0), (2, 1, 6, 10, 0))
    equity = np.array([100.0, 110, 120, 130])
    assert trade_stats.turnover(trades, equity, 252) == pytest.approx(0.5 * (1 + 1) * 252 / 4)


def test_exposure_by_hand():
    assert trade_stats.exposure(np.array([0.0, 50, 120]), np.array([100.0, 100, 120])) == pytest.approx(1.5 / 3)


def test_the_money_totals_by_hand():
    # Buy 10 at 10.1 (reference 10, slippage 1.00) with a fee of 2, sell 5 at 11.88 (reference 12, 0.60).
    trades = TradeColumns(
        np.array([0, 1]),
        np.array([0, 0]),
        np.array([10.0, -5.0]),
        np.array([10.1, 11.88]),
        np.array([2.0, 0.0]),
        np.array([10.0, 12.0]),
    )
    stats = equity_stats(np.array([997.0, 1016.4]), 1000.0, trades)
    assert stats == pytest.approx(
        {
            "equity": 1016.4,
            "fees": 2.0,
            "slippage_cost": 1.6,
            "net_profit": 16.4,
            "return_pct": 1.64,
            "volume": 101 + 59.4,
        }
    )
    assert list(stats) == ["equity", "fees", "slippage_cost", "net_profit", "return_pct", "volume"]


amount = st.floats(0.01, 1e4)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), amount, amount, amount), max_size=40))
def test_profits_of_closed_trades_and_the_cost_of_holdings_add_up_to_the_cash_flow(steps):
    """Σ pnl = cash received − cash paid + average cost of the remaining holdings, for any orders."""
    held, rows = [0.0, 0.0, 0.0], []
    for day, (symbol, is_sell, size, price, fee) in enumerate(steps):
        shares = -min(size, held[symbol]) if is_sell else size
        if shares:
            held[symbol] += shares
            rows.append((day, symbol, shares, price, fee))
    rows += [(len(steps), symbol, -shares, 10.0, 1.0) for symbol, shares in enumerate(held) if shares]
    flow = -math.fsum(shares * price + fee for _, _, shares, price, fee in rows)
    paid = math.fsum(abs(shares) * price + fee for _, _, shares, price, fee in rows)
    assert float(closed(*rows).pnl.sum()) == pytest.approx(flow, abs=1e-9 * (1 + paid))


def test_a_cover_is_measured_against_what_the_short_sale_brought_in():
    # 10 sold at 20 with a fee of 2 bring 198; 4 bought back at 15 with a fee of 1 cost 61 of 79.2.
    trades = short((0, 0, -10, 20, 2), (1, 0, 4, 15, 1), (2, 0, 6, 25, 0))
    assert trades.cost == pytest.approx([79.2, 118.8])
    assert trades.pnl == pytest.approx([79.2 - 61, 118.8 - 150])
    assert trade_stats.win_rate(trades) == trade_stats.loss_rate(trades) == 0.5


def test_an_order_that_turns_a_position_closes_all_of_it_and_opens_the_rest():
    # 10 bought at 10; 15 sold at 12 with a fee of 3: two thirds close, 120 − 2 for 100; 5 short bring 60 − 1.
    trades = short((0, 0, 10, 10, 0), (1, 0, -15, 12, 3), (2, 0, 5, 10, 0))
    assert trades.cost == pytest.approx([100, 59])
    assert trades.pnl == pytest.approx([18, 9])
    mirrored = short((0, 0, -10, 10, 0), (1, 0, 15, 12, 3), (2, 0, -5, 10, 0))
    assert mirrored.pnl == pytest.approx([100 - 122, 50 - 61])


def test_orders_of_a_long_account_have_the_same_trades_where_shorts_are_allowed():
    rows = [
        (0, 0, 10, 10, 1),
        (1, 1, 5, 3, 1),
        (1, 0, -4, 15, 1),
        (2, 0, 10, 20, 1),
        (3, 0, -16, 20, 1),
        (4, 1, -5, 2, 1),
    ]
    assert short(*rows).pnl == pytest.approx(closed(*rows).pnl)
    assert short(*rows).cost == pytest.approx(closed(*rows).cost)


def test_a_short_closed_but_for_rounding_leaves_nothing_behind():
    trades = short((0, 0, -0.1, 10, 0), (1, 0, -0.2, 10, 0), (2, 0, 0.3, 9, 0), (3, 0, 1, 10, 0), (4, 0, -1, 12, 0))
    assert trades.pnl == pytest.approx([0.3, 2])
    assert trades.cost == pytest.approx([3, 10])
