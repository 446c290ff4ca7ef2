"""A run with its result, and the answer to each request for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from src.models.request import BacktestRequest
from src.services.results.own_words import with_name_and_warnings
from src.services.results.packing import unpacked_json
from src.services.storage.records import RunKey, StoredResult


@dataclass(frozen=True)
class FinishedRun:
    """A run with its result.

    Attributes:
        name: of the stored answer; the run itself may have been renamed.
        warnings: of the request that produced the stored answer.
        is_reused: whether the answer already existed.
        timings_ms: milliseconds by step, if the run was just executed.
        fresh_json: its answer if the run was just executed and the answer is short.
    """

    key: RunKey
    stored: StoredResult
    name: str | None
    warnings: tuple[str, ...]
    is_reused: bool
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    fresh_json: bytes | None = field(default=None, repr=False)

    def answers_exactly(self, request: BacktestRequest) -> bool:
        """Whether the stored answer is this request's answer, byte for byte."""
        return self.name == request.name and self.warnings == tuple(request.unknown_fields_warnings())

    def json_for(self, request: BacktestRequest) -> bytes:
        """The answer as JSON, with the request's own name and warnings."""
        body = unpacked_json(self.stored) if self.fresh_json is None else self.fresh_json
        if self.answers_exactly(request):
            return body
        return with_name_and_warnings(body, request.name, request.unknown_fields_warnings(), self.warnings)
