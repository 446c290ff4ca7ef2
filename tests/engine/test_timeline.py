"""When a strategy is called and with which bars, against pandas and by hand."""

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hqg_algorithms import BarSize

from src.engine.market import Doubles, Market
from src.engine.timeline import decisions
from tests.engine.markets import consecutive, market, market_of, real_prices

PERIODS = {BarSize.WEEKLY: "W-FRI", BarSize.MONTHLY: "ME", BarSize.QUARTERLY: "QE"}


def decisions_of(given: Market, bar_size: BarSize) -> dict[int, Doubles]:
    return decisions(given.days, len(given.symbols), given.bars, bar_size, given.last_period_complete)


def resampled(prices: dict[str, pd.DataFrame], bar_size: BarSize) -> tuple[np.ndarray, np.ndarray]:
    """Timeline index of each period's last day, and its bars (n_periods, n_symbols, 5), by pandas."""
    rule = PERIODS[bar_size]
    days = pd.Series(range(len(prices["close"])), index=prices["close"].index)
    ends = days.resample(rule).last().dropna().astype(int).to_numpy()
    fields = [
        prices["open"].resample(rule).first(),
        prices["high"].resample(rule).max(),
        prices["low"].resample(rule).min(),
        prices["close"].resample(rule).last(),
        prices["volume"].resample(rule).sum(min_count=1),
    ]
    has_days = days.resample(rule).count().to_numpy() > 0
    return ends, np.stack([field.to_numpy()[has_days] for field in fields], axis=2)


def assert_same(given: Market, prices: dict[str, pd.DataFrame], bar_size: BarSize) -> None:
    ends, bars = resampled(prices, bar_size)
    asked = decisions_of(given, bar_size)
    assert list(asked) == ends.tolist()
    ours = np.array([bars.tolist() for bars in asked.values()]).reshape(bars.shape)
    np.testing.assert_allclose(ours, bars, rtol=1e-14, equal_nan=True)


@pytest.mark.parametrize("bar_size", PERIODS)
def test_periods_of_real_prices_are_those_of_pandas(market_folder: Path, bar_size: BarSize) -> None:
    """VXUS is listed only in 2011: its first periods have no bar."""
    prices = real_prices(market_folder, ["SPY", "VXUS"], "2010-01-04", "2013-06-28")
    assert_same(market_of(prices), prices, bar_size)


@pytest.mark.parametrize("bar_size", PERIODS)
def test_periods_of_markets_with_other_calendars_are_those_of_pandas(bar_size: BarSize) -> None:
    """One symbol trades every day of the week, one on weekdays with random halts and unknown volumes."""
    random = np.random.default_rng(7)
    index = pd.date_range("2019-11-28", "2021-03-31", freq="D", name="date")
    base = random.lognormal(4, 0.2, (len(index), 2, 1)) * random.uniform(0.9, 1.1, (len(index), 2, 4))
    bars = np.concatenate([base, random.uniform(1, 9, (len(index), 2, 1))], axis=2)
    bars[..., 1], bars[..., 2] = base.max(axis=2), base.min(axis=2)
    bars[index.day_of_week >= 5, 1] = np.nan
    bars[random.random(len(index)) < 0.2, 1] = np.nan
    bars[random.random(len(index)) < 0.3, 1, 4] = np.nan
    fields = ("open", "high", "low", "close", "volume")
    prices = {f: pd.DataFrame(bars[..., i], index=index, columns=["COIN", "SHARE"]) for i, f in enumerate(fields)}
    assert_same(market_of(prices), prices, bar_size)


def test_a_week_runs_from_saturday_to_friday() -> None:
    """Thursday 2024-01-04 to Sunday 2024-01-14."""
    given = market({"COIN": list(range(1, 12))}, dates=consecutive(11, date(2024, 1, 4)))
    assert list(decisions_of(given, BarSize.WEEKLY)) == [1, 8, 10]


def test_the_last_trading_day_ends_a_period_when_its_last_calendar_day_has_no_bar() -> None:
    """2024-03-29 was Good Friday: the month's last trading day was Thursday the 28th."""
    dates = [date(2024, 3, 27), date(2024, 3, 28), date(2024, 4, 1)]
    given = market({"SPY": [1.0, 2.0, 3.0]}, dates=dates)
    assert list(decisions_of(given, BarSize.MONTHLY)) == [1, 2]


@pytest.mark.parametrize("bar_size", PERIODS)
def test_a_period_that_the_window_cuts_off_has_no_call(bar_size: BarSize) -> None:
    dates = consecutive(200, date(2024, 1, 1))
    whole = market({"A": [1.0] * 200}, dates=dates)
    cut = market({"A": [1.0] * 200}, dates=dates, last_period_complete=False)
    assert list(decisions_of(cut, bar_size).items()) == list(decisions_of(whole, bar_size).items())[:-1]


def test_a_one_day_window_has_one_decision_or_none() -> None:
    whole = market({"A": [1.0]})
    cut = market({"A": [1.0]}, last_period_complete=False)
    assert list(decisions_of(whole, BarSize.DAILY)) == [0]
    assert list(decisions_of(whole, BarSize.MONTHLY)) == [0]
    assert decisions_of(cut, BarSize.MONTHLY) == {}


def test_daily_bars_are_passed_on_unchanged_and_not_copied() -> None:
    given = market({"A": [1.0, 2.0], "B": [None, 4.0]})
    first, second = decisions_of(given, BarSize.DAILY).values()
    assert first[3] == 1.0
    assert math.isnan(first[8])
    assert second.tolist() == [2.0, 2.0, 2.0, 2.0, 1e9, 4.0, 4.0, 4.0, 4.0, 1e9]
    assert second.obj is given.bars.obj


def test_unknown_volumes_are_left_out_of_the_sum() -> None:
    given = market({"A": [1.0, 2.0], "B": [1.0, 2.0]}, volumes={"A": [None, 7.0], "B": [None, None]})
    (week,) = decisions_of(given, BarSize.WEEKLY).values()
    assert week[4] == 7.0
    assert math.isnan(week[9])


def test_an_empty_window_makes_no_calls() -> None:
    assert decisions([], 1, memoryview(b"").cast("d"), BarSize.MONTHLY, True) == {}
    assert decisions([], 1, memoryview(b"").cast("d"), BarSize.DAILY, True) == {}
