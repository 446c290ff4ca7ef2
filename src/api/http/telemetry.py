"""Measures of runs for Prometheus and the log: counts and seconds, never a client's code."""

import logging
import time
from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from src.app.services import Services
from src.errors import BacktesterError
from src.services.runs.notifications import EndedRun

logger = logging.getLogger(__name__)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_STEPS = frozenset({"analysis", "data", "sandbox", "audit", "metrics", "total"})


@dataclass
class RunReport:
    """The facts of one run.

    Attributes:
        started: time.perf_counter() seconds at which it was requested.
        waited_seconds: time in the queue; None while it waits.
        timings_ms: milliseconds by step, once it has succeeded.
        run_hash: its identity, once it has succeeded.
        outcome: how it ended, once it has succeeded.
    """

    started: float
    waited_seconds: float | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)
    run_hash: str | None = None
    outcome: str = "completed"

    def begins(self) -> None:
        """Record that it has left the queue."""
        self.waited_seconds = time.perf_counter() - self.started

    def ends(self, run_hash: str, timings_ms: Mapping[str, float], *, is_reused: bool) -> None:
        """Record that it has succeeded, now or in an earlier request."""
        self.timings_ms = {step: value for step, value in timings_ms.items() if step in _STEPS}
        self.run_hash = run_hash
        self.outcome = "reused" if is_reused else "completed"


class Telemetry:
    """The measures of one application, in its own registry."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._runs = Counter("hqg_runs", "Runs that ended, by outcome.", ["outcome"], registry=self._registry)
        self._run_seconds = Histogram(
            "hqg_run_seconds",
            "Seconds from request to answer, or from acceptance to end for a queued run.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._wait_seconds = Histogram(
            "hqg_run_wait_seconds", "Seconds that a run waited.", buckets=_SECONDS, registry=self._registry
        )
        self._step_seconds = Histogram(
            "hqg_run_step_seconds",
            "Duration of each step of a run in seconds.",
            ["step"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._requests = Counter(
            "hqg_http_requests", "Responses, by method and status.", ["method", "status"], registry=self._registry
        )
        self._now = Gauge("hqg_runs_now", "Current number of runs, by state.", ["state"], registry=self._registry)
        self._most = Gauge("hqg_runs_most", "Maximum number of runs, by state.", ["state"], registry=self._registry)
        self._readings = Gauge("hqg_readings_waiting", "Sources waiting to be read.", registry=self._registry)
        self._pool = Gauge("hqg_pool_boxes", "Boxes in the warm pool, by state.", ["state"], registry=self._registry)

    @contextmanager
    def observed(self, report: RunReport) -> Iterator[None]:
        """Count and log the run that the block waits for, whether it succeeds or fails."""
        outcome = "internal"
        try:
            yield
            outcome = report.outcome
        except BacktesterError as error:
            outcome = error.code
            raise
        except CancelledError:
            outcome = "run_cancelled"
            raise
        finally:
            self._run_ended(report, outcome)

    def request_ended(self, method: str, status: int) -> None:
        """Count one response."""
        known = method if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} else "other"
        self._requests.labels(known, str(status)).inc()

    def scrape(self, services: Services) -> bytes:
        """All measures in Prometheus's text format."""
        slots = services.run_slots
        for state, now, most in (
            ("running", slots.n_running, slots.max_running),
            ("waiting", slots.n_waiting, slots.max_waiting),
        ):
            self._now.labels(state).set(now)
            self._most.labels(state).set(most)
        self._readings.set(services.readings.n_waiting)
        for state, count in pool_counts(services).items():
            self._pool.labels(state).set(count)
        return generate_latest(self._registry)

    def queued_run_ended(self, run: EndedRun) -> None:
        """Count a run from the queue. Thread-safe."""
        timings_ms = {step: value for step, value in run.timings_ms.items() if step in _STEPS}
        self._count(run.outcome, run.seconds, run.waited_seconds, timings_ms)

    def _run_ended(self, report: RunReport, outcome: str) -> None:
        seconds = time.perf_counter() - report.started
        self._count(outcome, seconds, report.waited_seconds, report.timings_ms)
        timings = {f"{step}_ms": milliseconds for step, milliseconds in report.timings_ms.items()}
        waited_ms = None if report.waited_seconds is None else round(report.waited_seconds * 1000, 1)
        logger.info(
            "run %s in %.0f ms",
            outcome,
            seconds * 1000,
            extra={"outcome": outcome, "waited_ms": waited_ms, "run_hash": report.run_hash, **timings},
        )

    def _count(
        self, outcome: str, seconds: float, waited_seconds: float | None, timings_ms: Mapping[str, float]
    ) -> None:
        self._runs.labels(outcome).inc()
        if outcome != "reused":
            # Milliseconds of the store would blur the histogram of runs, which take seconds.
            self._run_seconds.observe(seconds)
        if waited_seconds is not None:
            self._wait_seconds.observe(waited_seconds)
        for step, milliseconds in timings_ms.items():
            if step != "total":
                self._step_seconds.labels(step).observe(milliseconds / 1000)


def pool_counts(services: Services) -> dict[str, int]:
    """The numbers of ready and of wanted warm boxes; empty if the sandbox keeps none."""
    pool: Any = services.sandbox
    return {"ready": pool.n_ready, "wanted": pool.size} if hasattr(pool, "n_ready") else {}
