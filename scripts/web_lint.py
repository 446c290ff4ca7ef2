"""Checks the studio's JavaScript: the types in its JSDoc with TypeScript, its style with Biome.

Both come from npm in the versions of the lock file, into node_modules at the top of the project, where editors find
them too. Nothing is installed again while the lock file stays the same.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.web_assets import HOW_TO_GET_NODE, PROJECT, WEB_FOLDER, Node, NotFetched, find_node, install

PACKAGES = PROJECT / "node_modules"
INSTALLED = PACKAGES / ".installed-from.json"
"""A copy of the lock file, written when its packages are complete."""

CHECKS = (
    ("typescript/bin/tsc", "--project", str(WEB_FOLDER)),
    ("@biomejs/biome/bin/biome", "lint", "--error-on-warnings"),
)
"""Programs below PACKAGES, with their arguments."""


def is_installed() -> bool:
    """Whether the packages are those of the lock file."""
    return INSTALLED.is_file() and INSTALLED.read_bytes() == (WEB_FOLDER / "package-lock.json").read_bytes()


def install_packages(node: Node) -> None:
    """Put the packages of the lock file in place of those that are there.

    Raises:
        NotFetched: npm cannot be started, fails, or takes too long.
    """
    with tempfile.TemporaryDirectory() as scratch:
        install(node, Path(scratch))
        shutil.rmtree(PACKAGES, ignore_errors=True)
        shutil.move(Path(scratch) / "node_modules", PACKAGES)
    shutil.copyfile(WEB_FOLDER / "package-lock.json", INSTALLED)


def main() -> int:
    """Run every check; 0 if none finds anything, 1 otherwise."""
    node = find_node()
    if node is None:
        sys.exit(HOW_TO_GET_NODE)
    try:
        if not is_installed():
            install_packages(node)
    except NotFetched as error:
        sys.exit(f"TypeScript and Biome could not be installed: {error}")
    commands = [[*node.node, str(PACKAGES / program), *arguments] for program, *arguments in CHECKS]
    statuses = [subprocess.run(command, cwd=PROJECT, check=False).returncode for command in commands]
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
