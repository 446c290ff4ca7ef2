import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from src.models.problems import MalformedRequest
from src.models.request import BacktestRequest
from tests.fakes.application import BACKTEST, REQUEST, make_app
from tests.fakes.backtests import FakeBacktests

JSON = {"Content-Type": "application/json"}


def body_with(**fields: str) -> bytes:
    """A request whose given fields are raw JSON text."""
    raw = {name: json.dumps(value) for name, value in REQUEST.items()} | fields
    return ("{" + ",".join(f'"{name}":{text}' for name, text in raw.items()) + "}").encode()


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        (b"", ["body"], "Field required"),
        (b"{", ["body", 1], "This is not JSON"),
        (b"null", ["body"], ""),
        (b"[]", ["body"], ""),
        (b'"text"', ["body"], ""),
        (b"\xff\xfe\xfd", ["body"], "not UTF-8"),
        (b'{"strategy_code": "\xff"}', ["body"], "not UTF-8"),
        (b"[" * 900_000, ["body"], "nested too deep"),
        (b'{"a":' * 150_000, ["body"], "nested too deep"),
        (body_with(initial_capital="NaN"), ["body"], "NaN is not JSON"),
        (body_with(initial_capital="-Infinity"), ["body"], "-Infinity is not JSON"),
        (body_with(parameters='{"a": NaN}'), ["body"], "NaN is not JSON"),
        (body_with(initial_capital="1e999"), ["body", "initial_capital"], "finite"),
        (body_with(initial_capital="9" * 5000), ["body"], "too long"),
        (body_with(initial_capital="9" * 4000), ["body", "initial_capital"], ""),
        (body_with(seed="9" * 4000), ["body", "seed"], ""),
        (body_with(seed="true"), ["body", "seed"], ""),
        (body_with(parameters='{"a": ' + "9" * 4000 + "}"), ["body", "parameters"], "64 bits"),
        (body_with(parameters='{"a": 1e999}'), ["body", "parameters"], "not a finite number"),
        (body_with(parameters='{"a": "\\ud800"}'), ["body", "parameters"], "surrogate"),
        (body_with(parameters='{"\\ud800": 1}'), ["body", "parameters"], "surrogate"),
        (body_with(parameters='{"a":' * 500 + "1" + "}" * 500), ["body", "parameters"], "too deep"),
        (body_with(parameters='{"a": "' + "x" * 100_000 + '"}'), ["body", "parameters"], "100000 bytes"),
        (body_with(strategy_code='"\\udc80"'), ["body", "strategy_code"], "surrogate"),
        (body_with(name='"\\ud83d"'), ["body", "name"], "surrogate"),
        (body_with(commission='{"model": "\\ud800"}'), ["body", "commission"], "one of"),
        (body_with(config_params="{}", parameters="{}"), ["body"], "two names"),
        (body_with(end_date='"2014-12-31"'), ["body", "end_date"], "after start_date"),
        (b'{"seed": 1, ' + body_with(seed="2")[1:], ["body"], "'seed' appears more than once"),
        (body_with(parameters='{"\\ud800": 1, "\\ud800": 2}'), ["body"], "appears more than once"),
    ],
)
def test_a_bad_body_is_refused_with_its_place(connect, body, place, message):
    backtests = FakeBacktests()
    answer = connect(backtests).post(BACKTEST, content=body, headers=JSON)
    assert answer.status_code == 422, answer.text
    problem = answer.json()["detail"][0]
    assert problem["loc"][: len(place)] == place
    assert message in problem["msg"]
    assert backtests.requests == []
    MalformedRequest.model_validate(answer.json())


@pytest.mark.parametrize("sent", [None, "text/plain", "application/x-www-form-urlencoded", "application", "\xe9"])
def test_a_body_without_content_type_gets_an_error_that_names_it(connect, sent):
    headers = {} if sent is None else {"Content-Type": sent.encode("latin-1")}
    answer = connect(FakeBacktests()).post(BACKTEST, content=body_with(), headers=headers)
    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert problem["loc"] == ["header", "Content-Type"]
    assert "send 'Content-Type: application/json'" in problem["msg"]


@pytest.mark.parametrize(
    "sent", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/x+json"]
)
def test_every_json_media_type_is_accepted(connect, sent):
    answer = connect(FakeBacktests()).post(BACKTEST, content=body_with(), headers={"Content-Type": sent})
    assert answer.status_code == 200


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_in_every_unicode_encoding_is_read(connect, encoding):
    backtests = FakeBacktests()
    body = json.dumps(REQUEST | {"name": "Zürich 📈"}, ensure_ascii=False).encode(encoding)
    assert connect(backtests).post(BACKTEST, content=body, headers=JSON).status_code == 200
    assert backtests.requests[0].name == "Zürich 📈"


def test_a_body_may_be_as_long_as_the_limit_and_no_longer(connect):
    client = connect(FakeBacktests(), max_body_bytes=5000)
    body = body_with(strategy_code='"x"')
    filled = body[:-1] + b" " * (5000 - len(body)) + b"}"
    assert client.post(BACKTEST, content=filled, headers=JSON).status_code == 200
    answer = client.post(BACKTEST, content=filled + b" ", headers=JSON)
    assert answer.status_code == 413
    assert answer.json() == {"detail": "The body may have at most 5000 bytes."}
    assert answer.headers["X-Request-ID"]


any_text = st.text(st.characters(exclude_categories=()), max_size=20)  # halves of surrogate pairs too
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(any_text, children, max_size=3),
    max_leaves=6,
)
field_names = st.sampled_from([*BacktestRequest.model_fields, "config_params", "comission"])


@pytest.fixture(scope="module")
def lasting_client() -> Iterator[TestClient]:
    """One client for all the examples of a property."""
    with TestClient(make_app(FakeBacktests())) as client:
        yield client


@settings(max_examples=100)
@given(fields=st.dictionaries(field_names, json_values, max_size=4))
@example(fields={"benchmark": "\ud800"})
@example(fields={"\ud800": "\ud800"})
@example(fields={"commission": {"model": {"model": "rate"}}})
@example(fields={"slippage": [[[[]]]]})
def test_no_value_of_any_field_causes_worse_than_a_422(lasting_client, fields):
    body = json.dumps(REQUEST | fields).encode()
    answer = lasting_client.post(BACKTEST, content=body, headers=JSON)
    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        MalformedRequest.model_validate(answer.json())


@settings(max_examples=100)
@given(body=st.binary(max_size=60))
@example(body=b"\x00{}")
@example(body=b"\xef\xbb\xbf")
def test_no_bytes_cause_worse_than_a_422(lasting_client, body):
    assert lasting_client.post(BACKTEST, content=body, headers=JSON).status_code == 422
