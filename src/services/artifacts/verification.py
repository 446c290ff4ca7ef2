"""Checks chains of manifests, link by link, against the files they vouch for and the database that counts them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.services.artifacts.folders import link_folder, numbered_folders, owner_folder
from src.services.artifacts.manifest import (
    FILE_NAMES,
    MANIFEST_NAME,
    NO_HASH,
    REMOVED_NAME,
    SealedFile,
    describe,
    manifest_hash,
)
from src.services.storage.base import ChainStore
from src.services.storage.records import Link

MAX_MANIFEST_BYTES = 1_000_000


class Broken(Exception):
    """A link that does not hold; the message says why."""


@dataclass(frozen=True)
class CheckedLink:
    """A link that holds.

    Attributes:
        name: number and run.
        n_files: how many files were compared with their hashes; 0 where they were removed.
        n_bytes: their size together.
        is_removed: its files were removed on purpose.
    """

    name: str
    manifest_hash: str
    n_files: int
    n_bytes: int
    is_removed: bool


def check_chain(root: Path, owner: str, chain: ChainStore) -> Iterator[CheckedLink]:
    """Check an owner's whole chain, first link first, also while the service goes on adding and removing.

    Args:
        root: the folder of artifacts.
        chain: what the database has of it.

    Returns:
        One entry a link that holds, as it goes.

    Raises:
        Broken: names the first link that does not hold, and says why.
    """
    previous = NO_HASH
    for number, link in enumerate(chain.links(owner), start=1):
        try:
            yield _check_link(link_folder(root, link), link, number, previous)
        except Broken as error:
            removed = chain.links(owner)[number - 1]
            if removed == link:
                raise Broken(f"{link_name(number, link.run_hash)}: {error}") from error
            yield _check_link(link_folder(root, removed), removed, number, previous)  # it went while it was read
        previous = link.manifest_hash
    # In this order: what is sealed from here on does not count.
    folders = numbered_folders(owner_folder(root, owner))
    check_nothing_follows(folders, len(chain.links(owner)))


def check_nothing_follows(folders: Mapping[str, int], n_links: int) -> None:
    """Whether the database knows of all folders, but for the one that a killed seal can have left at the end.

    Args:
        folders: number of each folder of an owner by its name.

    Raises:
        Broken
    """
    beyond = sorted(name for name, number in folders.items() if number > n_links + 1)
    if beyond:
        raise Broken(f"the database's chain ends after {n_links:,} links, but there is a folder {beyond[0]}")


def link_name(number: int, run_hash: str) -> str:
    """What a link is called where people read it."""
    return f"link {number:,} (run {run_hash})"


def check_run_folder(folder: Path) -> CheckedLink:
    """Check the files of one run by their manifest alone, such as an unpacked bundle.

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
    """The manifest in the folder, of the right form and with its own hash."""
    path = folder / MANIFEST_NAME
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise Broken("its manifest is far too large to be one")
        manifest = json.loads(path.read_bytes())
        files = [SealedFile(**entry) for entry in manifest["files"]]
        actual = manifest_hash(manifest)
        claimed, number, _, _ = (manifest[name] for name in ("manifest_hash", "number", "run_hash", "chain_prev"))
    except OSError as error:
        raise Broken(f"its manifest cannot be read: {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Broken(f"its manifest is not of the form of one: {path}") from error
    if actual != claimed:
        raise Broken(f"its manifest was changed: it says manifest_hash {claimed!r}, but has {actual}")
    if not isinstance(number, int) or [file.name for file in files] != list(FILE_NAMES):
        raise Broken("its manifest does not list the files that a run has, with a number")
    return dict(manifest)


def _check_files(folder: Path, manifest: dict[str, Any], *, is_removed: bool) -> int:
    """Compare every file with the manifest; the bytes that were compared."""
    present = {path.name for path in folder.iterdir()} - {MANIFEST_NAME}
    has_note = REMOVED_NAME in present
    if has_note and not is_removed:
        raise Broken(f"{REMOVED_NAME} says that its files were removed, but nobody removed them")
    n_bytes = 0
    for sealed in (SealedFile(**entry) for entry in manifest["files"]):
        # A removal that was cut short, or is under way, leaves some of them.
        if sealed.name in present or not is_removed:
            n_bytes += _check_file(folder / sealed.name, sealed)
    strangers = sorted(present - {REMOVED_NAME, *FILE_NAMES})
    if strangers and not is_removed:
        raise Broken(f"{strangers[0]!r} lies among its files, and its manifest does not know it")
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
