"""The same prices in the formats of many programs: understood as intended, or refused, never misread."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import NoPrices
from src.services.data_provider.files.price_file import read_price_file

WEEKDAYS = pd.date_range("2019-12-23", "2020-02-14", freq="B").date.tolist()
SUNDAY_TO_THURSDAY = [
    day for day in pd.date_range("2020-01-05", "2020-02-14").date.tolist() if day.weekday() not in (4, 5)
]
EVERY_DAY = pd.date_range("2020-01-01", "2020-02-14").date.tolist()

DATE_ORDERS = {
    "iso": "%Y-%m-%d",
    "iso slashes": "%Y/%m/%d",
    "iso dots": "%Y.%m.%d",
    "compact": "%Y%m%d",
    "british": "%d/%m/%Y",
    "american": "%m/%d/%Y",
    "german": "%d.%m.%Y",
    "dutch": "%d-%m-%Y",
    "american dashes": "%m-%d-%Y",
    "named": "%d-%b-%Y",
    "investing": "%b %d, %Y",
    "with a time": "%Y-%m-%d 00:00:00",
    "american with a time": "%m/%d/%Y 16:00",
}

STYLES = {
    "plain": lambda number: f"{number:.2f}",
    "shortest": lambda number: repr(float(number)),
    "comma": lambda number: f"{number:.2f}".replace(".", ","),
    "english": lambda number: f"{number:,.2f}",
    "german": lambda number: f"{number:,.2f}".translate(str.maketrans(",.", ".,")),
    "swiss": lambda number: f"{number:,.2f}".replace(",", "'"),
    "french": lambda number: f"{number:,.2f}".replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ","),
    "dollars": lambda number: f"${number:,.2f}",
    "scientific": lambda number: f"{number:.9e}",
}

NAMES = ("Date", "Open", "High", "Low", "Close", "Volume")


def written(rows, dates, style, delimiter=",", *, names=NAMES, newline="\n", quoted=False) -> str:
    """A CSV file of rows (open, high, low, close, volume); fields that hold the delimiter are quoted."""

    def field(text: str) -> str:
        return f'"{text}"' if quoted or delimiter in text else text

    lines = [delimiter.join(field(name) for name in names)]
    for text, row in zip(dates, rows, strict=True):
        lines.append(delimiter.join(field(cell) for cell in (text, *(style(value) for value in row))))
    return newline.join(lines) + newline


def read(folder: Path, text: str, encoding: str = "utf-8") -> tuple[list, np.ndarray]:
    path = folder / "ABC.csv"
    path.write_bytes(text.encode(encoding))
    dates, values = read_price_file(path, "ABC")
    return dates.tolist(), values


def some_prices(days) -> np.ndarray:
    """Prices from 900 to 1,100 or so, in cents: with and without thousands."""
    generator = np.random.default_rng(5)
    close = 1000 * np.cumprod(1 + generator.normal(0, 0.02, len(days)))
    columns = [close * factor for factor in (1.001, 1.01, 0.99, 1.0)]
    return np.round(np.column_stack([*columns, generator.integers(10_000, 10_000_000, len(days))]), 2)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("style", STYLES)
def test_every_number_format_is_understood(tmp_path, style, delimiter):
    rows = some_prices(WEEKDAYS)
    text = written(rows, [day.isoformat() for day in WEEKDAYS], STYLES[style], delimiter)
    dates, values = read(tmp_path, text)
    assert dates == WEEKDAYS
    np.testing.assert_allclose(values, rows, rtol=1e-9)


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("order", DATE_ORDERS)
def test_every_date_order_is_understood(tmp_path, order, delimiter):
    rows = some_prices(WEEKDAYS)
    text = written(rows, [day.strftime(DATE_ORDERS[order]) for day in WEEKDAYS], STYLES["plain"], delimiter)
    dates, values = read(tmp_path, text)
    assert dates == WEEKDAYS
    np.testing.assert_allclose(values, rows, rtol=1e-9)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("quoted", [False, True])
def test_a_spreadsheets_additions_around_a_table_are_understood(tmp_path, encoding, newline, quoted):
    rows = some_prices(WEEKDAYS)
    dates = [day.strftime("%d.%m.%Y") for day in WEEKDAYS]
    text = "sep=;" + newline + written(rows, dates, STYLES["german"], ";", newline=newline, quoted=quoted)
    assert read(tmp_path, text, encoding)[0] == WEEKDAYS


@pytest.mark.parametrize(
    "header",
    [
        "Date,Close/Last,Volume,Open,High,Low",  # Nasdaq
        '"Date","Price","Open","High","Low","Vol.","Change %"',  # Investing.com
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",  # Stooq
        "timestamp,open,high,low,close,volume",  # Alpha Vantage
        "Date,Open,High,Low,Close*,Adj Close**,Volume",  # copied from Yahoo's page
    ],
)
def test_the_columns_of_well_known_sites_are_found(tmp_path, header):
    values = {"open": "10.5", "high": "12", "low": "9", "volume": "1.5K", "adjusted": "11"}
    texts = []
    for name in header.replace('"', "").split(","):
        plain = name.strip("<>*").lower()
        known = {"vol": "volume", "vol.": "volume", "adj close": "adjusted"}.get(plain, plain)
        texts.append(values.get(known, "2020-01-02" if known in ("date", "timestamp") else "11"))
    dates, rows = read(tmp_path, header + "\n" + ",".join(texts) + "\n")
    assert [day.isoformat() for day in dates] == ["2020-01-02"]
    np.testing.assert_allclose(rows, [[10.5, 12, 9, 11, 1500]])


class TestWhatCanBeReadInTwoWays:
    """Refused, with the row and the column, rather than guessed."""

    def refused(self, folder: Path, text: str) -> str:
        with pytest.raises(NoPrices) as raised:
            read(folder, text)
        (sentence,) = raised.value.errors
        return sentence

    def test_days_and_months_that_never_exceed_twelve(self, tmp_path):
        text = written([[1, 1, 1, 1, 1]] * 3, ["01/01/2020", "02/01/2020", "03/01/2020"], str)
        assert "ABC.csv, row 3, column 'Date': '02/01/2020' may have the day or the month first" in (
            self.refused(tmp_path, text)
        )

    def test_days_and_months_in_both_orders(self, tmp_path):
        text = written([[1, 1, 1, 1, 1]] * 3, ["01/01/2020", "13/01/2020", "01/14/2020"], str)
        assert "row 4, column 'Date': '01/14/2020' and '13/01/2020' have day and month in different orders" in (
            self.refused(tmp_path, text)
        )

    def test_commas_that_may_be_decimal_marks_or_thousands_separators(self, tmp_path):
        text = written([[1.234, 1.234, 1.234, 1.234, 1]], ["2020-01-02"], lambda n: f"{n:.3f}".replace(".", ","), ";")
        assert "row 2, column 'Open': '1,234' can be read in two ways" in self.refused(tmp_path, text)

    def test_points_that_may_be_thousands_separators_when_commas_do_not_separate_fields(self, tmp_path):
        text = written([[12.345, 12.345, 987, 12.345, 1]], ["2020-01-02"], str, ";")
        assert "row 2, column 'Open': '12.345' can be read in two ways" in self.refused(tmp_path, text)

    def test_points_are_decimal_marks_when_commas_separate_fields(self, tmp_path):
        text = written([[12.345, 12.345, 9.123, 12.345, 1]], ["2020-01-02"], str)
        assert read(tmp_path, text)[1][0, 0] == 12.345

    def test_two_decimal_marks(self, tmp_path):
        text = "Date;Open;High;Low;Close\n2020-01-02;1,5;1,5;1,5;1,5\n2020-01-03;1,5;1,5;1,5;1.5\n"
        assert "row 3, column 'Close': '1.5' and '1,5' use different decimal marks" in self.refused(tmp_path, text)

    def test_stamps_of_a_market_that_never_closes_late_in_the_utc_day(self, tmp_path):
        text = written([[1, 1, 1, 1, 1]] * 45, [f"{day}T22:00:00Z" for day in EVERY_DAY], str)
        assert "row 2, column 'Date': 2020-01-01 22:00 UTC may mean that day or" in self.refused(tmp_path, text)

    def test_a_few_stamps_without_a_weekend_between(self, tmp_path):
        text = written([[1, 1, 1, 1, 1]] * 2, ["2020-01-07T22:00:00Z", "2020-01-08T22:00:00Z"], str)
        assert "row 2, column 'Date': 2020-01-07 22:00 UTC" in self.refused(tmp_path, text)

    def test_a_late_hour_without_a_zone_from_sunday_to_thursday(self, tmp_path):
        # Midnight in Tokyo in UTC, or the close in Riyadh in local time.
        text = written([[1, 1, 1, 1, 1]] * len(SUNDAY_TO_THURSDAY), [f"{day} 15:00" for day in SUNDAY_TO_THURSDAY], str)
        assert "row 2, column 'Date': 2020-01-05 15:00 may mean" in self.refused(tmp_path, text)


class TestStampsInUtc:
    """A day's midnight in its market's zone, given in UTC, means that day even if UTC still shows the previous one."""

    @pytest.mark.parametrize("suffix", ["csv", "parquet"])
    @pytest.mark.parametrize(
        "zone",
        [
            *("America/New_York", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Europe/Helsinki"),
            *("Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "UTC"),
        ],
    )
    def test_a_midnight_of_any_market(self, tmp_path, zone, suffix):
        days = pd.date_range("2020-01-02", "2021-03-02", freq="B")  # with summer time
        index = days.tz_localize(zone).tz_convert("UTC")
        index.name = "Date"
        frame = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), 1.5), index=index)
        path = tmp_path / f"ABC.{suffix}"
        getattr(frame, f"to_{suffix}")(path)
        assert read_price_file(path, "ABC")[0].tolist() == days.date.tolist()

    @pytest.mark.parametrize("stamp", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%d %H:%M:%S", "%s"])
    def test_a_midnight_in_berlin_in_every_notation(self, tmp_path, stamp):
        midnights = [datetime.combine(day, datetime.min.time(), ZoneInfo("Europe/Berlin")) for day in WEEKDAYS]
        shown = [
            str(int(midnight.timestamp())) if stamp == "%s" else midnight.astimezone(UTC).strftime(stamp)
            for midnight in midnights
        ]
        assert read(tmp_path, written(some_prices(WEEKDAYS), shown, STYLES["plain"]))[0] == WEEKDAYS

    @pytest.mark.parametrize(
        ("hour", "minute", "days"),
        [
            (14, 30, WEEKDAYS),  # New York opens
            (21, 0, WEEKDAYS),  # New York closes
            (15, 25, SUNDAY_TO_THURSDAY),  # Tel Aviv closes
            (7, 0, SUNDAY_TO_THURSDAY),  # Riyadh opens
            (0, 0, EVERY_DAY),
            (5, 0, EVERY_DAY),
            (12, 0, EVERY_DAY),
            (23, 59, EVERY_DAY),
        ],
    )
    def test_other_times_mean_the_day_they_show(self, tmp_path, hour, minute, days):
        shown = [f"{day}T{hour:02}:{minute:02}:00Z" for day in days]
        assert read(tmp_path, written(some_prices(days), shown, STYLES["plain"]))[0] == days

    def test_an_unfinished_last_row_leaves_the_others_as_they_are(self, tmp_path):
        shown = [f"{day} 00:00:00+00:00" for day in WEEKDAYS[:-1]] + [f"{WEEKDAYS[-1]} 15:32:11+00:00"]
        assert read(tmp_path, written(some_prices(WEEKDAYS), shown, STYLES["plain"]))[0] == WEEKDAYS


prices = st.integers(1, 99_999_999).map(lambda cents: cents / 100)


@st.composite
def files(draw):
    """A file, and what it means: days and rows."""
    first = draw(st.dates(min_value=datetime(1950, 1, 1).date(), max_value=datetime(2060, 1, 1).date()))
    steps = draw(st.lists(st.integers(1, 40), min_size=0, max_size=40))
    days = [first]
    for step in steps:
        days.append(days[-1] + timedelta(days=step))
    rows = [[draw(prices) for _ in range(4)] + [float(draw(st.integers(0, 10**9)))] for _ in days]
    order = draw(st.permutations(range(len(days))))
    days, rows = [days[at] for at in order], [rows[at] for at in order]
    style = STYLES[draw(st.sampled_from(sorted(STYLES)))]
    form = DATE_ORDERS[draw(st.sampled_from(sorted(DATE_ORDERS)))]
    text = written(
        rows,
        # Python writes years below 1000 without zeros; none is here.
        [day.strftime(form) for day in days],
        style,
        draw(st.sampled_from([",", ";", "\t", "|"])),
        newline=draw(st.sampled_from(["\n", "\r\n"])),
        quoted=draw(st.booleans()),
    )
    return text, days, np.array(rows)


@given(files())
def test_any_file_is_understood_as_intended_or_refused(tmp_path_factory, file):
    text, days, rows = file
    try:
        dates, values = read(tmp_path_factory.mktemp("any"), text)
    except NoPrices as error:
        assert any(words in str(error) for words in ("in two ways", "the month first", "may mean")), str(error)
        return
    assert dates == days
    np.testing.assert_allclose(values[:, :4], rows[:, :4], rtol=1e-9)
    np.testing.assert_allclose(values[:, 4], rows[:, 4], rtol=1e-9)


@given(files(), st.data())
def test_a_file_broken_in_any_way_is_read_or_refused_by_name(tmp_path_factory, file, data):
    content = file[0].encode()
    at = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 12))
    noise = data.draw(
        st.binary(max_size=6) | st.sampled_from([b",", b";", b'"', b"\n", b"\r", b"\0", b"-", b"9" * 400])
    )
    path = tmp_path_factory.mktemp("broken") / "ABC.csv"
    path.write_bytes(content[:at] + noise + content[at + length :])
    try:
        dates, values = read_price_file(path, "ABC")
    except NoPrices as error:
        assert "ABC.csv" in str(error)
        return
    assert dates.shape == values.shape[:1]
