"""Whether the service is up, whether it could run a strategy now, and its parts in detail."""

import asyncio
import platform
import sys
import time
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from src.api.http.dependencies import ServicesDep
from src.api.http.json_response import json_response
from src.api.http.telemetry import Telemetry, pool_counts
from src.api.responses.problems import ACCESS_PROBLEMS
from src.app.services import Services
from src.models.problems import Refusal
from src.services.backtests.identity import ENGINE_VERSION

router = APIRouter(tags=["health"])

LOOK_SECONDS = 5.0
"""Maximum age of the sandbox's known state: querying an engine takes milliseconds, and probes are frequent."""

PACKAGES = ("fastapi", "hqg-algorithms", "numpy", "pandas", "pydantic", "uvicorn")
"""Packages whose versions a problem report needs."""


class HealthPart(BaseModel):
    """Base of all parts of these answers."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class SandboxHealth(HealthPart):
    """The sandbox that would run a strategy now; at most five seconds old."""

    name: str
    """The backend: docker, bubblewrap or none."""
    available: bool
    """False: runs are refused with 503."""
    reason: str | None
    """Why it is unavailable, and what an operator can do about it."""
    memory_limited_by: str | None
    """What limits a box's memory: a container, a cgroup, or limits of one process; null without a sandbox."""
    processes_limited_by: str | None
    """What limits a box's number of processes; null without a sandbox."""


class Health(HealthPart):
    """The service is up."""

    status: Literal["healthy"] = "healthy"
    """Always "healthy": an unhealthy service does not answer."""
    sandbox: SandboxHealth


class Readiness(HealthPart):
    """Whether a run could start now."""

    status: Literal["ready", "not ready"]
    """"ready" comes with 200, "not ready" with 503."""
    reasons: list[str]
    """Why a run could not start; empty if it could."""


class QueueHealth(HealthPart):
    """How busy the service is."""

    running: int
    """Number of running runs."""
    max_running: int
    """Maximum number of running runs."""
    waiting: int
    """Number of waiting runs."""
    max_waiting: int
    """Maximum number of waiting runs."""


class SandboxDetail(SandboxHealth):
    """The sandbox and its limits."""

    runtime: str | None
    """The configured OCI runtime, such as runsc; null is the backend's default."""
    memory_bytes: int | None
    """Memory of one box; null without a sandbox."""


class DetailedHealth(HealthPart):
    """The state of the service at a glance."""

    status: Literal["ready", "not ready"]
    """Whether a run could start now."""
    reasons: list[str]
    """Why a run could not start."""
    sandbox: SandboxDetail
    pool: dict[str, int]
    """Number of warm boxes by state; empty if none are kept."""
    queue: QueueHealth
    data_provider: str
    """Name of the price source."""
    uptime_seconds: float
    """Seconds since the service started."""
    versions: dict[str, str]
    """Versions of the service, its engine, Python and the main packages."""


class SandboxWatch:
    """Caches the sandbox's state for a few seconds."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self._asked_at = -LOOK_SECONDS
        self._known: SandboxHealth | None = None

    async def look(self, services: Services) -> SandboxHealth:
        """The sandbox's state, queried again if it is older than LOOK_SECONDS."""
        if self._known is None or time.monotonic() - self._asked_at >= LOOK_SECONDS:
            # Set before the query: if the engine hangs, only one probe waits for it, not all.
            self._asked_at = time.monotonic()
            # Not in the routes' thread pool: its threads may all be busy, and probes must not wait for them.
            reason = await asyncio.to_thread(services.sandbox.unavailable_reason)
            held_by = services.sandbox.enforcement if reason is None else None
            self._known = SandboxHealth(
                name=services.sandbox.name,
                available=reason is None,
                reason=reason,
                memory_limited_by=held_by and held_by.memory,
                processes_limited_by=held_by and held_by.processes,
            )
        return self._known


@router.get(
    "/health",
    operation_id="health",
    summary="Whether the service is up",
    response_description="It is up.",
    responses={500: ACCESS_PROBLEMS[500]},
)
async def health(request: Request, services: ServicesDep) -> Health:
    """The service is up. `sandbox` says whether it could run a strategy now."""
    return Health(sandbox=await _watch(request).look(services))


@router.get(
    "/api/v1/health/ready",
    operation_id="ready",
    summary="Whether a run could start now",
    response_description="A run could start now.",
    response_model=Readiness,
    responses={**ACCESS_PROBLEMS, 503: {"model": Readiness | Refusal, "description": "A run could not start now."}},
)
async def ready(request: Request, services: ServicesDep) -> Response:
    """Whether a run could start now: a sandbox works, and the queue has room."""
    answer = _readiness(await _watch(request).look(services), services)
    return json_response(answer.model_dump(), 200 if answer.status == "ready" else 503)


@router.get(
    "/api/v1/health/detailed",
    operation_id="health_detailed",
    summary="The service in detail",
    response_description="The service's state; that of the sandbox is at most five seconds old.",
    responses=ACCESS_PROBLEMS,
)
async def detailed(request: Request, services: ServicesDep) -> DetailedHealth:
    """Sandbox, pool, queue, price source and versions."""
    watch = _watch(request)
    sandbox = await watch.look(services)
    readiness, slots = _readiness(sandbox, services), services.run_slots
    return DetailedHealth(
        status=readiness.status,
        reasons=readiness.reasons,
        sandbox=SandboxDetail(
            **sandbox.model_dump(),
            runtime=sandbox.name.partition("+")[2] or None,
            memory_bytes=services.sandbox.memory_bytes if sandbox.available else None,
        ),
        pool=pool_counts(services),
        queue=QueueHealth(
            running=slots.n_running,
            max_running=slots.max_running,
            waiting=slots.n_waiting,
            max_waiting=slots.max_waiting,
        ),
        data_provider=services.data_source,
        uptime_seconds=round(time.monotonic() - watch.started, 1),
        versions=_versions(request),
    )


@router.get("/metrics", operation_id="metrics", include_in_schema=False)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Runs by outcome, seconds by step, queue and pool, in Prometheus's text format."""
    telemetry: Telemetry = request.app.state.telemetry
    return Response(telemetry.scrape(services), media_type="text/plain; version=0.0.4; charset=utf-8")


def _watch(request: Request) -> SandboxWatch:
    watch: SandboxWatch = request.app.state.sandbox_watch
    return watch


def _readiness(sandbox: SandboxHealth, services: Services) -> Readiness:
    reasons = [] if sandbox.available else [sandbox.reason or "no sandbox works here"]
    if services.run_slots.is_full:
        reasons.append("all run slots are taken and the queue is full")
    return Readiness(status="not ready" if reasons else "ready", reasons=reasons)


def _versions(request: Request) -> dict[str, str]:
    python = f"{platform.python_implementation()} {'.'.join(str(part) for part in sys.version_info[:3])}"
    own = {"service": request.app.version, "engine": ENGINE_VERSION, "python": python}
    return own | {package: version(package) for package in PACKAGES}
