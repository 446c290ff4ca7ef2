"""How a route asks for a service: by type, never by a global."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from fastapi import Depends, Request

from src.execution.reading import Reading, read
from src.execution.sandbox.base import Sandbox
from src.models.request import BacktestRequest
from src.services.run_gate import RunGate

if TYPE_CHECKING:
    from src.services.market_data import MarketData


class RunsBacktests(Protocol):
    """What the route needs of src.services.backtests.Backtests, whose import is slow."""

    def run(
        self,
        request: BacktestRequest,
        *,
        deadline: float,
        cancel: threading.Event,
        universe: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """One finished backtest, blocking.

        Args:
            deadline: time.monotonic() seconds by which it returns or raises.
            cancel: set by another thread when nobody waits any more.
            universe: tickers that the strategy trades whatever it says itself; None asks it.
        """
        ...


@dataclass(frozen=True)
class Services:
    """Everything that routes may ask for, built and closed in src/api/lifespan.py.

    Attributes:
        data_source: name of the price source.
        market_data: what prices are cached; None where none are.
        read: reads a strategy's source without running it.
    """

    backtests: RunsBacktests
    run_gate: RunGate
    sandbox: Sandbox
    data_source: str = "unknown"
    market_data: "MarketData | None" = None
    read: Callable[[str], Reading] = read


def _services(request: Request) -> Services:
    services: Services = request.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
