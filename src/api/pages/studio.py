"""The studio at /: our own static files and some from npm, under a policy that allows nothing else."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STUDIO_FOLDER = Path(__file__).parents[1] / "web" / "studio"
NEEDED = ("vendor/codemirror.js", "vendor/lightweight-charts.js")
"""The files from `make assets` that the page needs."""

STUDIO_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        # A worker parses large results off the page's own thread.
        "worker-src 'self'",
        "style-src 'self'",
        # The wavy lines under a broken rule are data: images in the editor's style sheet.
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


class StudioFiles(StaticFiles):
    """The page's files. Browsers revalidate them, so that a page never mixes files of two versions."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """See StaticFiles.get_response."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        # A worker follows the policy of its own file, not the page's.
        response.headers["Content-Security-Policy"] = STUDIO_POLICY
        return response


def is_built(folder: Path) -> bool:
    """Whether all files that the page needs exist."""
    return all((folder / name).is_file() for name in NEEDED)


def add_studio(app: FastAPI, folder: Path = STUDIO_FOLDER) -> None:
    """Add the first page to the app. Call this after adding all routes below /studio.

    Args:
        folder: the page's files, with those from `make assets` in its folder `vendor`. Without them the first page
            is the plain one of src/api/pages/plain_route.py.
    """

    async def first_page(request: Request) -> Response:
        if not is_built(folder):
            return RedirectResponse(str(request.scope.get("root_path", "")) + "/plain")
        headers = {"Content-Security-Policy": STUDIO_POLICY, "Cache-Control": "no-cache"}
        return FileResponse(folder / "index.html", headers=headers, media_type="text/html")

    app.add_route("/", first_page, include_in_schema=False)
    app.mount("/studio", StudioFiles(directory=folder), name="studio")
