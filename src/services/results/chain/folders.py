"""The folders of links: created and removed so that readers never see part of one."""

import errno
import hashlib
import json
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from src.services.results.chain.manifest import MANIFEST_NAME, NO_HASH, REMOVED_NAME
from src.services.storage.records.chain import Link

logger = logging.getLogger(__name__)

LOCAL_OWNER = "local"
LINK_FOLDER = re.compile(r"(\d{8,})-([0-9a-f]{64})")
UNFINISHED_PREFIX = ".unfinished-"
ASIDE_PREFIX = "aside-"

LEFT_OVER_SECONDS = 3600.0
"""Nothing younger is cleaned up, because it may be in use. Longer than any seal takes."""


def owner_folder(root: Path, owner: str) -> Path:
    """The folder of one owner's chain; a subject may hold any character, so it is hashed."""
    return root / (LOCAL_OWNER if owner == LOCAL_OWNER else hashlib.sha256(owner.encode("utf-8")).hexdigest())


def link_folder(root: Path, link: Link) -> Path:
    """The folder of one link's files."""
    return owner_folder(root, link.owner) / f"{link.number:08d}-{link.run_hash}"


@contextmanager
def unfinished_folder(root: Path, owner: str) -> Iterator[Path]:
    """A new folder to write into, removed afterwards unless it was moved."""
    parent = owner_folder(root, owner)
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / f"{UNFINISHED_PREFIX}{secrets.token_hex(8)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(unfinished: Path, folder: Path) -> None:
    """Give a finished folder its final name, so that it survives a power failure.

    An existing folder with this number is in no chain of this database: a seal died before its link was stored, or
    the folder belongs to another database. It is set aside; `clean_left_overs` deletes it once the case is clear.

    Raises:
        OSError
    """
    for stranger in folder.parent.glob(f"{folder.name.partition('-')[0]}-*"):
        aside = stranger.with_name(f"{ASIDE_PREFIX}{stranger.name}-{secrets.token_hex(4)}")
        logger.warning("%s is in no chain and its number is needed: moved aside to %s", stranger, aside.name)
        stranger.rename(aside)
    sync_folder(unfinished)
    unfinished.rename(folder)
    sync_folder(folder.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Write a whole file and wait until it would survive a power failure."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def remove_files(folder: Path, removed_at: datetime) -> None:
    """Remove all files except the manifest, and leave a note that this was intended.

    The note comes first: a folder with missing files and no note looks tampered with. On a full disk it has to come
    last; the database has already recorded the removal.
    Does nothing if that was done before.
    """
    if not (folder / MANIFEST_NAME).is_file():
        return
    try:
        _write_note(folder, removed_at)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _remove_all_but_manifest(folder)
        _write_note(folder, removed_at)
    _remove_all_but_manifest(folder)


def _write_note(folder: Path, removed_at: datetime) -> None:
    if (folder / REMOVED_NAME).is_file():
        return
    draft = folder / f"{UNFINISHED_PREFIX}{REMOVED_NAME}"
    write_durably(draft, json.dumps({"removed_at": removed_at.isoformat()}).encode("ascii") + b"\n")
    draft.rename(folder / REMOVED_NAME)
    sync_folder(folder)


def _remove_all_but_manifest(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in (MANIFEST_NAME, REMOVED_NAME):
            path.unlink(missing_ok=True)


def numbered_folders(parent: Path) -> dict[str, int]:
    """The folders of links, finished or left over: name to number."""
    if not parent.is_dir():
        return {}
    matches = (LINK_FOLDER.fullmatch(entry.name) for entry in parent.iterdir())
    return {match.group(0): int(match.group(1)) for match in matches if match}


def clean_left_overs(root: Path, owner: str, links: Sequence[Link]) -> None:
    """Delete old leftovers of killed seals in the owner's folder, and finish removals.

    Args:
        links: the owner's whole chain, first link first.
    """
    for link in links:
        if link.removed_at is not None:
            remove_files(link_folder(root, link), link.removed_at)
    for folder in owner_folder(root, owner).glob(f"{UNFINISHED_PREFIX}*"):
        if _is_old(folder):
            shutil.rmtree(folder, ignore_errors=True)

    for folder in owner_folder(root, owner).glob(f"{ASIDE_PREFIX}*"):
        if _was_sealed_again(root, folder, links):
            logger.info("%s was left behind by a killed seal and was sealed again: deleting it", folder)
            shutil.rmtree(folder, ignore_errors=True)


def _was_sealed_again(root: Path, aside: Path, links: Sequence[Link]) -> bool:
    """Whether a folder set aside was meant for this chain, and its run got the same files from a later seal.

    A folder of another database has other predecessors, or else holds nothing that is missing here.
    """
    manifest = _manifest_of(aside)
    places = [(1, NO_HASH), *((link.number + 1, link.manifest_hash) for link in links)]
    if manifest is None or (manifest.get("number"), manifest.get("chain_prev")) not in places:
        return False
    of_run = [link for link in links if link.run_hash == manifest.get("run_hash")]
    sealed = [_manifest_of(link_folder(root, link)) for link in of_run]
    return any(other is not None and other.get("files") == manifest.get("files") for other in sealed)


def _manifest_of(folder: Path) -> dict[Any, Any] | None:
    """The folder's manifest, if it has one, unverified."""
    try:
        manifest = json.loads((folder / MANIFEST_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


def _is_old(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > LEFT_OVER_SECONDS
    except FileNotFoundError:  # another process cleaned up
        return False


def sync_folder(folder: Path) -> None:
    """Wait until the names in the folder would survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
