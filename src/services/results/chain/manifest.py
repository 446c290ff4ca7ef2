"""Manifests, and the hash that links the next one to them."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MANIFEST_NAME = "manifest.json"
REMOVED_NAME = "removed.json"
"""Beside a manifest whose files were removed on purpose; records when."""

FILE_NAMES = (
    "request.json",
    "strategy.py",
    "result.json",
    "orders.csv",
    "equity.parquet",
    "report.html",
)
"""The files a manifest vouches for, in order."""

NO_HASH = ""
"""The chain_prev of an owner's first manifest."""


@dataclass(frozen=True)
class SealedFile:
    """One file as a manifest describes it.

    Attributes:
        size: bytes.
        sha256: of its bytes, hexadecimal.
    """

    name: str
    size: int
    sha256: str


def describe(path: Path, *, durably: bool = False) -> SealedFile:
    """Describe a file for the manifest.

    Args:
        durably: also wait until its bytes would survive a power failure.

    Raises:
        OSError
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        if durably:
            os.fsync(file.fileno())
        return SealedFile(path.name, file.tell(), digest.hexdigest())


def make_manifest(
    run_hash: str, number: int, sealed_at: str, files: Iterable[SealedFile], chain_prev: str
) -> dict[str, Any]:
    """A complete manifest, including its own hash.

    Args:
        number: counts from 1 within the owner's chain.
        sealed_at: ISO 8601 in UTC.
        chain_prev: manifest_hash of the previous manifest, NO_HASH for the first.
    """
    body = {
        "run_hash": run_hash,
        "number": number,
        "sealed_at": sealed_at,
        "files": [asdict(file) for file in files],
        "chain_prev": chain_prev,
    }
    return body | {"manifest_hash": manifest_hash(body)}


def manifest_hash(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of the manifest without manifest_hash, as canonical JSON, hexadecimal.

    Canonical: keys sorted, no white space, UTF-8 without escapes that JSON does not require. `jq -cjS` writes the same.
    """
    body = {name: value for name, value in manifest.items() if name != "manifest_hash"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """The contents of manifest.json, formatted for people."""
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
