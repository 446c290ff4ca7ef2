"""One run on the service: watch it, wait for it, cancel it, read its result."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from hqg_backtester.client.answers import run_error
from hqg_backtester.client.backoff import Backoff
from hqg_backtester.client.errors import ClientError, RunNotFinished, WaitTimedOut
from hqg_backtester.client.events import Event, follow
from hqg_backtester.client.page import run_page
from hqg_backtester.client.progress import Watcher
from hqg_backtester.client.result import Result
from hqg_backtester.client.transport import Transport

PAUSE_SECONDS = 0.1
STOP_SECONDS = 10.0
"""How long to wait for a cancelled run to end: its box dies within a second if its service is up."""

INTERRUPTED_PATIENCE_SECONDS = 5.0
"""After Ctrl-C, how long to try to cancel if the service does not answer."""

PARTS = {"include": "trades,benchmark_metrics,rolling,periods,plots,log_lines", "conventions": "lean"}
"""What a result has beyond the usual answer: everything there is."""

_UNDER_WAY = ("queued", "running")


@dataclass(repr=False)
class Run:
    """A run on the service. It does not depend on this program and outlives it.

    Several threads may use one Run; each call makes its own requests.

    Attributes:
        run_hash: identifies it permanently; `client.get(run_hash)` finds it again.
        summary: its last known state; `refresh` updates it.
    """

    transport: Transport
    summary: Mapping[str, Any]

    @property
    def run_hash(self) -> str:
        """Identifies the run: the hash of everything that decides its result."""
        return str(self.summary["run_hash"])

    @property
    def name(self) -> str | None:
        """The name that the run was given."""
        name: str | None = self.summary.get("name")
        return name

    @property
    def status(self) -> str:
        """As last reported: queued, running, succeeded, failed, cancelled or timed_out."""
        return str(self.summary["status"])

    @property
    def is_finished(self) -> bool:
        """Whether, as last reported, the run has ended."""
        return self.status not in _UNDER_WAY

    @property
    def metrics(self) -> Mapping[str, Any] | None:
        """As last reported: every metric once the run has succeeded."""
        metrics = self.summary.get("metrics")
        return None if metrics is None else MappingProxyType(metrics)

    @property
    def recomputed(self) -> Mapping[str, Any] | None:
        """As last reported: the outcome of the last `rerun`, with the paths of the values that differ."""
        recomputed: Mapping[str, Any] | None = self.summary.get("recomputed")
        return recomputed

    def refresh(self) -> "Run":
        """Fetch the current state from the service; returns this run.

        Raises:
            RunNotFound, ClientError
        """
        self.summary = self.transport.ask("GET", self._path).json()
        return self

    def stream(self, after: int | None = None) -> Iterator[Event]:
        """The run's events as they happen, from its beginning, each once and in order.

        Lost connections are re-established, even across a restart of the service.

        Args:
            after: id of the last event already seen; None starts with the first.

        Raises:
            RunNotFound, ClientError
        """
        return follow(self.transport, f"{self._path}/events", after)

    def wait(
        self,
        *,
        watcher: Watcher | None = None,
        timeout_seconds: float | None = None,
        cancel_on_interrupt: bool = False,
    ) -> Result:
        """Wait for the run to end and return its result.

        Args:
            watcher: receives each event.
            timeout_seconds: maximum wait; None waits as long as the run takes.
            cancel_on_interrupt: Ctrl-C also cancels the run on the service, before KeyboardInterrupt is raised.

        Raises:
            RunError: the run ended without a result: StrategyFailed, NoPrices, RunCancelled, RunTimedOut, ….
            WaitTimedOut: the run is still in progress.
            ClientError
        """
        try:
            self._watch(watcher, timeout_seconds)
        except KeyboardInterrupt:
            if cancel_on_interrupt:
                with suppress(ClientError):
                    self.cancel(patience_seconds=INTERRUPTED_PATIENCE_SECONDS)
            raise
        return self.result()

    def _watch(self, watcher: Watcher | None, timeout_seconds: float | None) -> None:
        until = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        transport = self.transport if watcher is None else self.transport.telling(watcher.trouble)
        after: int | None = None
        while not (self.is_finished or self.refresh().is_finished):
            if until is not None and time.monotonic() >= until:
                raise WaitTimedOut(f"Not finished within {timeout_seconds:g} s; the run continues: {self.run_hash}")
            had_news = False
            for event in follow(transport, f"{self._path}/events", after, until):
                after, had_news = event.id, True
                if watcher is not None:
                    watcher.see(event)
            if not had_news:
                time.sleep(PAUSE_SECONDS)

    def result(self) -> Result:
        """The result of the finished run.

        Raises:
            RunNotFinished: it is still in progress.
            RunError: it ended without a result.
        """
        if not self.is_finished and not self.refresh().is_finished:
            raise RunNotFinished(f"The run is {self.status}: call wait() first.")
        if not self.summary.get("has_result"):
            raise run_error(self.summary)
        raw = self.transport.ask("GET", f"{self._path}/result", query=PARTS).json()
        return Result(raw, self._fetched)

    def cancel(self, *, patience_seconds: float | None = None) -> "Run":
        """Cancel the run if it is in progress and wait briefly for its end; a finished run stays. Returns this run.

        Args:
            patience_seconds: how long to retry if the service does not answer; None uses the client's patience.

        Raises:
            RunNotFound, ClientError
        """
        backoff = None if patience_seconds is None else Backoff(patience_seconds)
        # Sent again after a lost answer, it changes nothing; 409: the run has finished.
        self.transport.ask("POST", f"{self._path}/cancel", accepted=(409,), backoff=backoff)
        until = time.monotonic() + STOP_SECONDS
        while not self.refresh().is_finished and time.monotonic() < until:
            time.sleep(PAUSE_SECONDS)
        return self

    def delete(self) -> None:
        """Delete the run with its result, events and files; a run in progress is cancelled first.

        Raises:
            ClientError
        """
        # 200: the run was cancelled; 404: it is gone, perhaps through a request whose answer was lost.
        while self.transport.ask("DELETE", self._path, accepted=(404,)).status == 200:
            time.sleep(PAUSE_SECONDS)

    def report_bytes(self) -> bytes:
        """The service's report.html."""
        return self._fetched("artifacts/report.html")

    def _fetched(self, part: str) -> bytes:
        return self.transport.ask("GET", f"{self._path}/{part}").body

    @property
    def studio_url(self) -> str:
        """The URL of the page that shows this run in a browser."""
        return f"{self.transport.url.rstrip('/')}/?run={self._name}"

    def __repr__(self) -> str:
        return f"<Run {self.run_hash[:12]}: {self.name!r}, {self.status}>"

    def _repr_html_(self) -> str:
        return run_page(self.summary)

    @property
    def _name(self) -> str:
        return quote(self.run_hash, safe="")

    @property
    def _path(self) -> str:
        return f"/api/v1/runs/{self._name}"
