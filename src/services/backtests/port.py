"""What durable runs need from src.services.backtests.backtests, whose import is slow."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from src.models.request import BacktestRequest
from src.services.results.result import Result
from src.services.storage.records.runs import Progress, RunDetails
from src.utils.deadline import Deadline

Observe = Callable[[Progress, Sequence[str]], None]
"""Receives a run's progress and the lines printed since the last call, in the thread that executes the run."""


class BoxNeeded(Exception):
    """The strategy computes its universe or cadence, which takes a box, and none may be opened here."""


class PreparedRun(Protocol):
    """See src.services.backtests.execute.Prepared."""

    @property
    def run_hash(self) -> str: ...
    @property
    def ingredients(self) -> Mapping[str, Any]: ...
    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def class_name(self) -> str:
        """Name of the strategy's class."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def store_dataset(self, stored: str | None = None) -> str | None:
        """Keep the run's prices as a blob; returns its name, None if that is impossible at present.

        Args:
            stored: name of the blob of an equal run, which is as good if it is still there.
        """
        ...

    def execute(self, observe: Observe | None = None) -> Result:
        """The result."""
        ...


class PreparesRuns(Protocol):
    """See src.services.backtests.prepare.Backtests."""

    def prepare(
        self,
        request: BacktestRequest,
        *,
        deadline: Deadline,
        may_open_box: bool = True,
        reading_seconds: float = 0.0,
        accepted: RunDetails | None = None,
    ) -> PreparedRun:
        """Determine everything that decides the result, and the run's name.

        Args:
            reading_seconds: time already spent reading the strategy for this request.
            accepted: the run as it was accepted earlier, whose universe, cadence and prices are known.

        Raises:
            BoxNeeded: a box is needed but may not be opened.
        """
        ...
