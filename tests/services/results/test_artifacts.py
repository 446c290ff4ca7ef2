"""Files of runs: sealed once, chained, served whole or not at all, removed without breaking the chain."""

import csv
import errno
import hashlib
import io
import json
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from src.services.results import artifacts as artifacts_module
from src.services.results.artifacts import Artifacts
from src.services.results.chain import folders
from src.services.results.chain.folders import LEFT_OVER_SECONDS, link_folder, owner_folder
from src.services.results.chain.manifest import FILE_NAMES, MANIFEST_NAME, NO_HASH
from src.services.results.chain.verification import check_chain
from src.services.results.errors import ArtifactNotFound, ArtifactsNotReady, ArtifactsUnwritable
from src.services.storage.base import BuildLink, Storage
from src.services.storage.records.chain import Link
from src.services.storage.records.runs import RunKey
from tests.services.results.samples import SOURCE, answer, request_of, run_key, submitted, succeeded


def holds(root: Path, storage: Storage, owner: str = "local") -> int:
    """Number of intact links of the chain."""
    return len(list(check_chain(root, owner, storage.chain)))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def rendered(artifacts: Artifacts, key: RunKey, name: str) -> bytes:
    return b"".join(artifacts.rendered(key, name).pieces())


def test_a_sealed_run_has_every_file_and_its_manifest_has_their_hashes(artifacts, storage) -> None:
    key = succeeded(storage)
    manifest = artifacts.manifest(key)
    assert [file["name"] for file in manifest["files"]] == list(FILE_NAMES)
    for file in manifest["files"]:
        content = artifacts.path(key, file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size"], file["sha256"])
    assert names(artifacts.path(key, MANIFEST_NAME).parent) == {MANIFEST_NAME, *FILE_NAMES}


def test_the_files_match_the_stored_run(artifacts, storage) -> None:
    key = succeeded(storage, n_orders=3)
    content = answer(run_hash=key.run_hash, job_id=key.run_hash, n_orders=3)
    assert json.loads(rendered(artifacts, key, "result.json")) == content
    assert json.loads(artifacts.path(key, "request.json").read_bytes()) == request_of(1)
    assert artifacts.path(key, "strategy.py").read_bytes() == SOURCE.encode()
    rows = list(csv.DictReader(io.StringIO(rendered(artifacts, key, "orders.csv").decode())))
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert [float(row["shares"]) for row in rows] == [order["shares"] for order in content["orders"]]


def test_the_manifest_hash_can_be_computed_independently(artifacts, storage) -> None:
    manifest = artifacts.manifest(succeeded(storage))
    claimed = manifest.pop("manifest_hash")
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == claimed


def test_each_manifest_names_the_previous_one_and_each_owner_has_a_chain(artifacts, storage) -> None:
    first, second, other = succeeded(storage, 1), succeeded(storage, 2), succeeded(storage, 1, owner="alice")
    manifests = [artifacts.manifest(key) for key in (first, other, second)]
    assert [manifest["number"] for manifest in manifests] == [1, 1, 2]
    assert [manifest["chain_prev"] for manifest in manifests] == [NO_HASH, NO_HASH, manifests[0]["manifest_hash"]]
    assert storage.chain.links("local")[1].previous_hash == manifests[0]["manifest_hash"]


def test_the_report_has_the_runs_name(artifacts, storage) -> None:
    key = succeeded(storage)
    storage.runs.rename(key, "called <otherwise>")
    report = rendered(artifacts, key, "report.html").decode()
    assert "<h1>called &lt;otherwise&gt;</h1>" in report
    assert "<title>called &lt;otherwise&gt;" in report


def test_sealing_again_changes_nothing(artifacts, storage, root) -> None:
    key = succeeded(storage)
    link = artifacts.seal(key)
    before = artifacts.path(key, "document.json").stat().st_mtime_ns
    assert artifacts.seal(key) == link
    assert artifacts.path(key, "document.json").stat().st_mtime_ns == before
    assert storage.chain.links("local") == [link]


def test_concurrent_seals_give_one_link_per_run_without_gaps(artifacts, storage, root) -> None:
    keys = [succeeded(storage, number, n_days=10) for number in range(1, 6)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(artifacts.seal, keys * 3))
    assert holds(root, storage) == 5
    assert len(names(owner_folder(root, "local"))) == 5


def test_concurrent_requests_write_the_files_once(root, storage) -> None:
    class Counting:
        """Counts calls to add a link."""

        n_appended = 0

        def __getattr__(self, name: str):
            return getattr(storage.chain, name)

        def append(self, key: RunKey, build: BuildLink) -> Link:
            self.n_appended += 1
            return storage.chain.append(key, build)

    chain = Counting()
    artifacts, key = Artifacts(root, replace(storage, chain=chain)), succeeded(storage)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(artifacts.seal, [key] * 8))
    assert chain.n_appended == 1


def test_an_owner_of_any_name_stays_inside_the_folder(artifacts, storage, root) -> None:
    key = succeeded(storage, owner="../../\x00etc")
    path = artifacts.path(key, "request.json")
    assert root in path.resolve().parents
    assert path.parent.parent.name == hashlib.sha256(b"../../\x00etc").hexdigest()


def test_a_run_that_does_not_exist_or_has_no_result_has_no_files(artifacts, storage, root) -> None:
    with pytest.raises(ArtifactNotFound):
        artifacts.seal(run_key(9))
    with pytest.raises(ArtifactsNotReady):
        artifacts.manifest(submitted(storage))
    assert not root.exists()


def test_a_name_that_is_no_file_is_not_found(artifacts, storage) -> None:
    key = succeeded(storage)
    for name in ("../manifest.json", "removed.json", "", ".", "manifest.json/", "result.json\x00", "x"):
        with pytest.raises(ArtifactNotFound):
            artifacts.rendered(key, name)


def test_a_deleted_sealed_file_is_not_found(artifacts, storage) -> None:
    key = succeeded(storage)
    artifacts.path(key, "orders.arrow").unlink()
    with pytest.raises(ArtifactNotFound, match="is missing"):
        artifacts.path(key, "orders.arrow")


def test_removal_deletes_the_files_and_keeps_the_chain(artifacts, storage, root) -> None:
    first, second = succeeded(storage, 1), succeeded(storage, 2)
    folder = link_folder(root, artifacts.seal(first))
    artifacts.seal(second)
    storage.runs.delete(first)
    artifacts.remove(first)
    artifacts.remove(first)
    assert names(folder) == {MANIFEST_NAME, "removed.json"}
    assert holds(root, storage) == 2
    with pytest.raises(ArtifactNotFound):
        artifacts.path(first, MANIFEST_NAME)


def test_a_run_recomputed_after_its_removal_gets_a_new_link(artifacts, storage, root) -> None:
    key = succeeded(storage)
    artifacts.seal(key)
    storage.runs.delete(key)
    artifacts.remove(key)
    assert artifacts.seal(succeeded(storage)).number == 2
    assert artifacts.path(key, "document.json").is_file()
    assert holds(root, storage) == 2


def test_an_interrupted_removal_breaks_nothing_and_is_finished_later(artifacts, storage, root) -> None:
    key = succeeded(storage)
    folder = link_folder(root, artifacts.seal(key))
    storage.chain.mark_removed(key)  # and here the process died
    assert holds(root, storage) == 1
    (folder / "orders.arrow").unlink()
    assert holds(root, storage) == 1
    artifacts.clean_up()
    assert names(folder) == {MANIFEST_NAME, "removed.json"}


def test_on_a_full_disk_removal_still_makes_room(artifacts, storage, root, monkeypatch) -> None:
    key = succeeded(storage)
    folder = link_folder(root, artifacts.seal(key))
    write = folders.write_durably

    def full_until_a_removal(path: Path, content: bytes) -> None:
        if (folder / "document.json").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(folders, "write_durably", full_until_a_removal)
    artifacts.remove(key)
    assert names(folder) == {MANIFEST_NAME, "removed.json"}
    assert holds(root, storage) == 1


@pytest.mark.parametrize("n_written", range(6))
def test_a_seal_on_a_full_disk_leaves_nothing_and_succeeds_later(
    artifacts, storage, root, monkeypatch, n_written
) -> None:
    written = iter(range(n_written))

    def full_after_some(path: Path, content: bytes) -> None:
        folders.write_durably(path, content[: len(content) // 2])
        if next(written, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")

    key = succeeded(storage)
    with monkeypatch.context() as full, pytest.raises(ArtifactsUnwritable, match="no space is left"):
        full.setattr(artifacts_module, "write_durably", full_after_some)
        artifacts.seal(key)
    assert names(owner_folder(root, "local")) == set() and storage.chain.links("local") == []
    artifacts.seal(key)
    assert holds(root, storage) == 1


def test_only_old_left_overs_are_cleaned_up(artifacts, storage, root) -> None:
    sealed = link_folder(root, artifacts.seal(succeeded(storage)))
    old, young = sealed.parent / ".unfinished-old", sealed.parent / ".unfinished-young"
    for folder in (old, young):
        folder.mkdir()
        (folder / "result.json").write_text("{")
    long_ago = time.time() - LEFT_OVER_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    os.utime(sealed, (long_ago, long_ago))
    artifacts.clean_up()
    assert names(sealed.parent) == {sealed.name, young.name}


def test_a_folder_of_another_chain_is_set_aside_and_never_deleted(artifacts, storage, root) -> None:
    stranger = owner_folder(root, "local") / f"00000001-{'f' * 64}"
    stranger.mkdir(parents=True)
    (stranger / "manifest.json").write_text("precious")
    artifacts.seal(succeeded(storage))
    (aside,) = (path for path in stranger.parent.iterdir() if path.name.startswith("aside-"))
    assert (aside / "manifest.json").read_text() == "precious"
    assert holds(root, storage) == 1


def test_leftovers_of_a_killed_seal_are_deleted_after_a_new_seal_but_foreign_folders_never(
    artifacts, storage, root
) -> None:
    class Dying:
        """Dies when the files are in their place, before the link is stored."""

        def __getattr__(self, name: str):
            return getattr(storage.chain, name)

        def append(self, key: RunKey, build: BuildLink) -> Link:
            build(1, NO_HASH)
            raise InterruptedError

    dead, later = succeeded(storage, 1), succeeded(storage, 2)
    with pytest.raises(ArtifactsUnwritable):
        Artifacts(root, replace(storage, chain=Dying())).seal(dead)
    artifacts.seal(later)  # needs the number
    (aside,) = owner_folder(root, "local").glob("aside-*")
    artifacts.clean_up()
    assert aside.is_dir(), "nothing else has these files yet"
    artifacts.seal(dead)
    changed = aside.with_name("aside-of-a-stranger")
    shutil.copytree(aside, changed)
    manifest = json.loads((changed / MANIFEST_NAME).read_text())
    (changed / MANIFEST_NAME).write_text(json.dumps(manifest | {"chain_prev": "e" * 64}))
    artifacts.clean_up()
    assert (aside.exists(), changed.exists()) == (False, True)
    assert holds(root, storage) == 2


def test_a_run_that_is_deleted_while_it_is_sealed_leaves_nothing(root, storage) -> None:
    class Deleting:
        """Deletes the run just before the link is added."""

        def __getattr__(self, name: str):
            return getattr(storage.chain, name)

        def append(self, key: RunKey, build: BuildLink) -> Link:
            storage.runs.delete(key)
            return storage.chain.append(key, build)

    artifacts = Artifacts(root, replace(storage, chain=Deleting()))
    with pytest.raises(ArtifactNotFound):
        artifacts.seal(succeeded(storage))
    assert storage.chain.links("local") == []
    assert names(owner_folder(root, "local")) == set()


def test_a_retried_transaction_rebuilds_its_link(root, storage) -> None:
    class Repeating:
        """Builds a link, gives up, and builds it with another number."""

        def __getattr__(self, name: str):
            return getattr(storage.chain, name)

        def append(self, key: RunKey, build: BuildLink) -> Link:
            build(7, "e" * 64)
            return storage.chain.append(key, build)

    link = Artifacts(root, replace(storage, chain=Repeating())).seal(succeeded(storage))
    assert link.number == 1
    assert names(owner_folder(root, "local")) == {link_folder(root, link).name}
    assert holds(root, storage) == 1


def test_removing_while_reading_gives_the_file_whole_or_not_at_all(artifacts, storage) -> None:
    key = succeeded(storage)
    pieces = artifacts.bundle(key)
    removing = threading.Thread(target=artifacts.remove, args=(key,))
    removing.start()
    removing.join()
    assert b"".join(pieces).startswith(b"PK")


def test_a_bundle_of_a_run_being_removed_is_whole_or_not_found(artifacts, storage, root) -> None:
    class Removing:
        """Removes the files as soon as their location was returned."""

        def __getattr__(self, name: str):
            return getattr(storage.chain, name)

        def link(self, key: RunKey) -> Link | None:
            link = storage.chain.link(key)
            artifacts.remove(key)
            return link

    key = succeeded(storage)
    artifacts.seal(key)
    with pytest.raises(ArtifactNotFound):
        Artifacts(root, replace(storage, chain=Removing())).bundle(key)
    assert len(storage.chain.links("local")) == 1, "nothing was sealed again for its second half"
