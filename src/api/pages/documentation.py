"""The pages /docs and /redoc from our own files: they work offline, and as a plain page without the files.

Beside them /docs/strategies, the reference of the strategy API.
"""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from src.api.pages.plain_page import plain_page

DOCS_FOLDER = Path(__file__).parents[1] / "web" / "docs"
VENDOR_FOLDER = "vendor"
STRATEGIES = Path(__file__).parents[3] / "docs" / "strategies.md"

PAGE_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "worker-src blob:",
        # Both programs add inline styles to the page.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)

_HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/pages.css">
</head>
<body>
<nav class="ways" aria-label="Pages">
{ways}
</nav>
{body}
</body>
</html>
"""

_SWAGGER = """\
<div id="swagger-ui"></div>
<link rel="stylesheet" href="docs/vendor/swagger-ui.css">
<script src="docs/vendor/swagger-ui-bundle.js"></script>
<script src="docs/swagger-start.js" type="module"></script>"""

_REDOC = """\
<div id="redoc"></div>
<script src="docs/vendor/redoc.standalone.js"></script>
<script src="docs/redoc-start.js" type="module"></script>"""

_REFERENCE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Writing strategies</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="plain.css">
</head>
<body>
<nav><a href="..">Studio</a> · <a href="../docs">API</a></nav>
{body}
</body>
</html>
"""

_WAYS = {
    ".": "Studio",
    "docs/strategies": "Strategy reference",
    "docs": "Swagger",
    "redoc": "ReDoc",
    "openapi.json": "openapi.json",
}
"""Links at the top of each page, by address."""


class Assets(StaticFiles):
    """Files that change only with the service: browsers may cache them for an hour."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """See StaticFiles.get_response."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response


def add_documentation_pages(app: FastAPI, folder: Path = DOCS_FOLDER) -> None:
    """Add /docs (Swagger), /redoc (ReDoc) and /docs/strategies to the app.

    Args:
        folder: the files, with those from `make assets` in its folder `vendor`. Without them both addresses show the
            same plain page, written from the OpenAPI document.
    """

    async def swagger(_request: Request) -> HTMLResponse:
        return _page(app, folder, "docs", "swagger-ui-bundle.js", _SWAGGER)

    async def redoc(_request: Request) -> HTMLResponse:
        return _page(app, folder, "redoc", "redoc.standalone.js", _REDOC)

    def strategies(_request: Request) -> HTMLResponse:
        return HTMLResponse(_reference(), headers={"Content-Security-Policy": PAGE_POLICY})

    app.add_route("/docs/strategies", strategies, include_in_schema=False)
    app.add_route("/docs", swagger, include_in_schema=False)
    app.add_route("/redoc", redoc, include_in_schema=False)
    app.mount("/docs", Assets(directory=folder), name="documentation")


def _page(app: FastAPI, folder: Path, address: str, needed: str, body: str) -> HTMLResponse:
    is_built = (folder / VENDOR_FOLDER / needed).is_file()
    html = _HTML.format(title=app.title, ways=_ways(address), body=body) if is_built else plain_page(app.openapi())
    return HTMLResponse(html, headers={"Content-Security-Policy": PAGE_POLICY})


@cache
def _reference() -> str:
    """docs/strategies.md as a page; its headings have the anchors that its links name."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - the start of the server does not wait for it

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(STRATEGIES.read_text("utf-8"))
    for heading, text in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", "-".join(re.findall(r"[\w-]+", text.content.lower())))
    return _REFERENCE.format(body=markdown.renderer.render(tokens, markdown.options, {}))


def _ways(here: str) -> str:
    current = {here: ' aria-current="page"'}
    return "\n".join(f'<a href="{address}"{current.get(address, "")}>{text}</a>' for address, text in _WAYS.items())
