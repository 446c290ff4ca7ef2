"""The manifest of a run's files: what there is, and the link of the chain that vouches for it."""

from datetime import datetime

from src.models.run import RunPart


class ArtifactFile(RunPart):
    """One file of a run."""

    name: str
    """Its name: GET …/artifacts/{name} gives it."""
    size: int
    """Bytes."""
    sha256: str
    """Of its bytes, hexadecimal."""


class Manifest(RunPart):
    """All files of a run, sealed: manifest_hash is the SHA-256 of the rest of it as canonical JSON."""

    run_hash: str
    """Whose files."""
    number: int
    """Counts its owner's manifests from 1."""
    sealed_at: datetime
    """When it was written, in UTC."""
    files: list[ArtifactFile]
    """One a file."""
    chain_prev: str
    """manifest_hash of the manifest before; empty in the first."""
    manifest_hash: str
    """Hash of everything else in the manifest."""
