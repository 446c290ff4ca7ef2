"""Serves results as JSON, rendered when they are asked for; long ones in pieces."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from src.api.http.headers import accepts_gzip, names_etag
from src.api.responses.pieces import in_pieces
from src.services.results.answer_json import answer_pieces
from src.services.results.answers import RecentAnswers, gzip_pieces
from src.services.results.finished_run import FinishedRun
from src.services.results.result import Result
from src.services.results.sections import NOTHING, Asked
from src.services.storage.records.results import EarlierResult
from src.utils.json_bytes import grouped

LONG_BYTES = 4 * 1024 * 1024
"""Longer bodies are sent in pieces."""

SLICE_BYTES = 256 * 1024

GetResult = Callable[[], Result]

RENDERING = "1"
"""Part of the ETags of results: counts up when their JSON looks different than before."""

_HEADERS = {
    # The answer never changes, but the client's right to see it may: cache it, and revalidate each time.
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True)
class Shown:
    """What of a request decides how a result is shown: its sections, and the name and warnings of a posted one."""

    asked: Asked
    posted: tuple[str | None, tuple[str, ...]] | None = None


async def stored_response(
    request: Request, finished: FinishedRun, recent: RecentAnswers, asked: Asked = NOTHING
) -> Response:
    """The result as JSON with the sections asked for, or 304 for a client that has it.

    Its two encodings are two representations, each with its own strong ETag.
    """
    is_gzip = accepts_gzip(request.headers.get("accept-encoding"))
    stored, is_earlier = finished.stored, isinstance(finished.stored, EarlierResult)
    named = f"{finished.identity}-{RENDERING}{asked.name}"
    if is_earlier and not asked:
        named = finished.identity
    etag = f'"{named}-gzip"' if is_gzip else f'"{named}"'
    headers = {**_HEADERS, "ETag": etag}
    if names_etag(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    if isinstance(stored, EarlierResult) and is_gzip and not asked:
        # As it was stored: another compression would not have the bytes that its ETag names.
        return bytes_response(stored.gzip_bytes, headers | {"Content-Encoding": "gzip"})
    response = await result_response(request, finished, lambda: finished.result, Shown(asked), recent, headers)
    return without_body(response) if request.method == "HEAD" else response


def tagged_response(request: Request, body: bytes) -> Response:
    """JSON that was made for this request, or 304 for a client that has the same."""
    headers = {"Cache-Control": "private, no-cache", "ETag": f'"{hashlib.sha256(body).hexdigest()}"'}
    if names_etag(request.headers.getlist("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return bytes_response(body, headers)


def _body(result: GetResult, asked: Asked, is_gzip: bool) -> bytes:
    pieces = answer_pieces(result(), asked)
    return b"".join(gzip_pieces(pieces) if is_gzip else pieces)


async def result_response(
    request: Request,
    finished: FinishedRun,
    result: GetResult,
    shown: Shown,
    recent: RecentAnswers,
    headers: Mapping[str, str],
) -> Response:
    """A result as JSON.

    Args:
        result: the result of `finished` as it is to be shown, called in another thread.
        shown: what of the request decides how it is shown.
    """
    is_gzip = accepts_gzip(request.headers.get("accept-encoding"))
    if is_gzip:
        headers = {**headers, "Content-Encoding": "gzip"}
    if finished.stored.json_length > LONG_BYTES:
        pieces = answer_pieces(await run_in_threadpool(result), shown.asked)
        return _streamed(gzip_pieces(pieces) if is_gzip else pieces, headers)
    key = (finished.key, finished.identity, shown, is_gzip)
    body = recent.get(key)
    if body is None:
        # Milliseconds: not on the event loop.
        body = await run_in_threadpool(_body, result, shown.asked, is_gzip)
        if is_gzip or finished.is_reused:  # few ask again for a result that they have just been given
            recent.put(key, body)
    return bytes_response(body, headers)


async def rewritten_response(
    finished: FinishedRun, pieces: Callable[[], Iterator[bytes]], headers: Mapping[str, str]
) -> Response:
    """The result in another contract's JSON.

    Args:
        pieces: the JSON, called in another thread.
    """
    rendered = await run_in_threadpool(pieces)
    if finished.stored.json_length > LONG_BYTES:
        return _streamed(rendered, headers)
    # Milliseconds: not on the event loop.
    return bytes_response(await run_in_threadpool(b"".join, rendered), headers)


def bytes_response(body: bytes, headers: Mapping[str, str]) -> Response:
    """A response of ready-made JSON."""
    if len(body) <= LONG_BYTES:
        return Response(body, headers=dict(headers), media_type="application/json")
    # In one piece the server would copy all of it at once and block every other request.
    slices = (body[start : start + SLICE_BYTES] for start in range(0, len(body), SLICE_BYTES))
    return _streamed(slices, {**headers, "Content-Length": str(len(body))})


def without_body(response: Response) -> Response:
    """The response to HEAD; one without a Content-Length promises none."""
    head = Response(status_code=response.status_code, headers=response.headers)
    if "content-length" not in response.headers:
        del head.headers["content-length"]
    return head


def _streamed(pieces: Iterator[bytes], headers: Mapping[str, str]) -> Response:
    body = in_pieces(grouped(pieces, SLICE_BYTES))
    return StreamingResponse(body, headers=dict(headers), media_type="application/json")
