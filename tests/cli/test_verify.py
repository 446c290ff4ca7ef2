"""`python -m src verify`: finds anything changed, moved, cut or invented, and names the first break."""

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from src.cli.main import main
from src.cli.verify import NothingToVerify, verify_bundle, verify_chains
from src.services.results.artifacts import Artifacts
from src.services.results.chain.folders import link_folder
from src.services.results.chain.manifest import manifest_bytes, manifest_hash
from src.services.storage.base import Storage
from src.services.storage.sql.opening import open_storage
from tests.services.results.samples import run_key, succeeded

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Sealed:
    """A chain of four runs, of which the second was removed."""

    root: Path
    url: str
    storage: Storage
    folders: list[Path]

    def verify(self, *owners: str) -> tuple[int, str]:
        out = io.StringIO()
        return verify_chains(self.root, self.storage.chain, owners, out), out.getvalue()

    def change_manifest(self, number: int, **changes: object) -> None:
        """Rewrite a manifest and give it the matching hash."""
        path = self.folders[number - 1] / "manifest.json"
        manifest = json.loads(path.read_bytes()) | changes
        path.write_bytes(manifest_bytes(manifest | {"manifest_hash": manifest_hash(manifest)}))

    def execute(self, statement: str) -> None:
        engine = create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    with closing(open_storage(f"sqlite:///{folder}/runs.db")) as storage:
        artifacts = Artifacts(folder / "artifacts", storage)
        for number in range(1, 5):
            artifacts.seal(succeeded(storage, number, n_days=10))
        storage.runs.delete(run_key(2))
        artifacts.remove(run_key(2))
    return folder


@pytest.fixture
def sealed(original: Path, tmp_path: Path) -> Iterator[Sealed]:
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    root, url = tmp_path / "artifacts", f"sqlite:///{tmp_path}/runs.db"
    with closing(open_storage(url)) as storage:
        yield Sealed(root, url, storage, [link_folder(root, link) for link in storage.chain.links("local")])


def test_an_intact_chain_is_counted(sealed: Sealed) -> None:
    status, printed = sealed.verify()
    assert status == 0
    last = sealed.storage.chain.links("local")[-1].manifest_hash
    assert "local: intact, 4 links (1 with their files removed), 18 files" in printed
    assert f"last manifest_hash {last}" in printed


BREAKS: dict[str, tuple[Callable[[Sealed], object], str]] = {
    "a byte of a file": (lambda s: flip(s.folders[2] / "orders.arrow"), "link 3 .*orders.arrow was changed"),
    "a longer file": (lambda s: append(s.folders[0] / "document.json"), "link 1 .*document.json has"),
    "a missing file": (lambda s: (s.folders[3] / "daily.arrow").unlink(), "link 4 .*daily.arrow cannot be read"),
    "an invented file": (lambda s: (s.folders[0] / "extra.txt").write_text(""), "link 1 .*'extra.txt' is among"),
    "a byte of a manifest": (lambda s: flip(s.folders[0] / "manifest.json"), "link 1 "),
    "a manifest rewritten with a fitting hash": (
        lambda s: s.change_manifest(2, sealed_at="2001-01-01T00:00:00+00:00"),
        "link 2 .*says manifest_hash .* the chain says",
    ),
    "a manifest of a removed run": (lambda s: flip(s.folders[1] / "manifest.json"), "link 2 "),
    "no manifest": (lambda s: (s.folders[1] / "manifest.json").unlink(), "link 2 .*manifest cannot be read"),
    "a manifest that is a list": (
        lambda s: (s.folders[1] / "manifest.json").write_text("[]"),
        "link 2 .*not have the right form",
    ),
    "a manifest nested without end": (
        lambda s: (s.folders[1] / "manifest.json").write_text("[" * 200_000),
        "link 2 .*not have the right form",
    ),
    "a missing folder": (lambda s: shutil.rmtree(s.folders[2]), "link 3 .*manifest cannot be read"),
    "two folders changed places": (lambda s: swap(s.folders[2], s.folders[3]), "link 3 .*says number 4"),
    "the tail of the files cut": (lambda s: shutil.rmtree(s.folders[3]), "link 4 "),
    "the tail of the database cut": (
        lambda s: s.execute("DELETE FROM chain_links WHERE number > 2"),
        "ends after 2 links, but there is a folder 00000004",
    ),
    "a link taken out of the database": (
        lambda s: s.execute("DELETE FROM chain_links WHERE number = 2"),
        "link 2 .*do not follow each other",
    ),
    "a removal that is not recorded": (
        lambda s: (s.folders[0] / "removed.json").write_text('{"removed_at": "2026-01-01"}'),
        "link 1 .*no removal is recorded",
    ),
}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def swap(one: Path, other: Path) -> None:
    for name in ("manifest.json", *(p.name for p in one.iterdir() if p.name != "manifest.json")):
        first, second = (one / name).read_bytes(), (other / name).read_bytes()
        (one / name).write_bytes(second)
        (other / name).write_bytes(first)


@pytest.mark.parametrize("what", BREAKS)
def test_a_break_is_found_and_named(sealed: Sealed, what: str) -> None:
    spoil, expected = BREAKS[what]
    spoil(sealed)
    status, printed = sealed.verify()
    assert status == 1
    assert re.search(f"BROKEN: .*{expected}", printed), printed


def test_the_first_of_several_breaks_is_named(sealed: Sealed) -> None:
    flip(sealed.folders[3] / "orders.arrow")
    flip(sealed.folders[2] / "orders.arrow")
    status, printed = sealed.verify()
    assert (status, printed.count("BROKEN")) == (1, 1)
    assert "2 links hold, then BROKEN: link 3" in printed


def test_one_folder_beyond_the_end_is_what_a_killed_seal_leaves(sealed: Sealed) -> None:
    shutil.copytree(sealed.folders[3], sealed.folders[3].with_name(f"00000005-{'a' * 64}"))
    assert sealed.verify()[0] == 0
    shutil.copytree(sealed.folders[3], sealed.folders[3].with_name(f"00000006-{'a' * 64}"))
    assert sealed.verify()[0] == 1


def test_every_owner_is_checked_unless_one_is_named(sealed: Sealed) -> None:
    Artifacts(sealed.root, sealed.storage).seal(succeeded(sealed.storage, 1, owner="alice\n", n_days=5))
    flip(sealed.folders[0] / "orders.arrow")
    status, printed = sealed.verify()
    assert status == 1
    assert "alice\\n: intact, 1 links" in printed
    assert sealed.verify("alice\n")[0] == 0
    assert sealed.verify("ann") == (1, "ann: BROKEN: the database has no chain of this owner\n")


def test_a_chain_of_which_the_database_knows_nothing_is_found(sealed: Sealed) -> None:
    sealed.execute("DELETE FROM chain_links")
    status, printed = sealed.verify()
    assert status == 1
    assert "folder local: BROKEN: the database's chain ends after 0 links" in printed


def test_without_any_run_there_is_nothing_to_find(tmp_path: Path) -> None:
    storage = open_storage(f"sqlite:///{tmp_path}/runs.db")
    out = io.StringIO()
    assert verify_chains(tmp_path / "none", storage.chain, (), out) == 0
    assert out.getvalue() == "There are no chains yet.\n"
    storage.close()


def bundle_of(sealed: Sealed, tmp_path: Path) -> Path:
    path = tmp_path / "bundle.zip"
    path.write_bytes(b"".join(Artifacts(sealed.root, sealed.storage).bundle(run_key(3))))
    return path


def test_a_bundle_is_checked_alone(sealed: Sealed, tmp_path: Path) -> None:
    out = io.StringIO()
    assert verify_bundle(bundle_of(sealed, tmp_path), out) == 0
    assert f"intact, link 3 (run {run_key(3).run_hash}): 6 files" in out.getvalue()
    assert sealed.storage.chain.links("local")[2].manifest_hash in out.getvalue()


def test_a_bundle_with_a_changed_file_is_not_intact(sealed: Sealed, tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(bundle_of(sealed, tmp_path)) as archive:
        archive.extractall(folder)
    (run_folder,) = folder.iterdir()
    assert verify_bundle(run_folder, io.StringIO()) == 0
    flip(run_folder / "strategy.py")
    out = io.StringIO()
    assert verify_bundle(run_folder, out) == 1
    assert "strategy.py was changed" in out.getvalue()


@pytest.mark.parametrize("name", ["../../evil.txt", "run/evil.txt", "/etc/passwd"])
def test_an_archive_with_other_files_is_refused_unpacked(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    out = io.StringIO()
    assert verify_bundle(path, out) == 1
    assert "not a file of a run" in out.getvalue()


def test_no_changed_byte_of_a_bundle_goes_unnoticed_or_crashes(sealed: Sealed, tmp_path: Path) -> None:
    path = bundle_of(sealed, tmp_path)
    content = path.read_bytes()
    whole = contents(path)
    for position in range(7, len(content), len(content) // 300):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0x41]) + content[position + 1 :])
        # What is still intact has only changed where no file's content is: a time, a permission.
        assert verify_bundle(path, io.StringIO()) == 1 or contents(path) == whole


def contents(archive: Path) -> list[bytes]:
    with zipfile.ZipFile(archive) as opened:
        return [opened.read(name) for name in opened.namelist()]


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(b"nothing")
    assert verify_bundle(tmp_path / "bundle.zip", io.StringIO()) == 1
    with pytest.raises(NothingToVerify):
        verify_bundle(tmp_path / "absent.zip", io.StringIO())


@pytest.mark.slow
def test_from_a_terminal(sealed: Sealed, tmp_path: Path) -> None:
    arguments = ["verify", "--artifacts", str(sealed.root), "--database", sealed.url]
    command = [sys.executable, "-m", "src", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "local: intact, 4 links" in done.stdout


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--database", f"sqlite:///{tmp_path}/none.db"]) == 1
    assert "There is no database" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
