"""Whole backtests in one process, from a request to its answer."""

import json
from typing import Any

from src.execution.sandbox.base import Sandbox
from src.models.request import BacktestRequest
from src.models.response import BacktestResponse
from src.services.backtests.datasets import Datasets
from src.services.backtests.execute import Prepared
from src.services.backtests.prepare import Backtests, RunLimits
from src.services.data_provider.base import DataProvider
from src.services.results.answer_json import answer_pieces
from src.utils.deadline import Deadline
from src.utils.json_bytes import parsed_json
from tests.fakes.blob_store import FakeBlobs

SOURCE = """
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Strategy

class Some(Strategy):
    universe = {universe}
    cadence = Cadence(bar_size=BarSize.{cadence}, execution=ExecutionTiming.{timing})

    def on_data(self, data, portfolio):
        return None
"""
BAR_SIZES = {"DAILY": "1d", "MONTHLY": "1m"}


def strategy(*symbols: str, cadence: str = "DAILY", timing: str = "CLOSE_TO_CLOSE") -> tuple[str, dict[str, Any]]:
    """A strategy whose signals a scripted box decides: its source, and its description as the box sends it."""
    source = SOURCE.format(universe=json.dumps(symbols), cadence=cadence, timing=timing)
    return source, {"universe": list(symbols), "bar_size": BAR_SIZES[cadence], "execution": timing.lower()}


def prepared(provider: DataProvider, sandbox: Sandbox, seconds: float = 120, **request: Any) -> Prepared:
    """The backtest of that request, not executed yet.

    Args:
        seconds: its deadline.
    """
    datasets, limits = Datasets(provider, FakeBlobs()), RunLimits(wall_seconds=60)
    backtests = Backtests(datasets=datasets, sandbox=sandbox, limits=limits)
    return backtests.prepare(BacktestRequest.model_validate(request), deadline=Deadline.after(seconds))


def answered(provider: DataProvider, sandbox: Sandbox, seconds: float = 120, **request: Any) -> dict[str, Any]:
    """The answer to that request."""
    with prepared(provider, sandbox, seconds, **request) as ready:
        answer = parsed_json(b"".join(answer_pieces(ready.execute())))
    BacktestResponse.model_validate(answer)
    return answer
