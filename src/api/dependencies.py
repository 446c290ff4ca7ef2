"""How a route asks for a service: by type, never by a global."""

import threading
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from src.execution.sandbox.base import Sandbox
from src.models.request import BacktestRequest
from src.services.run_gate import RunGate


class RunsBacktests(Protocol):
    """What the route needs of src.services.backtests.Backtests, whose import is slow."""

    def run(self, request: BacktestRequest, *, deadline: float, cancel: threading.Event) -> dict[str, Any]:
        """One finished backtest, blocking.

        Args:
            deadline: time.monotonic() seconds by which it returns or raises.
            cancel: set by another thread when nobody waits any more.
        """
        ...


@dataclass(frozen=True)
class Services:
    """Everything that routes may ask for, built and closed in src/api/lifespan.py."""

    backtests: RunsBacktests
    run_gate: RunGate
    sandbox: Sandbox


def _services(request: Request) -> Services:
    services: Services = request.state.services
    return services


def _backtests(services: "ServicesDep") -> RunsBacktests:
    return services.backtests


def _run_gate(services: "ServicesDep") -> RunGate:
    return services.run_gate


def _sandbox(services: "ServicesDep") -> Sandbox:
    return services.sandbox


ServicesDep = Annotated[Services, Depends(_services)]
BacktestsDep = Annotated[RunsBacktests, Depends(_backtests)]
RunGateDep = Annotated[RunGate, Depends(_run_gate)]
SandboxDep = Annotated[Sandbox, Depends(_sandbox)]
