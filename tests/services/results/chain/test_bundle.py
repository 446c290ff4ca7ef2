"""bundle.zip has the same bytes every time, bounded memory, and is whole despite removals."""

import contextlib
import gc
import io
import os
import subprocess
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from src.services.results.chain.bundle import bundle_pieces


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    contents = {"manifest.json": b"{}", "result.json": os.urandom(1000) * 1000, "equity.parquet": b"PAR1"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in contents]


def test_it_unpacks_to_the_files(paths: list[Path], tmp_path: Path) -> None:
    archive = tmp_path / "bundle.zip"
    archive.write_bytes(b"".join(bundle_pieces(paths, "run")))
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == {
            f"run/{path.name}": path.read_bytes() for path in paths
        }


def test_it_has_the_same_bytes_every_time(paths: list[Path]) -> None:
    first = b"".join(bundle_pieces(paths, "run"))
    for path in paths:
        os.utime(path, (1, 1))
        path.chmod(0o600)
    assert b"".join(bundle_pieces(paths, "run")) == first


def test_other_programs_can_unpack_it(paths: list[Path], tmp_path: Path) -> None:
    archive = tmp_path / "bundle.zip"
    archive.write_bytes(b"".join(bundle_pieces(paths, "run")))
    script = "import shutil, sys; shutil.unpack_archive(sys.argv[1], sys.argv[2])"
    subprocess.run(["python", "-c", script, archive, tmp_path / "out"], check=True)
    assert (tmp_path / "out" / "run" / "result.json").read_bytes() == paths[1].read_bytes()


def test_files_removed_while_sending_are_sent_whole(paths: list[Path]) -> None:
    expected = b"".join(bundle_pieces(paths, "run"))
    pieces = bundle_pieces(paths, "run")
    for path in paths:
        path.unlink()
    assert b"".join(pieces) == expected


def test_a_missing_file_is_reported_before_the_first_piece(paths: list[Path]) -> None:
    paths[-1].unlink()
    with pytest.raises(FileNotFoundError):
        bundle_pieces(paths, "run")


def open_files() -> set[Path]:
    """What this process has open; it may close others meanwhile."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(descriptor.readlink())
    return found


@pytest.mark.parametrize("n_taken", [0, 1, 3])
def test_a_client_that_disconnects_leaves_no_file_open(paths: list[Path], n_taken: int) -> None:
    pieces = bundle_pieces(paths, "run")
    for _ in range(n_taken):
        next(pieces)
    assert open_files() >= set(paths)
    del pieces
    gc.collect()
    assert open_files().isdisjoint(paths)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_files(tmp_path: Path) -> None:
    large = tmp_path / "result.json"
    with large.open("wb") as file:
        for _ in range(40):
            file.write(os.urandom(1_000_000))
    tracemalloc.start()
    total = sum(len(piece) for piece in bundle_pieces([large], "run"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total > 40_000_000
    assert peak < 4_000_000
    assert zipfile.is_zipfile(io.BytesIO(b"".join(bundle_pieces([large], "run"))))
