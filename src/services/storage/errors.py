"""What storage refuses, and why."""

from src.errors import BacktesterError


class StorageUnavailable(BacktesterError):
    """The database does not answer, or refuses to write; trying later may help."""

    code = "storage_unavailable"
    http_status = 503
    retry_after_seconds = 5


class QueueFull(BacktesterError):
    """All places to wait are taken; nothing was accepted.

    Args:
        n_running: runs under way.
        n_waiting: runs in line.
    """

    code = "queue_full"
    http_status = 503
    retry_after_seconds = 5

    def __init__(self, n_running: int, n_waiting: int) -> None:
        super().__init__(f"{n_running} backtests are running, {n_waiting} wait: try again in a few seconds")
        self.n_running = n_running
        self.n_waiting = n_waiting


class KeyReused(BacktesterError):
    """The Idempotency-Key came before, with another request."""

    code = "idempotency_key_reused"
    http_status = 422


class TooManyPresets(BacktesterError):
    """The owner has as many presets as anybody may have; nothing was kept."""

    code = "too_many_presets"
    http_status = 409


class RunGone(BacktesterError):
    """The run was deleted while something was added to it."""

    code = "run_gone"
    http_status = 404


class CursorInvalid(BacktesterError):
    """The cursor is none that a page of ours gave."""

    code = "cursor_invalid"
    http_status = 422
