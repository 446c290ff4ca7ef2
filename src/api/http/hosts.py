"""Refuses requests for unknown host names: DNS rebinding makes an attacker's name point to this machine."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from src.api.http.json_response import json_response
from src.models.plain import printable

EVERY_HOST = "*"
LOCAL_NAMES = frozenset({"localhost"})

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?")


class HostMiddleware:
    """Answers 421 unless the header Host names this service.

    Browsers always send it, and a page cannot change it; a request without it comes from a program and passes.
    Local names and addresses are always allowed. Other addresses are allowed if the service listens beyond this
    machine, because DNS rebinding needs a name.

    Args:
        api_host: the host the service listens on; see Settings.
        allowed_hosts: further names, without ports; EVERY_HOST switches the check off.
    """

    def __init__(self, app: ASGIApp, *, api_host: str, allowed_hosts: Sequence[str]) -> None:
        self._app = app
        self._names = LOCAL_NAMES | {name.lower() for name in allowed_hosts} | {api_host.lower()}
        self._is_public = not _is_local(api_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_allowed(scope):
            await self._app(scope, receive, send)
            return
        sent = printable(", ".join(Headers(scope=scope).getlist("host")), 100)
        detail = f"This service does not answer for the host '{sent}'; its operator can add it to ALLOWED_HOSTS."
        await json_response({"detail": detail}, 421)(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        sent = Headers(scope=scope).getlist("host")
        if not sent or EVERY_HOST in self._names:
            return True
        match = _HOST.fullmatch(sent[0]) if len(sent) == 1 else None
        return match is not None and self._is_ours(match[1] or match[2], scope)

    def _is_ours(self, host: str, scope: Scope) -> bool:
        address = _address(host)
        if address is None:
            return host.lower().removesuffix(".") in self._names
        connected_to = _address((scope.get("server") or ("",))[0])
        return self._is_public or host.lower() in self._names or _is_loopback(address) or address == connected_to


def _is_local(host: str) -> bool:
    address = _address(host)
    return host.lower() in LOCAL_NAMES if address is None else _is_loopback(address)


def _is_loopback(address: IPv4Address | IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
