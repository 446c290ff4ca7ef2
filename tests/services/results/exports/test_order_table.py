"""orders.csv: exact numbers, and nothing that a spreadsheet would run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.results.exports.order_table import COLUMNS, OrderTable
from tests.services.results.samples import order

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def written(*orders: dict, n_shown: int = 2) -> tuple[str, OrderTable]:
    file = io.StringIO(newline="")
    table = OrderTable(file, n_shown)
    for entry in orders:
        table.add(entry)
    return file.getvalue(), table


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_every_number_reads_back_as_itself(price: float, shares: float, fee: float, slippage: float) -> None:
    numbers = {"price": price, "shares": shares, "fee": fee, "slippage_cost": slippage}
    text, _ = written(order(1) | numbers)
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert {name: repr(float(row[name])) for name in numbers} == {name: repr(value) for name, value in numbers.items()}


@given(st.text())
def test_any_text_reads_back_whole_and_starts_no_formula(symbol: str) -> None:
    text, _ = written(order(1) | {"symbol": symbol})
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["symbol"].removeprefix("'") == symbol.removeprefix("'")
    assert not row["symbol"].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("symbol", ["SPY", "BRK-B", "^GSPC", "BTC-USD", "ES=F"])
def test_tickers_are_written_as_they_are(symbol: str) -> None:
    text, _ = written(order(1) | {"symbol": symbol})
    assert text.splitlines()[1].split(",")[2] == symbol


def test_lines_end_as_in_rfc_4180_and_the_header_exists_without_orders() -> None:
    assert written()[0] == ",".join(COLUMNS) + "\r\n"


def test_a_negative_number_is_not_treated_as_a_formula() -> None:
    text, _ = written(order(1) | {"slippage_cost": -1.5})
    assert text.endswith(",-1.5\r\n")


@pytest.mark.parametrize(("n", "first", "last"), [(1, [1], []), (4, [1, 2], [3, 4]), (9, [1, 2], [8, 9])])
def test_it_remembers_both_ends(n: int, first: list[int], last: list[int]) -> None:
    _, table = written(*(order(number) for number in range(1, n + 1)))
    assert table.n_orders == n
    assert [int(entry["id"]) for entry in table.first] == first
    assert [int(entry["id"]) for entry in table.last] == last
