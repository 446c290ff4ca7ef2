"""Serves a stored result: its compressed bytes as they are, or decompressed for a client that wants it so."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from src.api.pieces import in_pieces
from src.services.artifacts.answer_reader import answer_members, unpacked
from src.services.runs.packing import unpacked_json
from src.services.storage.records import StoredResult
from src.utils.json_bytes import grouped

LONG_BYTES = 4 * 1024 * 1024
"""What is longer is sent in pieces."""

SLICE_BYTES = 256 * 1024

Rewrite = Callable[[Iterator[tuple[str, Any]]], Iterator[bytes]]
"""Makes other JSON of the members of a BacktestResponse, see src.services.artifacts.answer_reader.answer_members."""

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
    return await unpacked_response(stored, headers, is_wanted=request.method != "HEAD")


async def unpacked_response(stored: StoredResult, headers: Mapping[str, str], *, is_wanted: bool = True) -> Response:
    """The stored JSON for a client that wants it uncompressed.

    Args:
        is_wanted: whether the client takes the body too.
    """
    if not is_wanted:
        length = {"Content-Length": str(stored.json_length)}
        return Response(headers={**headers, **length}, media_type="application/json")
    if stored.json_length > LONG_BYTES:
        return _long_response(unpacked(stored.gzip_bytes), stored.json_length, headers)
    # Milliseconds: not on the event loop.
    return json_response(await run_in_threadpool(unpacked_json, stored), headers)


async def rewritten_response(stored: StoredResult, rewrite: Rewrite, headers: Mapping[str, str]) -> Response:
    """What is made of the stored JSON while that is read."""
    pieces = grouped(rewrite(answer_members(unpacked(stored.gzip_bytes))), SLICE_BYTES)
    if stored.json_length > LONG_BYTES:
        return StreamingResponse(in_pieces(pieces), headers=dict(headers), media_type="application/json")
    # Milliseconds: not on the event loop.
    return json_response(await run_in_threadpool(b"".join, pieces), headers)


def json_response(body: bytes, headers: Mapping[str, str]) -> Response:
    """JSON that was written before."""
    if len(body) > LONG_BYTES:
        return _long_response(_slices(body), len(body), headers)
    return Response(body, headers=dict(headers), media_type="application/json")


def _long_response(pieces: Iterator[bytes], length: int, headers: Mapping[str, str]) -> Response:
    # In one piece the server would copy all of it at once, and everybody else would wait.
    headers = {**headers, "Content-Length": str(length)}
    return StreamingResponse(in_pieces(pieces), headers=headers, media_type="application/json")


def _slices(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), SLICE_BYTES):
        yield body[start : start + SLICE_BYTES]


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
