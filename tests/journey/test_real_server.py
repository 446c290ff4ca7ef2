"""End to end with nothing faked: the real server in its own process, curl, real prices, real boxes."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.api.real_service import Service
from tests.conftest import SANDBOX_IMAGE, open_sandbox
from tests.fakes.application import wait_until
from tests.servers import servers

pytestmark = pytest.mark.slow

WINDOW = {"start_date": "2010-01-01", "end_date": "2020-12-31"}
HONEST = """
from hqg_algorithms import Strategy, TargetWeights

class Mine(Strategy):
    universe = ["SPY", "BND"]

    def on_data(self, data, portfolio):
        return TargetWeights({"SPY": 0.6, "BND": 0.4})
"""


_seeds = itertools.count(1)


def another_honest() -> dict[str, Any]:
    """A request that no stored result answers."""
    return {"strategy_code": HONEST, **WINDOW, "seed": next(_seeds)}


@dataclass(frozen=True)
class RealServer(Service):
    """A running server, spoken to as people do."""

    def curl(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and answer of POST /api/v1/backtest, sent by curl."""
        command = ["curl", "--silent", "--data-binary", "@-", "-H", "Content-Type: application/json"]
        command += ["--write-out", "\n%{http_code}", f"http://127.0.0.1:{self.port}/api/v1/backtest"]
        said = subprocess.run(command, input=json.dumps(body).encode(), capture_output=True, check=True, timeout=60)
        answer, _, status = said.stdout.decode().rpartition("\n")
        return int(status), json.loads(answer)


@contextlib.contextmanager
def serving(backend: str, prices: Path, **settings: str) -> Iterator[RealServer]:
    """A server of its own process, on these prices."""
    prices_of = {"DATA_PROVIDER": "files", "DATA_DIR": str(prices)}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        [server] = stack.enter_context(servers(1, folder, SANDBOX=backend, **prices_of, **settings))
        # Killed, it would leave its containers.
        stack.callback(server.stop)
        yield RealServer(server.port, backend, server.process.pid)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
    ],
)
def server(request: pytest.FixtureRequest, price_folder: Path) -> Iterator[RealServer]:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    open_sandbox(request.param).close()
    # No warm boxes here: after each run there must be none at all.
    with serving(request.param, price_folder, MAX_EXECUTION_TIME="5", SANDBOX_POOL_SIZE="0") as running:
        yield running


STRATEGIES = (
    "dialect_1_class_attributes",
    "dialect_2_methods_and_signals",
    "dialect_2_computed_universe",
    "dialect_3_dicts",
    "dialect_4_no_imports",
)
_answers: dict[str, dict[str, Any]] = {}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_dialect_runs_and_every_backend_gives_the_same_answer(
    server: RealServer, strategies_folder: Path, name: str
) -> None:
    code = (strategies_folder / f"{name}.py").read_text()
    answers = []
    for _ in range(2):
        status, answer = server.curl({"strategy_code": code, **WINDOW})
        assert status == 200, answer
        assert server.ask("DELETE", f"/api/v1/runs/{answer['run_hash']}")[0] == 204
        assert answer["provenance"].pop("sandbox").startswith(server.backend)
        del answer["provenance"]["timings_ms"]
        answers.append(answer)
    assert answers[0] == answers[1]
    # Both backends pass here in turn: the second finds the answer of the first.
    assert answers[0] == _answers.setdefault(name, answers[0])
    assert answers[0]["provenance"]["data_source"] == "files"
    assert answers[0]["orders"]


BODY = "\n    def on_data(self, data, portfolio):\n        {}\n"
FRAME = HONEST[: HONEST.index("\n    def on_data")]


def strategy(answer: str) -> str:
    return FRAME + BODY.format(answer)


@pytest.mark.parametrize(
    ("changes", "status", "part", "said"),
    [
        ({"strategy_code": "import os\n" + HONEST}, 400, "analysis_errors", "Import of 'os' is not allowed (line 1)"),
        ({"strategy_code": "def f(:\n"}, 400, "analysis_errors", "line 1"),
        ({"strategy_code": "x = 1\n"}, 400, "analysis_errors", "Strategy"),
        ({"strategy_code": strategy("return 1 / 0")}, 400, "execution_errors", "ZeroDivisionError: division by zero"),
        ({"strategy_code": strategy("return {'SPY': float('nan')}")}, 400, "execution_errors", "2010-01-04"),
        ({"strategy_code": strategy("return {'SPY': -0.1}")}, 400, "execution_errors", "2010-01-04"),
        ({"strategy_code": strategy("return {'SPY': 1.1}")}, 400, "execution_errors", "2010-01-04"),
        ({"strategy_code": strategy("return {'XYZ': 1.0}")}, 400, "execution_errors", "'XYZ'"),
        ({"strategy_code": strategy("while True: pass")}, 400, "execution_errors", "time limit of 5 s exceeded"),
        (
            {"strategy_code": strategy("self.x = [[0] * 10_000_000 for _ in range(1000)]")},
            400,
            "execution_errors",
            "memory limit of 512 MB exceeded",
        ),
        (
            {"strategy_code": strategy("while True: print('x' * 10_000)")},
            400,
            "execution_errors",
            "output limit of 16 MB exceeded",
        ),
        ({"strategy_code": HONEST.replace("BND", "NOSUCH")}, 400, "data_errors", "NOSUCH"),
        ({"start_date": "1950-01-01", "end_date": "1950-12-31"}, 400, "data_errors", "SPY"),
    ],
)
def test_wrong_input_gets_its_answer_and_the_service_keeps_serving(
    server: RealServer, changes: dict[str, Any], status: int, part: str, said: str
) -> None:
    got, answer = server.curl({"strategy_code": HONEST, **WINDOW, **changes})
    assert got == status, answer
    (first, *_) = answer["detail"][part]
    assert said in first
    wait_until(lambda: server.n_boxes() == 0)
    assert server.curl(another_honest())[0] == 200


def test_an_end_before_the_start_is_refused(server: RealServer) -> None:
    status, _ = server.curl({"strategy_code": HONEST, "start_date": "2020-01-01", "end_date": "2019-01-01"})
    assert status == 422


def test_the_documentation_is_served(server: RealServer) -> None:
    for path in ("/docs", "/openapi.json"):
        assert server.ask("GET", path)[0] == 200


@pytest.mark.parametrize(
    "backend",
    [pytest.param("docker", marks=pytest.mark.docker), pytest.param("bubblewrap", marks=pytest.mark.bubblewrap)],
)
def test_warm_boxes_serve_and_are_gone_when_the_service_stops(backend: str, price_folder: Path) -> None:
    open_sandbox(backend).close()
    with serving(backend, price_folder, SANDBOX_POOL_SIZE="2") as server:
        wait_until(lambda: server.n_boxes() >= 2)
        answers = [server.curl({"strategy_code": HONEST, **WINDOW, "seed": seed}) for seed in range(4)]
        assert [status for status, _ in answers] == [200] * 4
        assert len({answer["run_hash"] for _, answer in answers}) == 4
        assert len({json.dumps(answer["orders"]) for _, answer in answers}) == 1
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: server.n_boxes() == 0)


def test_without_a_sandbox_the_service_starts_says_so_and_refuses_runs(price_folder: Path) -> None:
    with serving("docker", price_folder, DOCKER_HOST="unix:///nowhere/docker.sock") as server:
        health = json.loads(server.ask("GET", "/health")[1])
        assert health["sandbox"]["available"] is False
        assert "Docker" in health["sandbox"]["reason"]
        status, answer = server.curl({"strategy_code": HONEST, **WINDOW})
        assert status == 503
        assert "Docker" in answer["detail"]


@pytest.mark.docker
def test_an_engine_that_goes_and_comes_back_and_an_image_that_comes_late_need_no_restart(
    price_folder: Path, tmp_path: Path
) -> None:
    open_sandbox("docker").close()
    engine = Path("/var/run/docker.sock")
    if not engine.is_socket():
        pytest.skip(f"the engine is not at {engine}")
    link, image = tmp_path / "docker.sock", "hqg-late-image"
    client = docker.from_env()
    try:
        with serving("docker", price_folder, DOCKER_HOST=f"unix://{link}", SANDBOX_IMAGE=image) as server:
            status, answer = server.curl(another_honest())
            assert (status, "no Docker engine answers" in answer["detail"]) == (503, True)
            link.symlink_to(engine)
            status, answer = server.curl(another_honest())
            assert (status, "make images" in answer["detail"]) == (503, True)
            client.images.get(SANDBOX_IMAGE).tag(image)
            wait_until(lambda: server.curl(another_honest())[0] == 200)
            link.unlink()
            # What waits already may serve; a box that must be made cannot be.
            wait_until(lambda: server.curl(another_honest())[0] == 503)
            link.symlink_to(engine)
            wait_until(lambda: server.curl(another_honest())[0] == 200)
    finally:
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.images.remove(image, noprune=True)
        client.close()
