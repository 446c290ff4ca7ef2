"""Serves the files of a run as downloads, which no browser opens as a page; only the report is shown as one."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from src.api.http.headers import names_etag
from src.api.responses.pieces import in_pieces
from src.api.responses.result_response import without_body
from src.utils.json_bytes import grouped

if TYPE_CHECKING:
    from src.services.results.artifacts import Rendered

CHUNK_BYTES = 256 * 1024

REPORT_NAME = "report.html"

REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
"""The report may have styles and images but no scripts or requests: its text comes from a client."""

MEDIA_TYPES = {
    ".arrow": "application/vnd.apache.arrow.file",
    ".csv": "text/csv; charset=utf-8; header=present",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".py": "text/x-python; charset=utf-8",
}


async def file_response(request: Request, path: Path, sha256: str) -> Response:
    """The file as a download, or the report as a page; 304 for a client that has it.

    Args:
        sha256: the file's hash, hexadecimal; a name's content never changes.

    Raises:
        FileNotFoundError: it has just been removed.
    """
    headers = _headers(path.name, sha256)
    if names_etag(request.headers.getlist("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    size, file = await run_in_threadpool(_opened, path)
    headers["Content-Length"] = str(size)
    if request.method == "HEAD":
        file.close()
        return Response(headers=headers)
    return StreamingResponse(in_pieces(_pieces(file)), headers=headers)


async def rendered_response(request: Request, rendered: "Rendered", name: str) -> Response:
    """The same for a file that is made on request."""
    headers = _headers(name, rendered.sha256)
    if names_etag(request.headers.getlist("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    pieces = grouped(await run_in_threadpool(rendered.pieces), CHUNK_BYTES)
    first = await run_in_threadpool(list, islice(pieces, 2))
    if len(first) < 2:
        answer = Response(b"".join(first), headers=headers)
    else:
        answer = StreamingResponse(in_pieces(piece for piece in chain(first, pieces)), headers=headers)
    return without_body(answer) if request.method == "HEAD" else answer


def _headers(name: str, sha256: str) -> dict[str, str]:
    headers = {"ETag": f'"{sha256}"', "Cache-Control": "private, no-cache"}
    headers["Content-Type"] = MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
    if name == REPORT_NAME:
        return headers | {"Content-Disposition": "inline", "Content-Security-Policy": REPORT_POLICY}
    return headers | {"Content-Disposition": attachment(name)}


def attachment(name: str) -> str:
    """The Content-Disposition that makes a browser save the file.

    Args:
        name: one of our file names, ASCII without quotes.
    """
    return f'attachment; filename="{name}"'


def _opened(path: Path) -> tuple[int, BinaryIO]:
    # Opened before the answer begins: a file removed after that is still sent whole.
    return path.stat().st_size, path.open("rb")


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
