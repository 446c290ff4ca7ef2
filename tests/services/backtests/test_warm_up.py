"""A warm-up: the bars that a strategy sees before its books begin, in every kind of real box."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from src.engine.market import MAX_WARMUP_BARS as MAX_OF_ENGINE
from src.errors import NoPrices, StrategyFailed
from src.execution.sandbox.base import Sandbox
from src.models.request import MAX_WARMUP_BARS
from src.services.data_provider.files.provider import FilesProvider
from tests.fakes.sandbox import ScriptedSandbox
from tests.services.backtests.answers import answered, prepared
from tests.services.backtests.test_delistings import write

START, END = "2016-03-16", "2016-06-30"
"""A Wednesday in the middle of a month, and the last day of a quarter."""

ATTRIBUTES = """
import json
from hqg_algorithms import *

class Warm(Strategy):
    universe = ["SPY", "BND"]
    cadence = Cadence(bar_size=BarSize.{cadence}, execution=ExecutionTiming.{timing})
    warmup_bars = {bars}

    def on_data(self, data, portfolio):
        bar = data["SPY"]
        seen = [data.history(symbol, 9) for symbol in ("SPY", "BND")]
        print(json.dumps([str(data.date), data.is_warming_up, seen, [bar.open, bar.high, bar.low, bar.volume],
                          portfolio.equity, portfolio.cash, portfolio.shares("SPY"), portfolio.average_cost("SPY")]))
        return TargetWeights({{"SPY": 0.5, "BND": 0.5}})
"""
METHODS = (
    ATTRIBUTES.replace('universe = ["SPY", "BND"]', 'def universe(self): return ["SPY", "BND"]')
    .replace("cadence = Cadence(", "def cadence(self): return Cadence(")
    .replace("warmup_bars = {bars}", "def warmup_bars(self): return {bars}")
)
DICTS = METHODS.replace("TargetWeights({{", "{{").replace("}})\n", "}}\n")
OLDER = DICTS.replace("from hqg_algorithms import *\n", "")
DIALECTS = {"attributes": ATTRIBUTES, "methods": METHODS, "dicts": DICTS, "older": OLDER}
PERIODS = {"DAILY": "D", "WEEKLY": "W-FRI", "MONTHLY": "M", "QUARTERLY": "Q"}


def source(bars: int = 5, cadence: str = "DAILY", timing: str = "CLOSE_TO_CLOSE", dialect: str = "attributes") -> str:
    return DIALECTS[dialect].format(bars=bars, cadence=cadence, timing=timing)


def answer_of(provider: FilesProvider, sandbox: Sandbox, code: str, **request: Any) -> dict[str, Any]:
    window = {"start_date": START, "end_date": END, "benchmark": None, "risk_free_rate": 0.0}
    return answered(provider, sandbox, **{"strategy_code": code, **window, **request})


def calls(answer: dict[str, Any]) -> list[Any]:
    return [json.loads(line) for line in answer["logs"]]


def whole_history(provider: FilesProvider, cadence: str) -> pd.DataFrame:
    """The periods of SPY from 2007 to the window's end, by the day of their last session."""
    table = provider.fetch(["SPY", "BND"], date(2007, 1, 1), date.fromisoformat(END))
    fields = pd.DataFrame(table.bars[:, 0], columns=["open", "high", "low", "close", "volume"])
    fields["BND"], fields["day"] = table.close[:, 1], table.dates
    periods = pd.DatetimeIndex(table.dates).to_period(PERIODS[cadence])
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum", "BND": "last", "day": "last"}
    return fields.groupby(periods).agg(how).set_index("day")


@pytest.fixture
def prices(market_folder: Path) -> FilesProvider:
    return FilesProvider(market_folder)


@pytest.mark.parametrize("timing", ["CLOSE_TO_CLOSE", "CLOSE_TO_NEXT_OPEN"])
@pytest.mark.parametrize("cadence", list(PERIODS))
def test_it_is_so_many_calls_on_whole_periods_before_the_window(
    sandbox: Sandbox, prices: FilesProvider, cadence: str, timing: str
) -> None:
    answer = answer_of(prices, sandbox, source(7, cadence, timing))
    said, expected = calls(answer), whole_history(prices, cadence)
    assert [warming for _, warming, *_ in said] == [True] * 7 + [False] * (len(said) - 7)
    first = expected.index.get_loc(said[0][0])
    expected = expected.iloc[first : first + len(said)]
    assert [day for day, *_ in said] == [str(day.date()) for day in expected.index]
    assert said[6][0] < START <= said[7][0]
    for number, (_, warming, seen, bar, equity, cash, shares, cost) in enumerate(said):
        assert seen == [closes[: number + 1][-9:].tolist() for closes in (expected["close"], expected["BND"])]
        assert bar == expected.iloc[number][["open", "high", "low", "volume"]].tolist()
        if warming:
            assert (equity, cash, shares, cost) == (10_000.0, 10_000.0, 0.0, None)
    assert answer["parameters"]["warmup_bars"] == 7


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_the_books_begin_on_the_start_date_in_every_dialect(
    sandbox: Sandbox, prices: FilesProvider, dialect: str
) -> None:
    warm, cold = (answer_of(prices, sandbox, source(bars, dialect=dialect)) for bars in (250, 0))
    for part in ("candles", "orders", "metrics", "equity_stats"):
        assert warm[part] == cold[part]
    assert warm["orders"][0]["timestamp"] == "2016-03-16T00:00:00Z"
    assert warm["run_hash"] != cold["run_hash"]


def test_the_request_wins_over_the_class(sandbox: Sandbox, prices: FilesProvider) -> None:
    assert sum(call[1] for call in calls(answer_of(prices, sandbox, source(5), warmup_bars=9))) == 9
    none = answer_of(prices, sandbox, source(5), warmup_bars=0)
    assert sum(call[1] for call in calls(none)) == 0
    assert "warmup_bars" not in none["parameters"]


def test_a_warm_up_that_the_code_computes_is_asked_of_the_box(sandbox: Sandbox, prices: FilesProvider) -> None:
    computed = source().replace("warmup_bars = 5", "warmup_bars = 2 * 3")
    assert sum(call[1] for call in calls(answer_of(prices, sandbox, computed))) == 6


@pytest.mark.parametrize("bars", ["10_001", "-1", "True", "'9'", "2.0"])
def test_an_impossible_computed_warm_up_is_named(sandbox: Sandbox, prices: FilesProvider, bars: str) -> None:
    impossible = source().replace("warmup_bars = 5", f"warmup_bars = (lambda: {bars})()")
    with pytest.raises(StrategyFailed, match="warmup_bars must be a whole number from 0 to 10000"):
        answer_of(prices, sandbox, impossible)


def test_an_attribute_of_that_name_on_the_instance_is_the_strategys_own(
    sandbox: Sandbox, prices: FilesProvider
) -> None:
    own = source().replace("warmup_bars = 5", "def __init__(self): self.warmup_bars = 50")
    assert sum(call[1] for call in calls(answer_of(prices, sandbox, own))) == 0


def test_an_error_during_the_warm_up_names_its_day(sandbox: Sandbox, prices: FilesProvider) -> None:
    wrong = source().replace("bar = data", 'if str(data.date) > "2016-03-10": 1 / 0\n        bar = data')
    with pytest.raises(StrategyFailed, match=r"ZeroDivisionError: division by zero \(line 11, on_data, 2016-03-11\)"):
        answer_of(prices, sandbox, wrong)


def test_prices_that_do_not_reach_back_are_counted(sandbox: Sandbox, tmp_path: Path) -> None:
    write(tmp_path, "SPY", "2016-02-01", "2017-12-29")
    write(tmp_path, "BND", "2016-03-14", "2017-12-29")
    provider = FilesProvider(tmp_path)
    answer = answer_of(provider, sandbox, source(100))
    assert sum(call[1] for call in calls(answer)) == 31
    reach = "The warm-up wants 100 bars before 2016-03-16, but the prices have 31, from 2016-02-01."
    assert reach in answer["warnings"]
    late = "Symbols with fewer than the 31 bars of the warm-up: BND 2."
    assert late in answer_of(provider, sandbox, source(31))["warnings"]


def test_no_earlier_price_at_all_is_a_warning(sandbox: Sandbox, tmp_path: Path) -> None:
    for symbol in ("SPY", "BND"):
        write(tmp_path, symbol, START, "2017-12-29")
    answer = answer_of(FilesProvider(tmp_path), sandbox, source(3))
    assert "The warm-up wants 3 bars before 2016-03-16, but the prices have 0." in answer["warnings"]
    assert not any(call[1] for call in calls(answer))


def test_a_longer_warm_up_is_another_run_and_none_keeps_its_name(prices: FilesProvider) -> None:
    nothing = source().replace("    warmup_bars = 5\n", "")
    request = {"strategy_code": nothing, "start_date": START, "end_date": END, "benchmark": None}
    variants = ({}, {"warmup_bars": 0}, {"warmup_bars": None}, {"warmup_bars": 1}, {"warmup_bars": 2})
    hashes = []
    for more in variants:
        with prepared(prices, ScriptedSandbox(lambda heard: b""), **request, **more) as ready:
            hashes.append((ready.run_hash, ready.ingredients["data"]))
    assert hashes[0] == hashes[1] == hashes[2]
    assert len(set(hashes)) == len({data for _, data in hashes}) == 3


def test_strategies_of_any_cadence_share_prices_without_a_warm_up(prices: FilesProvider) -> None:
    wanted = []
    for cadence in PERIODS:
        request = {"strategy_code": source(0, cadence), "start_date": START, "end_date": END, "benchmark": None}
        with prepared(prices, ScriptedSandbox(lambda heard: b""), **request) as ready:
            wanted.append(ready.dataset.wanted)
    assert len(set(wanted)) == 1


def test_the_warm_up_ends_where_the_window_begins(prices: FilesProvider) -> None:
    request = {"strategy_code": source(9, "MONTHLY"), "start_date": START, "end_date": END, "benchmark": None}
    with prepared(prices, ScriptedSandbox(lambda heard: b""), **request) as ready:
        earlier = ready.dataset.warm_up
    assert earlier is not None
    # Nine whole months, and the days of the month that the window cuts.
    assert (str(earlier.dates[0]), str(earlier.dates[-1])) == ("2015-06-01", "2016-03-15")
    assert not np.isnan(earlier.bars).any()


@pytest.mark.parametrize(("start", "end"), [("1901-01-02", "1901-03-01"), ("1850-01-02", "1850-03-01")])
def test_a_window_without_prices_is_named_as_it_was_asked_for(prices: FilesProvider, start: str, end: str) -> None:
    request = {"strategy_code": source(10_000), "start_date": start, "end_date": end, "benchmark": None}
    with pytest.raises(NoPrices, match=f"between {start} and {end}"):
        prepared(prices, ScriptedSandbox(lambda heard: b""), **request)


def test_a_request_and_a_strategy_have_one_bound() -> None:
    assert MAX_WARMUP_BARS == MAX_OF_ENGINE
