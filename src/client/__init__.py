"""The Python client: post a strategy from a script or a notebook, get an honest backtest back.

It talks HTTP only, imports nothing of the service, and needs nothing but Python: pandas only for tables,
tqdm only for the progress bar.
"""

from src.client.client import Client, Terms
from src.client.code import Code, source_of
from src.client.errors import (
    ClientError,
    CodeUnavailable,
    NoPrices,
    PackageMissing,
    RequestInvalid,
    RunCancelled,
    RunError,
    RunFailed,
    RunNotFinished,
    RunNotFound,
    RunTimedOut,
    ServiceBusy,
    ServiceFault,
    ServiceUnavailable,
    StrategyFailed,
    StrategyRejected,
    Unauthorized,
    WaitTimedOut,
)
from src.client.events import Event
from src.client.result import Result
from src.client.run import Run

__all__ = [
    "Client",
    "ClientError",
    "Code",
    "CodeUnavailable",
    "Event",
    "NoPrices",
    "PackageMissing",
    "RequestInvalid",
    "Result",
    "Run",
    "RunCancelled",
    "RunError",
    "RunFailed",
    "RunNotFinished",
    "RunNotFound",
    "RunTimedOut",
    "ServiceBusy",
    "ServiceFault",
    "ServiceUnavailable",
    "StrategyFailed",
    "StrategyRejected",
    "Terms",
    "Unauthorized",
    "WaitTimedOut",
    "source_of",
]
