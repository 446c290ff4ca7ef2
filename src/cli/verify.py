"""`python -m src verify`: prove that the files of finished runs have not changed since they were sealed."""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from src.cli.command import Command
from src.config.settings import load_settings
from src.errors import BacktesterError

if TYPE_CHECKING:
    from src.services.storage.base import ChainStore

EPILOG = """\
Without BUNDLE, every owner's chain is checked from its first link: each manifest's hash, its place in the chain, the
size and SHA-256 of each file, and whether files and database agree on where the chain ends. For files that
retention removed, only the manifests are checked.

With BUNDLE (bundle.zip, or the folder it was unpacked to), that run's files are checked against their manifest. Its
manifest_hash is printed: compare it with the one you recorded, or with chain_prev of the next run.

exit status: 0 everything checked is intact, 1 something is broken or cannot be checked

examples:
  python -m src verify
  python -m src verify --artifacts /backup/artifacts --database sqlite:////backup/backtester.db
  python -m src verify bundle.zip"""


class NothingToVerify(BacktesterError):
    """The bundle or database given does not exist."""

    code = "nothing_to_verify"


def verify_chains(root: Path, chain: "ChainStore", owners: Sequence[str], out: TextIO) -> int:
    """Check each owner's chain and print one line per chain.

    Args:
        root: the folder of artifacts.
        owners: whose chains; empty means all owners'.

    Returns:
        0 when all are intact, else 1.
    """
    known = chain.owners()
    results = [_verify_owner(root, chain, owner, out) for owner in owners or known if owner in known]
    for owner in owners:
        if owner not in known:
            results.append(False)
            print(f"{_shown(owner)}: BROKEN: the database has no chain of this owner", file=out)
    if not owners:
        results += _verify_unknown_folders(root, known, out)
    if not results:
        print("There are no chains yet.", file=out)
    return 0 if all(results) else 1


def verify_bundle(bundle: Path, out: TextIO) -> int:
    """Check the files of one run and print the outcome.

    Args:
        bundle: an archive, or the folder with its files.

    Returns:
        0 when they are intact, else 1.

    Raises:
        NothingToVerify: the file or folder does not exist.
    """
    # Imported late: `python -m src --help` must not wait for pyarrow.
    from src.services.results.chain.unpacking import unpacked_bundle  # noqa: PLC0415
    from src.services.results.chain.verification import Broken, check_run_folder  # noqa: PLC0415

    if not bundle.exists():
        raise NothingToVerify(f"{bundle} does not exist.")
    try:
        if bundle.is_dir():
            checked = check_run_folder(bundle)
        else:
            with unpacked_bundle(bundle) as folder:
                checked = check_run_folder(folder)
    except Broken as error:
        print(f"{bundle}: BROKEN: {error}", file=out)
        return 1
    print(f"{bundle}: intact, {checked.name}: {checked.n_files} files, {checked.n_bytes:,} bytes", file=out)
    print(f"manifest_hash {checked.manifest_hash}", file=out)
    return 0


def _verify_owner(root: Path, chain: "ChainStore", owner: str, out: TextIO) -> bool:
    from src.services.results.chain.verification import Broken, check_chain  # noqa: PLC0415 - slow, see above

    n_links = n_removed = n_files = n_bytes = 0
    last = "none"
    try:
        for checked in check_chain(root, owner, chain):
            n_links, n_removed = n_links + 1, n_removed + checked.is_removed
            n_files, n_bytes, last = n_files + checked.n_files, n_bytes + checked.n_bytes, checked.manifest_hash
    except Broken as error:
        print(f"{_shown(owner)}: {n_links:,} links hold, then BROKEN: {error}", file=out)
        return False
    removed = f" ({n_removed:,} with their files removed)" if n_removed else ""
    counted = f"{n_links:,} links{removed}, {n_files:,} files, {n_bytes:,} bytes"
    print(f"{_shown(owner)}: intact, {counted}; last manifest_hash {last}", file=out)
    return True


def _verify_unknown_folders(root: Path, owners: Sequence[str], out: TextIO) -> list[bool]:
    """Folders of owners missing from the database: one line and one False each."""
    from src.services.results.chain.folders import numbered_folders, owner_folder  # noqa: PLC0415 - slow, see above
    from src.services.results.chain.verification import Broken, check_nothing_follows  # noqa: PLC0415 - slow, see above

    known = {owner_folder(root, owner).name for owner in owners}
    results = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        try:
            check_nothing_follows({} if folder.name in known else numbered_folders(folder), 0)
        except Broken as error:
            print(f"folder {folder.name}: BROKEN: {error}", file=out)
            results.append(False)
    return results


def _shown(owner: str) -> str:
    from src.models.plain import printable  # noqa: PLC0415 - slow, see above

    return printable(owner)


def _run(chosen: Namespace) -> int:
    if chosen.bundle is not None:
        return verify_bundle(chosen.bundle, sys.stdout)
    from src.services.storage.sql.opening import open_storage  # noqa: PLC0415 - slow, see above

    settings = load_settings()
    root = chosen.artifacts or settings.artifact_dir
    url = chosen.database or settings.database_url.get_secret_value()
    _check_database_exists(url)
    storage = open_storage(url)
    try:
        return verify_chains(root, storage.chain, chosen.owner, sys.stdout)
    finally:
        storage.close()


def _check_database_exists(url: str) -> None:
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).is_file():
        # Opening it would create an empty one, in which everything is missing.
        raise NothingToVerify(f"There is no database {path}: give the right one with --database.")


def _add_arguments(parser: ArgumentParser) -> None:
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("bundle", nargs="?", type=Path, metavar="BUNDLE", help="check one run's bundle instead")
    parser.add_argument("--artifacts", type=Path, metavar="DIR", help="folder of artifacts (ARTIFACT_DIR)")
    parser.add_argument("--database", metavar="URL", help="sqlite:///... or postgresql://... (DATABASE_URL)")
    parser.add_argument(
        "--owner", action="append", default=[], metavar="NAME", help="only this owner's chain; may be repeated"
    )


COMMAND = Command("verify", "Check the sealed files of finished runs, link by link.", _add_arguments, _run)
"""This command, as `src/cli/main.py` registers it."""
