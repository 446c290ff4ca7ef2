"""JSON rendered from columns is the JSON of the same values as plain objects, byte for byte."""

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from src.services.results import answer_json
from src.services.results.answer_json import answer_pieces
from src.services.results.earlier import result_from_json
from src.services.results.packing import packed, unpacked
from src.services.results.result import Daily, Orders, Result
from tests.fakes.backtests import real_shaped_answer

SYMBOLS = ["SPY", "^VIX", "ES=F"]
ANY_FLOAT = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def results(draw: st.DrawFn) -> Result:
    """Results of any form, which no honest run need have."""
    n_days, n_orders = draw(st.integers(1, 4)), draw(st.integers(0, 5))
    ago = np.cumsum(draw(arrays(np.int64, n_days, elements=st.integers(1, 400))))[::-1]
    dates = np.datetime64(draw(st.sampled_from(["2019-06-28", "9999-12-31"]))) - (ago - ago[-1])
    day = np.sort(draw(arrays(np.int32, n_orders, elements=st.integers(0, n_days - 1))))
    fill_days = np.unique(day)
    benchmark = draw(st.none() | arrays(np.float64, n_days, elements=ANY_FLOAT | st.just(np.nan)))
    weights = draw(arrays(np.float64, (len(fill_days), 3), elements=ANY_FLOAT | st.sampled_from([0.0, -0.0, np.nan])))
    candles = draw(arrays(np.float64, (n_days, 4), elements=st.floats()))
    symbol = draw(arrays(np.int32, n_orders, elements=st.integers(0, 2)))
    floats = [draw(arrays(np.float64, n_orders, elements=ANY_FLOAT)) for _ in range(4)]
    is_settlement = draw(arrays(np.bool_, n_orders))
    reason = draw(st.none() | arrays(np.int8, n_orders, elements=st.integers(0, 3)))
    orders = Orders(day, symbol, *floats, is_settlement, None if reason is None else np.where(is_settlement, 0, reason))
    answer = real_shaped_answer()
    document = {name: answer[name] for name in answer if name not in COLUMNS}
    document["parameters"] = {**document["parameters"], "name": draw(st.text()), "universe": SYMBOLS}
    document["parameters"]["parameters"] = draw(st.dictionaries(st.sampled_from([*COLUMNS, "logs"]), st.just([1])))
    document |= {"logs": draw(st.lists(ANY_TEXT)), "warnings": draw(st.lists(ANY_TEXT))}
    return Result(document, Daily(dates, candles, benchmark, fill_days, weights), orders)


ANY_TEXT = st.text() | st.sampled_from([',"orders":[', ',"logs":["', "},{", "\ud800", "\x00"])
COLUMNS = ("candles", "orders", "holding_weights", "benchmark")


LEVELS = {1: "stop_loss", 2: "take_profit", 3: "trailing_stop"}


def _is_exit(orders: Orders, number: int) -> bool:
    return orders.reason is not None and bool(orders.reason[number])


def as_plain_values(result: Result) -> dict[str, Any]:
    """The answer, by the obvious loops."""
    daily, orders = result.daily, result.orders
    times = daily.dates.astype("datetime64[s]").astype(int).tolist()
    points = [] if daily.benchmark is None else zip(times, daily.benchmark.tolist(), strict=True)
    columns = {
        "candles": [
            dict(zip(("time", "open", "high", "low", "close"), (time, *row), strict=True))
            for time, row in zip(times, daily.candles.tolist(), strict=True)
        ],
        "orders": [
            {
                "id": str(number + 1),
                "timestamp": f"{daily.dates[orders.day[number]]}T00:00:00Z",
                "symbol": SYMBOLS[orders.symbol[number]],
                "action": "Buy" if orders.shares[number] > 0 else "Sell",
                "price": float(orders.price[number]),
                "shares": abs(float(orders.shares[number])),
                "fee": float(orders.fee[number]),
                "slippage_cost": float(orders.slippage_cost[number]),
                **({"reason": "delisting"} if orders.is_settlement[number] else {}),
                **({"reason": LEVELS[orders.reason[number]]} if _is_exit(orders, number) else {}),
            }
            for number in range(len(orders))
        ],
        "holding_weights": [
            {"time": times[day], "weights": {s: w for s, w in zip(SYMBOLS, row, strict=True) if w != 0.0}}
            for day, row in zip(daily.fill_days.tolist(), daily.weights.tolist(), strict=True)
        ],
        "benchmark": None
        if daily.benchmark is None
        else [{"time": time, "value": value} for time, value in points if value == value],  # noqa: PLR0124 - NaN
    }
    return {name: columns.get(name, result.document.get(name)) for name in real_shaped_answer()}


def json_of(value: Any) -> bytes:
    """Member by member, because a lone surrogate has its member, and no other, written in ASCII."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        if isinstance(value, dict):
            return b"{" + b",".join(json_of(name) + b":" + json_of(of) for name, of in value.items()) + b"}"
        return json.dumps(value, separators=(",", ":")).encode()


@pytest.fixture(params=[1, 3, 1_000])
def rows_at_a_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_json, "PIECE_ROWS", request.param)


@pytest.mark.usefixtures("rows_at_a_time")
@given(results())
def test_it_is_the_json_of_plain_values_and_survives_storing(result: Result) -> None:
    rendered = b"".join(answer_pieces(result))
    assert rendered == json_of(as_plain_values(result))
    assert b"".join(answer_pieces(unpacked(packed(result)))) == rendered
    if result.orders.reason is None:
        # What an earlier version wrote as JSON is read as the same columns.
        assert b"".join(answer_pieces(result_from_json(rendered))) == rendered


def test_a_long_result_is_rendered_in_pieces() -> None:
    n = 5_000
    column = np.ones(n)
    orders = Orders(np.zeros(n, np.int32), np.zeros(n, np.int32), column, column, column, column, column > 1)
    result = result_from_json(orjson.dumps(real_shaped_answer()))
    pieces = list(answer_pieces(Result(result.document, result.daily, orders)))
    assert max(map(len, pieces)) < 200 * answer_json.PIECE_ROWS
    assert len(json.loads(b"".join(pieces))["orders"]) == n
