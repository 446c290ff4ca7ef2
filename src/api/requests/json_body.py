"""Reads JSON bodies strictly: every malformed body gets a 422 that says what is wrong with it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from src.api.http.headers import media_type
from src.models.plain import printable


class MalformedBody(HTTPException):
    """The body is not the JSON that the route takes.

    Args:
        kind: stable name of the problem.
        location: its place, as in a validation error's `loc`.
        message: the problem, and what to do about it.
    """

    def __init__(self, kind: str, location: Sequence[str | int], message: str) -> None:
        super().__init__(422, [{"type": kind, "loc": list(location), "msg": message}])


class JsonRoute(APIRoute):
    """A route whose body is strict JSON, sent with a JSON Content-Type."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, given a request that reads its body strictly."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            return await handle(request if self.body_field is None else self.readable(request))

        return handle_json

    def readable(self, request: Request) -> Request:
        """The request, its body read as strict JSON.

        Raises:
            MalformedBody: its Content-Type is not JSON.
        """
        check_content_type(request)
        return _StrictJsonRequest(request.scope, request.receive)


class _StrictJsonRequest(Request):
    async def json(self) -> Any:
        return parse_json(await self.body())


def parse_json(body: bytes) -> Any:
    """The value of a JSON text in UTF-8, UTF-16 or UTF-32.

    Raises:
        MalformedBody: it violates RFC 8259 (NaN, for example), repeats a name in one object, is not valid text, or
            has nesting too deep or integers too long for an honest request.
    """
    try:
        return json.loads(body, object_pairs_hook=_with_unique_names, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MalformedBody("json_invalid", ["body", error.pos], f"This is not JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise MalformedBody("json_invalid", ["body", error.start], "The body is not UTF-8 text") from error
    except ValueError as error:
        # Python refuses integers of more than 4300 digits.
        raise MalformedBody("json_invalid", ["body"], "The body contains a number that is too long") from error
    except RecursionError as error:
        raise MalformedBody("json_invalid", ["body"], "The body is nested too deeply") from error


def _with_unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        name = printable(counts.most_common(1)[0][0])
        raise MalformedBody("json_duplicate", ["body"], f"'{name}' appears more than once in one object")
    return value


def _refuse_constant(name: str) -> Any:
    raise MalformedBody("json_invalid", ["body"], f"{name} is not JSON: numbers must be finite")


def check_content_type(request: Request, or_send: str = "") -> None:
    """Check that Content-Type is JSON.

    Args:
        or_send: for the message, the other type that the route takes.

    Raises:
        MalformedBody: the header is missing or names another type.
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
    """A single field's JSON value; text that is not JSON stays text, and its field reports the error."""
    try:
        return parse_json(text.encode("utf-8"))
    except (MalformedBody, UnicodeEncodeError):
        return text
