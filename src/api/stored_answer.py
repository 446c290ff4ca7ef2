"""Serves a stored result: its compressed bytes as they are, or decompressed for a client that wants it so."""

import gzip
from collections.abc import Iterator, Mapping

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from src.services.storage.base import StoredResult

_HEADERS = {
    # The answer never changes, but whether its reader may still see it does: keep it, and ask each time.
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Encoding",
}


async def stored_answer(request: Request, stored: StoredResult) -> Response:
    """The result as JSON, or 304 for a client that has it.

    Its two forms are two representations: each has a strong ETag of its own.
    """
    is_gzip = accepts_gzip(request.headers.get("accept-encoding"))
    etag = f'"{stored.json_sha256}-gzip"' if is_gzip else f'"{stored.json_sha256}"'
    headers = {**_HEADERS, "ETag": etag}
    if names_etag(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    if is_gzip:
        return json_response(stored.gzip_bytes, headers | {"Content-Encoding": "gzip"})
    # Tens of milliseconds for a large one: not on the event loop.
    return json_response(await run_in_threadpool(gzip.decompress, stored.gzip_bytes), headers)


def json_response(body: bytes, headers: Mapping[str, str]) -> Response:
    """JSON that was written before."""
    return Response(body, headers=dict(headers), media_type="application/json")


def accepts_gzip(header: str | None) -> bool:
    """Whether a client that sent this Accept-Encoding wants gzip at least as much as nothing at all.

    A client that says nothing gets what every client can read.
    """
    if header is None:
        return False
    weights = dict(_weights(header))
    wanted = next((weights[name] for name in ("gzip", "x-gzip", "*") if name in weights), 0.0)
    return wanted > 0 and wanted >= weights.get("identity", 0.0)


def _weights(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        coding, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = next((word[2:].strip() for word in parameters if word.startswith("q=")), "1")
        yield coding, _weight(weight)


def _weight(text: str) -> float:
    # RFC 9110 knows 0 to 1 with three decimals; what is no such number is not wanted.
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0


def names_etag(headers: list[str], etag: str) -> bool:
    """Whether If-None-Match names that entity tag; weak ones count too, as RFC 9110 says for this header."""
    named = {tag.strip().removeprefix("W/") for header in headers for tag in header.split(",")}
    return "*" in named or etag in named
