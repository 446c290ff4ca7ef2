"""Manifests, and the hash that links the next one to them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MANIFEST_NAME = "manifest.json"
REMOVED_NAME = "removed.json"
"""Beside a manifest whose files were removed on purpose; records when."""

FILE_NAMES = ("request.json", "strategy.py", "document.json", "daily.arrow", "orders.arrow", "trades.arrow")
"""The files a manifest vouches for, in order."""

EARLIER_FILE_NAMES = ("request.json", "strategy.py", "result.json", "orders.csv", "equity.parquet", "report.html")
"""Those of a manifest without a format, sealed before results were columns."""

FILES_OF_FORMATS = {1: EARLIER_FILE_NAMES, 2: FILE_NAMES[:-1], 3: FILE_NAMES}
"""Format 2 is that of results stored before there were round trips."""

ALL_NAMES = (MANIFEST_NAME, *dict.fromkeys((*FILE_NAMES, *EARLIER_FILE_NAMES)))
"""Every name that a bundle may hold."""

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


def file_names(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The files that a manifest of its format vouches for; none if the format is unknown."""
    return FILES_OF_FORMATS.get(manifest.get("format", 1), ())


def describe(path: Path) -> SealedFile:
    """Describe a file as a manifest does.

    Raises:
        OSError
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return SealedFile(path.name, file.tell(), digest.hexdigest())


def make_manifest(
    run_hash: str, number: int, sealed_at: str, files: Sequence[SealedFile], chain_prev: str
) -> dict[str, Any]:
    """A complete manifest, including its own hash.

    Args:
        number: counts from 1 within the owner's chain.
        sealed_at: ISO 8601 in UTC.
        chain_prev: manifest_hash of the previous manifest, NO_HASH for the first.
    """
    body = {
        "format": 3 if len(files) == len(FILE_NAMES) else 2,
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
