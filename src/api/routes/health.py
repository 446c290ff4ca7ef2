"""Whether the service lives, whether it could run a strategy now, and what it is made of."""

import asyncio
import platform
import sys
import time
from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from src.api.dependencies import Services, ServicesDep
from src.api.documentation import ADMISSION_PROBLEMS
from src.api.json_answer import json_answer
from src.api.telemetry import Telemetry, pool_counts
from src.models.problems import Refusal
from src.services.run_identity import ENGINE_VERSION

router = APIRouter(tags=["health"])

LOOK_SECONDS = 5.0
"""How old what is known of the sandbox may be: asking an engine takes milliseconds, and probes come often."""

PACKAGES = ("fastapi", "hqg-algorithms", "numpy", "pandas", "pydantic", "uvicorn")
"""Whose versions an operator is asked for."""


class HealthPart(BaseModel):
    """What all parts of these answers have in common."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class SandboxHealth(HealthPart):
    """What would contain a strategy now, as of at most five seconds ago."""

    name: str
    """The backend: docker, bubblewrap or none."""
    available: bool
    """False: runs are refused with 503."""
    reason: str | None
    """Why not, and what an operator can do about it."""
    memory_limited_by: str | None
    """What holds a box to its memory: a container, a cgroup, or limits of one process; null without a sandbox."""
    processes_limited_by: str | None
    """What holds a box to its number of processes; null without a sandbox."""


class Health(HealthPart):
    """The service answers."""

    status: Literal["healthy"] = "healthy"
    """Always "healthy": a service that is not does not answer."""
    sandbox: SandboxHealth


class Readiness(HealthPart):
    """Whether a run could start now."""

    status: Literal["ready", "not ready"]
    """"ready" comes with 200, "not ready" with 503."""
    reasons: list[str]
    """Why a run could not start; empty when it could."""


class QueueHealth(HealthPart):
    """How busy the service is."""

    running: int
    """Runs under way, a count."""
    max_running: int
    """Runs that may be under way, a count."""
    waiting: int
    """Runs in line, a count."""
    max_waiting: int
    """Runs that may be in line, a count."""


class SandboxDetail(SandboxHealth):
    """What contains strategies, and how much each may take."""

    runtime: str | None
    """The OCI runtime that was asked for, such as runsc; null is the backend's own default."""
    memory_bytes: int | None
    """Memory of one box; null without a sandbox."""


class DetailedHealth(HealthPart):
    """What an operator wants to see at one glance."""

    status: Literal["ready", "not ready"]
    """Whether a run could start now."""
    reasons: list[str]
    """Why a run could not start."""
    sandbox: SandboxDetail
    pool: dict[str, int]
    """Warm boxes by state, a count; empty where none are kept."""
    queue: QueueHealth
    data_provider: str
    """Name of the price source."""
    uptime_seconds: float
    """Seconds since the service started."""
    versions: dict[str, str]
    """Of the service, its engine, Python and the packages that matter."""


class SandboxWatch:
    """Remembers for a moment what the sandbox said of itself."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self._asked_at = -LOOK_SECONDS
        self._known: SandboxHealth | None = None

    async def look(self, services: Services) -> SandboxHealth:
        """What the sandbox says, asked again when that is older than LOOK_SECONDS."""
        if self._known is None or time.monotonic() - self._asked_at >= LOOK_SECONDS:
            # Set before asking: an engine that hangs is asked by one probe, not by all of them.
            self._asked_at = time.monotonic()
            # Not in the thread pool of the routes: its threads may all be busy, and probes must not wait for them.
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
    summary="Whether the service lives",
    response_description="It lives.",
    responses={500: ADMISSION_PROBLEMS[500]},
)
async def health(request: Request, services: ServicesDep) -> Health:
    """The service lives. `sandbox` says whether it could run a strategy now."""
    return Health(sandbox=await _watch(request).look(services))


@router.get(
    "/api/v1/health/ready",
    operation_id="ready",
    summary="Whether a run could start now",
    response_description="A run could start now.",
    response_model=Readiness,
    responses={**ADMISSION_PROBLEMS, 503: {"model": Readiness | Refusal, "description": "A run could not start now."}},
)
async def ready(request: Request, services: ServicesDep) -> Response:
    """Whether a run could start now: there is a sandbox and a place in line."""
    answer = _readiness(await _watch(request).look(services), services)
    return json_answer(answer.model_dump(), 200 if answer.status == "ready" else 503)


@router.get(
    "/api/v1/health/detailed",
    operation_id="health_detailed",
    summary="What the service is made of",
    response_description="As of at most five seconds ago.",
    responses=ADMISSION_PROBLEMS,
)
async def detailed(request: Request, services: ServicesDep) -> DetailedHealth:
    """Sandbox, pool, queue, price source and versions."""
    watch = _watch(request)
    sandbox = await watch.look(services)
    readiness, gate = _readiness(sandbox, services), services.run_gate
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
            running=gate.n_running,
            max_running=gate.max_running,
            waiting=gate.n_waiting,
            max_waiting=gate.max_waiting,
        ),
        data_provider=services.data_source,
        uptime_seconds=round(time.monotonic() - watch.started, 1),
        versions=_versions(request),
    )


@router.get("/metrics", operation_id="metrics", include_in_schema=False)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Runs by outcome, seconds by step, queue and pool, in Prometheus' text format."""
    telemetry: Telemetry = request.app.state.telemetry
    return Response(telemetry.scrape(services), media_type="text/plain; version=0.0.4; charset=utf-8")


def _watch(request: Request) -> SandboxWatch:
    watch: SandboxWatch = request.app.state.sandbox_watch
    return watch


def _readiness(sandbox: SandboxHealth, services: Services) -> Readiness:
    reasons = [] if sandbox.available else [sandbox.reason or "no sandbox works here"]
    if services.run_gate.is_full:
        reasons.append("every place to run and to wait is taken")
    return Readiness(status="not ready" if reasons else "ready", reasons=reasons)


def _versions(request: Request) -> dict[str, str]:
    python = f"{platform.python_implementation()} {'.'.join(str(part) for part in sys.version_info[:3])}"
    own = {"service": request.app.version, "engine": ENGINE_VERSION, "python": python}
    return own | {package: version(package) for package in PACKAGES}
