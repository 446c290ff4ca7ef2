"""How long a posted backtest takes, and how many a minute: the real server against one `docker run` a request.

The peer does what is usual: a fresh container of the same image for each request, JSON in on standard input,
JSON out on standard output, the strategy and the simulation in one process. It checks nothing.

    python -m bench.service [--seconds 60] [--backend docker|bubblewrap] [--project DIR]
"""

import argparse
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import processor
from bench.prices import FIELDS, Prices, real_or_generated
from bench.serving import PROJECT, Client, Server, serving

SOURCE = (PROJECT / "bench" / "strategies.py").read_text()
FIRST, LAST = "2010-01-01", "2020-12-31"
SEEDS = itertools.count(1)
IMAGE = os.environ.get("SANDBOX_IMAGE", "hqg-backtester-sandbox")
SPACED, REST_SECONDS = 30, 0.5
"""Runs one after the other, each after a rest in which the next warm box starts."""

PEER = """
import json, sys
sys.path.insert(0, "/box")
from array import array
from hqg_algorithms import BarSize, ExecutionTiming
from src.engine.costs import commission_from_wire, slippage_from_wire
from src.engine.market import Market, Rules
from src.engine.simulator import simulate
from src.execution.runner import dialects
from src.execution.runner.signals import signal_reader
from src.execution.runner.views import frame_packer, frame_reader
request = json.load(sys.stdin)
dialects.install()
space = {"__name__": "strategy"}
exec(request["code"], space)
strategy, symbols = space["SmaCross"](), tuple(request["symbols"])
pack, views, read_signal = frame_packer(len(symbols)), frame_reader(symbols), signal_reader(symbols)
def decide(day, *account):
    return read_signal(strategy.on_data(*views(pack(0.0, False, *account))))
market = Market(request["days"], symbols, memoryview(array("d", request["bars"])))
rules = Rules(BarSize.DAILY, ExecutionTiming.CLOSE_TO_NEXT_OPEN, 10_000.0, 1.0,
              commission_from_wire(0.0), slippage_from_wire(0.0))
ledger = simulate(market, rules, decide)
orders = ledger.orders
json.dump({"equity": ledger.equity, "day": orders.day, "shares": orders.shares, "price": orders.price}, sys.stdout)
"""


def strategy_code() -> str:
    """The trend strategy alone, as a user would post it."""
    return SOURCE[: SOURCE.index("class EqualWeight")]


@contextlib.contextmanager
def price_folder(prices: Prices) -> Iterator[Path]:
    """A folder with these prices as files, for DATA_DIR."""
    with tempfile.TemporaryDirectory() as folder:
        for symbol in prices.symbols:
            bars = {field: prices.frames[field][symbol] for field in FIELDS}
            frame = prices.close[[symbol]].assign(**bars)[list(FIELDS)]
            frame.rename_axis("date").to_parquet(Path(folder) / f"{symbol}.parquet")
        yield Path(folder)


@contextlib.contextmanager
def serving_prices(prices: Prices, backend: str, checkout: Path = PROJECT) -> Iterator[Server]:
    """A real server in its own process, with these prices as files; of the project in the folder `checkout`."""
    with price_folder(prices) as folder:
        settings = {"DATA_PROVIDER": "files", "DATA_DIR": str(folder), "SANDBOX": backend, "MAX_CONCURRENT_RUNS": "3"}
        with serving(settings, checkout=checkout) as server:
            yield server


def posted_body(**changes: object) -> bytes:
    """A request for the trend strategy."""
    request = {"strategy_code": strategy_code(), "start_date": FIRST, "end_date": LAST, "benchmark": "SPY", **changes}
    return json.dumps(request).encode()


def post_for_bytes(address: str, **changes: object) -> bytes:
    """A backtest through the API; the unparsed answer.

    Without a seed among the changes it is a new run: the service computes no run twice.
    """
    body = posted_body(**{"seed": next(SEEDS), **changes})
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{address}/api/v1/backtest", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
        said: bytes = answer.read()
        return said


def post(address: str, **changes: object) -> dict[str, Any]:
    """One backtest through the API, parsed."""
    value: dict[str, Any] = json.loads(post_for_bytes(address, **changes))
    return value


def peer(request: bytes) -> bytes:
    """One backtest by `docker run`; the unparsed answer."""
    command = ["docker", "run", "--rm", "-i", "--network", "none", IMAGE, "python", "-c", PEER]
    return subprocess.run(command, input=request, capture_output=True, check=True).stdout


def peer_request(prices: Prices) -> bytes:
    """The peer's standard input."""
    market = prices.market()
    parts = {"code": strategy_code(), "symbols": market.symbols, "days": market.days, "bars": market.bars.tolist()}
    return json.dumps(parts).encode()


def latencies(run: Callable[[], Any], times: int, rest_seconds: float = 0.0) -> list[float]:
    """Milliseconds of each of `times` consecutive calls, with a pause after each."""
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        spent.append((time.perf_counter() - started) * 1000)
        time.sleep(rest_seconds)
    return spent


def throughput(run: Callable[[], Any], clients: int, seconds: float) -> float:
    """Calls a second that `clients` threads finish between them in that time."""
    until = time.monotonic() + seconds
    finished = [0] * clients

    def client(number: int) -> None:
        while time.monotonic() < until:
            run()
            finished[number] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(finished) / (time.monotonic() - started)


def row(name: str, spent: list[float], runs_a_second: float) -> tuple[float, float]:
    """Print one row; its median latency and throughput."""
    p50, p95 = statistics.median(spent), statistics.quantiles(spent, n=20)[-1]
    print(f"{name:<34} {p50:>9.1f} {p95:>9.1f} {runs_a_second:>9.2f}")
    return p50, runs_a_second


def stored_again(server: Server) -> tuple[Callable[[], object], Callable[[], None]]:
    """Post the same run again and again, on one connection; and the end of that connection."""
    client, body = Client(server), posted_body(seed=0)
    return lambda: client.ask("POST", "/api/v1/backtest", body), client.close


def processor_table(server: Server, backend: str) -> None:
    """Print the processor time of spaced runs by process, in ms a run."""
    before = processor.milliseconds(server.pid, backend)
    latencies(lambda: post_for_bytes(server.address), SPACED, REST_SECONDS)
    after = processor.milliseconds(server.pid, backend)
    spent = {name: (after[name] - before[name]) / SPACED for name in after}
    print("\nprocessor, ms a run:")
    for name, each in (spent | {"all": sum(spent.values())}).items():
        print(f"  {name:<16} {each:>8.1f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each throughput measurement")
    parser.add_argument("--backend", default="docker", choices=("docker", "bubblewrap"))
    parser.add_argument(
        "--project", type=Path, default=PROJECT, help="the checkout that serves; its image: SANDBOX_IMAGE"
    )
    arguments = parser.parse_args()
    backend, checkout = arguments.backend, arguments.project.resolve()
    prices = real_or_generated(("SPY", "BND"), FIRST, LAST)
    request = peer_request(prices)
    print(f"21-day trend on SPY and BND, {len(prices.close)} days, {prices.source}\n")
    print(f"{'':<34} {'p50 ms':>9} {'p95 ms':>9} {'runs/s':>9}")
    with serving_prices(prices, backend, checkout) as server:
        address = server.address
        post(address)
        time.sleep(3)  # the pool fills
        warm = row(
            f"this service, {backend}, warm",
            latencies(lambda: post_for_bytes(address), SPACED, REST_SECONDS),
            throughput(lambda: post_for_bytes(address), 6, arguments.seconds),
        )
        time.sleep(3)  # the last runs are sealed
        again, close = stored_again(server)
        again()
        spent = latencies(again, 200)
        row("the same run again, stored", spent, 1000 / statistics.mean(spent))
        close()
        processor_table(server, backend)
        timings = [(post(address)["provenance"]["timings_ms"], time.sleep(REST_SECONDS))[0] for _ in range(10)]
    os.environ["SANDBOX_POOL_SIZE"] = "0"
    with serving_prices(prices, backend, checkout) as server:
        address = server.address
        final = post(address)["equity_stats"]["equity"]
        time.sleep(3)
        row(
            f"this service, {backend}, cold",
            latencies(lambda: post_for_bytes(address), 20),
            throughput(lambda: post_for_bytes(address), 6, arguments.seconds / 2),
        )
    peer_final = json.loads(peer(request))["equity"][-1]
    peers = row(
        "docker run --rm -i a request",
        latencies(lambda: peer(request), 20),
        throughput(lambda: peer(request), 6, arguments.seconds / 2),
    )
    print(f"\nlatency, the peer's ÷ ours: {peers[0] / warm[0]:.1f}")
    print(f"throughput, ours ÷ the peer's: {warm[1] / peers[1]:.1f}")
    print(f"final equity, ours and the peer's: {final!r} {peer_final!r}")
    print("\nwhere a warm request spends its time, median ms:")
    for step in timings[0]:
        print(f"  {step:<12} {statistics.median(timing[step] for timing in timings):>8.1f}")


if __name__ == "__main__":
    main()
