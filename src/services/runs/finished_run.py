"""A run with its result, and the answer that each request for it gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from src.models.request import BacktestRequest
from src.services.runs.own_words import in_own_words
from src.services.runs.packing import unpacked_json
from src.services.storage.records import RunKey, StoredResult


@dataclass(frozen=True)
class FinishedRun:
    """A run with its result.

    Attributes:
        name: of the stored answer; the run itself may be called otherwise by now.
        warnings: of the request that made the stored answer.
        is_reused: whether the answer was there already.
        timings_ms: milliseconds by step of a run that was executed just now.
        fresh_json: its answer, unless that is long.
    """

    key: RunKey
    stored: StoredResult
    name: str | None
    warnings: tuple[str, ...]
    is_reused: bool
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    fresh_json: bytes | None = field(default=None, repr=False)

    def is_in_words_of(self, request: BacktestRequest) -> bool:
        """Whether the stored answer is this request's answer byte for byte."""
        return self.name == request.name and self.warnings == tuple(request.unknown_fields_warnings())

    def json_for(self, request: BacktestRequest) -> bytes:
        """The answer as JSON, with the request's own name and warnings."""
        body = unpacked_json(self.stored) if self.fresh_json is None else self.fresh_json
        if self.is_in_words_of(request):
            return body
        return in_own_words(body, request.name, request.unknown_fields_warnings(), self.warnings)
