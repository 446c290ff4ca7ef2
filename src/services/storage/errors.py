"""Errors of storage."""

from src.errors import BacktesterError


class StorageUnavailable(BacktesterError):
    """The database does not respond or cannot write; retrying later may help."""

    code = "storage_unavailable"
    http_status = 503
    retry_after_seconds = 5


class QueueFull(BacktesterError):
    """The queue is full; nothing was accepted.

    Args:
        n_running: number of running runs.
        n_waiting: number of queued runs.
    """

    code = "queue_full"
    http_status = 503
    retry_after_seconds = 5

    def __init__(self, n_running: int, n_waiting: int) -> None:
        super().__init__(f"{n_running} backtests are running, {n_waiting} wait: try again in a few seconds")
        self.n_running = n_running
        self.n_waiting = n_waiting


class KeyReused(BacktesterError):
    """The Idempotency-Key was already used with another request."""

    code = "idempotency_key_reused"
    http_status = 422


class TooManyPresets(BacktesterError):
    """The owner has reached the limit of presets; nothing was stored."""

    code = "too_many_presets"
    http_status = 409


class RunGone(BacktesterError):
    """The run was deleted while it was being changed."""

    code = "run_gone"
    http_status = 404


class CursorInvalid(BacktesterError):
    """The cursor did not come from a page of this service."""

    code = "cursor_invalid"
    http_status = 422
