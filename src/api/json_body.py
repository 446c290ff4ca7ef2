"""Reads a JSON body strictly, so that no body can make anything but a 422 that says what is wrong with it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from email.message import Message
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from src.models.plain import printable


class MalformedBody(HTTPException):
    """The body is not the JSON that the route takes.

    Args:
        kind: stable name of the problem.
        location: where it is, as in a validation error's `loc`.
        message: what to do about it.
    """

    def __init__(self, kind: str, location: Sequence[str | int], message: str) -> None:
        super().__init__(422, [{"type": kind, "loc": list(location), "msg": message}])


class JsonRoute(APIRoute):
    """A route whose body is strict JSON, sent with the header that says so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler behind our own reading of the body."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            return await handle(request if self.body_field is None else self.readable(request))

        return handle_json

    def readable(self, request: Request) -> Request:
        """The request, its body read as strict JSON.

        Raises:
            MalformedBody: its header does not say that the body is JSON.
        """
        check_content_type(request)
        return _StrictJsonRequest(request.scope, request.receive)


class _StrictJsonRequest(Request):
    async def json(self) -> Any:
        return parse_json(await self.body())


def parse_json(body: bytes) -> Any:
    """The value of a JSON text in UTF-8, UTF-16 or UTF-32.

    Raises:
        MalformedBody: anything that RFC 8259 does not know (NaN, a name twice in one object), text in no
            encoding, or nesting and integers of a length that only an attack has.
    """
    try:
        return json.loads(body, object_pairs_hook=_with_unique_names, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MalformedBody("json_invalid", ["body", error.pos], f"This is not JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise MalformedBody("json_invalid", ["body", error.start], "The body is not UTF-8 text") from error
    except ValueError as error:
        # Python reads no integer of more than 4300 digits.
        raise MalformedBody("json_invalid", ["body"], "The body holds a number that is too long") from error
    except RecursionError as error:
        raise MalformedBody("json_invalid", ["body"], "The body is nested too deep") from error


def _with_unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        name = printable(counts.most_common(1)[0][0])
        raise MalformedBody("json_duplicate", ["body"], f"'{name}' stands more than once in one object")
    return value


def _refuse_constant(name: str) -> Any:
    raise MalformedBody("json_invalid", ["body"], f"{name} is not JSON: numbers must be finite")


def media_type(request: Request) -> str:
    """What the header Content-Type names, in small letters and without its parameters; "" where it names nothing."""
    header = Message()
    header["content-type"] = request.headers.get("content-type") or "none/none"
    return header.get_content_type() if header.get_content_maintype() != "none" else ""


def check_content_type(request: Request, or_send: str = "") -> None:
    """Let a body through whose header says that it is JSON.

    Args:
        or_send: what else the route takes, for the message.

    Raises:
        MalformedBody: it says something else, or nothing.
    """
    if re.fullmatch(r"application/(.*\+)?json", media_type(request)):
        return
    sent = request.headers.get("content-type")
    problem = f"is '{printable(sent)}'" if sent else "is missing"
    raise MalformedBody(
        "content_type",
        ["header", "Content-Type"],
        f"The header Content-Type {problem}: send 'Content-Type: application/json'{or_send}",
    )


def json_or_text(text: str) -> Any:
    """What a single field says as JSON; what is no JSON stays text, and its field says what is wrong."""
    try:
        return parse_json(text.encode("utf-8"))
    except (MalformedBody, UnicodeEncodeError):
        return text
