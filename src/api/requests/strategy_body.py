"""Reads a strategy posted as plain source, `curl --data-binary @strategy.py`, with the other fields in the query."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.types import Receive, Scope

from src.api.http.headers import media_type
from src.api.requests.json_body import JsonRoute, MalformedBody, check_content_type, json_or_text
from src.models.plain import printable
from src.models.request import BacktestRequest

PYTHON_MEDIA_TYPES = ("text/x-python", "application/x-python", "text/x-script.python")
_TEXT_FIELDS = frozenset({"name", "start_date", "end_date", "benchmark", "price_adjustment", "conventions"})
_QUERY_FIELDS = frozenset(BacktestRequest.model_fields) | {"config_params"}


class StrategyRoute(JsonRoute):
    """A route that takes JSON with a field strategy_code, or the strategy's source itself.

    Attributes:
        own_parameters: the route's own query parameters, which are not fields of the request.
    """

    own_parameters: frozenset[str] = frozenset()

    def readable(self, request: Request) -> Request:
        """See JsonRoute.readable."""
        if is_source(request):
            headers = MutableHeaders(raw=list(request.scope["headers"]))
            headers["content-type"] = "application/json"
            scope = {**request.scope, "headers": headers.raw}
            return _SourceRequest(scope, request.receive, self.own_parameters)
        check_content_type(request, ", or 'Content-Type: text/x-python' with the strategy's source as the body")
        return super().readable(_without_fields_in_the_query(request, self.own_parameters))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler; errors in a query field are reported as in the query."""
        handle = super().get_route_handler()

        async def handle_source(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                if is_source(request):
                    raise RequestValidationError([_in_the_query(problem) for problem in error.errors()]) from error
                raise

        return handle_source


def is_source(request: Request) -> bool:
    """Whether the body is a strategy's source, according to Content-Type."""
    return media_type(request) in PYTHON_MEDIA_TYPES


class _SourceRequest(Request):
    def __init__(self, scope: Scope, receive: Receive, own_parameters: frozenset[str]) -> None:
        super().__init__(scope, receive)
        self._own_parameters = own_parameters

    async def json(self) -> Any:
        body = await self.body()
        try:
            source = body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise MalformedBody("source_encoding", ["body", error.start], "The source is not UTF-8 text") from error
        fields = _fields_of_the_query(self, self._own_parameters)
        return fields | {"strategy_code": source} if body else fields


def _fields_of_the_query(request: Request, own_parameters: frozenset[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, text in request.query_params.multi_items():
        if name in own_parameters:
            continue
        if name == "strategy_code":
            raise MalformedBody("query_code", ["query", name], "The code is the body: omit strategy_code")
        if name in fields:
            message = f"'{printable(name)}' appears more than once in the query"
            raise MalformedBody("query_duplicate", ["query", printable(name)], message)
        fields[name] = _value(name, text)
    return fields


def _value(name: str, text: str) -> Any:
    """A query parameter's JSON value; text that is not JSON stays text, and its field reports the error."""
    if name == "benchmark" and text in ("", "null"):
        return None
    if name in _TEXT_FIELDS:
        return text
    return json_or_text(text)


def _without_fields_in_the_query(request: Request, own_parameters: frozenset[str]) -> Request:
    for name in request.query_params:
        if name in _QUERY_FIELDS - own_parameters:
            message = f"'{name}' goes in the body: the query is read only with a body of text/x-python"
            raise MalformedBody("query_with_json", ["query", name], message)
    return request


def _in_the_query(problem: dict[str, Any]) -> dict[str, Any]:
    place = list(problem["loc"])
    is_field = len(place) > 1 and place[0] == "body" and place[1] != "strategy_code"
    return {**problem, "loc": ["query", *place[1:]] if is_field else place}


def source_documentation(own_parameters: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The OpenAPI description of posting plain source: the body's type, and each field as a query parameter.

    Args:
        own_parameters: the route's own, which it describes itself.
    """
    schema = BacktestRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    names = [name for name in BacktestRequest.model_fields if name not in {"strategy_code", *own_parameters}]
    return {
        "requestBody": {"content": {"text/x-python": {"schema": {"type": "string", "minLength": 1}}}},
        "parameters": [_parameter(name, schema["properties"][name]) for name in names],
    }


def _parameter(name: str, field: dict[str, Any]) -> dict[str, Any]:
    beside = "Only with a body of text/x-python. "
    # No default either: Swagger would send it with a JSON body too, which is refused.
    left_out = ("description", "title", "examples", "default")
    of_field = {word: value for word, value in field.items() if word not in left_out}
    default = f" Default: {json.dumps(field['default'])}." if "default" in field else ""
    is_json = name in ("commission", "slippage", "parameters", "universe")
    # Declared as text that holds JSON: for a JSON parameter Swagger makes up a value and sends it.
    of_text = {"type": "string", "contentMediaType": "application/json", "contentSchema": of_field}
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": beside + field.get("description", "") + default,
        "schema": of_text if is_json else of_field,
    }
