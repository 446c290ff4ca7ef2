"""Whether the service lives, and whether it could run a strategy now."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from src.api.dependencies import SandboxDep

router = APIRouter(tags=["health"])


class SandboxHealth(BaseModel):
    """What would contain a strategy now."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    """The backend: docker, bubblewrap or none."""
    available: bool
    """False: runs are refused with 503."""
    reason: str | None
    """Why not, and what an operator can do about it."""


class Health(BaseModel):
    """The service answers."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    status: str = "healthy"
    """Always "healthy": a service that is not does not answer."""
    sandbox: SandboxHealth


@router.get("/health", operation_id="health")
async def health(sandbox: SandboxDep) -> Health:
    """The service lives. `sandbox` says whether it could run a strategy now."""
    reason = await run_in_threadpool(sandbox.unavailable_reason)
    return Health(sandbox=SandboxHealth(name=sandbox.name, available=reason is None, reason=reason))
