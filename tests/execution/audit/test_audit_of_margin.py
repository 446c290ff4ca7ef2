"""The audit accepts every short or leveraged run of the engine, recomputes its charges and rejects forged books."""

from dataclasses import replace

import numpy as np
import pytest
from hqg_algorithms import BarSize
from hypothesis import assume, given
from hypothesis import strategies as st

from src.execution.audit.audit import AuditFailed, audit
from tests.execution.audit.claims import (
    DAILY_COLUMNS,
    INTEGERS,
    NO_BAR,
    ORDER_COLUMNS,
    claim,
    market,
    rules,
    with_orders,
    with_value,
)
from tests.execution.audit.test_audit_of_engine import changes, is_settled_at_once, runs, simulated

MARKET = market(
    [(10, 11, 9, 10, 1e6), (50, 52, 49, 50, 1e6)],
    [(10, 12, 8, 9, 1e6), (50, 55, 45, 52, 1e6)],
    [(9, 13, 9, 12, 1e6), (52, 60, 50, 55, 1e6)],
    [(12, 16, 11, 15, 1e6), NO_BAR],
)
TERMS = {"capital": 1000.0, "allow_short": True, "max_gross": 2.0}
SHORT = (0, 0, -100, 10, 0)
LONG = (0, 1, 10, 50, 0)


def margin(**changes):
    return rules(**TERMS | changes)


def rejection(bent, given=None, prices=MARKET):
    with pytest.raises(AuditFailed) as caught:
        audit(bent, prices, given or margin())
    return caught.value


@given(runs(margin=True))
def test_the_audit_accepts_every_margin_run_and_rebuilds_its_books(run):
    books = audit(run.claim, run.prices, run.rules)
    ruin = run.ledger.ruined_on
    n_days = len(run.claim.cash) if ruin is None else ruin + 1
    assert len(books.equity) == len(books.prices.dates) == n_days
    assert books.cash == pytest.approx(run.claim.cash[:n_days], rel=1e-11, abs=1e-8)
    assert books.equity == pytest.approx(run.claim.equity[:n_days], rel=1e-11, abs=1e-8)
    assert (books.shortfall is None) == (ruin is None)
    assert not run.claim.equity[n_days:].any()
    assert (books.equity >= 0).all()
    opened, high, low, closed = books.candles.T
    assert (closed == books.equity).all()
    assert (low <= np.minimum(opened, closed)).all()
    assert (high >= np.maximum(opened, closed)).all()
    if ruin is None:
        settled = books.is_settlement
        assert books.shares[settled] == pytest.approx(run.ledger.settlements.shares)
    if not run.rules.allow_short:
        assert (books.positions >= -1e-9 * np.abs(books.positions).max(initial=0)).all()


def days_of(run):
    """Number of days before the account was ruined."""
    return len(run.claim.cash) if run.ledger.ruined_on is None else run.ledger.ruined_on


@given(runs(margin=True), st.data())
def test_the_audit_rejects_any_one_number_of_a_margin_run_changed_by_a_millionth(run, data):
    column = data.draw(st.sampled_from([name for name in ORDER_COLUMNS + DAILY_COLUMNS if name not in INTEGERS]))
    values = getattr(run.claim, column)
    assume(len(values))
    row = data.draw(st.integers(0, len(values) - 1))
    # An order on the day of ruin changes only what the account lacks.
    assume(column in DAILY_COLUMNS or (not is_settled_at_once(run, row) and run.claim.day[row] < days_of(run)))
    least = {"price": 0.0, "fee": 1e-3, "shares": 0.0, "cash": 100.0, "equity": 100.0}
    if column == "shares":
        least[column] = 100.0 / run.claim.price[row]
    moved = values[row] + data.draw(changes) * max(abs(values[row]), least[column])
    with pytest.raises(AuditFailed):
        audit(with_value(run.claim, column, row, moved), run.prices, run.rules)


@given(runs(margin=True), st.data())
def test_the_audit_rejects_a_dropped_or_moved_order_of_a_margin_run(run, data):
    count = len(run.claim.day)
    assume(count)
    row = data.draw(st.integers(0, count - 1))
    assume(not is_settled_at_once(run, row) and run.claim.day[row] < days_of(run))
    rows = list(range(count))
    with pytest.raises(AuditFailed):
        audit(with_orders(run.claim, rows[:row] + rows[row + 1 :]), run.prices, run.rules)
    column = data.draw(st.sampled_from(INTEGERS))
    other = data.draw(st.integers(-1, run.prices.bars.shape[0 if column == "day" else 1]))
    assume(other != getattr(run.claim, column)[row])
    with pytest.raises(AuditFailed):
        audit(with_value(run.claim, column, row, other), run.prices, run.rules)


def test_a_short_and_a_leveraged_long_are_rebuilt_by_hand():
    # 1000 + 1000 − 500; equity 1000, 1500 − 900 + 520, 1500 − 1200 + 550, 1500 − 1500 + 550
    right = claim([SHORT, LONG], [1500] * 4, [1000, 1120, 850, 550])
    books = audit(right, MARKET, margin())
    assert books.equity.tolist() == [1000, 1120, 850, 550]
    assert books.gross_value.tolist() == [1500, 1420, 1750, 2050]
    assert books.shortfall is None


def test_candles_value_a_short_highest_at_the_low():
    books = audit(claim([SHORT], [2000] * 4, [1000, 1100, 800, 500]), MARKET, margin())
    assert books.candles[1].tolist() == [1000, 1200, 800, 1100]
    assert books.candles[2].tolist() == [1100, 1100, 700, 800]


def test_a_short_without_allow_short_is_rejected():
    bent = claim([SHORT], [2000] * 4, [1000, 1100, 800, 500])
    assert rejection(bent, margin(allow_short=False)).check == "more shares sold than held"


@pytest.mark.parametrize(
    ("order", "passes"),
    [((0, 0, -200, 10, 0), True), ((0, 0, -200.01, 10, 0), False), ((0, 0, 200.01, 10, 0), False)],
)
def test_gross_exposure_beyond_the_limit_is_rejected(order, passes):
    shares = order[2]
    cash = 1000 - shares * 10
    equity = [max(0.0, cash + shares * close) for close in (10, 9, 12, 15)]
    forged = claim([order], [cash if worth else 0.0 for worth in equity], equity)
    if passes:
        audit(forged, MARKET, margin(max_gross=2.0))
    else:
        assert rejection(forged).check == "gross exposure beyond max_gross after an order"


def test_negative_cash_beyond_the_limit_is_rejected_as_gross_exposure():
    bent = claim([(0, 0, 100, 10, 0), (1, 1, 20, 52, 0)], [0, -1040, -1040, -1040], [1000, 900, 1260, 1560])
    assert rejection(bent, margin(max_gross=1.5)).date == "2024-01-03"


def test_an_order_that_reduces_is_accepted_above_the_limit():
    # At 12 the short of 200 is 2,400 of an equity of 600; half of it is covered.
    right = claim([(0, 0, -200, 10, 0), (2, 0, 100, 12, 0)], [3000, 3000, 1800, 1800], [1000, 1200, 600, 300])
    assert audit(right, MARKET, margin()).equity.tolist() == [1000, 1200, 600, 300]
    more = claim([(0, 0, -200, 10, 0), (2, 0, -1, 12, 0)], [3000, 3000, 3012, 3012], [1000, 1200, 600, 0])
    assert rejection(more).check == "gross exposure beyond max_gross after an order"


CHARGED = claim([SHORT], [2000, 1999, 1998.1, 1996.9], [1000, 1099, 798.1, 496.9])
"""A tenth of a percent a day of 1,000, 900 and 1,200."""


def test_the_borrow_rate_is_charged_on_the_mark_before():
    books = audit(CHARGED, MARKET, margin(borrow_rate=0.365))
    assert books.charges == pytest.approx([0, 1, 0.9, 1.2])
    # The open of the second day pays before anything else: 2000 − 1 − 100 · 10.
    assert books.candles[1, 0] == pytest.approx(999)


@pytest.mark.parametrize("rate", [0.0, 0.364, 0.366])
def test_a_box_that_charges_another_rate_is_rejected(rate):
    assert rejection(CHARGED, margin(borrow_rate=rate)).check == "cash that does not follow from orders and prices"
    free = claim([SHORT], [2000] * 4, [1000, 1100, 800, 500])
    assert rejection(free, margin(borrow_rate=0.365)).date == "2024-01-03"


def test_interest_on_negative_cash_compounds_by_calendar_day():
    leveraged = claim([(0, 0, 200, 10, 0)], [-1000, -1001, -1002.001, -1003.003001], [1000, 799, 1397.999, 1996.996999])
    assert audit(leveraged, MARKET, margin(margin_rate=0.365)).charges == pytest.approx([0, 1, 1.001, 1.002001])
    weekend = replace(MARKET, dates=MARKET.dates + np.array([0, 0, 2, 2]))
    late = claim([(0, 0, 200, 10, 0)], [-1000, -1001, -1004.003, -1005.007003], [1000, 799, 1395.997, 1994.992997])
    audit(late, weekend, margin(margin_rate=0.365))
    assert rejection(leveraged, margin(margin_rate=0.365), weekend).date == "2024-01-06"


STEEP = replace(MARKET, bars=MARKET.bars.copy())
STEEP.bars[2, 0] = (9, 17, 9, 16, 1e6)

RUINED = claim([(0, 0, -200, 10, 0)], [3000, 3000, 3000, 0], [1000, 1200, 600, 0])
"""200 short at 10 and 15 in the end: nothing is left."""


def test_a_ruined_account_ends_at_that_mark():
    books = audit(RUINED, MARKET, margin())
    assert books.equity.tolist() == [1000, 1200, 600, 0]
    assert books.shortfall == 0
    books = audit(claim([(0, 0, -200, 10, 0)], [3000, 3000, 0, 0], [1000, 1200, 0, 0]), STEEP, margin())
    assert books.prices.dates.tolist() == MARKET.dates[:3].tolist()
    assert (books.equity.tolist(), books.shortfall) == ([1000, 1200, 0], 200)
    assert books.positions[-1].tolist() == [0, 0]
    # The day opens at 9: 3000 − 1800, and is worst at 17.
    assert books.candles[2].tolist() == [1200, 1200, -400, 0]


@pytest.mark.parametrize(("last", "settled", "is_ruined"), [(14, 1600, False), (16, 1400, True)])
def test_a_settlement_after_the_last_close_does_not_save_an_account_that_the_close_ruined(last, settled, is_ruined):
    """Of 3,000 of cash for 200 sold short, 200 · last are owed at the close, and half of that afterwards."""
    prices = replace(MARKET, bars=MARKET.bars.copy())
    prices.bars[3, 0] = (12, 17, 11, last, 1e6)
    leaves = margin(delistings={0: 3}, delisting_return=-0.5)
    gone = claim([(0, 0, -200, 10, 0)], [3000, 3000, 3000, 0], [1000, 1200, 600, 0])
    saved = claim([(0, 0, -200, 10, 0)], [3000, 3000, 3000, settled], [1000, 1200, 600, settled])
    right, wrong = (gone, saved) if is_ruined else (saved, gone)
    books = audit(right, prices, leaves)
    assert bool(books.is_settlement.any()) is not is_ruined
    assert "cash that does not follow" in rejection(wrong, leaves, prices).check


@pytest.mark.parametrize(
    "bent",
    [
        pytest.param(claim([(0, 0, -200, 10, 0)], [3000] * 4, [1000, 1200, 600, 1e-6]), id="survived"),
        pytest.param(claim([(0, 0, -200, 10, 0)], [3000, 3000, 0, 0], [1000, 1200, 0, 0]), id="ended a day early"),
        pytest.param(claim([(0, 0, -200, 10, 0)], [3000, 3000, 3000, 0], [1000, 1200, 600, 1]), id="kept something"),
        pytest.param(claim([(0, 0, -200, 10, 0)], [3000] * 4, [1000, 1200, 600, 0]), id="kept its cash"),
    ],
)
def test_a_forged_ruin_is_rejected(bent):
    rejection(bent)


def test_an_order_at_the_close_that_ruins_the_account_or_later_is_rejected():
    for order in [(3, 0, 10, 15, 0), (2, 0, 200, 16, 0)]:
        bent = claim([(0, 0, -200, 10, 0), order], [3000, 3000, 0, 0], [1000, 1200, 0, 0])
        assert rejection(bent, prices=STEEP).check == "an order after the account was ruined"


def test_an_increase_below_the_minimum_trade_value_is_rejected_and_a_cover_is_not():
    small = claim([(0, 0, -0.05, 10, 0)], [1000.5] * 4, [1000, 1000.05, 999.9, 999.75])
    assert "minimum trade value" in rejection(small).check
    cover = claim(
        [(0, 0, -0.2, 10, 0), (1, 0, 0.2, 9, 0)], [1002, 1000.2, 1000.2, 1000.2], [1000, 1000.2, 1000.2, 1000.2]
    )
    audit(cover, MARKET, margin(min_trade_value=1.9))


def test_shorts_pay_dividends_and_what_a_delisted_symbol_is_settled_at():
    gone = market([(10, 10, 10, 10, 1e6)], [NO_BAR], [NO_BAR], [NO_BAR], symbols=("DEAD",))
    given = margin(delistings={0: 1}, delisting_return=-0.5, dividends=None)
    books = audit(claim([SHORT], [2000, 1500, 1500, 1500], [1000, 1500, 1500, 1500]), gone, given)
    assert books.shares.tolist() == [-100, 100]
    kept = claim([SHORT], [2000] * 4, [1000] * 4)
    assert rejection(kept, given, gone).check == "cash that does not follow from orders and prices"
    paid = np.zeros((4, 2))
    paid[1, 0] = 0.5
    audit(claim([SHORT], [2000, 1950, 1950, 1950], [1000, 1050, 750, 450]), MARKET, margin(dividends=paid))
    free = claim([SHORT], [2000] * 4, [1000, 1100, 800, 500])
    assert rejection(free, margin(dividends=paid)).date == "2024-01-03"


def test_a_settled_position_leaves_its_room_to_the_orders_of_that_day():
    gone = market([(10, 10, 10, 10, 1e6), (5, 5, 5, 5, 1e6)], [NO_BAR, (5, 5, 5, 5, 1e6)])
    right = claim([SHORT, (1, 1, 200, 5, 0)], [2000, 0], [1000, 1000])
    given = margin(max_gross=1.0, delistings={0: 1})
    assert audit(right, gone, given).positions[-1].tolist() == [0, 200]
    assert rejection(right, margin(max_gross=1.0), gone).check == "gross exposure beyond max_gross after an order"


def test_the_rounding_of_large_positions_that_offset_each_other_is_no_forgery():
    """Long and short a thousand, of what rises 150,000 times: the difference of two large numbers is small."""
    rises = 10.1 * np.exp(np.linspace(0, 12, 40) + 0.3 * np.sin(np.arange(40)))
    days = [[(price / part,) * 4 + (1e6,) for part in (1, 3, 7)] for price in rises.tolist()]
    prices = market(*days, symbols=("AAA", "BBB", "CCC"))
    given = margin(min_trade_value=0.0)
    run = simulated(prices, given, [[0.3, -1.0, 0.7] if day == 0 else None for day in range(40)], BarSize.DAILY)
    assert run.ledger.ruined_on is None
    assert len(audit(run.claim, prices, given).equity) == 40
