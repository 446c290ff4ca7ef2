"""Errors of a run's files."""

from src.errors import BacktesterError


class ArtifactNotFound(BacktesterError):
    """There is no such run, or none of its files has that name."""

    code = "artifact_not_found"
    http_status = 404


class ArtifactsNotReady(BacktesterError):
    """The run has no result yet, so there is nothing to seal."""

    code = "artifacts_not_ready"
    http_status = 409


class ArtifactsUnwritable(BacktesterError):
    """The files cannot be written at present (for example, no space left); the stored result is unaffected."""

    code = "artifacts_unwritable"
    http_status = 503
    retry_after_seconds = 60
