"""A run's candles, weights and totals, checked against hand calculations."""

import numpy as np
import pytest

from src.execution.audit.audit import audit
from tests.execution.audit.claims import (
    AT_CLOSE,
    AT_CLOSE_RULES,
    AT_OPEN,
    AT_OPEN_RULES,
    MARKET,
    NO_BAR,
    claim,
    market,
    rules,
)


@pytest.fixture
def at_close():
    return audit(AT_CLOSE, MARKET, AT_CLOSE_RULES)


@pytest.fixture
def at_open():
    return audit(AT_OPEN, MARKET, AT_OPEN_RULES)


def test_positions_are_the_shares_held_after_the_days_fills(at_close, at_open):
    assert at_close.positions.tolist() == [[100, 0], [100, 0], [60, 50], [60, 50]]
    assert at_open.positions.tolist() == [[0, 0], [200, 0], [200, 20], [0, 20]]


def test_candles_with_fills_at_the_close_value_the_holdings_before_the_fills(at_close):
    assert at_close.candles == pytest.approx(
        np.array(
            [
                # Nothing held during the first day; it closes with the costs of the first buy.
                [5000, 5000, 4989, 4989],
                # 3989 + 100 · (10, 12, 10, 11)
                [4989, 5189, 4989, 5089],
                # Still 100 AAA: 3989 + 100 · (11, 13, 10), and the close after the fills.
                [5089, 5289, 4989, 5162.2],
                # 2442.2 + 60 · (12, 12.5, 10.5, 11) + 50 · (41, 45, 40, 44)
                [5212.2, 5442.2, 5072.2, 5302.2],
            ]
        )
    )


def test_candles_with_fills_at_the_open_value_the_holdings_after_the_fills(at_open):
    assert at_open.candles == pytest.approx(
        np.array(
            [
                [5000, 5000, 5000, 5000],
                # Cash 5000 at the open; then 2998 + 200 · (12, 10, 11): the low is after the fee of 2.
                [5000, 5398, 4998, 5198],
                # 2998 + 200 · 11 at the open; then 2097.1 + 200 · (13, 10, 12) + 20 · (46, 39, 40)
                [5198, 5617.1, 4877.1, 5297.1],
                # 2097.1 + 200 · 12 + 20 · 41 at the open; then 4494.7 + 20 · (45, 40, 44)
                [5317.1, 5394.7, 5294.7, 5374.7],
            ]
        )
    )


def test_a_candle_contains_its_open_and_close_and_closes_at_equity(at_close, at_open):
    for books in (at_close, at_open):
        opened, high, low, closed = books.candles.T
        assert (high >= np.maximum(opened, closed)).all()
        assert (low <= np.minimum(opened, closed)).all()
        assert (closed == books.equity).all()  # exactly, not approximately


def test_a_symbol_without_a_bar_keeps_its_last_close_all_day():
    prices = market(
        [(10, 11, 9, 10, 1), (50, 50, 50, 50, 1)],
        [NO_BAR, (50, 60, 40, 50, 1)],
        [(20, 21, 19, 20, 1), NO_BAR],
    )
    books = audit(claim([(0, 0, 10, 10, 0)], [900] * 3, [1000, 1000, 1100]), prices, rules(capital=1000.0))
    assert books.candles[1].tolist() == [1000, 1000, 1000, 1000]
    assert books.candles[2].tolist() == [1100, 1110, 1090, 1100]


def test_a_symbol_is_worth_nothing_before_its_first_bar():
    prices = market([(10, 10, 10, 10, 1), NO_BAR], [(10, 10, 10, 10, 1), (5, 5, 5, 5, 1)])
    books = audit(claim([(0, 0, 10, 10, 0)], [900, 900], [1000, 1000]), prices, rules(capital=1000.0))
    assert books.marks.tolist() == [[10, 0], [10, 5]]
    assert books.candles[0].tolist() == [1000, 1000, 1000, 1000]


def test_holding_weights_are_fractions_of_equity_right_after_the_fills(at_close, at_open):
    days, weights = at_close.holding_weights()
    assert days.tolist() == [0, 2]
    # At the close of day 2: 60 · 12 and 50 · 40 of 5162.2.
    assert weights == pytest.approx(np.array([[1000 / 4989, 0], [720 / 5162.2, 2000 / 5162.2]]))
    days, weights = at_open.holding_weights()
    assert days.tolist() == [1, 2, 3]
    # At the open: 200 · 10 of 4998; 200 · 11 and 20 · 45 of 2097.1 + 3100; 20 · 41 of 4494.7 + 820.
    assert weights == pytest.approx(np.array([[2000 / 4998, 0], [2200 / 5197.1, 900 / 5197.1], [0, 820 / 5314.7]]))


def test_holding_weights_of_a_lost_account_are_zero():
    # Slippage of 100 %: the buy pays twice the price, and the sell gives the shares away.
    prices = market([(10, 10, 10, 10, 1)], [(10, 10, 10, 10, 1)], symbols=("AAA",))
    books = audit(
        claim([(0, 0, 50, 20, 0), (1, 0, -50, 0, 0)], [0, 0], [500, 0]),
        prices,
        rules(capital=1000.0, slippage=1.0),
    )
    assert books.holding_weights()[1].tolist() == [[1.0], [0.0]]


def test_totals_per_order_and_per_day(at_close):
    assert at_close.reference_price.tolist() == [10, 12, 40]
    assert at_close.slippage_cost == pytest.approx([100 * 0.1, 40 * 0.12, 50 * 0.4])
    assert at_close.traded_value == pytest.approx([1010, 0, 475.2 + 2020, 0])
    assert at_close.position_value.tolist() == [1000, 1100, 2720, 2860]
    assert at_close.equity == pytest.approx(at_close.cash + at_close.position_value)


def test_a_run_without_orders_has_flat_candles_and_no_weights():
    books = audit(claim([], [5000] * 4, [5000] * 4), MARKET, rules())
    assert (books.candles == 5000).all()
    assert [len(part) for part in books.holding_weights()] == [0, 0]
    assert books.traded_value.tolist() == [0, 0, 0, 0]
