"""What can go wrong with the files of a run."""

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
    """The files cannot be written at present (no space left, say); the stored result is untouched."""

    code = "artifacts_unwritable"
    http_status = 503
    retry_after_seconds = 60
