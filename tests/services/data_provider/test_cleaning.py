"""Every faulty row of a source is reported; none is repaired silently."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.data_provider.cleaning import clean

NAN, INF = float("nan"), float("inf")
GOOD = (10.0, 11.0, 9.0, 10.5, 100.0)


def screened(*rows, dates=None):
    dates = dates or [f"2020-01-{day:02d}" for day in range(2, 2 + len(rows))]
    return clean("ABC", np.array(dates, dtype="datetime64[D]"), np.array(rows, dtype=np.float64))


def test_good_rows_pass_without_a_report():
    bars = screened(GOOD, GOOD)
    assert bars.suspects == ()
    np.testing.assert_array_equal(bars.bars, [GOOD, GOOD])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((NAN, 11, 9, 10, 5), "open nan"),
        ((10, INF, 9, 10, 5), "high inf"),
        ((10, 11, 0, 10, 5), "low 0"),
        ((10, 11, 9, -3, 5), "close -3"),
        ((NAN, NAN, NAN, NAN, NAN), "open nan, high nan, low nan, close nan"),
    ],
)
def test_a_row_with_an_incomplete_price_is_left_out_and_reported(row, said):
    bars = screened(GOOD, row, GOOD)
    assert bars.dates.astype(str).tolist() == ["2020-01-02", "2020-01-04"]
    (suspect,) = bars.suspects
    assert str(suspect) == f"ABC on 2020-01-03: {said}: not a price; the day is left out."


@pytest.mark.parametrize(
    "row",
    [
        (10, 9.5, 9, 9.2, 5),  # high below open
        (10, 11, 9, 11.5, 5),  # high below close
        (10, 11, 10.2, 10.5, 5),  # low above open
        (10, 11, 9.5, 9.2, 5),  # low above close
        (10, 9, 11, 10, 5),  # high below low
    ],
)
def test_prices_out_of_order_are_kept_and_reported(row):
    bars = screened(row)
    np.testing.assert_array_equal(bars.bars, [row])
    (suspect,) = bars.suspects
    assert suspect.day == date(2020, 1, 2)
    assert "out of order; kept as they are" in suspect.what
    assert f"high {row[1]:g}" in suspect.what


def test_the_rounding_of_adjusted_prices_is_not_reported():
    price = 101.7
    below = price * (1 - 2e-10)
    assert screened((price, below, below, price, 1)).suspects == ()
    assert screened((price, price * (1 - 2e-9), price * 0.9, price, 1)).suspects != ()


def test_the_last_of_several_rows_of_a_day_counts_and_the_others_are_reported():
    first, last = (10, 11, 9, 10.1, 1), (10, 11, 9, 10.2, 2)
    bars = screened(first, GOOD, last, dates=["2020-01-03", "2020-01-02", "2020-01-03"])
    np.testing.assert_array_equal(bars.bars, [GOOD, last])
    (suspect,) = bars.suspects
    assert str(suspect) == "ABC on 2020-01-03: a second row for this day; the one with close 10.1 is left out."


def test_the_last_row_of_a_day_is_the_last_in_a_file_of_any_length():
    close = np.arange(1.0, 5_001.0)
    dates = np.datetime64("2020-01-02", "D") + np.arange(5_000) % 50
    bars = clean("ABC", dates, np.outer(close, np.ones(5)))
    np.testing.assert_array_equal(bars.bars[:, 3], close[-50:])


def test_an_unusable_row_does_not_displace_a_usable_one_of_its_day():
    bars = screened(GOOD, (NAN,) * 5, dates=["2020-01-02", "2020-01-02"])
    np.testing.assert_array_equal(bars.bars, [GOOD])
    assert [suspect.what.split(":")[0] for suspect in bars.suspects] == ["open nan, high nan, low nan, close nan"]


@pytest.mark.parametrize("volume", [-1.0, INF, -INF])
def test_an_impossible_volume_becomes_unknown_and_is_reported(volume):
    bars = screened((*GOOD[:4], volume))
    assert np.isnan(bars.bars[0, 4])
    (suspect,) = bars.suspects
    assert "volume" in suspect.what


def test_equal_volumes_have_equal_bytes():
    payload = np.frombuffer(b"\x01\x00\x00\x00\x00\x00\xf8\xff")[0]
    for odd, usual in ((-0.0, 0.0), (payload, np.nan)):
        assert screened((*GOOD[:4], odd)).bars.tobytes() == screened((*GOOD[:4], usual)).bars.tobytes()


def test_a_missing_or_zero_volume_is_not_reported():
    assert screened((*GOOD[:4], NAN), (*GOOD[:4], 0.0)).suspects == ()


def test_no_rows_give_no_bars():
    bars = clean("ABC", np.empty(0, dtype="datetime64[D]"), np.empty((0, 5)))
    assert bars.bars.shape == (0, 5)


def test_the_rows_handed_in_are_not_changed():
    rows = np.array([(*GOOD[:4], -1.0)])
    clean("ABC", np.array(["2020-01-02"], dtype="datetime64[D]"), rows)
    assert rows[0, 4] == -1.0


PRICES = st.sampled_from([NAN, INF, 0.0, -1.0, 1.0, 2.0, 3.0])


@given(st.lists(st.tuples(st.integers(0, 5), *[PRICES] * 5), min_size=1, max_size=12))
def test_every_row_is_either_a_bar_or_reported(rows):
    dates = np.datetime64("2020-01-02", "D") + np.array([row[0] for row in rows])
    bars = clean("ABC", dates, np.array([row[1:] for row in rows]))
    left_out = sum("left out" in suspect.what for suspect in bars.suspects)
    assert bars.dates.size + left_out == len(rows)
    assert (np.diff(bars.dates.astype(int)) > 0).all()
    assert ((bars.bars[:, :4] > 0) & (bars.bars[:, :4] < INF)).all()
