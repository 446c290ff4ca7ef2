"""HQG Backtester for scripts and notebooks: post a strategy, get an honest backtest back.

The client talks HTTP only, imports nothing of the service, and needs nothing but Python: pandas only for tables,
tqdm only for the progress bar. Strategies take Weights and Protected from here, in a box and at home.
"""

from typing import TYPE_CHECKING, Any

from hqg_backtester.signals import Protected, Weights
from hqg_backtester.version import __version__

if TYPE_CHECKING:
    from hqg_backtester.client import *

__all__ = [
    "Client",
    "ClientError",
    "Code",
    "CodeUnavailable",
    "Event",
    "NoPrices",
    "PackageMissing",
    "Protected",
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
    "Weights",
    "__version__",
    "source_of",
]


def __getattr__(name: str) -> Any:
    """Import the client when it is first used: a strategy does without it, and a box does not have it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import hqg_backtester.client  # noqa: PLC0415 - see above

    value = globals()[name] = getattr(hqg_backtester.client, name)
    return value
