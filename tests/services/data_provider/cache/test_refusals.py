"""A recent refusal is repeated at once, but not for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from src.errors import NoPrices
from src.services.data_provider.cache.refusals import MAX_REFUSALS, Refusals

NOW = datetime(2021, 3, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def refused(symbol: str, refusals: Refusals, now: datetime) -> bool:
    try:
        refusals.check(symbol, now)
    except NoPrices:
        return True
    return False


@pytest.fixture
def refusals() -> Refusals:
    refusals = Refusals()
    refusals.remember("XYZQ", lambda: NoPrices(["no"]), NOW, HOUR)
    return refusals


def test_a_refusal_lasts_as_long_as_requested(refusals):
    assert refused("XYZQ", refusals, NOW)
    assert refused("XYZQ", refusals, NOW + HOUR - timedelta(seconds=1))
    assert not refused("SPY", refusals, NOW)
    assert not refused("XYZQ", refusals, NOW + HOUR)


def test_each_refusal_raises_a_new_error(refusals):
    raised = []
    for _ in range(2):
        with pytest.raises(NoPrices) as caught:
            refusals.check("XYZQ", NOW)
        raised.append(caught.value)
    assert raised[0] is not raised[1]


def test_a_clock_that_goes_back_ends_a_refusal(refusals):
    assert not refused("XYZQ", refusals, NOW - timedelta(days=1))


def test_a_refusal_can_be_forgotten(refusals):
    refusals.forget("XYZQ")
    refusals.forget("SPY")
    assert not refused("XYZQ", refusals, NOW)


def test_the_number_of_remembered_symbols_is_bounded(refusals):
    for number in range(MAX_REFUSALS):
        refusals.remember(f"S{number}", lambda: NoPrices(["no"]), NOW, HOUR)
    assert not refused("XYZQ", refusals, NOW)
    assert refused("S0", refusals, NOW)
