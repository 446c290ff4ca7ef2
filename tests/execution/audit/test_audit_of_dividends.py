"""The audit computes dividends itself and rejects a box that claims others."""

import numpy as np
import pytest

from src.execution.audit.audit import AuditFailed, audit
from tests.execution.audit.claims import claim, market, rules

MARKET = market([(10, 10, 10, 10, 1e6)], [(9, 9.5, 8.5, 9.5, 1e6)], [(9.5, 9.5, 9.5, 9.5, 1e6)], symbols=("AAA",))
PAID = np.array([[7.0], [0.5], [0.0]])
"""The first day's dividend is not paid: nothing was held before it."""

BUY = (0, 0, 50, 10, 0)


def test_dividends_are_added_before_the_days_fills():
    spent = claim([BUY, (1, 0, 50, 9.5, 0)], [500, 50, 50], [1000, 1000, 1000])
    books = audit(spent, MARKET, rules(capital=1000.0, dividends=PAID))
    assert books.income.tolist() == [0, 25, 0]
    assert books.cash.tolist() == [500, 50, 50]
    # Overnight holdings of 50 shares at the open of 9, plus 25 of dividends and 500 of cash.
    assert books.candles[1].tolist() == [975, 1000, 950, 1000]


@pytest.mark.parametrize(
    "cash",
    [[500, 500, 500], [500, 525.1, 525.1], [525, 525, 525], [500, 500, 525]],
    ids=["not paid", "paid more", "a day early", "a day late"],
)
def test_wrong_dividends_are_rejected(cash):
    bent = claim([BUY], cash, np.add(cash, [500, 475, 475]))
    with pytest.raises(AuditFailed, match="cash that does not follow"):
        audit(bent, MARKET, rules(capital=1000.0, dividends=PAID))


def test_a_dividend_cannot_be_spent_before_its_day():
    early = claim([(0, 0, 102.5, 10, 0)], [-25, 26.25, 26.25], [1000, 1000, 1000])
    with pytest.raises(AuditFailed, match="not enough cash"):
        audit(early, MARKET, rules(capital=1000.0, dividends=PAID))


def test_without_dividends_none_are_paid():
    paid = claim([BUY], [500, 525, 525], [1000, 1000, 1000])
    with pytest.raises(AuditFailed, match="cash that does not follow"):
        audit(paid, MARKET, rules(capital=1000.0))
