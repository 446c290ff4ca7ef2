"""Reads stored runs: their state, their results, and why two of them differ. Blocks."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from src.errors import ResultNotReady, RunNotFinished, RunNotFound
from src.services.results.finished_run import FinishedRun
from src.services.runs.failures import error_of
from src.services.storage.base import RunStore
from src.services.storage.records.attempts import EventKind
from src.services.storage.records.results import EarlierResult, StoredResult
from src.services.storage.records.runs import RunDetails, RunFilter, RunKey, RunPage, RunRecord

MAX_LOG_EVENTS = 10_000
MAX_LINES = 1_000
"""Limits on the lines shown of a run in progress, because clients poll them every second."""

MAX_DIFF_LINES = 4_000
"""Limit for both sources together: if each line occurs twenty times, comparing takes 0.6 s, and a minute at 20,000."""


class RunQueries:
    """Reads runs. Safe to call from several threads."""

    def __init__(self, store: RunStore) -> None:
        self._store = store

    def get(self, key: RunKey) -> RunRecord:
        """The run.

        Raises:
            RunNotFound
        """
        run = self._store.get(key)
        if run is None:
            raise RunNotFound("There is no such run.")
        return run

    def details(self, key: RunKey) -> RunDetails:
        """The run's request and ingredients.

        Raises:
            RunNotFound
        """
        details = self._store.details(key)
        if details is None:
            raise RunNotFound("There is no such run.")
        return details

    def page(self, owner: str, wanted: RunFilter, *, limit: int, cursor: str | None = None) -> RunPage:
        """The owner's runs, newest first.

        Raises:
            CursorInvalid
        """
        return self._store.page(owner, wanted, limit=limit, cursor=cursor)

    def stored(self, key: RunKey) -> FinishedRun:
        """The run with its stored result, as the request that produced it shows it.

        Raises:
            RunNotFound, ResultNotReady
        """
        return FinishedRun(key, self.result(key), (), is_reused=True)

    def result(self, key: RunKey) -> StoredResult | EarlierResult:
        """The stored result.

        Raises:
            RunNotFound, ResultNotReady
        """
        result = self._store.result(key)
        if result is None:
            raise ResultNotReady(f"The run is {self.get(key).status.value}: there is no result.")
        return result

    def statistics(self, key: RunKey) -> dict[str, Any]:
        """Drawdowns and calendar returns of the run: a RunStatistics as JSON.

        Raises:
            RunNotFound, ResultNotReady
        """
        from src.services.results.exports.equity_table import equity_curve  # noqa: PLC0415 - a slow import
        from src.services.results.statistics import statistics  # noqa: PLC0415 - a slow import

        return {"run_hash": key.run_hash, **statistics(equity_curve(self.stored(key).result))}

    def lines(self, run: RunRecord) -> list[str]:
        """The lines printed in the run's current or last attempt; only the newest if there are too many."""
        kinds = (EventKind.STARTED, EventKind.LOG)
        events = self._store.events(run.key, after=run.first_event - 1, limit=MAX_LOG_EVENTS, kinds=kinds)
        lines: list[str] = []
        for event in events:
            if event.kind is EventKind.STARTED:
                lines.clear()
            else:
                lines.extend(event.data["lines"])
        return lines[-MAX_LINES:]

    def finished(self, key: RunKey) -> FinishedRun:
        """The run with its result.

        Raises:
            RunNotFound, RunNotFinished, and the run's own error if it did not succeed
        """
        run = self.get(key)
        if not run.has_result and not run.status.is_finished:
            raise RunNotFinished("The run is still in progress.")
        return self.ended(run)

    def ended(self, run: RunRecord) -> FinishedRun:
        """Like finished(), for a run that was already read and has ended."""
        if not run.has_result:
            raise error_of(run)
        return FinishedRun(run.key, self.result(run.key), self.details(run.key).warnings, is_reused=True)

    def explain(self, key: RunKey, against: str | None = None) -> dict[str, Any]:
        """What decides the run's result, and how it differs from another run of the same owner.

        Raises:
            RunNotFound
        """
        other = None if against is None else self.details(RunKey(key.owner, against))
        return explanation(key.run_hash, self.details(key), against, other)


def explanation(
    run_hash: str, this: RunDetails, against: str | None = None, other: RunDetails | None = None
) -> dict[str, Any]:
    """The fields of src.models.run.Explanation.

    Args:
        against, other: the run to compare with; None compares with nothing.
    """
    differences = [] if other is None else list(_differing(this.ingredients, other.ingredients, ""))
    return {
        "run_hash": run_hash,
        "against": against,
        "ingredients": dict(this.ingredients),
        "differences": differences,
        "code_difference": None if other is None else _code_difference(this, other),
    }


def _differing(this: Mapping[str, Any], other: Mapping[str, Any], path: str) -> Iterator[dict[str, Any]]:
    for name in sorted({*this, *other}):
        one, two = this.get(name), other.get(name)
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            yield from _differing(one, two, f"{path}{name}.")
        elif one != two or (name in this) != (name in other) or isinstance(one, bool) != isinstance(two, bool):
            yield {"ingredient": path + name, "this": one, "other": two}


def _code_difference(this: RunDetails, other: RunDetails) -> str | None:
    """A unified diff from the other's code to this one's; None if they are equal."""
    codes = [str(details.request["strategy_code"]) for details in (other, this)]
    if codes[0] == codes[1]:
        return None
    before, after = (code.splitlines() for code in codes)
    if len(before) + len(after) > MAX_DIFF_LINES:
        return f"The sources have {len(before)} and {len(after)} lines: too many to compare here."
    return "\n".join(difflib.unified_diff(before, after, "other/strategy.py", "this/strategy.py", lineterm=""))
