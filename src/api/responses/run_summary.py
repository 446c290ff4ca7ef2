"""A stored run as the API returns it, in plain JSON values."""

from datetime import UTC, datetime
from typing import Any

from src.services.storage.records.runs import Progress, Recomputed, RunError, RunPage, RunRecord


def run_summary(run: RunRecord) -> dict[str, Any]:
    """The fields of src.models.run.RunSummary."""
    return {
        "run_hash": run.key.run_hash,
        "name": run.name,
        "status": run.status.value,
        "symbols": list(run.symbols),
        "start_date": run.start_date,
        "end_date": run.end_date,
        "submitted_at": iso_time(run.submitted_at),
        "started_at": iso_time(run.started_at),
        "finished_at": iso_time(run.finished_at),
        "attempt": run.attempt,
        "position": run.position,
        "progress": _progress(run.progress),
        "metrics": None if run.metrics is None else dict(run.metrics),
        "error": _error(run.error),
        "recomputed": _recomputed(run.recomputed),
        "has_result": run.has_result,
        "is_cancel_requested": run.is_cancel_requested,
    }


def run_list(page: RunPage) -> dict[str, Any]:
    """The fields of src.models.run.RunList."""
    return {"runs": [run_summary(run) for run in page.runs], "next_cursor": page.next_cursor}


def iso_time(moment: datetime | None) -> str | None:
    """A time as ISO 8601 text in UTC, converted here because the fallback JSON encoder for odd text knows no times."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _progress(progress: Progress | None) -> dict[str, Any] | None:
    if progress is None:
        return None
    return {"share": progress.share, "day": progress.day, "equity": progress.equity}


def _error(error: RunError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {
        "code": error.code,
        "errors": list(error.errors),
        "traceback": error.traceback,
        "logs": list(error.logs),
    }


def _recomputed(recomputed: Recomputed | None) -> dict[str, Any] | None:
    if recomputed is None:
        return None
    return {
        "at": iso_time(recomputed.at),
        "status": recomputed.status.value,
        "differences": list(recomputed.differences),
        "error": _error(recomputed.error),
    }
