"""orders.csv: exact numbers, and nothing that a spreadsheet would run."""

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.results.answer_json import ORDER_MEMBERS
from src.services.results.exports.order_table import orders_csv
from src.services.results.packing import orders_parquet
from src.services.results.report.order_section import order_section
from tests.services.results.samples import answer, order, result_of

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
DAY = "2015-01-02"


def written(*orders: dict[str, Any]) -> str:
    content = answer(n_days=1) | {"orders": [*orders]}
    content["parameters"] = content["parameters"] | {"universe": sorted({"SPY", *(each["symbol"] for each in orders)})}
    return b"".join(orders_csv(result_of(content | {"holding_weights": []}))).decode("utf-8")


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_every_number_reads_back_as_itself(price: float, shares: float, fee: float, slippage: float) -> None:
    numbers = {"price": price, "shares": abs(shares), "fee": fee, "slippage_cost": slippage}
    (row,) = csv.DictReader(io.StringIO(written(order(1, DAY) | numbers), newline=""))
    assert {name: repr(float(row[name])) for name in numbers} == {name: repr(value) for name, value in numbers.items()}


@given(st.text())
def test_any_text_reads_back_whole_and_starts_no_formula(symbol: str) -> None:
    (row,) = csv.DictReader(io.StringIO(written(order(1, DAY) | {"symbol": symbol}), newline=""))
    assert row["symbol"].removeprefix("'") == symbol.removeprefix("'")
    assert not row["symbol"].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("symbol", ["SPY", "BRK-B", "^GSPC", "BTC-USD", "ES=F"])
def test_tickers_are_written_as_they_are(symbol: str) -> None:
    assert written(order(1, DAY) | {"symbol": symbol}).splitlines()[1].split(",")[2] == symbol


def test_lines_end_as_in_rfc_4180_and_the_header_exists_without_orders() -> None:
    assert written() == ",".join(ORDER_MEMBERS) + "\r\n"


def test_a_negative_number_is_not_treated_as_a_formula() -> None:
    assert written(order(1, DAY) | {"slippage_cost": -1.5}).endswith(",-1.5\r\n")


def test_only_a_run_with_protective_exits_has_a_column_of_reasons() -> None:
    result = result_of(answer(n_days=5, n_orders=3))
    reason = np.array([0, 1, 3], dtype=np.int8)
    exits = replace(result, orders=replace(result.orders, reason=reason))
    rows = list(csv.DictReader(io.StringIO(b"".join(orders_csv(exits)).decode(), newline="")))
    assert [row["reason"] for row in rows] == ["", "stop_loss", "trailing_stop"]
    frame = pd.read_parquet(io.BytesIO(orders_parquet(exits)))
    assert frame["reason"].astype(object).fillna("").tolist() == ["", "stop_loss", "trailing_stop"]
    assert "reason" not in pd.read_parquet(io.BytesIO(orders_parquet(result)))
    assert "Sell (stop loss)" in order_section(exits) or "Buy (stop loss)" in order_section(exits)
