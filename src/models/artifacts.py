"""The manifest of a run's files: the list of files, and the link in the hash chain that vouches for it."""

from datetime import datetime

from src.models.run import RunPart


class ArtifactFile(RunPart):
    """One file of a run."""

    name: str
    """File name: GET …/artifacts/{name} returns it."""
    size: int
    """Size in bytes."""
    sha256: str
    """Hash of its bytes, hexadecimal."""


class Manifest(RunPart):
    """All files of a run, sealed: manifest_hash is the SHA-256 of the rest of the manifest as canonical JSON."""

    format: int = 1
    """2; manifests of earlier versions have none and list other files."""
    run_hash: str
    """The run whose files these are."""
    number: int
    """Position among its owner's manifests, from 1."""
    sealed_at: datetime
    """When it was written, in UTC."""
    files: list[ArtifactFile]
    """One entry per file."""
    chain_prev: str
    """manifest_hash of the previous manifest; empty in the first."""
    manifest_hash: str
    """Hash of everything else in the manifest."""
