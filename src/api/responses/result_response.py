"""Serves a stored result: its compressed bytes as they are, or decompressed for clients without gzip."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from src.api.responses.pieces import in_pieces
from src.services.results.answer_reader import answer_members, unpacked
from src.services.results.packing import unpacked_json
from src.services.storage.records import StoredResult
from src.utils.json_bytes import grouped

LONG_BYTES = 4 * 1024 * 1024
"""Longer bodies are sent in pieces."""

SLICE_BYTES = 256 * 1024

Rewrite = Callable[[Iterator[tuple[str, Any]]], Iterator[bytes]]
"""Turns the members of a BacktestResponse into other JSON; see src.services.results.answer_reader.answer_members."""

_HEADERS = {
    # The answer never changes, but the client's right to see it may: cache it, and revalidate each time.
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Encoding",
}


async def stored_answer(request: Request, stored: StoredResult) -> Response:
    """The result as JSON, or 304 for a client that has it.

    Its two encodings are two representations, each with its own strong ETag.
    """
    is_gzip = accepts_gzip(request.headers.get("accept-encoding"))
    etag = f'"{stored.json_sha256}-gzip"' if is_gzip else f'"{stored.json_sha256}"'
    headers = {**_HEADERS, "ETag": etag}
    if names_etag(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    if is_gzip:
        return json_response(stored.gzip_bytes, headers | {"Content-Encoding": "gzip"})
    return await unpacked_response(stored, headers, is_wanted=request.method != "HEAD")


def tagged_response(request: Request, body: bytes) -> Response:
    """JSON that was made for this request, or 304 for a client that has the same."""
    headers = {"Cache-Control": "private, no-cache", "ETag": f'"{hashlib.sha256(body).hexdigest()}"'}
    if names_etag(request.headers.getlist("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return json_response(body, headers)


async def unpacked_response(stored: StoredResult, headers: Mapping[str, str], *, is_wanted: bool = True) -> Response:
    """The stored JSON, uncompressed.

    Args:
        is_wanted: False sends the headers without the body.
    """
    if not is_wanted:
        length = {"Content-Length": str(stored.json_length)}
        return Response(headers={**headers, **length}, media_type="application/json")
    if stored.json_length > LONG_BYTES:
        return _long_response(unpacked(stored.gzip_bytes), stored.json_length, headers)
    # Milliseconds: not on the event loop.
    return json_response(await run_in_threadpool(unpacked_json, stored), headers)


async def rewritten_response(stored: StoredResult, rewrite: Rewrite, headers: Mapping[str, str]) -> Response:
    """Other JSON, made from the stored JSON while that is read."""
    pieces = grouped(rewrite(answer_members(unpacked(stored.gzip_bytes))), SLICE_BYTES)
    if stored.json_length > LONG_BYTES:
        return StreamingResponse(in_pieces(pieces), headers=dict(headers), media_type="application/json")
    # Milliseconds: not on the event loop.
    return json_response(await run_in_threadpool(b"".join, pieces), headers)


def json_response(body: bytes, headers: Mapping[str, str]) -> Response:
    """A response of ready-made JSON."""
    if len(body) > LONG_BYTES:
        return _long_response(_slices(body), len(body), headers)
    return Response(body, headers=dict(headers), media_type="application/json")


def _long_response(pieces: Iterator[bytes], length: int, headers: Mapping[str, str]) -> Response:
    # In one piece the server would copy all of it at once and block every other request.
    headers = {**headers, "Content-Length": str(length)}
    return StreamingResponse(in_pieces(pieces), headers=headers, media_type="application/json")


def _slices(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), SLICE_BYTES):
        yield body[start : start + SLICE_BYTES]


def accepts_gzip(header: str | None) -> bool:
    """Whether a client that sent this Accept-Encoding prefers gzip at least as much as no encoding.

    A client without the header gets no encoding, which every client can read.
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
    # RFC 9110 allows 0 to 1 with three decimals; anything else counts as 0.
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0


def names_etag(headers: list[str], etag: str) -> bool:
    """Whether If-None-Match names that entity tag; weak tags match too, as RFC 9110 requires for this header."""
    named = {tag.strip().removeprefix("W/") for header in headers for tag in header.split(",")}
    return "*" in named or etag in named
