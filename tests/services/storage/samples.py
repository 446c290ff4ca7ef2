"""Sample runs for tests: alike, each with its own hash."""

from datetime import UTC, datetime
from typing import Any

from src.services.storage.base import BuildLink, RunStore, Storage
from src.services.storage.records.attempts import Lease, Outcome
from src.services.storage.records.chain import Link
from src.services.storage.records.results import StoredResult
from src.services.storage.records.runs import NewRun, RunError, RunKey, RunStatus

INGREDIENTS = {"start_date": "2015-01-01", "end_date": "2016-12-31", "parameters": {"lookback_days": 21}}


def key(number: int = 1, owner: str = "local") -> RunKey:
    """The address of a run; the same number, the same run."""
    return RunKey(owner, f"{number:064x}")


def new_run(number: int = 1, owner: str = "local", **changes: Any) -> NewRun:
    """A run to submit."""
    parts: dict[str, Any] = {
        "key": key(number, owner),
        "name": f"run {number}",
        "request": {"strategy_code": "class Strategy: ...", "number": number},
        "ingredients": INGREDIENTS | {"number": number},
        "symbols": ("SPY", "BND"),
    }
    return NewRun(**parts | changes)


def result(text: bytes = b"compressed", **changes: Any) -> StoredResult:
    """A stored result."""
    parts = {"document": b"{}", "metrics": {"sharpe_ratio": 1.5}, "daily": text, "orders": b"", "sha256": "ab12"}
    return StoredResult(**{**parts, "json_length": 1234, **changes})


def success(**changes: Any) -> Outcome:
    """A successful outcome."""
    return Outcome(**{"status": RunStatus.SUCCEEDED, "result": result()} | changes)


def failure(*, is_repeatable: bool = False, status: RunStatus = RunStatus.FAILED, **changes: Any) -> Outcome:
    """A failed outcome."""
    error = RunError("strategy_failed", ("ZeroDivisionError",), "line 17", ("printed",), is_repeatable)
    return Outcome(status, error=error, **changes)


def started(runs: RunStore, number: int = 1, owner: str = "local", lease_seconds: float = 60) -> Lease:
    """The lease of a run submitted and started now."""
    lease = runs.submit(new_run(number, owner), lease_seconds=lease_seconds).lease
    assert lease is not None
    return lease


def finished(runs: RunStore, number: int = 1, owner: str = "local", outcome: Outcome | None = None) -> RunKey:
    """A finished run, successful by default."""
    lease = started(runs, number, owner)
    assert runs.finish(lease, outcome or success())
    return lease.key


def link_builder(run: RunKey, calls: list[tuple[int, str]] | None = None) -> BuildLink:
    """Builds links of a run whose manifest hash names owner, run and number; notes its calls."""

    def build(number: int, previous_hash: str) -> Link:
        if calls is not None:
            calls.append((number, previous_hash))
        manifest_hash = f"manifest {number} of {run.owner}: {run.run_hash}"
        return Link(run.owner, number, run.run_hash, manifest_hash, previous_hash, datetime(2026, 1, 2, tzinfo=UTC))

    return build


def sealed(storage: Storage, number: int = 1, owner: str = "local") -> Link:
    """The link of a successful run."""
    run = finished(storage.runs, number, owner)
    return storage.chain.append(run, link_builder(run))
