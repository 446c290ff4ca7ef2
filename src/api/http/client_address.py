"""Identifies clients by address: the forwarding header counts only if a trusted proxy wrote it."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

MAX_FORWARDED_CHARACTERS = 2_000
UNKNOWN = "unknown"


def client_key(request: Request, trusted_proxies: Sequence[Network]) -> str:
    """The client's address; for IPv6 its /64 network, all of which belongs to the client.

    Args:
        trusted_proxies: their X-Forwarded-For is trusted; the last address in it that is not a proxy's counts.
    """
    address = _parsed(request.client.host) if request.client else None
    if address is None:
        return UNKNOWN
    if _is_trusted(address, trusted_proxies):
        address = _forwarded(request, trusted_proxies) or address
    return _key(address)


def address_key(address: str) -> str:
    """The same key for an address without a request."""
    parsed = _parsed(address)
    return UNKNOWN if parsed is None else _key(parsed)


def is_trusted_address(address: str, trusted_proxies: Sequence[Network]) -> bool:
    """Whether it is one of these proxies."""
    parsed = _parsed(address)
    return parsed is not None and _is_trusted(parsed, trusted_proxies)


def _key(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


def _forwarded(request: Request, trusted_proxies: Sequence[Network]) -> Address | None:
    chain = ",".join(request.headers.getlist("x-forwarded-for"))[-MAX_FORWARDED_CHARACTERS:]
    address = None
    for hop in reversed(chain.split(",")):
        parsed = _parsed(hop.strip())
        if parsed is None:
            return address
        address = parsed
        if not _is_trusted(address, trusted_proxies):
            return address
    return address


def _parsed(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_trusted(address: Address, networks: Sequence[Network]) -> bool:
    plain = address.ipv4_mapped if isinstance(address, IPv6Address) and address.ipv4_mapped else address
    return any(plain in network for network in networks)
