"""Measures an honest client's latency while another client, within its rate limits, posts the slowest sources to read.

    python -m bench.attack [connections of the attacker, 45] [seconds, 20]

The attacker has its own address. Each row is one kind of honest request, repeated during the attack; the program exits
with 1 if any answer took longer than MAX_SECONDS.
"""

import http.client
import itertools
import json
import socket
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field

from bench.service import posted_body
from bench.serving import Server, serving

MAX_SECONDS = 2.0
ATTACKER, HONEST = "127.0.0.2", "127.0.0.3"
NUMBERS = itertools.count(1)

HONEST_LIMITS = {"RATE_LIMIT_PER_MINUTE": "60", "RATE_LIMIT_PER_HOUR": "600"}


def slow_source() -> str:
    """51 kB that took five seconds to read when it was found; each call returns a different source."""
    names = ", ".join(f'"x{number}"' for number in range(3_000))
    lines = "\n".join("            getattr(data, n)" for _ in range(700))
    return f"""# {next(NUMBERS)}
from hqg_algorithms import Cadence, Hold, Strategy


class Slow(Strategy):
    universe = ["SPY"]
    cadence = Cadence()

    def on_data(self, data, portfolio):
        for n in ({names}):
{lines}
        return Hold()
"""


def validation(source: str) -> tuple[str, str, bytes | None]:
    """Method, path and body of a request that reads a source."""
    return "POST", "/api/v1/validate", json.dumps({"strategy_code": source}).encode()


def backtest(source: str) -> tuple[str, str, bytes | None]:
    """Method, path and body of a request that runs a source."""
    posted = {"strategy_code": source, "start_date": "2015-01-01", "end_date": "2015-12-31"}
    return "POST", "/api/v1/backtest", json.dumps(posted).encode()


def an_honest_backtest() -> tuple[str, str, bytes | None]:
    """A new strategy over eleven years."""
    body = json.loads(posted_body(seed=next(NUMBERS)))
    return (
        "POST",
        "/api/v1/backtest",
        json.dumps(body | {"strategy_code": f"# {next(NUMBERS)}\n{body['strategy_code']}"}).encode(),
    )


HONEST_REQUESTS: dict[str, Callable[[], tuple[str, str, bytes | None]]] = {
    "GET /health": lambda: ("GET", "/health", None),
    "GET /docs": lambda: ("GET", "/docs", None),
    "GET /api/v1/runs": lambda: ("GET", "/api/v1/runs", None),
    "POST /api/v1/validate": lambda: validation(f"# {next(NUMBERS)}"),
    "POST /api/v1/backtest": an_honest_backtest,
}


def ask(
    server: Server, address: str, request: tuple[str, str, bytes | None], opened: list[socket.socket] | None = None
) -> tuple[int, float]:
    """Status and seconds of one request from that address, on a connection of its own.

    Args:
        opened: its socket is put there.
    """
    method, path, body = request
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300, source_address=(address, 0))
    with closing(connection):
        connection.connect()
        if opened is not None:
            opened.append(connection.sock)
        began = time.perf_counter()
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        answer.read()
        return answer.status, time.perf_counter() - began


@dataclass
class Attack:
    """Connections that post slow sources, each the next one as soon as the last is answered."""

    server: Server
    attacked: Callable[[str], tuple[str, str, bytes | None]]
    answers: Counter[int] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)
    opened: list[socket.socket] = field(default_factory=list)

    def end(self) -> None:
        """Close all waiting connections."""
        self.over.set()
        for connection in self.opened:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __call__(self) -> None:
        """One connection."""
        while not self.over.is_set():
            try:
                status, _ = ask(self.server, ATTACKER, self.attacked(slow_source()), self.opened)
            except (OSError, http.client.HTTPException):
                status = 0
            self.answers[status] += 1
            if status != 200:
                self.over.wait(0.5)


def under_attack(
    server: Server, attacked: Callable[[str], tuple[str, str, bytes | None]], connections: int, seconds: float
) -> float:
    """Print the duration of honest requests; returns the longest."""
    attack = Attack(server, attacked)
    threads = [threading.Thread(target=attack, daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    spent: dict[str, list[float]] = {name: [] for name in HONEST_REQUESTS}
    statuses: Counter[int] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name, request in HONEST_REQUESTS.items():
            status, took = ask(server, HONEST, request())
            spent[name].append(took)
            statuses[status] += 1
        time.sleep(1)
    attack.end()
    print(f"\n{connections} connections on {attacked.__name__}: the attacker's answers {dict(attack.answers)}")
    for name, took in spent.items():
        print(
            f"  {name:<24} {len(took):>3} asked, longest {max(took):>7.2f} s, median {statistics.median(took):>7.2f} s"
        )
    print(f"  statuses of the honest: {dict(statuses)}")
    return max(max(took) for took in spent.values()) if set(statuses) == {200} else float("inf")


def main() -> int:
    """Run it; 0 if every honest request was answered in time."""
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else 45
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    longest = 0.0
    for attacked in (validation, backtest):
        with serving({"DATA_PROVIDER": "mock", **HONEST_LIMITS}) as server:
            time.sleep(5)  # until boxes and calendars are ready
            longest = max(longest, under_attack(server, attacked, connections, seconds))
    return 0 if longest <= MAX_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
