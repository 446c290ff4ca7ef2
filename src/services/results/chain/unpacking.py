"""Unpacks an untrusted bundle to check it."""

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.services.results.chain.manifest import ALL_NAMES
from src.services.results.chain.verification import Broken


@contextmanager
def unpacked_bundle(archive: Path) -> Iterator[Path]:
    """A temporary folder with the files of a bundle.

    Raises:
        Broken: it is not a bundle.
    """
    with tempfile.TemporaryDirectory(prefix="bundle-") as temporary:
        folder = Path(temporary)
        try:
            with zipfile.ZipFile(archive) as opened:
                for member in _members(opened):
                    # Only the last part of a name is used, so nothing is written elsewhere.
                    with opened.open(member) as source, (folder / Path(member.filename).name).open("xb") as target:
                        shutil.copyfileobj(source, target)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError) as error:
            raise Broken(f"{archive.name} cannot be unpacked: {error}") from error
        yield folder


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    strangers = [entry.filename for entry in members if Path(entry.filename).name not in ALL_NAMES]
    if strangers:
        raise Broken(f"the archive holds {strangers[0]!r}, which is not a file of a run")
    return members
