import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from src.models.request import BacktestRequest
from src.services.backtests.identity import run_hash
from src.utils.canonical_json import canonical, canonical_json
from src.utils.deadline import NO_DEADLINE
from tests.fakes.backtests import FakeBacktests

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
PARAMETERS = st.dictionaries(st.text(max_size=5), PLAIN, max_size=4)


def respelled(value: Any, random: Any) -> Any:
    """The same JSON value: keys in another order, whole numbers with or without a fraction."""
    if isinstance(value, dict):
        names = list(value)
        random.shuffle(names)
        return {name: respelled(value[name], random) for name in names}
    if isinstance(value, list):
        return [respelled(item, random) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float) or not random.random() < 0.5:
        return value
    if isinstance(value, int):
        return float(value) if abs(value) <= 2**53 else value
    return int(value) if value.is_integer() and abs(value) <= 2**53 else value


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; true is not a number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


@given(PLAIN, st.randoms(use_true_random=False))
def test_spellings_of_one_value_have_the_same_canonical_text(value, random):
    assert canonical_json(respelled(value, random)) == canonical_json(value)


@given(PLAIN, PLAIN)
def test_two_values_have_one_text_exactly_when_they_are_equal(one, other):
    assert (canonical_json(one) == canonical_json(other)) == same(one, other)


@given(PLAIN)
def test_canonicalising_keeps_the_value_and_is_idempotent(value):
    assert same(canonical(value), value)
    assert repr(canonical(canonical(value))) == repr(canonical(value))


def test_numbers_beyond_64_bits_are_unchanged():
    assert canonical(1e300) == 1e300
    assert isinstance(canonical(1e300), float)
    assert canonical(-0.0) == 0
    assert math.copysign(1, canonical(-0.0)) == 1


def test_the_order_of_a_list_matters():
    assert run_hash({"universe": ["SPY", "BND"]}) != run_hash({"universe": ["BND", "SPY"]})


MINIMAL = {"strategy_code": "class S: pass", "start_date": "2015-01-01", "end_date": "2015-12-31"}
DEFAULTS = {
    "universe": None,
    "name": None,
    "initial_capital": 10_000,
    "commission": 0,
    "slippage": 0.0,
    "benchmark": "SPY",
    "risk_free_rate": None,
    "min_trade_value": 1,
    "delisting_return": 0,
    "price_adjustment": "dividends_and_splits",
    "allow_short": False,
    "max_gross": 1.0,
    "borrow_rate": 0.0,
    "margin_rate": 0.0,
    "warmup_bars": None,
    "seed": 0,
    "parameters": {},
}
SUBSTANCE = {
    "strategy_code": "class T: pass",
    "start_date": "2015-01-02",
    "end_date": "2016-01-01",
    "universe": ["TLT"],
    "initial_capital": 10_000.01,
    "commission": {"model": "rate", "rate": 0.001},
    "slippage": 0.0005,
    "benchmark": None,
    "risk_free_rate": 0.0,
    "min_trade_value": 0,
    "delisting_return": -0.3,
    "price_adjustment": "splits",
    "allow_short": True,
    "max_gross": 1.5,
    "borrow_rate": 0.01,
    "margin_rate": 0.02,
    "warmup_bars": 5,
    "seed": 1,
    "parameters": {"a": None},
}


def hash_of(request: dict[str, Any]) -> str:
    posted = BacktestRequest.model_validate(request)
    return FakeBacktests().prepare(posted, deadline=NO_DEADLINE).run_hash


@given(st.sets(st.sampled_from(sorted(DEFAULTS))), PARAMETERS, st.randoms(use_true_random=False))
def test_a_request_is_the_same_run_in_every_spelling(spelled_out, parameters, random):
    request = MINIMAL | {"parameters": parameters}
    longer = {name: DEFAULTS[name] for name in spelled_out} | request | {"name": "another"}
    assert hash_of(respelled(longer, random)) == hash_of(request)


@given(st.sampled_from(sorted(SUBSTANCE)))
def test_any_change_that_matters_is_another_run(name):
    assert hash_of(MINIMAL | {name: SUBSTANCE[name]}) != hash_of(MINIMAL)


def test_these_tests_cover_every_field_of_a_request():
    deciding = BacktestRequest.model_fields.keys() - {"conventions"}  # a way of rendering
    assert {*SUBSTANCE, "name"} == deciding
    assert {*DEFAULTS, *MINIMAL} == deciding
