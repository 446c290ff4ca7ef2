"""The owner whose runs and presets a request may see."""

from typing import Annotated

from fastapi import Depends, Request

LOCAL_OWNER = "local"
"""Owns everything while log-in is off."""


def owner_of(request: Request) -> str:
    """The subject of the request's token, or LOCAL_OWNER without log-in."""
    principal = request.state.principal
    return LOCAL_OWNER if principal is None else str(principal.subject)


async def _owner_of(request: Request) -> str:
    return owner_of(request)


OwnerDep = Annotated[str, Depends(_owner_of)]
