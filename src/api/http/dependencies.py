"""How a route gets a service: by type, never from a global."""

from typing import Annotated

from fastapi import Depends, Request

from src.app.services import Services


# A coroutine, because the framework would run a plain function in the thread pool, which may be busy.
async def _services(request: Request) -> Services:
    services: Services = request.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
