"""The files of finished runs: sealed into their owner's chain, or rendered on request; bundled, removed."""

import errno
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from src.services.results.chain.bundle import bundle_pieces
from src.services.results.chain.folders import (
    clean_left_overs,
    link_folder,
    put_in_place,
    remove_files,
    unfinished_folder,
    write_durably,
)
from src.services.results.chain.manifest import (
    FILE_NAMES,
    MANIFEST_NAME,
    SealedFile,
    file_names,
    make_manifest,
    manifest_bytes,
)
from src.services.results.errors import ArtifactNotFound, ArtifactsNotReady, ArtifactsUnwritable
from src.services.results.packing import sealed_parts, unpacked
from src.services.results.rendering import RENDERERS, RENDERING
from src.services.storage.base import BuildLink, Storage
from src.services.storage.errors import RunGone
from src.services.storage.records.chain import Link
from src.services.storage.records.results import EarlierResult, StoredResult
from src.services.storage.records.runs import RunKey

logger = logging.getLogger(__name__)

NO_SUCH_FILE = "This run has no file of that name; GET …/artifacts lists its files."


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Rendered:
    """A file that is made on request.

    Attributes:
        sha256: names its content, hexadecimal: of everything that it is made from.
        pieces: makes its bytes.
    """

    sha256: str
    pieces: Callable[[], Iterator[bytes]]


class Artifacts:
    """Files of finished runs. Every method blocks and may be called from any thread of any process.

    Args:
        folder: holds one folder per owner; created when needed. Processes that share the storage must share it.
        storage: holds the results and the chain.
        clock: returns the time with a time zone.
    """

    def __init__(self, folder: Path, storage: Storage, clock: Callable[[], datetime] = utc_now) -> None:
        self._root = folder
        self._storage = storage
        self._clock = clock
        # One at a time: concurrent requests for a large run must not fill the disk with unfinished copies.
        self._sealing = threading.Lock()

    def seal(self, key: RunKey) -> Link:
        """Write the run's files and add them to its owner's chain, unless that was done before.

        Raises:
            ArtifactNotFound: there is no such run.
            ArtifactsNotReady: it has no result.
            ArtifactsUnwritable: for example no space left; nothing is left behind, and a later call may succeed.
        """
        present = self._storage.chain.link(key)
        if present is not None:
            return present
        with self._sealing:
            return self._storage.chain.link(key) or self._sealed(key)

    def manifest(self, key: RunKey) -> dict[str, Any]:
        """The run's manifest; seals the run first if necessary.

        Raises:
            as `seal`; ArtifactNotFound also if the file is gone
        """
        manifest: dict[str, Any] = json.loads(self.path(key, MANIFEST_NAME).read_bytes())
        return manifest

    def path(self, key: RunKey, name: str) -> Path:
        """Path of one of the run's sealed files; seals the run first if necessary.

        Args:
            name: manifest.json or a name in the manifest.

        Raises:
            as `seal`; ArtifactNotFound also if there is no such file
        """
        path = link_folder(self._root, self.seal(key)) / name
        if not path.is_file():
            raise _gone(path)
        return path

    def rendered(self, key: RunKey, name: str) -> "Rendered":
        """A file made from the stored result, which no manifest lists.

        Raises:
            ArtifactNotFound: there is no such run, or no file of that name.
            ArtifactsNotReady: it has no result.
        """
        if name not in RENDERERS:
            raise ArtifactNotFound(NO_SUCH_FILE)
        request, stored = self._stored(key)
        run = self._storage.runs.get(key)
        if run is None:
            raise _no_run()
        title = run.name or "Unnamed run"
        identity = stored.json_sha256 if isinstance(stored, EarlierResult) else stored.sha256
        sha256 = hashlib.sha256("\n".join((RENDERING, name, identity, title)).encode("utf-8", "surrogatepass"))
        return Rendered(sha256.hexdigest(), lambda: RENDERERS[name](unpacked(stored), title, request["strategy_code"]))

    def bundle(self, key: RunKey) -> Iterator[bytes]:
        """All sealed files of the run as a zip archive, piece by piece; the same bytes every time.

        Raises:
            as `path`, before the first piece
        """
        # All from one folder: looking up each file could mix in files of a later seal if the run is being removed.
        folder = link_folder(self._root, self.seal(key))
        try:
            names = file_names(json.loads((folder / MANIFEST_NAME).read_bytes()))
            return bundle_pieces([folder / name for name in (MANIFEST_NAME, *names)], folder_name=key.run_hash)
        except FileNotFoundError as error:
            raise _gone(error.filename) from error

    def remove(self, key: RunKey) -> None:
        """Remove the run's files; its manifests stay, so that the chain can still be checked.

        Does nothing for a run without files.
        """
        for link in self._storage.chain.mark_removed(key):
            remove_files(link_folder(self._root, link), link.removed_at or self._clock())

    def clean_up(self) -> None:
        """Delete leftovers of killed seals that are at least an hour old, and finish interrupted removals."""
        for owner in self._storage.chain.owners():
            clean_left_overs(self._root, owner, self._storage.chain.links(owner))

    def _sealed(self, key: RunKey) -> Link:
        request, stored = self._stored(key)
        parts = {"request.json": _readable_json(request), "strategy.py": request["strategy_code"].encode("utf-8")}
        parts |= sealed_parts(stored)
        try:
            with unfinished_folder(self._root, key.owner) as unfinished:
                files = [_written(unfinished / name, parts[name]) for name in FILE_NAMES if name in parts]
                link = self._storage.chain.append(key, self._building(key, unfinished, files))
        except RunGone as error:
            raise ArtifactNotFound("The run was deleted in the meantime") from error
        except OSError as error:
            raise _unwritable(error) from error
        return link

    def _building(self, key: RunKey, unfinished: Path, files: list[SealedFile]) -> BuildLink:
        placed: list[Path] = []

        def build(number: int, previous_hash: str) -> Link:
            if placed:  # the database retries a transaction after a conflict
                placed.pop().rename(unfinished)
            sealed_at = self._clock().astimezone(UTC)
            manifest = make_manifest(key.run_hash, number, sealed_at.isoformat(), files, previous_hash)
            link = Link(key.owner, number, key.run_hash, manifest["manifest_hash"], previous_hash, sealed_at)
            write_durably(unfinished / MANIFEST_NAME, manifest_bytes(manifest))
            put_in_place(unfinished, link_folder(self._root, link))
            placed.append(link_folder(self._root, link))
            return link

        return build

    def _stored(self, key: RunKey) -> tuple[dict[str, Any], StoredResult | EarlierResult]:
        """The run's request and its result."""
        details, result = self._storage.runs.details(key), self._storage.runs.result(key)
        if details is None:
            raise _no_run()
        if result is None:
            raise ArtifactsNotReady("The run has no result yet, and so no files")
        return dict(details.request), result


def _written(path: Path, content: bytes) -> SealedFile:
    write_durably(path, content)
    return SealedFile(path.name, len(content), hashlib.sha256(content).hexdigest())


def _readable_json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def _no_run() -> ArtifactNotFound:
    return ArtifactNotFound("There is no such run")


def _gone(path: object) -> ArtifactNotFound:
    logger.error("the sealed file %s is missing", path)
    return ArtifactNotFound("This file was sealed, but is missing from the folder of artifacts")


def _unwritable(error: OSError) -> ArtifactsUnwritable:
    reason = "no space is left" if error.errno in (errno.ENOSPC, errno.EDQUOT) else (error.strerror or str(error))
    return ArtifactsUnwritable(f"The files of this run cannot be written now: {reason}. Its result is safe")
