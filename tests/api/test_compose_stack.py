"""The containers as an operator runs them: started, queried through the published port, stopped, none left."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from src.config.settings import PROJECT_FOLDER
from tests.conftest import open_sandbox
from tests.fakes.application import wait_until
from tests.prerequisites import missing
from tests.servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.docker]

UP_SECONDS = 120.0


@dataclass(frozen=True)
class Stack:
    """The running stack.

    Attributes:
        compose: the command with its project.
        project: its name, part of every name the engine gives.
        port: the published one.
    """

    compose: list[str]
    project: str
    port: int

    def container(self) -> str:
        """The service's container."""
        return output("docker", "ps", "-a", "-q", "--filter", f"name={self.project}.api").split()[0]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


def output(*command: str, **environment: str) -> str:
    """A program's output; fails with its errors if it fails."""
    said = subprocess.run(
        command,
        cwd=PROJECT_FOLDER,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert said.returncode == 0, f"{' '.join(command)}: {said.stderr[-2000:]}"
    return said.stdout


def compose_command() -> list[str]:
    """`docker compose`, or Debian's docker-compose."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose") is None:
        missing("COMPOSE", "there is neither `docker compose` nor docker-compose")
    return ["docker-compose"]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    open_sandbox("docker").close()
    if not output("docker", "images", "-q", "hqg-backtester").strip():
        missing("COMPOSE", "the image hqg-backtester is not built: make images")
    port = free_port()
    project = f"hqgtest{os.getpid()}"
    compose = [*compose_command(), "-p", project]
    settings = {"API_PORT": str(port), "DATA_PROVIDER": "mock", "SUPABASE_JWT_SECRET": "", "HQG_DASH_JWKS_URL": ""}
    try:
        output(*compose, "up", "-d", "--no-build", **settings)
        yield Stack(compose, project, port)
    finally:
        output(*compose, "down", "-v", "--remove-orphans", **settings)


def test_it_becomes_healthy(stack: Stack) -> None:
    health = ["docker", "inspect", "-f", "{{.State.Health.Status}}", stack.container()]
    wait_until(lambda: output(*health).strip() == "healthy", seconds=UP_SECONDS)


def test_the_example_runs_through_the_published_port(stack: Stack) -> None:
    command = ["curl", "-s", stack.url("/api/v1/backtest"), "-H", "Content-Type: application/json"]
    answer = json.loads(output(*command, "-d", "@examples/request.json"))
    assert answer["provenance"]["sandbox"] == "docker"
    assert answer["orders"]


def test_the_documentation_loads_its_program_from_the_service(stack: Stack) -> None:
    for path in ("/docs/vendor/swagger-ui-bundle.js", "/docs/vendor/redoc.standalone.js"):
        with urllib.request.urlopen(stack.url(path), timeout=60) as answer:  # noqa: S310 - our own address
            assert len(answer.read()) > 500_000


def test_the_service_is_an_ordinary_user_without_capabilities(stack: Stack) -> None:
    status = output("docker", "exec", stack.container(), "cat", "/proc/1/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(facts["Uid"].split()) == {"10001"}
    assert int(facts["CapEff"], 16) == int(facts["CapPrm"], 16) == 0
    assert facts["NoNewPrivs"] == "1"


def test_nothing_but_its_folders_can_be_written(stack: Stack) -> None:
    for path, expected in (("/app/x", False), ("/packages/x", False), ("/data/x", False), ("/cache/x", True)):
        command = ["docker", "exec", "-u", "10001", stack.container(), "touch", path]
        assert (subprocess.run(command, capture_output=True, check=False).returncode == 0) is expected, path


def test_it_stops_in_order_before_the_engine_kills_it(stack: Stack) -> None:
    container = stack.container()
    output(*stack.compose, "stop")
    assert output("docker", "inspect", "-f", "{{.State.ExitCode}}", container).strip() == "0"
    logs = subprocess.run(["docker", "logs", container], capture_output=True, text=True, timeout=10, check=False)
    assert "Application shutdown complete." in logs.stderr
