"""A run with its result, and the answer to each request for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from src.services.results.result import Result
from src.services.storage.records.results import EarlierResult, StoredResult
from src.services.storage.records.runs import RunKey


@dataclass(frozen=True)
class FinishedRun:
    """A run with its result.

    Attributes:
        warnings: of the request that produced the result.
        is_reused: whether the result already existed.
        timings_ms: milliseconds by step, if the run was just executed.
        fresh: the result if the run was just executed.
    """

    key: RunKey
    stored: StoredResult | EarlierResult
    warnings: tuple[str, ...]
    is_reused: bool
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    fresh: Result | None = field(default=None, repr=False)

    @cached_property
    def result(self) -> Result:
        """The result, with the name and warnings of the request that produced it.

        Raises:
            ResultDamaged
        """
        from src.services.results.packing import unpacked  # noqa: PLC0415 - a slow import

        return unpacked(self.stored) if self.fresh is None else self.fresh

    @property
    def identity(self) -> str:
        """Names the stored bytes: their hash."""
        return self.stored.json_sha256 if isinstance(self.stored, EarlierResult) else self.stored.sha256

    def result_for(self, name: str | None, warnings: Sequence[str]) -> Result:
        """The result with the name and warnings of another request for the same run."""
        return self.result.asked_as(name, warnings, len(self.warnings))
