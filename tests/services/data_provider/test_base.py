"""The price table enforces its rules, and its hash is the same on every machine."""

import hashlib
import json
import math
import struct
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.data_provider.base import PriceTable, SuspectBar

NAN = float("nan")


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def table_of(n_days: int, n_symbols: int = 2, first: str = "2020-01-02") -> PriceTable:
    dates = np.datetime64(first, "D") + np.arange(n_days)
    bars = np.random.default_rng(7).uniform(1, 99, (n_days, n_symbols, 5))
    return PriceTable(dates, tuple(f"S{column}" for column in range(n_symbols)), bars)


def hash_by_hand(table: PriceTable) -> str:
    """The definition of `data_hash`, number by number, without NumPy's byte handling."""
    header = {"n_days": len(table.dates), "symbols": list(table.symbols), "table": 1}
    content = json.dumps(header, sort_keys=True).encode()
    for day in table.dates.tolist():
        content += struct.pack("<q", (day - date(1970, 1, 1)).days)
    for value in table.bars.ravel().tolist():
        canonical = NAN if math.isnan(value) else (0.0 if value == 0 else value)
        content += struct.pack("<d", canonical)
    return hashlib.sha256(content).hexdigest()


def test_the_views_show_the_five_columns():
    table = table_of(3)
    for column, view in enumerate((table.open, table.high, table.low, table.close, table.volume)):
        np.testing.assert_array_equal(view, table.bars[:, :, column])
        assert np.shares_memory(view, table.bars)


THREE_WEEKS = [f"2021-01-{day:02}" for day in range(4, 23) if date(2021, 1, day).weekday() < 5]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("2021-01-01", "2021-01-04"), False),  # a Friday and a Monday
        (("2021-01-02",), False),  # a Saturday alone, as in New York until 1952
        (("2021-01-03", "2021-01-10"), False),  # Sundays alone, as in Tel Aviv
        (("2021-01-02", "2021-01-03"), True),
        # A stray Saturday and a stray Sunday among three weeks of weekdays.
        ((*THREE_WEEKS, "2021-01-23", "2021-01-24"), False),
        # Every day in 2015, only weekdays in 2021.
        ((*(f"2015-01-{day:02}" for day in range(1, 32)), *THREE_WEEKS), False),
        (("1969-12-27", "1970-01-04"), True),
        ((), False),
    ],
)
def test_a_timeline_trades_on_weekends_when_it_has_saturdays_and_sundays(texts, expected):
    table = PriceTable(days(*texts), ("A",), np.ones((len(texts), 1, 5)))
    assert table.has_weekend_days() is expected


def test_a_window_outside_the_table_is_empty():
    table = table_of(5)
    assert table.window(date(2030, 1, 1), date(2031, 1, 1)).bars.shape == (0, 2, 5)
    assert table.window(date(2020, 1, 4), date(2020, 1, 3)).bars.shape == (0, 2, 5)


def test_a_window_keeps_only_its_own_suspects():
    inside, outside = (SuspectBar("S0", date(2020, 1, day), "odd") for day in (3, 5))
    whole = table_of(5)
    table = PriceTable(whole.dates, whole.symbols, whole.bars, (inside, outside))
    assert table.window(date(2020, 1, 2), date(2020, 1, 4)).suspects == (inside,)
    assert table.data_hash() == whole.data_hash()


def test_arrays_are_taken_over_and_become_read_only():
    bars, dates = np.ones((1, 1, 5)), days("2020-01-02")
    PriceTable(dates, ("A",), bars)
    assert not bars.flags.writeable
    assert not dates.flags.writeable


def test_a_present_bar_may_lack_its_volume():
    table = PriceTable(days("2020-01-02"), ("A",), np.array([[[1.0, 1.0, 1.0, 1.0, NAN]]]))
    assert np.isnan(table.volume[0, 0])


@pytest.mark.parametrize(
    "bar",
    [
        (1, 1, 1, NAN, 1),
        (1, 1, 1, NAN, NAN),
        (NAN, NAN, NAN, NAN, 5),
        (1, 0, 1, 1, 1),
        (1, 1, -1, 1, 1),
        (1, float("inf"), 1, 1, 1),
        (1, 1, 1, 1, -1),
        (1, 1, 1, 1, float("inf")),
        (NAN, NAN, NAN, NAN, NAN),  # the only symbol: then the day should not be there
    ],
)
def test_a_table_with_an_impossible_bar_is_refused(bar):
    with pytest.raises(ValueError, match="must"):
        PriceTable(days("2020-01-02"), ("A",), np.array([[bar]], dtype=np.float64))


@pytest.mark.parametrize(
    ("dates", "symbols", "bars"),
    [
        (days("2020-01-03", "2020-01-02"), ("A",), np.ones((2, 1, 5))),
        (days("2020-01-02", "2020-01-02"), ("A",), np.ones((2, 1, 5))),
        (days("NaT"), ("A",), np.ones((1, 1, 5))),
        (days("2020-01-02").astype("datetime64[ns]"), ("A",), np.ones((1, 1, 5))),
        (days("2020-01-02"), (), np.ones((1, 0, 5))),
        (days("2020-01-02"), ("A", "A"), np.ones((1, 2, 5))),
        (days("2020-01-02"), ("A",), np.ones((1, 1, 4))),
        (days("2020-01-02"), ("A",), np.ones((1, 1, 5), dtype=np.float32)),
        (days("2020-01-02"), ("A",), np.ones((1, 1, 5), dtype=">f8")),
        (days("2020-01-02", "2020-01-03"), ("A",), np.ones((1, 2, 5)).transpose(1, 0, 2)[:, :, ::-1]),
    ],
)
def test_a_table_of_the_wrong_form_is_refused(dates, symbols, bars):
    with pytest.raises(ValueError, match="must be"):
        PriceTable(dates, symbols, bars)


def test_the_hash_follows_its_written_definition():
    dates = days("1969-12-31", "2020-01-02")
    bars = np.array([[[1, 2, 0.5, 1.5, -0.0], [NAN] * 5], [[3, 3, 3, 3, NAN], [0.1, 0.1, 0.1, 0.1, 7]]])
    table = PriceTable(dates, ("A", "^É"), bars)
    assert table.data_hash() == hash_by_hand(table)
    long = table_of(2_500, 3)
    assert long.data_hash() == hash_by_hand(long)


def test_the_hash_ignores_the_kind_of_nan_and_the_sign_of_zero():
    odd_nan = np.frombuffer(struct.pack("<Q", 0xFFF8_0000_0000_1234), dtype="<f8")[0]
    plain = np.array([[[1, 1, 1, 1, 0.0], [NAN] * 5]])
    other = np.array([[[1, 1, 1, 1, -0.0], [odd_nan] * 5]])
    assert plain.tobytes() != other.tobytes()
    hashes = {PriceTable(days("2020-01-02"), ("A", "B"), bars).data_hash() for bars in (plain, other)}
    assert len(hashes) == 1


@given(day=st.integers(0, 9), symbol=st.integers(0, 1), field=st.integers(0, 4))
def test_the_smallest_change_of_any_number_changes_the_hash(day, symbol, field):
    table = table_of(10)
    bars = table.bars.copy()
    bars[day, symbol, field] = np.nextafter(bars[day, symbol, field], np.inf)
    assert PriceTable(table.dates, table.symbols, bars).data_hash() != table.data_hash()


def test_dates_and_names_change_the_hash():
    table = table_of(3)
    moved = PriceTable(table.dates + 1, table.symbols, table.bars)
    renamed = PriceTable(table.dates, ("S0", "S2"), table.bars)
    assert len({table.data_hash(), moved.data_hash(), renamed.data_hash()}) == 3


@given(first=st.integers(0, 40), length=st.integers(0, 40), lead=st.integers(0, 10), tail=st.integers(0, 10))
def test_the_hash_does_not_depend_on_data_read_around_the_window(first, length, lead, tail):
    whole = table_of(60)
    start, end = (date(2020, 1, 2).fromordinal(737426 + first + add) for add in (0, length))
    wider_start = date.fromordinal(start.toordinal() - lead)
    wider_end = date.fromordinal(end.toordinal() + tail)
    through_wider = whole.window(wider_start, wider_end).window(start, end)
    assert through_wider.data_hash() == whole.window(start, end).data_hash()


def test_warnings_are_sentences_and_bounded():
    whole = table_of(1)
    suspects = [SuspectBar("S0", date(2020, 1, 2), f"thing {n}") for n in range(25)]
    suspects += [SuspectBar("S1", date(2020, 1, 2), "other")]
    sentences = PriceTable(whole.dates, whole.symbols, whole.bars, tuple(suspects)).warnings()
    assert sentences[0] == "S0 on 2020-01-02: thing 0."
    assert len(sentences) == 21
    assert sentences[-1] == "6 more suspect bars: S0 5, S1 1."
    assert whole.warnings() == []


@pytest.mark.parametrize("bar", [(1, NAN, 1, 1, 1), (NAN, NAN, NAN, NAN, 5), (1, 0, 1, 1, 1), (1, 1, 1, 1, -1)])
@pytest.mark.parametrize("row", [0, 8_191, 19_999])
def test_an_impossible_bar_is_found_at_any_position_among_good_ones(bar, row):
    bars = np.ones((20_000, 2, 5))
    bars[row, 1] = bar
    dates = np.datetime64("1960-01-01") + np.arange(20_000)
    with pytest.raises(ValueError, match=r"must have four finite prices|volume must"):
        PriceTable(dates, ("A", "B"), bars)
    bars = np.ones((20_000, 2, 5))
    bars[row, 1] = NAN
    PriceTable(dates, ("A", "B"), bars)


def test_origins_leave_out_a_symbol_without_a_bar_and_report_the_known_ones():
    bars = np.ones((3, 2, 5))
    bars[:, 1] = NAN
    table = PriceTable(days("2020-01-02", "2020-01-03", "2020-01-06"), ("A", "B"), bars)
    (origin,) = table.origins
    assert origin.as_json() == {
        "symbol": "A",
        "first_day": "2020-01-02",
        "last_day": "2020-01-06",
        "rows": 3,
        "fetched_at": None,
    }
