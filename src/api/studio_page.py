"""The studio at /: static files of our own and from npm, under a policy that lets nothing else in."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STUDIO_FOLDER = Path(__file__).parent / "web" / "studio"
NEEDED = ("vendor/codemirror.js", "vendor/lightweight-charts.js")
"""What `make assets` fetches, and the page cannot do without."""

STUDIO_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        # What reads large results beside the page.
        "worker-src 'self'",
        "style-src 'self'",
        # The wavy lines under a broken rule are pictures written in the editor's own style sheet.
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


class StudioFiles(StaticFiles):
    """The page's files. A browser asks whether they changed, so that none of two editions meet on one page."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """See StaticFiles.get_response."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        # A worker lives under the policy of its own file, not under the page's.
        response.headers["Content-Security-Policy"] = STUDIO_POLICY
        return response


def is_built(folder: Path) -> bool:
    """Whether everything that the page loads is there."""
    return all((folder / name).is_file() for name in NEEDED)


def add_studio(app: FastAPI, folder: Path = STUDIO_FOLDER) -> None:
    """Give the app its first page. Include it after all routes below /studio.

    Args:
        folder: holds the page's files; what `make assets` fetched is in its folder `vendor`. Where that is missing
            the plain page of src/api/routes/plain.py is the first one.
    """

    async def first_page(request: Request) -> Response:
        if not is_built(folder):
            return RedirectResponse(str(request.scope.get("root_path", "")) + "/plain")
        headers = {"Content-Security-Policy": STUDIO_POLICY, "Cache-Control": "no-cache"}
        return FileResponse(folder / "index.html", headers=headers, media_type="text/html")

    app.add_route("/", first_page, include_in_schema=False)
    app.mount("/studio", StudioFiles(directory=folder), name="studio")
