"""What a very large answer costs the service: memory, and the wait of other requests.

200 symbols rebalanced every day of 25 years: more than a million orders and over 100 MB of JSON, on synthetic prices.

    python -m bench.large_answer [--symbols 200] [--years 25] [--backend bubblewrap|docker]
"""

import argparse
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.serving import Answer, Client, Server, serving

CODE = """
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, PortfolioView, Signal, Slice, Strategy, TargetWeights


class Busy(Strategy):
    universe = {symbols}
    cadence = Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_CLOSE)

    def on_data(self, data: Slice, portfolio: PortfolioView) -> Signal:
        symbols = data.symbols()
        return TargetWeights({{symbol: 1 / len(symbols) for symbol in symbols}})
"""
HEALTH_PAUSE_SECONDS = 0.005


@dataclass
class Watch:
    """Observations during a request: durations of /health, and the process's peak memory."""

    health_ms: list[float] = field(default_factory=list)
    memory_mb: int = 0


@contextlib.contextmanager
def watching(server: Server) -> Iterator[Watch]:
    """Poll /health while the block runs."""
    watch, closing = Watch(), threading.Event()

    def look() -> None:
        with contextlib.closing(Client(server)) as client:
            while not closing.wait(HEALTH_PAUSE_SECONDS):
                watch.health_ms.append(client.ask("GET", "/health").milliseconds)
                watch.memory_mb = max(watch.memory_mb, server.memory_mb())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        closing.set()
        thread.join()


def report(name: str, server: Server, client: Client, path: str, body: bytes | None, encoding: str) -> Answer:
    """Print one line about one request."""
    before, cpu = server.memory_mb(), server.cpu_milliseconds()
    with watching(server) as watch:
        answer = client.ask("POST" if body else "GET", path, body, {"Accept-Encoding": encoding})
    cpu = server.cpu_milliseconds() - cpu
    slow = sorted(watch.health_ms)[-3:]
    print(
        f"{name:<28}{answer.status:>5}{len(answer.body) / 1e6:>9.1f}{answer.milliseconds / 1e3:>8.1f}{cpu / 1e3:>8.1f}"
        f"{before:>9}{watch.memory_mb:>9}{server.memory_mb():>9}   {', '.join(f'{ms:.0f}' for ms in reversed(slow))}",
        flush=True,
    )
    if answer.status != 200:
        print(answer.body[:500])
    return answer


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=200)
    parser.add_argument("--years", type=int, default=25)
    parser.add_argument("--backend", default="bubblewrap", choices=("docker", "bubblewrap"))
    arguments = parser.parse_args()
    symbols = [f"BUSY{number}" for number in range(arguments.symbols)]
    body: dict[str, object] = {
        "strategy_code": CODE.format(symbols=symbols),
        "start_date": f"{2025 - arguments.years}-01-01",
    }
    body |= {"end_date": "2024-12-31", "initial_capital": 1e9}
    posted, named = json.dumps(body).encode(), json.dumps({**body, "name": "another"}).encode()
    with (
        serving({"DATA_PROVIDER": "mock", "SANDBOX": arguments.backend}) as server,
        contextlib.closing(Client(server, 900.0)) as client,
    ):
        time.sleep(5)  # what is imported in the background is there
        print(f"{'':<28}{'':>5}{'MB':>9}{'s':>8}{'cpu s':>8}{'RSS MB':>9}{'most':>9}{'after':>9}   longest /health, ms")
        first = report("POST, fresh", server, client, "/api/v1/backtest", posted, "identity")
        if first.status != 200:
            return
        path = f"/api/v1/runs/{first.headers['x-run-hash']}"
        del first
        with watching(server) as sealing:
            time.sleep(45)
        print(f"{'sealing':<67}{sealing.memory_mb:>9}{server.memory_mb():>9}   {max(sealing.health_ms):.0f}")
        report("POST, reused, gzip", server, client, "/api/v1/backtest", posted, "gzip")
        report("POST, reused", server, client, "/api/v1/backtest", posted, "identity")
        report("POST, reused, other name", server, client, "/api/v1/backtest", named, "identity")
        report("GET result, gzip", server, client, f"{path}/result", None, "gzip")
        report("GET result", server, client, f"{path}/result", None, "identity")
        report("GET job", server, client, f"/api/v1/backtest/{path.rsplit('/', 1)[1]}", None, "identity")
        older = {"code": body["strategy_code"], "initial_cash": 1e9, "start_date": body["start_date"]}
        older |= {"end_date": body["end_date"]}
        report("POST, older", server, client, "/backtest", json.dumps(older).encode(), "identity")
        report("POST, older, reused", server, client, "/backtest", json.dumps(older).encode(), "identity")
        report("GET result.json", server, client, f"{path}/artifacts/result.json", None, "identity")
        print(f"most memory ever: {server.memory_mb('VmHWM')} MB; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
