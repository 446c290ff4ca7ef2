"""Two answers become one history only when they agree."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.services.data_provider.calendar import sessions
from src.services.data_provider.cleaning import clean
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.history import (
    ADJ_CLOSE,
    CAPITAL_GAIN,
    COLUMNS,
    DIVIDEND,
    RAW_VOLUME,
    SPLIT,
    History,
    extended,
    is_cut_short,
)
from tests.fakes.histories import history, with_dividend, with_split
from tests.fakes.yahoo import from_raw

DAYS = sessions(date(2020, 1, 2), date(2020, 12, 31))
WHOLE = history("SPY", DAYS)
KNOWN = WHOLE.until(DAYS[199].item())


def tail_of(whole: History) -> History:
    return whole.since(KNOWN.overlap_start())


def changed(day: int, column: int, factor: float) -> History:
    rows = WHOLE.rows.copy()
    rows[day, column] *= factor
    return History("SPY", DAYS, rows, WHOLE.market)


def same(one: History | None, other: History) -> bool:
    return bool((one.dates == other.dates).all() and np.array_equal(one.rows, other.rows, equal_nan=True))


@given(st.integers(1, DAYS.size), st.integers(0, DAYS.size))
def test_a_history_and_its_tail_make_the_whole(n_known: int, n_more: int) -> None:
    known = WHOLE.until(DAYS[n_known - 1].item())
    now = WHOLE.until(DAYS[min(n_known + n_more, DAYS.size) - 1].item())
    assert same(extended(known, now.since(known.overlap_start())), now)


@given(st.integers(201, DAYS.size - 1), st.floats(1e-5, 5.0))
def test_a_tail_with_a_dividend_or_a_split_among_the_new_days_does_not_fit(day: int, amount: float) -> None:
    ex_day = DAYS[day].item()
    assert extended(KNOWN, tail_of(with_dividend(WHOLE, ex_day, amount))) is None
    assert extended(KNOWN, tail_of(with_split(WHOLE, ex_day, 1 + amount))) is None


@pytest.mark.parametrize("column", range(5))
@pytest.mark.parametrize("day", [180, 199])
def test_a_tail_with_a_changed_price_on_a_known_day_does_not_fit(day: int, column: int) -> None:
    assert extended(KNOWN, tail_of(changed(day, column, 1.00001))) is None
    assert extended(KNOWN, tail_of(changed(day, column, 1 + 1e-8))) is not None


def test_a_tail_with_a_new_event_on_a_known_day_does_not_fit() -> None:
    for column in (DIVIDEND, SPLIT, CAPITAL_GAIN):
        rows = WHOLE.rows.copy()
        rows[190, column] = 0.5
        assert extended(KNOWN, tail_of(History("SPY", DAYS, rows, WHOLE.market))) is None


def test_a_tail_with_a_price_that_was_missing_does_not_fit() -> None:
    rows = WHOLE.rows.copy()
    rows[190, 3] = np.nan
    gap = History("SPY", DAYS, rows, WHOLE.market)
    assert extended(KNOWN, tail_of(gap)) is None
    assert same(extended(gap.until(DAYS[199].item()), tail_of(gap)), gap)


def test_a_corrected_volume_is_accepted() -> None:
    longer = extended(KNOWN, tail_of(changed(195, RAW_VOLUME, 2.0)))
    assert same(longer, changed(195, RAW_VOLUME, 2.0))


def test_a_tail_without_a_known_day_does_not_fit() -> None:
    keep = np.arange(DAYS.size) != 190
    gone = History("SPY", DAYS[keep], WHOLE.rows[keep], WHOLE.market)
    assert extended(KNOWN, tail_of(gone)) is None


def test_a_late_day_is_added() -> None:
    keep = np.arange(DAYS.size) != 190
    gap = History("SPY", DAYS[keep], WHOLE.rows[keep], WHOLE.market).until(DAYS[199].item())
    assert same(extended(gap, WHOLE.since(gap.overlap_start())), WHOLE)


def test_an_empty_tail_does_not_fit() -> None:
    assert extended(KNOWN, WHOLE.since(date(2030, 1, 1))) is None


def test_a_whole_history_that_lost_days_is_cut_short() -> None:
    assert not is_cut_short(WHOLE, KNOWN)
    assert not is_cut_short(KNOWN, KNOWN)
    assert is_cut_short(WHOLE.since(DAYS[1].item()), KNOWN)
    assert is_cut_short(KNOWN.until(DAYS[198].item()), KNOWN)
    assert is_cut_short(WHOLE.since(date(2030, 1, 1)), KNOWN)
    thinned = np.delete(np.arange(DAYS.size), [50, 51, 52])
    assert is_cut_short(History("SPY", DAYS[thinned], WHOLE.rows[thinned], WHOLE.market), KNOWN)
    one_gone = np.delete(np.arange(DAYS.size), [50])
    assert not is_cut_short(History("SPY", DAYS[one_gone], WHOLE.rows[one_gone], WHOLE.market), KNOWN)


def test_rows_that_do_not_fit_their_days_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        History("SPY", DAYS, np.zeros((DAYS.size, 5)), WHOLE.market)
    with pytest.raises(ValueError, match="ascending"):
        History("SPY", DAYS[::-1].copy(), WHOLE.rows, WHOLE.market)


@pytest.mark.parametrize("symbol", ["SPY", "BND", "TLT", "GLD", "AAPL"])
def test_adjusting_real_raw_prices_gives_the_real_adjusted_ones(
    symbol: str, raw_prices: Path, daily_prices: Path
) -> None:
    listing = from_raw(raw_prices / f"{symbol}.parquet")
    rows = np.zeros((listing.dates.size, len(COLUMNS)))
    rows[:, :4], rows[:, ADJ_CLOSE], rows[:, RAW_VOLUME] = listing.rows[:, :4], listing.rows[:, 4], listing.rows[:, 5]
    bars = clean(symbol, listing.dates, History(symbol, listing.dates, rows, WHOLE.market).adjusted())
    real = FilesProvider(daily_prices).fetch((symbol,), date(1900, 1, 1), date(2030, 1, 1))
    ours = bars.window(real.dates[0].item(), real.dates[-1].item())
    np.testing.assert_array_equal(ours.dates, real.dates)
    np.testing.assert_allclose(ours.bars, real.bars[:, 0], rtol=1e-6, atol=0)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, DAYS.size - 1), st.floats(0.01, 2.0)), max_size=6))
def test_an_adjusted_return_is_the_return_with_the_dividend(events: list[tuple[int, float]]) -> None:
    told, paid = WHOLE, np.zeros(DAYS.size)
    for day, amount in sorted(dict(events).items()):
        told = with_dividend(told, DAYS[day].item(), amount)
        paid[day] = amount
    adjusted, close = told.adjusted()[:, 3], WHOLE.rows[:, 3]
    expected = close[1:] / (close[:-1] - paid[1:])  # the price drops by the dividend on the morning of its ex-date
    np.testing.assert_allclose(adjusted[1:] / adjusted[:-1], expected, rtol=1e-12)
