"""The client: HTTP to a service, with nothing but the standard library. `hqg_backtester` offers its names too."""

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
