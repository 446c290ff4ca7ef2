"""Selection of the sandbox: the operator's choice or the best that works, never an unsandboxed run."""

import gc
import threading
import time
from pathlib import Path

import pytest

from src.errors import SandboxUnavailable
from src.execution.sandbox.base import BoxLimits
from src.execution.sandbox.bubblewrap_sandbox import BubblewrapSandbox
from src.execution.sandbox.docker_engine import engine_answers
from src.execution.sandbox.docker_sandbox import DockerSandbox
from src.execution.sandbox.selection import AutomaticSandbox, select_sandbox
from tests.fakes.sandbox import ScriptedSandbox

NOWHERE = Path("/nowhere")


class Candidate(ScriptedSandbox):
    """A backend whose availability the test sets."""

    def __init__(self, name: str, reason: str | None = None) -> None:
        super().__init__(lambda heard: b"")
        self.name = name
        self.reason = reason

    def unavailable_reason(self) -> str | None:
        return self.reason


def automatic(docker: Candidate, bubblewrap: Candidate, *, engine_answers: bool) -> AutomaticSandbox:
    return AutomaticSandbox(lambda: docker, lambda: bubblewrap, lambda: engine_answers)


def test_docker_is_used_if_an_engine_replies() -> None:
    sandbox = automatic(Candidate("docker"), Candidate("bubblewrap"), engine_answers=True)
    assert sandbox.unavailable_reason() is None
    assert sandbox.name == "docker"


def test_bubblewrap_is_used_if_no_engine_replies() -> None:
    sandbox = automatic(Candidate("docker"), Candidate("bubblewrap"), engine_answers=False)
    sandbox.open()
    assert sandbox.name == "bubblewrap"


def test_an_engine_without_the_image_is_reported_and_not_bypassed() -> None:
    sandbox = automatic(Candidate("docker", "no image"), Candidate("bubblewrap"), engine_answers=True)
    assert sandbox.unavailable_reason() == "no image"
    assert sandbox.name == "docker"


def test_without_a_backend_every_run_is_rejected_with_the_reason() -> None:
    sandbox = automatic(Candidate("docker"), Candidate("bubblewrap", "bwrap is missing"), engine_answers=False)
    assert sandbox.unavailable_reason() == "no Docker engine answers, and bwrap is missing"
    assert sandbox.name == "none"
    with pytest.raises(SandboxUnavailable, match="bwrap is missing"):
        sandbox.open()
    with pytest.raises(SandboxUnavailable, match="bwrap is missing"):
        _ = sandbox.memory_bytes
    sandbox.close()


def test_a_backend_that_becomes_available_later_is_found() -> None:
    bubblewrap = Candidate("bubblewrap", "not yet")
    sandbox = automatic(Candidate("docker"), bubblewrap, engine_answers=False)
    assert sandbox.unavailable_reason() is not None
    bubblewrap.reason = None
    assert sandbox.unavailable_reason() is None


@pytest.mark.parametrize(("choice", "kind"), [("docker", DockerSandbox), ("bubblewrap", BubblewrapSandbox)])
def test_the_operators_choice_is_used(choice: str, kind: type) -> None:
    sandbox = select_sandbox(choice, image="i", python=NOWHERE, source_folder=NOWHERE, limits=BoxLimits())
    assert isinstance(sandbox, kind)
    sandbox.close()


def test_there_is_no_unsandboxed_choice() -> None:
    with pytest.raises(ValueError, match="auto, docker, bubblewrap"):
        select_sandbox("none", image="i", python=NOWHERE, source_folder=NOWHERE, limits=BoxLimits())


def test_missing_requirements_are_named_and_open_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    bubblewrap = BubblewrapSandbox(python=NOWHERE, source_folder=NOWHERE, limits=BoxLimits())
    monkeypatch.setenv("PATH", "")
    assert "apt-get install bubblewrap" in (bubblewrap.unavailable_reason() or "")
    with pytest.raises(SandboxUnavailable, match="bubblewrap is not installed"):
        bubblewrap.open()


def test_an_engine_that_does_not_reply_is_named_and_leaves_no_socket_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    docker = DockerSandbox(image="i", limits=BoxLimits())
    assert (docker.unavailable_reason() or "").startswith("no Docker engine answers")
    with pytest.raises(SandboxUnavailable, match="no Docker engine answers"):
        docker.open()
    assert not engine_answers()
    docker.close()
    gc.collect()


@pytest.mark.docker
def test_a_missing_image_is_named() -> None:
    docker = DockerSandbox(image="hqg-no-such-image", limits=BoxLimits())
    reason = docker.unavailable_reason() or ""
    if reason.startswith("no Docker engine"):
        pytest.skip(f"NO DOCKER SANDBOX: {reason}")
    assert reason == "the sandbox image hqg-no-such-image is not on the Docker engine: build it with `make images`"
    with pytest.raises(SandboxUnavailable, match="make images"):
        docker.open()
    docker.close()


def test_concurrent_threads_create_one_backend() -> None:
    made: list[Candidate] = []

    def docker() -> Candidate:
        time.sleep(0.05)
        made.append(Candidate("docker"))
        return made[-1]

    sandbox = AutomaticSandbox(docker, lambda: Candidate("bubblewrap"), lambda: True)
    threads = [threading.Thread(target=sandbox.unavailable_reason) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
