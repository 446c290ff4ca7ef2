"""Sizing at one moment, by hand."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from src.engine.costs import Fraction, HalfSpread, PerOrder, PerShare, Rate, VolumeParticipation
from src.engine.portfolio import Portfolio, Sizing
from tests.engine.markets import rules


def sizing_of(
    shares: Sequence[float], cash: float, weights: Sequence[float], prices: Sequence[float], **changes: Any
) -> Sizing:
    portfolio = Portfolio(cash, len(shares))
    portfolio.shares[:] = shares
    sizing = Sizing(rules(**changes), portfolio)
    sizing.turn_to(weights, prices, [1000.0] * len(shares), portfolio.value(prices))
    return sizing


def test_value_is_cash_and_positions() -> None:
    portfolio = Portfolio(100.0, 2)
    portfolio.trade(7, 0, 3.0, 10.0, 1.5)
    assert portfolio.cash == 68.5
    assert portfolio.value([12.0, 5.0]) == 104.5


def test_a_symbol_without_a_price_adds_no_value() -> None:
    portfolio = Portfolio(100.0, 2)
    portfolio.trade(7, 0, 2.0, 10.0, 0.0)
    assert portfolio.value([10.0, math.nan]) == 100.0


def test_target_shares_are_weight_times_equity_over_price() -> None:
    sizing = sizing_of([10, 0], 900, [0.5, 0.25], [10, 20])
    assert sizing.equity == 1000
    assert sizing.changes([0, 1], 1000) == [(0, 40.0), (1, 12.5)]


def test_changes_below_the_minimum_trade_are_left_out_and_its_exact_value_is_not() -> None:
    sizing = sizing_of([49.5, 24], 25, [0.5, 0.5], [10, 20], min_trade_value=5.0)
    assert sizing.equity == 1000
    assert sizing.changes([0, 1], 1000) == [(0, 0.5), (1, 1.0)]
    smaller = sizing_of([49.6, 24], 24, [0.5, 0.5], [10, 20], min_trade_value=5.0)
    assert smaller.changes([0, 1], 1000) == [(1, 1.0)]


def test_a_weight_of_zero_closes_even_the_smallest_position() -> None:
    sizing = sizing_of([0.001, 0], 1000, [0.0, 0.0], [10, 20], min_trade_value=5.0)
    assert sizing.changes([0, 1], sizing.equity) == [(0, -0.001)]


def test_rounding_alone_is_not_a_change() -> None:
    sizing = sizing_of([100 / 3], 0, [1.0], [30 + 1e-13])
    assert sizing.changes([0], sizing.equity) == []


@pytest.mark.parametrize(
    ("costs", "investable"),
    [
        ({}, 1000),
        ({"commission": PerOrder(5.0)}, 990),
        ({"commission": Rate(0.01)}, 1000 / 1.01),
        ({"slippage": Fraction(0.01)}, 1000 / 1.01),
        ({"slippage": HalfSpread(100), "commission": PerOrder(5.0)}, 990 / 1.01),
        # 0.01 per share: 1/1000 of the half at 10, 1/2000 of the half at 20, but that is below 0.3
        ({"commission": PerShare(0.01, 0.3)}, 999.7 / 1.0005),
        # a slipped price of 1.01, a fee of a hundredth of that
        ({"slippage": Fraction(0.01), "commission": Rate(0.01)}, 1000 / (1.01 * 1.01)),
    ],
)
def test_investable_equity_leaves_exactly_the_costs_of_buying(costs: Any, investable: float) -> None:
    """Half and half of 1,000 from cash, at prices 10 and 20."""
    sizing = sizing_of([0, 0], 1000, [0.5, 0.5], [10, 20], **costs)
    assert sizing.investable([0, 1]) == pytest.approx(investable, rel=1e-12)


def test_costs_of_sells_are_paid_out_of_investable_equity_too() -> None:
    """All in A, then all in B, a hundredth lost each way: E' + 10 + E'/100 = 1000."""
    sizing = sizing_of([100, 0], 0, [0.0, 1.0], [10, 20], slippage=Fraction(0.01))
    assert sizing.investable([0, 1]) == pytest.approx(990 / 1.01, rel=1e-12)


def test_impact_that_grows_with_the_order_is_solved_too() -> None:
    """s shares at 10 lose s/1000/10 of the price: 10 s + 10 s²/10,000 = 1000 has s = 99.0195…"""
    slippage = VolumeParticipation("linear", coefficient=0.1, max_share=1)
    sizing = sizing_of([0], 1000, [1.0], [10], slippage=slippage)
    shares = (-10 + math.sqrt(100 + 4 * 0.001 * 1000)) / 0.002
    assert sizing.investable([0]) == pytest.approx(10 * shares, rel=1e-12)


def test_only_the_part_that_can_fill_has_a_cost() -> None:
    """10,000 shares are wanted, 100 fill: they lose a tenth of their 1,000."""
    sizing = sizing_of([0], 100_000, [1.0], [10], slippage=VolumeParticipation("linear", coefficient=1))
    assert sizing.investable([0]) == pytest.approx(99_900, rel=1e-12)


def test_fees_above_equity_leave_nothing_to_invest() -> None:
    sizing = sizing_of([0], 1000, [1.0], [10], commission=PerOrder(1001), min_trade_value=1)
    assert sizing.changes([0], sizing.investable([0])) == []


def test_a_buy_pays_slippage_on_top_and_a_sell_gives_it_up() -> None:
    sizing = sizing_of([0], 1000, [1.0], [10], slippage=Fraction(0.1), commission=Rate(0.5))
    assert sizing.quote(0, 2.0) == (pytest.approx(11, rel=1e-15), pytest.approx(11, rel=1e-15))
    assert sizing.quote(0, -2.0) == (pytest.approx(9, rel=1e-15), pytest.approx(9, rel=1e-15))


def test_cash_buys_only_what_it_can_pay_for_with_fees_and_slippage() -> None:
    sizing = sizing_of([0], 120, [1.0], [10], slippage=Fraction(0.1), commission=PerOrder(10))
    assert sizing.affordable(0, 50.0, 120.0) == pytest.approx(10.0, rel=1e-12)
    assert sizing.affordable(0, 5.0, 120.0) == 5.0
    assert sizing.affordable(0, 5.0, 9.0) == 0.0
    assert sizing.affordable(0, 5.0, -1e-12) == 0.0


def test_the_days_volume_limits_both_sides() -> None:
    sizing = sizing_of([0], 120, [1.0], [10], slippage=VolumeParticipation("linear"))
    assert sizing.fillable(0, 101.0) == 100.0
    assert sizing.fillable(0, -101.0) == -100.0
    assert sizing.fillable(0, 99.0) == 99.0


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_an_average_cost_moves_with_fills_that_enlarge_a_position_and_with_no_others(side: float) -> None:
    portfolio = Portfolio(10_000.0, 2)
    assert portfolio.average_costs() == pytest.approx([math.nan, math.nan], nan_ok=True)
    expected = {
        (10, 10.0): 10.0,
        (30, 20.0): 17.5,
        (-20, 99.0): 17.5,
        (20, 27.5): 22.5,
        (-40, 5.0): math.nan,
        (2, 7.0): 7.0,
    }
    for (change, price), cost in expected.items():
        portfolio.trade(0, 1, side * change, price, fee=3.0)
        assert portfolio.average_costs() == pytest.approx([math.nan, cost], nan_ok=True)


def test_a_fill_that_turns_a_position_begins_a_new_average_cost() -> None:
    portfolio = Portfolio(1000.0, 1)
    for change, price in ((10.0, 50.0), (-15.0, 40.0), (-5.0, 30.0)):
        portfolio.trade(0, 0, change, price, 0.0)
    assert portfolio.average_costs() == [35.0]


def test_a_settled_position_has_no_average_cost() -> None:
    portfolio = Portfolio(1000.0, 1)
    portfolio.trade(0, 0, 10.0, 50.0, 0.0)
    portfolio.settle(1, 0, 20.0)
    assert math.isnan(portfolio.average_costs()[0])
