"""A delisting in every kind of real box: the same books in every dialect, and nothing seen of it before its day."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from src.execution.sandbox.base import Sandbox
from src.services.data_provider.files.provider import FilesProvider
from tests.services.backtests.answers import answered
from tests.services.backtests.test_delistings import write

ATTRIBUTES = """
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Strategy, TargetWeights

class Both(Strategy):
    universe = ["DEAD", "LIVE"]
    cadence = Cadence(bar_size=BarSize.{cadence}, execution=ExecutionTiming.{timing})

    def on_data(self, data, portfolio):
        print(data.has("DEAD"), portfolio.positions["DEAD"] > 0, round(portfolio.equity))
        return TargetWeights({{"DEAD": 0.5, "LIVE": 0.5}})
"""
METHODS = ATTRIBUTES.replace(
    """    universe = ["DEAD", "LIVE"]
    cadence = """,
    """    def universe(self):
        return ["DEAD", "LIVE"]

    def cadence(self):
        return """,
)
DICTS = (
    METHODS.replace(", TargetWeights\n", "\n")
    .replace('data.has("DEAD")', 'data.get("DEAD") is not None')
    .replace("TargetWeights({{", "{{")
    .replace("}})", "}}")
)
OLDER = DICTS[DICTS.index("class") :]
DIALECTS = {"attributes": ATTRIBUTES, "methods": METHODS, "dicts": DICTS, "older": OLDER}


@pytest.fixture
def provider(tmp_path: Path) -> FilesProvider:
    write(tmp_path, "DEAD", "2010-01-04", "2015-02-27")
    write(tmp_path, "LIVE", "2010-01-04", "2016-12-30", price=20.0)
    return FilesProvider(tmp_path)


def run(sandbox: Sandbox, provider: FilesProvider, source: str) -> dict[str, Any]:
    window = {"start_date": "2015-01-01", "end_date": "2015-04-30"}
    return answered(provider, sandbox, strategy_code=source, benchmark=None, delisting_return=-0.5, **window)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_position_is_settled_on_its_day_and_the_strategy_sees_it_then(
    sandbox: Sandbox, provider: FilesProvider, dialect: str
) -> None:
    answer = run(sandbox, provider, DIALECTS[dialect].format(cadence="DAILY", timing="CLOSE_TO_CLOSE"))
    (closed,) = [order for order in answer["orders"] if "reason" in order]
    assert (closed["timestamp"], closed["price"], closed["shares"]) == ("2015-03-02T00:00:00Z", 5.0, 500.0)
    assert answer["equity_stats"]["equity"] == pytest.approx(7500)
    days = [candle["time"] // 86_400 for candle in answer["candles"]]
    leaves = days.index((date(2015, 3, 2) - date(1970, 1, 1)).days)
    assert answer["logs"][1:leaves] == ["True True 10000"] * (leaves - 1)
    assert answer["logs"][leaves:] == ["False False 7500"] * (len(days) - leaves)
    assert "DEAD did not fill on 2015-03-02: it is no longer listed" in answer["warnings"]


@pytest.mark.parametrize("timing", ["CLOSE_TO_CLOSE", "CLOSE_TO_NEXT_OPEN"])
@pytest.mark.parametrize("cadence", ["WEEKLY", "MONTHLY"])
def test_slower_cadences_and_fills_at_the_open_settle_on_the_same_day(
    sandbox: Sandbox, provider: FilesProvider, cadence: str, timing: str
) -> None:
    answer = run(sandbox, provider, ATTRIBUTES.format(cadence=cadence, timing=timing))
    closed = [(order["timestamp"], order["price"]) for order in answer["orders"] if "reason" in order]
    # A month's signal of 2015-01-30 fills at the open of the next day at the latest: both hold in February.
    assert closed == [("2015-03-02T00:00:00Z", 5.0)]
    assert answer["equity_stats"]["equity"] == pytest.approx(7500)
