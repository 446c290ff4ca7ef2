"""A strategy's own series and dated lines, from every kind of real box to the answer."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.errors import StrategyFailed
from src.execution.sandbox.base import Sandbox
from src.models.sections import SectionsAnswer
from src.services.data_provider.files.provider import FilesProvider
from src.services.results.answer_json import answer_pieces
from src.services.results.packing import packed, unpacked
from src.services.results.sections import Asked
from tests.services.backtests.answers import prepared
from tests.services.backtests.test_delistings import write

ATTRIBUTES = """
from hqg_algorithms import *
print("loading")

class Drawn(Strategy):
    universe = ["SPY"]
    cadence = Cadence(bar_size=BarSize.WEEKLY)

    def on_data(self, data, portfolio):
        self.plot("close", data.close("SPY"))
        if data.date.day < 8:
            self.plot("first days", data.date.day)
            self.log(f"it is {data.date}")
            print("twice")
        return TargetWeights({"SPY": 1.0})
"""
METHODS = ATTRIBUTES.replace('universe = ["SPY"]', 'def universe(self): return ["SPY"]').replace(
    "cadence = Cadence(", "def cadence(self): return Cadence("
)
DICTS = METHODS.replace('TargetWeights({"SPY": 1.0})', '{"SPY": 1.0}')
DIALECTS = {
    "attributes": ATTRIBUTES,
    "methods": METHODS,
    "dicts": DICTS,
    "older": DICTS.replace("from hqg_algorithms import *\n", ""),
}
BOTH = Asked(frozenset({"plots", "log_lines"}))


@pytest.fixture
def provider(tmp_path: Path) -> FilesProvider:
    write(tmp_path, "SPY", "2015-01-02", "2016-12-30")
    return FilesProvider(tmp_path)


def answer(provider: FilesProvider, sandbox: Sandbox, code: str, **request: Any) -> dict[str, Any]:
    window = {"start_date": "2015-06-01", "end_date": "2015-07-31", "benchmark": None, "risk_free_rate": 0.0}
    with prepared(provider, sandbox, **{"strategy_code": code, **window, **request}) as ready:
        stored = unpacked(packed(ready.execute()))
    shown = json.loads(b"".join(answer_pieces(stored, BOTH)))
    SectionsAnswer.model_validate({name: shown[name] for name in ("plots", "log_lines")})
    usual = json.loads(b"".join(answer_pieces(stored)))
    assert not {"plots", "log_lines", "line_days"} & usual.keys()
    return shown


def seconds(day: str) -> int:
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * 86_400


FRIDAYS = ["2015-06-05", "2015-06-12", "2015-06-19", "2015-06-26", "2015-07-03", "2015-07-10", "2015-07-17"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_points_and_lines_have_the_date_of_their_bar(sandbox: Sandbox, provider: FilesProvider, dialect: str) -> None:
    shown = answer(provider, sandbox, DIALECTS[dialect], warmup_bars=5)
    close, early = shown["plots"]
    assert (close["name"], early["name"]) == ("close", "first days")
    times = [time for time, _ in close["points"]]
    assert len(times) == 9
    # 2015-07-03 was a holiday: that week ended on Thursday.
    assert times[:7] == [seconds(day.replace("07-03", "07-02")) for day in FRIDAYS]
    assert {value for _, value in close["points"]} == {10.0}
    assert early["points"] == [[seconds("2015-06-05"), 5.0], [seconds("2015-07-02"), 2.0]]
    days = ("2015-05-01", "2015-06-05", "2015-07-02")
    lines = [(line["time"], line["line"]) for line in shown["log_lines"]]
    assert lines == [
        (None, "loading"),
        *((seconds(day), line) for day in days for line in (f"it is {day}", "twice")),
    ]
    assert shown["logs"] == [line for _, line in lines]


def test_a_strategy_may_have_a_plot_of_its_own(sandbox: Sandbox, provider: FilesProvider) -> None:
    own = ATTRIBUTES.replace("    def on_data", "    def plot(self, *anything): pass\n\n    def on_data")
    assert answer(provider, sandbox, own)["plots"] == []


def test_too_many_series_end_the_run_with_their_name(sandbox: Sandbox, provider: FilesProvider) -> None:
    many = ATTRIBUTES.replace('self.plot("close"', 'for n in range(21): self.plot(f"s{n}"')
    with pytest.raises(StrategyFailed, match=r"'s20' is one plot too many: a strategy has at most 20 \(line 10"):
        answer(provider, sandbox, many)


def test_twenty_series_on_every_day_come_back_whole(sandbox: Sandbox, provider: FilesProvider) -> None:
    many = (
        ATTRIBUTES.replace("WEEKLY", "DAILY")
        .replace(
            'self.plot("close", data.close("SPY"))', 'for n in range(20): self.plot("é" * 59 + chr(97 + n), 1 / 3 + n)'
        )
        .replace("if data.date.day < 8", "if False")
    )
    plots = answer(provider, sandbox, many)["plots"]
    assert [len(plot["points"]) for plot in plots] == [44] * 20
    assert [plot["points"][7][1] for plot in plots] == [1 / 3 + n for n in range(20)]


def test_a_flood_of_lines_keeps_its_dates_up_to_the_lines_that_are_kept(
    sandbox: Sandbox, provider: FilesProvider
) -> None:
    flood = ATTRIBUTES.replace("WEEKLY", "DAILY").replace("if data.date.day < 8:", "for n in range(9_000):")
    lines = answer(provider, sandbox, flood.replace('            self.log(f"it is {data.date}")\n', ""))["log_lines"]
    known = np.array([line["time"] or 0 for line in lines[1:-1]])
    assert (known > 0).all() and (np.diff(known) >= 0).all()
    assert (lines[-1]["time"], lines[-1]["line"][-28:]) == (None, "bytes of output were dropped")
