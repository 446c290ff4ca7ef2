"""The Python client and the real server, each in its own process, with real boxes."""

import contextlib
import json
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hqg_backtester import Client, Result, Run, RunCancelled, RunNotFound, StrategyFailed, StrategyRejected
from tests.conftest import PROJECT, open_sandbox
from tests.fakes.application import wait_until
from tests.fakes.proxies import CuttingProxy
from tests.servers import Server, servers

pytestmark = [pytest.mark.slow, pytest.mark.bubblewrap]

WINDOW = ("2012-01-01", "2019-12-31")
STRATEGY = """
from hqg_algorithms import Strategy, TargetWeights

class Mine(Strategy):
    universe = ["SPY", "BND"]

    def on_data(self, data, portfolio):
        for number in range({work}):
            number * number
        print("closed at", data.close("SPY"))
        return TargetWeights({{"SPY": 0.6, "BND": 0.4}})
"""


def strategy(work: int) -> str:
    """A slow strategy; each number makes another one, so that no result is reused."""
    return STRATEGY.format(work=work)


@contextlib.contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """A server that runs while the block lasts."""
    open_sandbox("bubblewrap").close()
    with servers(1, folder, RUN_LEASE_SECONDS="3") as [running]:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Client:
    return Client(server.url)


def same(one: Result, other: Result) -> bool:
    """Whether two results are equal in all but their timings."""
    plain = [{**each.raw, "provenance": {**each.provenance, "timings_ms": None}} for each in (one, other)]
    return plain[0] == plain[1]


def test_a_run_returns_tables_a_report_and_a_notice_of_synthetic_prices(client: Client, tmp_path: Path) -> None:
    result = client.run(strategy(1), *WINDOW, name="the <first>", initial_capital=5_000.0)
    equity, orders = result.equity, result.orders
    assert equity.index.is_monotonic_increasing
    assert equity["close"].iloc[-1] == pytest.approx(5_000 * (1 + result.metrics["total_return"]))
    assert len(orders) == result.metrics["total_orders"] > 0
    assert result.weights.sum(axis=1).max() <= 1 + 1e-6
    assert result.benchmark is not None
    assert len(result.benchmark) == len(equity) == len(result.logs)
    page = result._repr_html_()
    assert "synthetic" in page
    assert "the &lt;first&gt;" in page
    assert result.report(tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_a_run_that_exists_is_not_computed_again(client: Client) -> None:
    first = client.run(strategy(2), *WINDOW)
    second = client.submit(strategy(2), *WINDOW, initial_capital=10_000)
    assert second.status == "succeeded"
    assert second.result().raw == first.raw
    again = client.submit(strategy(2), *WINDOW, rerun=True)
    assert same(again.wait(), first)
    assert again.recomputed["differences"] == []


def test_failures_are_raised_as_errors(client: Client) -> None:
    with pytest.raises(StrategyRejected, match="Import of 'os'") as rejected:
        client.run("import os\n" + strategy(3), *WINDOW)
    assert rejected.value.violations[0]["line"] == 1
    with pytest.raises(StrategyFailed, match="ZeroDivisionError") as failed:
        client.run(strategy(3).replace("number * number", "1 / 0"), *WINDOW)
    assert "on_data" in failed.value.traceback


def test_runs_are_found_again_by_hash_by_name_and_page_by_page(client: Client) -> None:
    made = [client.submit(strategy(4), *WINDOW, name=f"paged {number}", seed=number) for number in range(5)]
    for run in made:
        run.wait()
    listed = [run.run_hash for run in client.runs(name="paged", page_size=2)]
    assert listed == [run.run_hash for run in reversed(made)]
    assert client.get(listed[0]).name == "paged 4"
    made[0].delete()
    with pytest.raises(RunNotFound):
        client.get(made[0].run_hash)


def test_a_connection_that_drops_ten_times_shows_every_event_once_and_in_order(server: Server) -> None:
    undisturbed = list(Client(server.url).submit(strategy(20_000), *WINDOW).stream())
    # The head of an answer takes some 500 bytes: some of these cut inside it, most inside an event.
    cuts = random.Random(7).choices(range(100, 3_000), k=10)  # noqa: S311 - where to cut is no secret
    proxy = CuttingProxy(server.port, cuts)
    with proxy.serving() as port:
        run = Client(f"http://127.0.0.1:{port}").submit(strategy(20_001), *WINDOW)
        events = list(run.stream())
    assert proxy.n_cut == 10
    assert proxy.n_streams == 11
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert [event.kind for event in events if event.kind not in ("progress", "log")] == [
        *("queued", "started", "finished")
    ]
    lines = [line for event in events if event.kind == "log" for line in event.data["lines"]]
    assert lines == [line for event in undisturbed if event.kind == "log" for line in event.data["lines"]]
    assert lines == list(Client(server.url).get(run.run_hash).result().logs)
    shares = [event.data["share"] for event in events if event.kind == "progress"]
    assert shares == sorted(shares)


WATCHER = """
import sys
from hqg_backtester import Client
Client(sys.argv[1]).run(sys.stdin.read(), "2012-01-01", "2019-12-31", name=sys.argv[2])
"""


def the_run_called(client: Client, name: str) -> Run | None:
    return next(client.runs(name=name), None)


@pytest.mark.parametrize("is_cli", [False, True], ids=["script", "command"])
def test_ctrl_c_cancels_the_run_on_the_server(server: Server, client: Client, tmp_path: Path, is_cli: bool) -> None:
    name = f"interrupted {is_cli}"
    file = tmp_path / "slow.py"
    file.write_text(strategy(1_000_000 + is_cli))
    command = [sys.executable, "-c", WATCHER, server.url, name]
    if is_cli:
        command = [sys.executable, "-m", "src", "run", str(file), "--start", WINDOW[0], "--end", WINDOW[1]]
        command += ["--name", name, "--url", server.url]
    with file.open() as source:
        watching = subprocess.Popen(
            command, cwd=PROJECT, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    # Progress comes well after the client has the answer to its POST, before which it knows no run to cancel.
    wait_until(lambda: (run := the_run_called(client, name)) is not None and run.summary["progress"] is not None)
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=60)
    run = the_run_called(client, name)
    assert run.status == "cancelled"
    assert (f"Stopped. The run is cancelled.\nrun     {run.run_hash}\n" if is_cli else "KeyboardInterrupt") in said
    assert watching.returncode in ((130,) if is_cli else (130, -signal.SIGINT))
    with pytest.raises(RunCancelled):
        run.wait()


@pytest.mark.parametrize("end", [Server.stop, Server.kill])
def test_a_run_survives_a_server_restart_without_the_client_noticing(
    tmp_path: Path, server: Server, end: Callable[[Server], object]
) -> None:
    undisturbed = Client(server.url).run(strategy(30_000), *WINDOW)
    with running_server(tmp_path) as other:
        run = Client(other.url).submit(strategy(30_000), *WINDOW)
        events = []
        for event in run.stream():
            events.append(event)
            if [each.kind for each in events].count("progress") == 3 and event.kind == "progress":
                end(other)
                other.start()
        assert same(run.wait(), undisturbed)
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert [event.kind for event in events].count("started") == 2
    assert events[-1].data["status"] == "succeeded"


def test_the_command_prints_json_that_is_the_stored_result(server: Server, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "quick.py"
    file.write_text(strategy(5))
    command = [sys.executable, "-m", "src", "run", str(file), "--start", WINDOW[0], "--end", WINDOW[1], "--json"]
    said = subprocess.run(
        [*command, "--url", server.url], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    )
    printed = json.loads(said.stdout)
    assert printed == client.get(printed["run_hash"]).result().raw


def test_a_command_names_its_run_and_the_next_one_finds_it(server: Server, client: Client, tmp_path: Path) -> None:
    file, report = tmp_path / "quick.py", tmp_path / "report.html"
    file.write_text(strategy(6))

    def said(*arguments: str) -> str:
        command = [sys.executable, "-m", "src", *arguments, "--url", server.url]
        return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60).stdout

    printed = said(
        "run", str(file), "--start", WINDOW[0], "--end", WINDOW[1], "--universe", "spy, bnd", "--report", str(report)
    )
    run_hash = re.search("^run     ([0-9a-f]{64})$", printed, re.MULTILINE)[1]
    assert printed.endswith(f"studio  {server.url}/?run={run_hash}\nreport  {report}\n")
    assert report.read_bytes() == client.get(run_hash).report_bytes()
    assert client.get(run_hash).result().parameters["universe"] == ["SPY", "BND"]
    header, newest, *_ = said("runs", "list").splitlines()
    assert header.startswith("RUN ")
    assert newest.startswith(run_hash[:12])
    assert "SPY,BND" in newest
    assert said("runs", "show", run_hash[:12]).startswith(f"run     {run_hash}\n")
    assert json.loads(said("runs", "follow", run_hash[:12], "--json")) == client.get(run_hash).result().raw


def test_returns_and_drawdown_are_those_of_the_metrics(client: Client) -> None:
    result = client.run(strategy(7), *WINDOW)
    assert result.returns.max() == result.metrics["best_day"]
    assert result.returns.min() == result.metrics["worst_day"]
    assert result.drawdown.max() == result.metrics["max_drawdown"]
    assert (1 + result.returns).prod() - 1 == pytest.approx(result.metrics["total_return"], rel=1e-12)
