"""Price files of any program are read, or refused with a message."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.files.price_file import read_price_file

DAYS = ["2020-01-02", "2020-07-02"]
PRICES = {"open": [10.0, 20.0], "high": [11.0, 21.0], "low": [9.0, 19.0], "close": [10.5, 20.5]}
VOLUME = {"volume": [100, 200]}
ROWS = [[10.0, 11.0, 9.0, 10.5, 100.0], [20.0, 21.0, 19.0, 20.5, 200.0]]


def assert_read(path: Path, rows=ROWS) -> None:
    dates, values = read_price_file(path, "ABC")
    assert dates.dtype == np.dtype("datetime64[D]")
    assert dates.astype(str).tolist() == DAYS
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, rows, rtol=1e-15)


def frame(index: pd.Index, **columns) -> pd.DataFrame:
    return pd.DataFrame({**PRICES, **VOLUME, **columns}, index=index)


INDEXES = {
    "naive": pd.DatetimeIndex(DAYS, name="date"),
    "nameless": pd.DatetimeIndex(DAYS),
    "nanoseconds": pd.DatetimeIndex(DAYS, name="Date").as_unit("ns"),
    "seconds": pd.DatetimeIndex(DAYS, name="Date").as_unit("s"),
    "new_york": pd.DatetimeIndex(DAYS, name="Date").tz_localize("America/New_York"),
    "tokyo": pd.DatetimeIndex(DAYS, name="Datetime").tz_localize("Asia/Tokyo"),
    "utc": pd.DatetimeIndex(DAYS, name="timestamp").tz_localize("UTC"),
    "offset": pd.DatetimeIndex(DAYS, name="Date").tz_localize("-05:00"),
    "evening": (pd.DatetimeIndex(DAYS, name="Date") + pd.Timedelta(hours=20)).tz_localize("America/New_York"),
}


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("kind", INDEXES)
def test_the_date_is_the_day_as_written_in_its_own_time_zone(tmp_path, suffix, kind):
    path = tmp_path / f"ABC.{suffix}"
    getattr(frame(INDEXES[kind]), f"to_{suffix}")(path)
    assert_read(path)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_dates_before_1970_keep_their_day(tmp_path, suffix):
    path = tmp_path / f"ABC.{suffix}"
    index = pd.DatetimeIndex(["1969-12-31 16:00", "1927-12-30"], name="Date")
    getattr(frame(index), f"to_{suffix}")(path)
    assert read_price_file(path, "ABC")[0].astype(str).tolist() == ["1969-12-31", "1927-12-30"]


@pytest.mark.parametrize(
    "days",
    [
        pa.array(DAYS).cast(pa.date32()),
        pa.array(DAYS).cast(pa.date64()),
        pa.array(DAYS),
        pa.array(DAYS, pa.large_string()),
    ],
)
def test_dates_may_be_dates_or_text(tmp_path, days):
    path = tmp_path / "ABC.parquet"
    pq.write_table(pa.table({"Date": days, **PRICES, **VOLUME}), path)
    assert_read(path)


@pytest.mark.parametrize(
    "names",
    [
        ("Open", "High", "Low", "Close", "Volume", "Date"),
        ("OPEN", "HIGH", "LOW", "CLOSE", "VOLUME", "DATE"),
        (" open", "high ", "low", "Close", "volume", "date"),
    ],
)
def test_column_names_may_be_in_any_case_and_order(tmp_path, names):
    path = tmp_path / "ABC.csv"
    columns = [*PRICES.values(), *VOLUME.values(), DAYS]
    pd.DataFrame(dict(zip(names, columns, strict=True))).to_csv(path, index=False)
    assert_read(path)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("name", ["Adj Close", "adj_close", "AdjClose", "Adjusted Close"])
def test_an_adjusted_close_scales_all_four_prices(tmp_path, suffix, name):
    path = tmp_path / f"ABC.{suffix}"
    getattr(frame(INDEXES["naive"], **{name: [5.25, 20.5]}), f"to_{suffix}")(path)
    assert_read(path, [[5.0, 5.5, 4.5, 5.25, 100.0], ROWS[1]])


def test_other_columns_are_ignored(tmp_path):
    path = tmp_path / "ABC.parquet"
    extra = {"Dividends": [0.0, 1.0], "Stock Splits": [0.0, 2.0], "note": ["x", "y"]}
    frame(INDEXES["naive"], **extra).to_parquet(path)
    assert_read(path)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_the_two_header_rows_of_yfinance_are_understood(tmp_path, suffix):
    path = tmp_path / f"ABC.{suffix}"
    table = frame(pd.DatetimeIndex(DAYS, name="Date")).rename(columns=str.title)
    table.columns = pd.MultiIndex.from_product([table.columns, ["BRK.B"]], names=["Price", "Ticker"])
    getattr(table, f"to_{suffix}")(path)
    assert_read(path)


def test_a_file_without_volume_leaves_it_unknown(tmp_path):
    path = tmp_path / "ABC.csv"
    pd.DataFrame(PRICES, index=INDEXES["naive"]).to_csv(path)
    assert_read(path, [[*row[:4], np.nan] for row in ROWS])


@pytest.mark.parametrize("missing", ["", "null", "NaN", "nan", "N/A"])
def test_a_gap_in_a_csv_file_is_nan(tmp_path, missing):
    path = tmp_path / "ABC.csv"
    path.write_text(
        f"Date,Open,High,Low,Close,Adj Close,Volume\n2020-01-02,10,11,9,10.5,10.5,100\n"
        f"2020-07-02,{missing},{missing},{missing},{missing},{missing},{missing}\n"
    )
    assert_read(path, [ROWS[0], [np.nan] * 5])


def test_a_csv_file_from_windows_is_read(tmp_path):
    path = tmp_path / "ABC.csv"
    frame(INDEXES["naive"]).to_csv(path, lineterminator="\r\n", encoding="utf-8-sig")
    assert_read(path)


def test_a_close_of_zero_leaves_a_row_for_screening(tmp_path):
    path = tmp_path / "ABC.csv"
    path.write_text("Date,Open,High,Low,Close,Adj Close\n2020-01-02,1,1,1,0,0\n")
    values = read_price_file(path, "ABC")[1]
    assert values[0, 3] == 0.0
    assert not np.isfinite(values[0, :3]).any()


HEADER = "Date,Open,High,Low,Close,Volume\n"
GOOD = "2020-01-02,1,1,1,1,1\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "ABC.csv: it is empty."),
        ("\n \n", "ABC.csv: it is empty."),
        ("Open,High,Low,Close\n1,1,1,1\n", "it has no date column among open, high, low, close"),
        ("Date,High,Low,Close\n2020-01-02,1,1,1\n", "it has no column 'open' among date, high, low, close"),
        ("Date,Open,open,High,Low,Close\n2020-01-02,1,1,1,1,1\n", "several columns called 'open'"),
        (HEADER + GOOD + "2020-01-021,1,1,1,1,1\n", "row 3, column 'Date': '2020-01-021' is not a date"),
        (HEADER + GOOD + "\n\n,1,1,1,1,1\n", "row 5, column 'Date': a row without a date"),
        (HEADER + GOOD + "2020-13-45,1,1,1,1,1\n", "row 3, column 'Date': '2020-13-45' is not a calendar day"),
        (HEADER + GOOD + "01/02/2020,1,1,1,1,1\n", "row 3, column 'Date': '01/02/2020' is not a date, or not written"),
        (HEADER + "01/02/20,1,1,1,1,1\n", "row 2, column 'Date': '01/02/20' is not a date"),
        (HEADER + GOOD + "2020-01-03,ten,1,1,1,1\n", "row 3, column 'Open': 'ten' is not a number"),
        (HEADER + GOOD + "2020-01-03,1,1,1,1,1_000\n", "row 3, column 'Volume': '1_000' is not a number"),
        (HEADER + GOOD + "2020-01-03,1,1,1,0x10,1\n", "row 3, column 'Close': '0x10' is not a number"),
        (HEADER + GOOD + "2020-01-03,1,1,1," + "9" * 50 + "x,1\n", "row 3, column 'Close': '" + "9" * 40 + "…' is not"),
        (HEADER + GOOD + "\n2020-01-03,1,1\n", "row 4 has 3 fields, but the header has 6"),
        (HEADER + GOOD + "2020-01-03,1,1,1,1,1,1\n", "row 3 has 7 fields, but the header has 6"),
        (HEADER + GOOD + "2020-01-03,1,1,1,1,\xff\xfe\n", "row 3 is not text in UTF-8"),
    ],
)
def test_a_csv_file_that_is_not_a_price_file_is_refused_by_row_and_column(tmp_path, content, reason):
    path = tmp_path / "ABC.csv"
    path.write_bytes(content.encode("latin-1") if "\xff" in content else content.encode())
    assert_refused(path, reason)


def test_a_header_without_rows_holds_no_prices(tmp_path):
    path = tmp_path / "ABC.csv"
    path.write_text(HEADER)
    assert read_price_file(path, "ABC")[0].size == 0


def test_empty_rows_at_the_end_of_a_spreadsheet_are_left_out(tmp_path):
    path = tmp_path / "ABC.csv"
    frame(INDEXES["naive"]).to_csv(path)
    path.write_text(path.read_text() + ",,,,,\n" * 3 + "\n")
    assert_read(path)


def test_a_file_that_is_not_parquet_is_refused_with_a_message(tmp_path):
    path = tmp_path / "ABC.parquet"
    for content in (b"", b"PAR1", b"no parquet at all", b"PAR1" + bytes(100) + b"PAR1"):
        path.write_bytes(content)
        assert_refused(path, "ABC.parquet: it is not a readable parquet file")


def test_half_a_parquet_file_is_refused_with_a_message(tmp_path):
    path = tmp_path / "ABC.parquet"
    frame(INDEXES["naive"]).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-50])
    assert_refused(path, "not a readable parquet file")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"Date": pa.array([1.5, 2.5])}, "column 'Date': its dates are of type double"),
        ({"Date": pa.array([15, 16])}, "row 1, column 'Date': '15' is not a date"),
        ({"Date": pa.array([None, None], pa.timestamp("us"))}, "row 1, column 'Date': a row without a date"),
        ({"Date": pa.array(DAYS), "close": pa.array([[1.0], [2.0]])}, "column 'close': its values are of type list"),
        ({"Date": pa.array(DAYS), "close": pa.array(["1", "two"])}, "row 2, column 'close': 'two' is not a number"),
    ],
)
def test_columns_of_a_parquet_file_that_cannot_be_read_are_named(tmp_path, columns, reason):
    path = tmp_path / "ABC.parquet"
    pq.write_table(pa.table({**PRICES, **columns}), path)
    assert_refused(path, reason)


@pytest.mark.parametrize(
    "column",
    [pa.array(["10.5", "20.5"]).dictionary_encode(), pa.array(["$10.50", "$1,020.50"])],
)
def test_text_in_a_parquet_file_is_read_as_numbers(tmp_path, column):
    path = tmp_path / "ABC.parquet"
    pq.write_table(pa.table({"Date": DAYS, **PRICES, **VOLUME, "close": column}), path)
    assert read_price_file(path, "ABC")[1][0, 3] == 10.5


def test_a_file_that_vanished_is_an_error_of_the_service(tmp_path):
    with pytest.raises(PriceSourceUnavailable, match="'ABC' cannot be opened"):
        read_price_file(tmp_path / "ABC.parquet", "ABC")


def assert_refused(path: Path, reason: str) -> None:
    with pytest.raises(NoPrices) as raised:
        read_price_file(path, "ABC")
    (sentence,) = raised.value.errors
    assert sentence.startswith(f"The price file of 'ABC' cannot be used: {path.name}")
    assert reason in sentence
    assert path.parent.name not in sentence
    assert raised.value.http_status == 400
