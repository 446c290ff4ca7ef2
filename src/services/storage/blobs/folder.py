"""Blobs as files of one folder, which several processes may share."""

import errno
import hashlib
import logging
import os
import secrets
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from src.errors import BacktesterError
from src.services.storage.blobs.base import BLOB_HASH, BlobDamaged, BlobMissing, BlobNotStored

logger = logging.getLogger(__name__)

UNFINISHED_PREFIX = ".unfinished-"
DOOMED_PREFIX = ".doomed-"

RECENT_SECONDS = 60.0
"""A blob used this recently stays: the row of the run that names it may not be stored yet."""

LEFT_OVER_SECONDS = 3600.0
"""A file that is neither finished nor removed after this long was left behind by a killed process."""

COUNTED_SHARE = 20
"""The folder is counted again whenever this process has added a twentieth of the limit."""


@dataclass(frozen=True)
class _File:
    """A file of the folder that this store made."""

    name: str
    n_bytes: int
    used_at: float


class FolderBlobs:
    """`BlobStore` in a folder; its methods are documented there.

    Files are not flushed to the disk: every blob is verified when it is read, and a blob that a power failure damages
    is computed again.

    Args:
        folder: created when needed. Files in it that this store did not make are neither read nor removed.
        max_bytes: limit on all blobs together. Processes that share the folder may each exceed it by a twentieth.
        in_use: names of blobs that must stay; called only to make room.
        clock: seconds since 1970, as the files' times.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        in_use: Callable[[], Collection[str]] = tuple,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._in_use = in_use
        self._clock = clock
        self._uncounted_bytes = max_bytes
        self._counting = threading.Lock()

    def put(self, content: bytes) -> str:
        blob_hash = hashlib.sha256(content).hexdigest()
        if self._holds(blob_hash, content):
            return blob_hash
        if len(content) > self._max_bytes:
            raise BlobNotStored(f"a blob of {len(content)} bytes is larger than BLOB_MAX_BYTES allows for all together")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(len(content))
            self._write(blob_hash, content)
        except OSError as error:
            raise BlobNotStored(f"BLOB_DIR cannot be written: {_reason(error)}") from error
        return blob_hash

    def get(self, blob_hash: str) -> bytes:
        content = self._read(blob_hash)
        if hashlib.sha256(content).hexdigest() != blob_hash:
            self._discard(blob_hash)
            raise BlobDamaged(blob_hash, "its bytes have another hash")
        self.touch(blob_hash)
        return content

    def touch(self, blob_hash: str) -> bool:
        try:
            path = self._path(blob_hash)
            if not stat.S_ISREG(path.lstat().st_mode):
                return False
            now = self._clock()
            os.utime(path, (now, now), follow_symlinks=False)
        except (OSError, BlobMissing):
            return False
        return True

    def _path(self, blob_hash: str) -> Path:
        if BLOB_HASH.fullmatch(blob_hash) is None:
            raise BlobMissing(blob_hash, "this is not the name of a blob")
        return self._folder / blob_hash

    def _holds(self, blob_hash: str, content: bytes) -> bool:
        """Whether the blob is stored intact; counts as a use."""
        with suppress(BlobMissing):
            return self._read(blob_hash) == content and self.touch(blob_hash)
        return False

    def _read(self, blob_hash: str) -> bytes:
        """The file's bytes, whatever they are."""
        path = self._path(blob_hash)
        try:
            # A link is not ours and may lead anywhere; opening a pipe would wait for a writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise BlobMissing(blob_hash) from error
        except OSError as error:
            raise BlobDamaged(blob_hash, _reason(error)) from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise BlobDamaged(blob_hash, "it is not a regular file")
            if status.st_size > self._max_bytes:
                raise BlobDamaged(blob_hash, f"it has {status.st_size} bytes, more than all blobs may have together")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(status.st_size + 1)
        except OSError as error:
            raise BlobDamaged(blob_hash, _reason(error)) from error
        finally:
            os.close(descriptor)

    def _write(self, blob_hash: str, content: bytes) -> None:
        unfinished = self._folder / f"{UNFINISHED_PREFIX}{secrets.token_hex(8)}"
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            now = self._clock()
            os.utime(unfinished, (now, now))
            unfinished.replace(self._path(blob_hash))
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            raise

    def _discard(self, blob_hash: str) -> None:
        with suppress(OSError):
            self._path(blob_hash).unlink()

    def _make_room(self, n_bytes: int) -> None:
        """Remove blobs until this many bytes fit.

        Raises:
            BlobNotStored: they do not, because the others are in use.
            OSError: the folder cannot be read.
        """
        with self._counting:
            allowance = self._max_bytes // COUNTED_SHARE
            self._uncounted_bytes += n_bytes
            if self._uncounted_bytes <= allowance:
                return
            files = sorted(self._files(), key=lambda file: file.used_at)
            surplus = sum(file.n_bytes for file in files) + max(n_bytes, allowance) - self._max_bytes
            if surplus > 0:
                surplus -= self._remove(files, surplus)
            if surplus > max(0, allowance - n_bytes):
                raise BlobNotStored("BLOB_MAX_BYTES is taken up by blobs that are in use")
            self._uncounted_bytes = n_bytes

    def _files(self) -> Iterator[_File]:
        with os.scandir(self._folder) as entries:
            for entry in entries:
                is_ours = BLOB_HASH.fullmatch(entry.name) or entry.name.startswith((UNFINISHED_PREFIX, DOOMED_PREFIX))
                if not is_ours or not entry.is_file(follow_symlinks=False):
                    continue
                with suppress(FileNotFoundError):  # another process removed it
                    status = entry.stat(follow_symlinks=False)
                    yield _File(entry.name, status.st_size, status.st_mtime)

    def _remove(self, files: list[_File], n_bytes: int) -> int:
        """Remove the first of these files that may go until that many bytes are free; returns how many are."""
        try:
            in_use = frozenset(self._in_use())
        except BacktesterError as error:
            raise BlobNotStored(f"BLOB_MAX_BYTES is reached, and which blobs are needed is unknown: {error}") from error
        now, removed_bytes = self._clock(), 0
        for file in files:
            is_blob = BLOB_HASH.fullmatch(file.name) is not None
            lasts_until = file.used_at + (RECENT_SECONDS if is_blob else LEFT_OVER_SECONDS)
            if removed_bytes >= n_bytes or now < lasts_until or file.name in in_use:
                continue
            if self._remove_unless_used(file) if is_blob else self._unlink(file.name):
                removed_bytes += file.n_bytes
        return removed_bytes

    def _remove_unless_used(self, file: _File) -> bool:
        """Remove a blob, unless it was used since it was counted: then the row of a new run may name it."""
        doomed = self._folder / f"{DOOMED_PREFIX}{secrets.token_hex(8)}"
        try:
            # Out of the way first: from now on a process that wants it stores it again.
            (self._folder / file.name).rename(doomed)
            if doomed.lstat().st_mtime > file.used_at:
                doomed.rename(self._folder / file.name)
                return False
        except OSError as error:
            logger.warning("the blob %s cannot be removed: %s", file.name, _reason(error))
            return False
        return self._unlink(doomed.name)

    def _unlink(self, name: str) -> bool:
        with suppress(OSError):
            (self._folder / name).unlink()
            return True
        return False


def _reason(error: OSError) -> str:
    return "no space is left" if error.errno in (errno.ENOSPC, errno.EDQUOT) else (error.strerror or str(error))
