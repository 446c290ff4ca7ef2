"""Reads the body of a submitted run: like a backtest's, applied on top of a preset if the query names one."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders

from src.api.http.owners import owner_of
from src.api.requests.json_body import MalformedBody, check_content_type
from src.api.requests.strategy_body import StrategyRoute, is_source
from src.app.services import Services
from src.services.library.presets import with_overrides

PRESET_PATTERN = "^[0-9a-f]{64}$"


class RunRoute(StrategyRoute):
    """A route that takes the body of a backtest; with ?preset_id=… the body may omit the preset's fields."""

    own_parameters = frozenset({"preset_id", "rerun"})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, run once the preset is loaded."""
        handle = super().get_route_handler()

        async def handle_with_preset(request: Request) -> Response:
            request.state.preset = await _preset(request)
            return await handle(request)

        return handle_with_preset

    def readable(self, request: Request) -> Request:
        """See JsonRoute.readable."""
        if request.state.preset is None:
            return super().readable(request)
        return _Overriding(request, super().readable(_with_content_type(request)), request.state.preset)


async def _preset(request: Request) -> Mapping[str, Any] | None:
    """The configuration of the preset that the query names.

    Raises:
        PresetNotFound, StorageUnavailable
        MalformedBody: the preset_id is malformed.
    """
    preset_id = request.query_params.get("preset_id")
    if preset_id is None:
        return None
    if not re.fullmatch(PRESET_PATTERN, preset_id):
        raise MalformedBody("preset_id", ["query", "preset_id"], "A preset_id is 64 hexadecimal digits")
    services: Services = request.state.services
    preset = await run_in_threadpool(services.presets.get, owner_of(request), preset_id)
    return preset.configuration


def _with_content_type(request: Request) -> Request:
    """The request with the JSON content type if it has none; its body may be empty here."""
    if request.headers.get("content-type"):
        return request
    headers = MutableHeaders(raw=list(request.scope["headers"]))
    headers["content-type"] = "application/json"
    return Request({**request.scope, "headers": headers.raw}, request.receive)


class _Overriding(Request):
    """A request whose body is the preset, overridden by the fields that were sent.

    Args:
        original: the request as received. sent: the same request, readable.
    """

    def __init__(self, original: Request, sent: Request, configuration: Mapping[str, Any]) -> None:
        super().__init__(sent.scope, sent.receive)
        self._original = original
        self._sent = sent
        self._configuration = configuration

    async def body(self) -> bytes:
        # The framework reads no JSON from an empty body.
        return await self._sent.body() or b"{}"

    async def json(self) -> Any:
        sent = await self._overrides()
        return with_overrides(self._configuration, sent) if isinstance(sent, dict) else sent

    async def _overrides(self) -> Any:
        if is_source(self._original):
            return await self._sent.json()
        if not await self._sent.body():
            return {}
        # Only an empty body may omit its type: another origin's page can send an untyped body without a preflight.
        check_content_type(self._original)
        return await self._sent.json()
