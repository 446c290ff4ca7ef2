"""The audit passes correct books, rejects every manipulation of them and names the check that failed."""

import math
from dataclasses import replace

import numpy as np
import pytest

from src.execution.audit.audit import AuditFailed, audit
from tests.execution.audit.claims import (
    AT_CLOSE,
    AT_CLOSE_RULES,
    AT_OPEN,
    AT_OPEN_RULES,
    DAILY_COLUMNS,
    INTEGERS,
    MARKET,
    NO_BAR,
    ORDER_COLUMNS,
    claim,
    market,
    rules,
    with_orders,
    with_value,
)

RIGHT = {"at close": (AT_CLOSE, AT_CLOSE_RULES), "at open": (AT_OPEN, AT_OPEN_RULES)}


@pytest.fixture(params=RIGHT)
def right(request):
    return RIGHT[request.param]


def rejection(bent, given, prices=MARKET):
    with pytest.raises(AuditFailed) as caught:
        audit(bent, prices, given)
    return caught.value


def test_correct_books_pass_and_are_rebuilt_from_the_orders(right):
    books = audit(right[0], MARKET, right[1])
    assert books.cash == pytest.approx(right[0].cash, rel=1e-15)
    assert books.equity == pytest.approx(right[0].equity, rel=1e-15)


def test_a_run_without_orders_passes_when_its_cash_is_the_capital():
    idle = claim([], [5000] * 4, [5000] * 4)
    assert audit(idle, MARKET, AT_CLOSE_RULES).equity.tolist() == [5000.0] * 4
    assert rejection(claim([], [5001] * 4, [5001] * 4), AT_CLOSE_RULES).date == "2024-01-02"


def test_a_failure_names_the_check_symbol_date_and_numbers():
    error = rejection(with_value(AT_CLOSE, "price", 2, 40.0), AT_CLOSE_RULES)
    assert str(error) == (
        "audit failed: a price that is not the day's close with slippage: BBB, 2024-01-04, 40.0, expected 40.4"
    )
    assert (error.code, error.http_status) == ("audit_failed", 400)
    assert (error.symbol, error.date) == ("BBB", "2024-01-04")


def every_field(right):
    for column in ORDER_COLUMNS + DAILY_COLUMNS:
        for row in range(len(getattr(right, column))):
            yield column, row


@pytest.mark.parametrize("factor", [1 + 1e-6, 1 - 1e-6, 0.5, 2.0, 1e300, -1.0, 0.0])
def test_any_number_changed_by_a_millionth_or_more_is_rejected(right, factor):
    for column, row in every_field(right[0]):
        if column not in INTEGERS:
            value = getattr(right[0], column)[row] * factor
            rejection(with_value(right[0], column, row, value), right[1])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_any_number_that_is_not_finite_is_rejected(right, value):
    for column, row in every_field(right[0]):
        if column not in INTEGERS:
            error = rejection(with_value(right[0], column, row, value), right[1])
            assert error.check == f"column {column} is not finite"


def test_any_order_moved_to_another_day_or_symbol_is_rejected(right):
    for column, count in (("day", 4), ("symbol", 2)):
        for row, value in enumerate(getattr(right[0], column)):
            for other in set(range(count)) - {int(value)}:
                rejection(with_value(right[0], column, row, other), right[1])


@pytest.mark.parametrize("value", [-1, 4, 2**31 - 1, -(2**31)])
def test_an_index_outside_the_market_is_rejected_before_it_is_used(right, value):
    for column in INTEGERS:
        for row in range(3):
            assert "out of range" in rejection(with_value(right[0], column, row, value), right[1]).check


def test_a_dropped_duplicated_or_displaced_order_is_rejected(right):
    for rows in ([1, 2], [0, 2], [0, 1], [0, 0, 1, 2], [0, 1, 1, 2], [0, 1, 2, 2], [1, 0, 2], [0, 2, 1], []):
        rejection(with_orders(right[0], rows), right[1])


def test_two_swapped_days_are_rejected(right):
    for column in DAILY_COLUMNS:
        values = getattr(right[0], column)[[0, 2, 1, 3]]
        assert column in rejection(replace(right[0], **{column: values}), right[1]).check


def test_columns_of_different_lengths_are_rejected(right):
    for column in ORDER_COLUMNS + DAILY_COLUMNS:
        values = getattr(right[0], column)
        for bent in (values[:-1], np.concatenate((values, values[-1:])), values[:0], values.reshape(1, -1)):
            assert "length" in rejection(replace(right[0], **{column: bent}), right[1]).check


def test_more_days_or_symbols_than_the_market_are_rejected(right):
    longer = replace(right[0], cash=np.append(right[0].cash, 1.0), equity=np.append(right[0].equity, 1.0))
    assert "length" in rejection(longer, right[1]).check


def test_an_inflated_account_is_rejected(right):
    inflated = replace(right[0], cash=right[0].cash * 2, equity=right[0].equity * 2)
    assert "cash" in rejection(inflated, right[1]).check


def one_purchase(price, fee, shares=100.0):
    """Consistent books for one order on the first day, at any price and fee."""
    cash = 5000 - shares * price - fee
    return claim([(0, 0, shares, price, fee)], [cash] * 4, cash + shares * np.array([10, 11, 12, 11]))


def test_a_slightly_better_price_or_fee_is_rejected_even_if_cash_and_equity_follow_from_it():
    given = rules(commission={"model": "rate", "rate": 0.01}, slippage=0.01)
    audit(one_purchase(10.1, 10.1), MARKET, given)
    for better in (1 - 1e-9, 1 - 1e-11):
        cheap = one_purchase(10.1 * better, 10.1 * better)
        assert rejection(cheap, given).check == "a price that is not the day's close with slippage"
        spared = one_purchase(10.1, 10.1 * better)
        assert rejection(spared, given).check == "a fee that does not follow from the commission"


def test_an_order_of_no_shares_is_rejected():
    assert rejection(one_purchase(10.0, 0.0, shares=0.0), rules(min_trade_value=0.0)).check == "an order of no shares"


def test_an_order_on_a_day_without_a_bar_is_rejected_even_at_the_last_close():
    bent = claim([(1, 1, 10, 50, 0)], [5000, 4500, 4500, 4500], [5000, 5000, 4900, 4940])
    error = rejection(bent, rules())
    assert (error.check, error.symbol) == ("an order on a day without a bar", "BBB")


def test_an_order_at_the_close_is_rejected_when_orders_fill_at_the_open_and_vice_versa():
    at_close = claim([(1, 0, 10, 11, 0)], [5000, 4890, 4890, 4890], [5000, 5000, 5010, 5000])
    at_open = claim([(1, 0, 10, 10, 0)], [5000, 4900, 4900, 4900], [5000, 5010, 5020, 5010])
    audit(at_close, MARKET, rules())
    audit(at_open, MARKET, rules(at_open=True))
    assert "open" in rejection(at_close, rules(at_open=True)).check
    assert "close" in rejection(at_open, rules()).check


def test_an_order_before_any_signal_is_rejected():
    first_open = claim([(0, 0, 10, 9.5, 0)], [4905] * 4, [5005, 5015, 5025, 5015])
    assert "before the first possible signal" in rejection(first_open, rules(at_open=True)).check
    at_close = claim([(1, 0, 10, 11, 0)], [5000, 4890, 4890, 4890], [5000, 5000, 5010, 5000])
    audit(at_close, MARKET, rules(first_signal_day=1))
    assert "before the first possible signal" in rejection(at_close, rules(first_signal_day=2)).check


def test_selling_shares_that_are_not_held_is_rejected():
    short = claim([(0, 0, -10, 10, 0)], [5100] * 4, [5000, 4990, 4980, 4990])
    assert rejection(short, rules()).check == "more shares sold than held"


def test_spending_more_than_the_cash_is_rejected_even_if_a_later_sell_covers_it():
    # 600 of AAA cost 6000 of 5000, and selling them a day later at 11 leaves 5600.
    margin = claim([(0, 0, 600, 10, 0), (1, 0, -600, 11, 0)], [-1000, 5600, 5600, 5600], [5000] + [5600] * 3)
    error = rejection(margin, rules())
    assert (error.check, error.symbol, error.date) == ("not enough cash for an order", "AAA", "2024-01-02")


def test_cash_must_cover_every_order_of_a_day_and_not_only_the_last():
    # 400 of AAA (4000), then on day 2 a sell that brings 2400, and 75 BBB at 40 (3000): 400 are left.
    orders = [(0, 0, 400, 10, 0), (2, 0, -200, 12, 0), (2, 1, 75, 40, 0)]
    right = claim(orders, [1000, 1000, 400, 400], [5000, 5400, 5800, 5900])
    audit(right, MARKET, rules())
    assert "not in order" in rejection(with_orders(right, [0, 2, 1]), rules()).check
    one_more = claim([*orders[:2], (2, 1, 86, 40, 0)], [1000, 1000, -40, -40], [5000, 5400, 5800, 5944])
    assert rejection(one_more, rules()).check == "not enough cash for an order"


def test_a_rounding_error_below_zero_cash_passes():
    closes = np.array([10, 11, 12, 11])
    for excess, passes in ((1e-12, True), (1e-8, False)):
        shares = 500 * (1 + excess)
        bent = claim([(0, 0, shares, 10, 0)], [5000 - shares * 10] * 4, 5000 - shares * 10 + shares * closes)
        if passes:
            audit(bent, MARKET, rules())
        else:
            assert rejection(bent, rules()).check == "not enough cash for an order"


def test_an_order_below_the_minimum_trade_value_must_close_its_position():
    small = [(0, 0, 100, 10, 0), (2, 0, -0.05, 12, 0)]
    bent = claim(small, [4000, 4000, 4000.6, 4000.6], [5000, 5100, 5200, 4000.6 + 99.95 * 11])
    assert "minimum trade value" in rejection(bent, rules(min_trade_value=1.0)).check
    audit(bent, MARKET, rules(min_trade_value=0.5))
    closing = claim(
        [(0, 0, 0.2, 10, 0), (2, 0, -0.2, 12, 0)],
        [4998, 4998, 5000.4, 5000.4],
        [5000, 5000.2, 5000.4, 5000.4],
    )
    audit(closing, MARKET, rules(min_trade_value=2.0))


def test_a_buy_is_never_below_the_minimum_trade_value():
    assert "minimum trade value" in rejection(one_purchase(10.0, 0.0, shares=0.05), rules(min_trade_value=1.0)).check
    assert audit(one_purchase(10.0, 0.0, shares=0.1), MARKET, rules(min_trade_value=1.0)).shares.tolist() == [0.1]


def test_a_sell_but_not_a_buy_at_its_volume_cap_may_be_small():
    prices = market([(10, 10, 10, 10, 100)], [(10, 10, 10, 10, 1)], symbols=("AAA",))
    slippage = {"model": "volume_participation", "shape": "linear", "coefficient": 0, "max_share": 0.5}
    capped = claim([(0, 0, 20, 10, 0), (1, 0, -0.5, 10, 0)], [800, 805], [1000, 1000])
    audit(capped, prices, rules(capital=1000.0, min_trade_value=10.0, slippage=slippage))
    below = claim([(0, 0, 20, 10, 0), (1, 0, -0.4, 10, 0)], [800, 804], [1000, 1000])
    assert (
        "minimum trade value"
        in rejection(below, rules(capital=1000.0, min_trade_value=10.0, slippage=slippage), prices).check
    )
    buying = claim([(0, 0, 20, 10, 0), (1, 0, 0.5, 10, 0)], [800, 795], [1000, 1000])
    given = rules(capital=1000.0, min_trade_value=10.0, slippage=slippage)
    assert "minimum trade value" in rejection(buying, given, prices).check


def test_more_than_the_share_of_the_days_volume_is_rejected():
    prices = market([(10, 10, 10, 10, 100)], symbols=("AAA",))
    slippage = {"model": "volume_participation", "shape": "linear", "coefficient": 0, "max_share": 0.1}
    for shares in (10.0, 10.1):
        bent = claim([(0, 0, shares, 10, 0)], [1000 - shares * 10], [1000])
        if shares == 10.0:
            audit(bent, prices, rules(capital=1000.0, slippage=slippage))
        else:
            check = rejection(bent, rules(capital=1000.0, slippage=slippage), prices).check
            assert check == "an order larger than its maximum share of the day's volume"


@pytest.mark.parametrize("volume", [0.0, math.nan])
def test_an_order_on_a_day_without_volume_is_rejected_if_slippage_needs_volume(volume):
    prices = market([(10, 10, 10, 10, volume)], symbols=("AAA",))
    order = claim([(0, 0, 1, 10, 0)], [990], [1000])
    slippage = {"model": "volume_participation", "shape": "linear", "coefficient": 0}
    assert "volume" in rejection(order, rules(capital=1000.0, slippage=slippage), prices).check
    audit(order, prices, rules(capital=1000.0))


def test_an_account_that_shrank_to_pennies_still_passes():
    # 5000 all in at 10, later worth a millionth of a millionth: rounding is relative to the former value.
    prices = market(
        [(10, 10, 10, 10, 1)],
        [(1e-11, 1e-11, 1e-11, 1e-11, 1)],
        [NO_BAR],
        [(1e-11,) * 4 + (1,)],
        symbols=("AAA",),
    )
    lost = claim([(0, 0, 500, 10, 0)], [1e-13, 0, 0, 0], [5000, 5e-9, 5e-9, 5e-9])
    assert audit(lost, prices, rules()).equity[-1] == pytest.approx(5e-9)


def test_more_than_one_order_for_a_symbol_on_one_day_is_rejected():
    # The sell and the buy are in order and the books follow, but a single order of 50 would do.
    bent = claim(
        [(0, 0, 100, 10, 0), (2, 0, -60, 12, 0), (2, 0, 10, 12, 0)],
        [4000, 4000, 4600, 4600],
        [5000, 5100, 5200, 5150],
    )
    assert rejection(bent, rules()).check == "more than one order for a symbol on one day"


def test_huge_numbers_are_rejected_without_a_warning():
    rejection(claim([(0, 0, 1e308, 10, 0)], [-1e308] * 4, [1e308] * 4), rules())
    rejection(claim([(0, 0, 1e308, 10, 0), (1, 0, 1e308, 11, 0)], [5e3] * 4, [5e3] * 4), rules())
