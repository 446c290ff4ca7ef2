"""HQG Backtester for scripts and notebooks: post a strategy, get an honest backtest back.

The client talks HTTP only, imports nothing of the service, and needs nothing but Python: pandas only for tables,
tqdm only for the progress bar.
"""

from hqg_backtester.client.client import Client, Terms
from hqg_backtester.client.code import Code, source_of
from hqg_backtester.client.errors import (
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
from hqg_backtester.client.events import Event
from hqg_backtester.client.result import Result
from hqg_backtester.client.run import Run
from hqg_backtester.version import __version__

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
    "__version__",
    "source_of",
]
