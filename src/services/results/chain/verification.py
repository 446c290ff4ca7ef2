"""Checks chains of manifests, link by link, against their files and the database."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.services.results.chain.folders import link_folder, numbered_folders, owner_folder
from src.services.results.chain.manifest import (
    MANIFEST_NAME,
    NO_HASH,
    REMOVED_NAME,
    SealedFile,
    describe,
    file_names,
    manifest_hash,
)
from src.services.storage.base import ChainStore
from src.services.storage.records.chain import Link

MAX_MANIFEST_BYTES = 1_000_000


class Broken(Exception):
    """A broken link; the message says why."""


@dataclass(frozen=True)
class CheckedLink:
    """An intact link.

    Attributes:
        name: its number and run.
        n_files: number of files compared with their hashes; 0 if they were removed.
        n_bytes: total size of those files.
        is_removed: whether its files were removed on purpose.
    """

    name: str
    manifest_hash: str
    n_files: int
    n_bytes: int
    is_removed: bool


def check_chain(root: Path, owner: str, chain: ChainStore) -> Iterator[CheckedLink]:
    """Check an owner's whole chain, first link first, even while the service adds and removes links.

    Args:
        root: the folder of artifacts.
        chain: the chain in the database.

    Returns:
        One entry per intact link, as they are checked.

    Raises:
        Broken: names the first broken link and says why.
    """
    previous = NO_HASH
    for number, link in enumerate(chain.links(owner), start=1):
        try:
            yield _check_link(link_folder(root, link), link, number, previous)
        except Broken as error:
            removed = chain.links(owner)[number - 1]
            if removed == link:
                raise Broken(f"{link_name(number, link.run_hash)}: {error}") from error
            yield _check_link(link_folder(root, removed), removed, number, previous)  # it was removed during the check
        previous = link.manifest_hash
    # In this order, so that links sealed from here on are ignored.
    folders = numbered_folders(owner_folder(root, owner))
    check_nothing_follows(folders, len(chain.links(owner)))


def check_nothing_follows(folders: Mapping[str, int], n_links: int) -> None:
    """Check that the database knows all folders, except one that a killed seal may have left at the end.

    Args:
        folders: the owner's folders, name to number.

    Raises:
        Broken
    """
    beyond = sorted(name for name, number in folders.items() if number > n_links + 1)
    if beyond:
        raise Broken(f"the database's chain ends after {n_links:,} links, but there is a folder {beyond[0]}")


def link_name(number: int, run_hash: str) -> str:
    """The name of a link in messages."""
    return f"link {number:,} (run {run_hash})"


def check_run_folder(folder: Path) -> CheckedLink:
    """Check the files of one run, such as an unpacked bundle, against their manifest only.

    Raises:
        Broken
    """
    manifest = _manifest(folder)
    n_bytes = _check_files(folder, manifest, is_removed=False)
    name = link_name(manifest["number"], manifest["run_hash"])
    return CheckedLink(name, manifest["manifest_hash"], len(manifest["files"]), n_bytes, is_removed=False)


def _check_link(folder: Path, link: Link, number: int, previous: str) -> CheckedLink:
    if (link.number, link.previous_hash) != (number, previous):
        raise Broken("the database's own links do not follow each other here")
    manifest = _manifest(folder)
    expected = {
        "number": number,
        "run_hash": link.run_hash,
        "chain_prev": previous,
        "manifest_hash": link.manifest_hash,
    }
    for field, value in expected.items():
        if manifest[field] != value:
            raise Broken(f"its manifest says {field} {manifest[field]!r}, the chain says {value!r}")
    is_removed = link.removed_at is not None
    n_bytes = _check_files(folder, manifest, is_removed=is_removed)
    name = link_name(number, link.run_hash)
    return CheckedLink(name, link.manifest_hash, 0 if is_removed else len(manifest["files"]), n_bytes, is_removed)


def _manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest in the folder, and check its form and its hash."""
    path = folder / MANIFEST_NAME
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise Broken("its manifest is too large")
        manifest = json.loads(path.read_bytes())
        files = [SealedFile(**entry) for entry in manifest["files"]]
        actual = manifest_hash(manifest)
        claimed, number, _, _ = (manifest[name] for name in ("manifest_hash", "number", "run_hash", "chain_prev"))
    except OSError as error:
        raise Broken(f"its manifest cannot be read: {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Broken(f"its manifest does not have the right form: {path}") from error
    if actual != claimed:
        raise Broken(f"its manifest was changed: it says manifest_hash {claimed!r}, but its hash is {actual}")
    if not isinstance(number, int) or not files or [file.name for file in files] != [*file_names(manifest)]:
        raise Broken("its manifest does not list a run's files, or has no number")
    return dict(manifest)


def _check_files(folder: Path, manifest: dict[str, Any], *, is_removed: bool) -> int:
    """Compare every file with the manifest; returns the number of bytes compared."""
    present = {path.name for path in folder.iterdir()} - {MANIFEST_NAME}
    has_note = REMOVED_NAME in present
    if has_note and not is_removed:
        raise Broken(f"{REMOVED_NAME} says that its files were removed, but no removal is recorded")
    n_bytes = 0
    for sealed in (SealedFile(**entry) for entry in manifest["files"]):
        # An interrupted or ongoing removal leaves some of them.
        if sealed.name in present or not is_removed:
            n_bytes += _check_file(folder / sealed.name, sealed)
    strangers = sorted(present - {REMOVED_NAME, *file_names(manifest)})
    if strangers and not is_removed:
        raise Broken(f"{strangers[0]!r} is among its files but not in its manifest")
    return n_bytes


def _check_file(path: Path, sealed: SealedFile) -> int:
    try:
        actual = describe(path)
    except OSError as error:
        raise Broken(f"{path.name} cannot be read: {error.strerror or error}") from error
    if actual.size != sealed.size:
        raise Broken(f"{path.name} has {actual.size:,} bytes, its manifest says {sealed.size:,}")
    if actual.sha256 != sealed.sha256:
        raise Broken(f"{path.name} was changed: its SHA-256 is {actual.sha256}, its manifest says {sealed.sha256}")
    return actual.size
