"""The service's own container: who it runs as, and what of it the outside reaches."""

import os
from pathlib import Path

import pytest
import yaml

from scripts import drop_root
from src.config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the entry asks of the kernel, in order; nothing of it happens."""
    made: list[object] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "setgroups", lambda groups: made.append(("groups", groups)))
    monkeypatch.setattr(os, "setgid", lambda number: made.append(("gid", number)))
    monkeypatch.setattr(os, "setuid", lambda number: made.append(("uid", number)))
    monkeypatch.setattr(os, "execvp", lambda file, command: made.append((file, command)))
    return made


def test_the_entry_gives_up_root_last_and_keeps_the_sockets_group(
    calls: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = tmp_path / "docker.sock"
    socket.touch()
    monkeypatch.setattr(drop_root, "SOCKET", socket)
    drop_root.main(["python", "-m", "src.api"])
    # The user is changed last: only root may change groups.
    assert calls == [
        ("groups", [socket.stat().st_gid]),
        ("gid", 10001),
        ("uid", 10001),
        ("python", ["python", "-m", "src.api"]),
    ]


def test_without_a_socket_no_group_is_kept(
    calls: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drop_root, "SOCKET", tmp_path / "none")
    drop_root.main(["true"])
    assert calls[0] == ("groups", [])


def test_an_ordinary_user_stays_who_it_is(calls: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    drop_root.main(["true"])
    assert calls == [("true", ["true"])]


def test_compose_publishes_on_this_machine_only_and_builds_the_image_that_runs() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert all(port.startswith("127.0.0.1:") for service in services.values() for port in service.get("ports", ()))
    image = services["api"]["environment"]["SANDBOX_IMAGE"]
    assert image == services["sandbox-image"]["image"] == Settings.model_fields["sandbox_image"].default
    assert services["sandbox-image"]["build"]["dockerfile"] == "Dockerfile.sandbox"
