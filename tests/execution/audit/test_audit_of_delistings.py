"""The audit computes a delisting's payment itself and rejects a box that claims anything else."""

import numpy as np
import pytest

from src.execution.audit.audit import AuditFailed, audit
from tests.execution.audit.claims import NO_BAR, claim, market, rules

MARKET = market(
    [(10, 12, 9, 10, 1e6), (50, 52, 49, 50, 1e6)],
    [(10, 11, 7, 8, 1e6), (50, 55, 45, 50, 1e6)],
    [NO_BAR, (50, 60, 40, 50, 1e6)],
    [NO_BAR, (50, 50, 50, 50, 1e6)],
    symbols=("DEAD", "SPY"),
)
"""DEAD closes at 8 on the second day and leaves on the third."""

TERMS = {"capital": 1000.0, "delistings": {0: 2}}
BUY = (0, 0, 50, 10, 0)
SETTLED = claim([BUY], [500, 500, 900, 900], [1000, 900, 900, 900])
"""50 DEAD at 10; 8 each on the third day."""


def rejection(bent, **changes):
    with pytest.raises(AuditFailed) as caught:
        audit(bent, MARKET, rules(**TERMS | changes))
    return caught.value


def test_the_settlement_is_inserted_in_order():
    bought_after = claim([BUY, (2, 1, 10, 50, 0)], [500, 500, 400, 400], [1000, 900, 900, 900])
    books = audit(bought_after, MARKET, rules(**TERMS))
    assert books.is_settlement.tolist() == [False, True, False]
    assert books.day.tolist() == [0, 2, 2]
    assert books.shares.tolist() == [50, -50, 10]
    assert books.price.tolist() == [10, 8, 50]
    assert books.fee.tolist() == [0, 0, 0]
    assert books.slippage_cost.tolist() == [0, 0, 0]
    assert books.positions.tolist() == [[50, 0], [50, 0], [0, 10], [0, 10]]
    assert books.traded_value.tolist() == [500, 0, 900, 0]


def test_the_delisting_return_is_the_requests_not_the_boxs():
    assert audit(SETTLED, MARKET, rules(**TERMS)).equity.tolist() == [1000, 900, 900, 900]
    lost = claim([BUY], [500] * 4, [1000, 900, 500, 500])
    assert audit(lost, MARKET, rules(**TERMS, delisting_return=-1.0)).equity.tolist() == [1000, 900, 500, 500]
    assert rejection(SETTLED, delisting_return=-1.0).date == "2024-01-04"
    assert rejection(lost).date == "2024-01-04"


@pytest.mark.parametrize(
    "bent",
    [
        pytest.param(claim([BUY], [500] * 4, [1000, 900, 900, 900]), id="never settled"),
        pytest.param(claim([BUY], [500, 500, 500, 900], [1000, 900, 900, 900]), id="a day late"),
        pytest.param(claim([BUY], [500, 900, 900, 900], [1000, 900, 900, 900]), id="a day early"),
        pytest.param(claim([BUY], [500, 500, 1000, 1000], [1000, 900, 1000, 1000]), id="at another price"),
        pytest.param(claim([], [1000, 1000, 1400, 1400], [1000, 1000, 1400, 1400]), id="of what was never held"),
    ],
)
def test_cash_from_a_different_settlement_is_rejected(bent):
    assert rejection(bent).check == "cash that does not follow from orders and prices"


@pytest.mark.parametrize("row", [(2, 0, -50, 8, 0), (3, 0, -50, 8, 0), (2, 0, 10, 8, 0)])
def test_a_settlement_claimed_by_the_box_is_rejected(row):
    forged = claim([BUY, row], [500, 500, 900, 900], [1000, 900, 900, 900])
    assert rejection(forged).check == "an order on a day without a bar"


def test_a_symbol_that_is_not_delisted_is_never_settled():
    assert rejection(SETTLED, delistings={}).check == "cash that does not follow from orders and prices"
    stuck = claim([BUY], [500] * 4, [1000, 900, 900, 900])
    assert not audit(stuck, MARKET, rules(capital=1000.0)).is_settlement.any()


def test_a_settlements_cash_may_be_spent_from_its_day_on_but_not_before():
    early = claim([BUY, (1, 1, 12, 50, 0)], [500, -100, 300, 300], [1000, 900, 900, 900])
    assert rejection(early).check == "not enough cash for an order"


def test_a_settlement_at_the_end_of_the_last_day_follows_that_days_orders():
    short = market([(10, 10, 10, 10, 1e6)], [(10, 11, 7, 8, 1e6)], symbols=("DEAD",))
    terms = rules(capital=1000.0, delistings={0: 1}, delisting_return=-0.5, commission=1.0)
    # 50 at 10, 10 sold at 8, and 40 settled at 4; a fee of one for each order and none for the settlement.
    sold = claim([(0, 0, 50, 10, 1), (1, 0, -10, 8, 1)], [499, 578 + 160], [999, 738])
    books = audit(sold, short, terms)
    assert books.is_settlement.tolist() == [False, False, True]
    assert books.positions[-1].tolist() == [0]
    assert books.fee.tolist() == [1, 1, 0]
    # During the day 50 were held: from 499 + 50 · 7 to 499 + 50 · 11, and it closes without any.
    assert books.candles[1].tolist() == [999, 1049, 738, 738]
    everything = claim([(0, 0, 50, 10, 1), (1, 0, -50, 8, 1)], [499, 898], [999, 898])
    assert not audit(everything, short, terms).is_settlement.any()


def test_candles_value_a_position_until_it_is_settled_and_cash_from_then_on():
    half = rules(**TERMS, delisting_return=-0.5)
    lost = claim([BUY, (0, 1, 10, 50, 0)], [0, 0, 200, 200], [1000, 900, 700, 700])
    books = audit(lost, MARKET, half)
    # Overnight 50 DEAD at 8 and 10 SPY at 50; then 200 of cash and 10 SPY from 40 to 60.
    assert books.candles[2].tolist() == [900, 900, 600, 700]
    at_open = rules(**TERMS, delisting_return=-0.5, at_open=True)
    later = claim([(1, 0, 50, 10, 0), (1, 1, 10, 50, 0)], [1000, 0, 200, 200], [1000, 900, 700, 700])
    assert audit(later, MARKET, at_open).candles[2].tolist() == [900, 900, 600, 700]


def test_the_days_holding_weights_exclude_the_settled_symbol():
    days, weights = audit(SETTLED, MARKET, rules(**TERMS)).holding_weights()
    assert days.tolist() == [0, 2]
    np.testing.assert_allclose(weights, [[0.5, 0], [0, 0]])
