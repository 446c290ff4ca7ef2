"""Blobs in a folder: bounded, shared by processes, and safe from what else may be in that folder."""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from src.services.storage.blobs.base import BlobDamaged, BlobMissing, BlobNotStored, BlobStore
from src.services.storage.blobs.folder import LEFT_OVER_SECONDS, RECENT_SECONDS, UNFINISHED_PREFIX, FolderBlobs
from src.services.storage.errors import StorageUnavailable
from tests.fakes.blob_store import FakeBlobs
from tests.fakes.clock import Clock
from tests.services.storage.blobs.contract import BlobStoreContract

MEGABYTE = 1_000_000


class TestFolderBlobs(BlobStoreContract):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> BlobStore:
        return FolderBlobs(tmp_path / "blobs", MEGABYTE)

    def overwrite(self, blobs: FolderBlobs, blob_hash: str, content: bytes) -> None:
        (blobs._folder / blob_hash).write_bytes(content)


class TestFakeBlobs(BlobStoreContract):
    @pytest.fixture
    def blobs(self) -> BlobStore:
        return FakeBlobs()

    def overwrite(self, blobs: FakeBlobs, blob_hash: str, content: bytes) -> None:
        blobs.contents[blob_hash] = content


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Shelf:
    """A folder with room for ten blobs of 100 bytes, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()
        self.in_use: Collection[str] = ()
        self.blobs = self.opened()

    def opened(self) -> FolderBlobs:
        """As another process opens it."""
        return FolderBlobs(self.folder, 1_000, lambda: self.in_use, self.clock)

    def put(self, number: int) -> str:
        self.clock.now += RECENT_SECONDS + 1
        return self.blobs.put(f"{number:0100d}".encode())

    @property
    def n_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.iterdir())


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "blobs")


def test_the_least_recently_used_blobs_make_room(shelf: Shelf) -> None:
    stored = [shelf.put(number) for number in range(10)]
    shelf.blobs.get(stored[0])
    shelf.blobs.touch(stored[1])
    shelf.put(2)
    stored += [shelf.put(number) for number in range(10, 13)]
    assert names(shelf.folder) == {*stored[:3], *stored[6:]}
    assert shelf.n_bytes == 1_000


def test_blobs_that_runs_need_stay(shelf: Shelf) -> None:
    shelf.in_use = {shelf.put(number) for number in range(5)}
    for number in range(5, 30):
        shelf.put(number)
        assert shelf.n_bytes <= 1_000
    assert shelf.in_use <= names(shelf.folder)


def test_when_every_blob_is_needed_another_is_refused(shelf: Shelf) -> None:
    shelf.in_use = {shelf.put(number) for number in range(10)}
    with pytest.raises(BlobNotStored, match="BLOB_MAX_BYTES"):
        shelf.put(10)
    assert names(shelf.folder) == shelf.in_use
    shelf.in_use = ()
    shelf.put(11)


def test_without_knowing_which_blobs_runs_need_none_is_removed(shelf: Shelf) -> None:
    stored = {shelf.put(number) for number in range(10)}

    def unknown() -> Collection[str]:
        raise StorageUnavailable("the database does not respond")

    blobs = FolderBlobs(shelf.folder, 1_000, unknown, shelf.clock)
    with pytest.raises(BlobNotStored, match="the database does not respond"):
        blobs.put(b"x" * 100)
    assert names(shelf.folder) == stored


def test_a_blob_just_used_stays_because_its_run_may_not_be_stored_yet(shelf: Shelf) -> None:
    stored = [shelf.put(number) for number in range(10)]
    for name in stored:
        shelf.blobs.touch(name)
    with pytest.raises(BlobNotStored):
        shelf.blobs.put(b"x" * 100)
    assert names(shelf.folder) == set(stored)


def test_a_blob_used_while_it_is_being_removed_stays(shelf: Shelf) -> None:
    stored = [shelf.put(number) for number in range(10)]
    other = shelf.opened()

    def used_now() -> Collection[str]:
        # Another process submits a run on the oldest blob after this one has asked which are needed.
        other.touch(stored[0])
        return ()

    FolderBlobs(shelf.folder, 1_000, used_now, shelf.clock).put(b"x" * 100)
    assert stored[0] in names(shelf.folder)
    assert stored[1] not in names(shelf.folder)


def test_a_blob_larger_than_all_may_be_together_is_refused_and_removes_nothing(shelf: Shelf) -> None:
    stored = shelf.put(1)
    with pytest.raises(BlobNotStored, match="1001 bytes"):
        shelf.blobs.put(b"x" * 1_001)
    assert names(shelf.folder) == {stored}


def test_a_file_larger_than_all_may_be_together_is_not_read(shelf: Shelf) -> None:
    shelf.put(1)
    name = "ab" * 32
    with (shelf.folder / name).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(BlobDamaged, match=f"{name}.*{1 << 40} bytes"):
        shelf.blobs.get(name)


def test_what_a_killed_process_left_is_removed_after_an_hour(shelf: Shelf) -> None:
    shelf.put(0)
    for name in (f"{UNFINISHED_PREFIX}old", f"{UNFINISHED_PREFIX}new"):
        (shelf.folder / name).write_bytes(b"x" * 400)
        os.utime(shelf.folder / name, (shelf.clock(), shelf.clock()))
        shelf.clock.now += LEFT_OVER_SECONDS / 2
    for number in range(1, 8):
        shelf.put(number)
    assert {name for name in names(shelf.folder) if name.startswith(".")} == {f"{UNFINISHED_PREFIX}new"}
    assert shelf.n_bytes <= 1_000


def test_files_of_others_are_neither_counted_nor_removed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(0)
    strangers = ["notes.txt", "A" * 64, "é" * 10, "-rf", "a\nb", "*", "a" * 63, "a" * 65]
    for name in strangers:
        (shelf.folder / name).write_bytes(b"x" * 5_000)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (shelf.folder / ("c" * 64)).symlink_to(secret)
    (shelf.folder / ("d" * 64)).mkdir()
    for number in range(30):
        shelf.put(number)
    assert {*strangers, "c" * 64, "d" * 64} < names(shelf.folder)
    assert secret.read_text() == "secret"
    assert len(names(shelf.folder)) == len(strangers) + 2 + 10


def test_a_link_is_not_followed_and_is_replaced(shelf: Shelf, tmp_path: Path) -> None:
    content = b"prices"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(content)
    os.utime(elsewhere, (0, 0))
    shelf.put(0)
    link = shelf.folder / hash_of(content)
    link.symlink_to(elsewhere)
    assert shelf.blobs.touch(link.name) is False
    with pytest.raises(BlobDamaged, match=link.name):
        shelf.blobs.get(link.name)
    assert shelf.blobs.put(content) == link.name
    assert not link.is_symlink()
    assert shelf.blobs.get(link.name) == content
    assert (elsewhere.read_bytes(), elsewhere.stat().st_mtime) == (content, 0)


def test_a_second_name_of_a_foreign_file_is_never_written_through(shelf: Shelf, tmp_path: Path) -> None:
    foreign, content = tmp_path / "foreign", b"prices"
    foreign.write_bytes(b"foreign")
    shelf.put(0)
    os.link(foreign, shelf.folder / hash_of(content))
    shelf.blobs.put(content)
    assert shelf.blobs.get(hash_of(content)) == content
    assert foreign.read_bytes() == b"foreign"


def test_a_pipe_or_a_folder_in_a_blobs_place_is_a_damaged_blob(shelf: Shelf) -> None:
    shelf.put(0)
    os.mkfifo(shelf.folder / hash_of(b"pipe"))
    (shelf.folder / hash_of(b"folder")).mkdir()
    for content in (b"pipe", b"folder"):
        assert shelf.blobs.touch(hash_of(content)) is False
        with pytest.raises(BlobDamaged):
            shelf.blobs.get(hash_of(content))
    assert shelf.blobs.get(shelf.blobs.put(b"pipe")) == b"pipe"
    with pytest.raises(BlobNotStored, match="BLOB_DIR"):
        shelf.blobs.put(b"folder")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another account")
def test_a_file_of_another_account_is_as_good_as_its_bytes(shelf: Shelf) -> None:
    shelf.put(0)
    for content, stored in ((b"right", b"right"), (b"wrong", b"other")):
        path = shelf.folder / hash_of(content)
        path.write_bytes(stored)
        os.chown(path, 12_345, 12_345)
    assert shelf.blobs.get(hash_of(b"right")) == b"right"
    with pytest.raises(BlobDamaged):
        shelf.blobs.get(hash_of(b"wrong"))


def test_other_accounts_can_read_neither_the_folder_nor_its_files(shelf: Shelf) -> None:
    path = shelf.folder / shelf.put(0)
    assert [shelf.folder.stat().st_mode & 0o077, path.stat().st_mode & 0o077] == [0, 0]


def test_a_folder_that_disappears_is_made_again(shelf: Shelf) -> None:
    name = shelf.put(0)
    (shelf.folder / name).unlink()
    shelf.folder.rmdir()
    with pytest.raises(BlobMissing):
        shelf.blobs.get(name)
    assert shelf.put(0) == name


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BlobNotStored, match="BLOB_DIR cannot be written"):
        FolderBlobs(tmp_path / "file" / "blobs", MEGABYTE).put(b"prices")


def test_a_blob_is_read_whole_while_others_remove_it(tmp_path: Path) -> None:
    folder, clock = tmp_path / "blobs", Clock()
    content = bytes(range(250)) * 1_200
    name, stop = hash_of(content), threading.Event()
    outcomes: list[str] = []

    def remove() -> None:
        # Room for two blobs: every second one that is put removes what nobody uses.
        blobs = FolderBlobs(folder, 650_000, clock=clock)
        for number in range(150):
            clock.now += 2 * RECENT_SECONDS
            with contextlib.suppress(BlobNotStored):
                blobs.put(number.to_bytes(4, "big") * 75_000)
        stop.set()

    def read() -> None:
        blobs = FolderBlobs(folder, 650_000, clock=clock)
        while not stop.is_set():
            try:
                outcomes.append("whole" if blobs.get(name) == content else "wrong")
            except BlobDamaged:
                outcomes.append("damaged")
            except BlobMissing:
                outcomes.append("missing")
                with contextlib.suppress(BlobNotStored):
                    blobs.put(content)

    threads = [threading.Thread(target=work) for work in (remove, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes) == {"whole", "missing"}


WRITER = """
import sys, pathlib
from src.services.storage.blobs.folder import FolderBlobs
blobs = FolderBlobs(pathlib.Path(sys.argv[1]), 10**12)
print("ready", flush=True)
for number in range(1_000_000):
    blobs.put(number.to_bytes(4, "big") * 500_000)
"""


def test_a_process_killed_while_writing_leaves_no_broken_blob(tmp_path: Path) -> None:
    """At 25 random moments, always on the same folder."""
    folder, moments = tmp_path / "blobs", random.Random(7)  # noqa: S311 - any moments will do
    n_unfinished = 0
    for _ in range(25):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        time.sleep(moments.uniform(0.0, 0.03))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        blobs = FolderBlobs(folder, 10**12)
        for name in names(folder) if folder.exists() else ():
            n_unfinished += name.startswith(UNFINISHED_PREFIX)
            assert name.startswith(UNFINISHED_PREFIX) or hash_of(blobs.get(name)) == name
            (folder / name).unlink()
    assert n_unfinished > 0, "no kill came in the middle of a file: the test has shown nothing"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk of its own can be mounted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_a_clear_error_and_leaves_no_part_of_a_blob(small_disk: Path) -> None:
    blobs = FolderBlobs(small_disk / "blobs", MEGABYTE)
    stored = blobs.put(b"x" * 300_000)
    with pytest.raises(BlobNotStored, match="no space is left"):
        blobs.put(b"y" * 300_000)
    assert names(small_disk / "blobs") == {stored}
    assert blobs.get(stored) == b"x" * 300_000
    (small_disk / "blobs" / stored).unlink()
    blobs.put(b"y" * 300_000)
