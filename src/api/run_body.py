"""Reads the body of a submitted run: as of a backtest, on top of a preset where the query names one."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders

from src.api.dependencies import Services
from src.api.json_body import MalformedBody, check_content_type
from src.api.owners import owner_of
from src.api.strategy_body import StrategyRoute, is_source
from src.services.presets import with_overrides

PRESET_PATTERN = "^[0-9a-f]{64}$"


class RunRoute(StrategyRoute):
    """A route that takes what a backtest takes; with ?preset_id=… the body may leave out what the preset says."""

    own_parameters = frozenset({"preset_id", "rerun"})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, once the preset is there."""
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
        MalformedBody: it names what is no preset_id.
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
    """The request as JSON if it does not say what its body is, which may be empty here."""
    if request.headers.get("content-type"):
        return request
    headers = MutableHeaders(raw=list(request.scope["headers"]))
    headers["content-type"] = "application/json"
    return Request({**request.scope, "headers": headers.raw}, request.receive)


class _Overriding(Request):
    """A request whose body is the preset with what was sent in place of its fields.

    Args:
        original: as it came. sent: the same, readable.
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
        # Only an empty body may leave out what it is: a page of another origin could send such a one unasked.
        check_content_type(self._original)
        return await self._sent.json()
