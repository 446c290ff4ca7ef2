"""Fifty clients for a minute against one local service: their answers, and whether it stays responsive.

Starts its own service on 127.0.0.1 (SANDBOX and other settings from the environment, synthetic prices, no rate limit)
and stops it again. Exits with 1 when an answer is none of 200, 429 and 503, when a run is lost, or when the
95th percentile of /health is above 100 ms.

    python -m bench.load [seconds] [clients]
"""

import http.client
import itertools
import json
import random
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from bench.serving import PROJECT, serving

ALLOWED = {200, 429, 503}
MAX_HEALTH_SECONDS = 0.1
LONGEST_REST_SECONDS = 5.0
READY_SECONDS = 60.0


@dataclass
class Tally:
    """The observations of all clients, appended from their threads."""

    statuses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    seeds: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    results: set[str] = field(default_factory=set)
    health_seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes, str | None]:
    """Status, body and Retry-After of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with closing(connection):
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Retry-After")


def client(port: int, request: dict[str, Any], until: float, tally: Tally) -> None:
    """Post repeatedly; after a refusal, wait as long as the service asks."""
    while time.monotonic() < until:
        started = time.monotonic()
        # A new seed each time, which the strategy does not use: another run with the same result.
        body = json.dumps({**request, "seed": next(tally.seeds)}).encode()
        try:
            status, answer, retry_after = ask(port, "POST", "/api/v1/backtest", body)
        except OSError as error:
            tally.faults.append(f"no answer: {error!r}")
            continue
        tally.statuses.append(status)
        if status == 200:
            tally.seconds.append(time.monotonic() - started)
            tally.results.add(json.dumps(json.loads(answer)["metrics"], sort_keys=True))
        elif status in ALLOWED:
            # Spread out, as fifty people would be.
            rest = min(float(retry_after or 1), LONGEST_REST_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311
            time.sleep(max(0.0, min(rest, until - time.monotonic())))
        else:
            tally.faults.append(f"{status}: {answer[:200]!r}")


def watch_health(port: int, until: float, tally: Tally) -> None:
    """Poll /health ten times per second."""
    while time.monotonic() < until:
        started = time.monotonic()
        try:
            status, _, _ = ask(port, "GET", "/health")
        except OSError as error:
            tally.faults.append(f"/health: {error!r}")
            continue
        tally.health_seconds.append(time.monotonic() - started)
        if status != 200:
            tally.faults.append(f"/health: {status}")
        time.sleep(0.1)


def counted_runs(port: int) -> Counter[str]:
    """Runs by outcome, as the service itself counts them."""
    runs: Counter[str] = Counter()
    for line in ask(port, "GET", "/metrics")[1].decode().splitlines():
        if line.startswith("hqg_runs_total{"):
            name, _, value = line.partition("} ")
            runs[name.split('"')[1]] = int(float(value))
    return runs


def percentile(values: list[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def wait_until_ready(port: int) -> None:
    """Wait until its sandbox is ready."""
    until = time.monotonic() + READY_SECONDS
    while ask(port, "GET", "/api/v1/health/ready")[0] != 200:
        if time.monotonic() > until:
            sys.exit("the service is not ready: no sandbox?")
        time.sleep(0.2)


def load(port: int, seconds: float, n_clients: int) -> Tally:
    """Run this many clients for this many seconds and return their observations."""
    request, tally = json.loads((PROJECT / "examples" / "request.json").read_bytes()), Tally()
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=client, args=(port, request, until, tally)) for _ in range(n_clients)]
    threads.append(threading.Thread(target=watch_health, args=(port, until, tally)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def report(tally: Tally, runs: Counter[str], seconds: float) -> list[str]:
    """Print the table; returns the problems."""
    statuses = Counter(tally.statuses)
    facts: dict[str, Any] = {
        "answers": dict(sorted(statuses.items())),
        "runs a second": f"{statuses[200] / seconds:.1f}",
        "run p50, p95, s": f"{percentile(tally.seconds, 0.5):.2f}, {percentile(tally.seconds, 0.95):.2f}",
        "health p50, p95, ms": ", ".join(f"{percentile(tally.health_seconds, p) * 1000:.0f}" for p in (0.5, 0.95)),
        "health asked": len(tally.health_seconds),
        "counted by the service": dict(runs),
        "different results": len(tally.results),
    }
    for name, value in facts.items():
        print(f"{name:<24}{value}")
    wrong = list(tally.faults[:10])
    if runs["completed"] != statuses[200] or runs.total() != len(tally.statuses):
        wrong.append("a run was lost, or counted twice")
    if len(tally.results) != 1:
        wrong.append("the same request gave different results")
    if not percentile(tally.health_seconds, 0.95) <= MAX_HEALTH_SECONDS:
        wrong.append(f"/health took longer than {MAX_HEALTH_SECONDS * 1000:.0f} ms")
    return wrong


def main() -> int:
    """Run it; 0 if there are no problems."""
    seconds = min(float(sys.argv[1]), 300.0) if len(sys.argv) > 1 else 60.0
    n_clients = min(int(sys.argv[2]), 200) if len(sys.argv) > 2 else 50
    with serving({"DATA_PROVIDER": "mock", "LOG_LEVEL": "WARNING"}) as server:
        wait_until_ready(server.port)
        tally = load(server.port, seconds, n_clients)
        wrong = report(tally, counted_runs(server.port), seconds)
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
