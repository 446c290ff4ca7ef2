"""Selects the sandbox: the operator's choice, or the best that works here."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from src.errors import SandboxUnavailable
from src.execution.sandbox.base import Box, BoxLimits, Enforcement, Sandbox
from src.execution.sandbox.bubblewrap_sandbox import BubblewrapSandbox
from src.execution.sandbox.docker_engine import engine_answers
from src.execution.sandbox.docker_sandbox import DockerSandbox

CHOICES = ("auto", "docker", "bubblewrap")


def select_sandbox(
    choice: str, *, image: str, python: Path, source_folder: Path, limits: BoxLimits, runtime: str = ""
) -> Sandbox:
    """The sandbox for the service to use.

    Args:
        choice: one of CHOICES. "auto" is Docker if an engine replies, else bubblewrap if it works, else a
            sandbox that checks again at every request and rejects it while neither works.
        image, limits, runtime: see DockerSandbox.
        python, source_folder: see BubblewrapSandbox.

    Raises:
        ValueError: an unknown choice.
    """

    def docker() -> Sandbox:
        return DockerSandbox(image=image, limits=limits, runtime=runtime)

    def bubblewrap() -> Sandbox:
        return BubblewrapSandbox(python=python, source_folder=source_folder, limits=limits)

    if choice == "docker":
        return docker()
    if choice == "bubblewrap":
        return bubblewrap()
    if choice == "auto":
        return AutomaticSandbox(docker, bubblewrap, engine_answers)
    raise ValueError(f"SANDBOX is {choice!r}; it must be one of {', '.join(CHOICES)}")


class AutomaticSandbox:
    """Chooses a backend when first needed, and tries again as long as none works."""

    def __init__(
        self,
        docker: Callable[[], Sandbox],
        bubblewrap: Callable[[], Sandbox],
        engine_answers: Callable[[], bool],
    ) -> None:
        self._docker = docker
        self._bubblewrap = bubblewrap
        self._engine_answers = engine_answers
        self._chosen: Sandbox | None = None
        # Two threads choosing at once would create two backends, and one would never be closed.
        self._deciding = threading.Lock()

    @property
    def name(self) -> str:
        """The chosen backend's name, or "none" while there is none."""
        return self._chosen.name if self._chosen is not None else "none"

    @property
    def memory_bytes(self) -> int:
        """See Sandbox.memory_bytes."""
        return self._decided().memory_bytes

    @property
    def strategy_limits(self) -> Mapping[str, int]:
        """See Sandbox.strategy_limits."""
        return self._decided().strategy_limits

    @property
    def enforcement(self) -> Enforcement:
        """See Sandbox.enforcement."""
        return self._decided().enforcement

    def unavailable_reason(self) -> str | None:
        """See Sandbox.unavailable_reason."""
        with self._deciding:
            if self._chosen is None:
                if self._engine_answers():
                    self._chosen = self._docker()
                else:
                    candidate = self._bubblewrap()
                    reason = candidate.unavailable_reason()
                    if reason is not None:
                        return f"no Docker engine answers, and {reason}"
                    self._chosen = candidate
        return self._chosen.unavailable_reason()

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """See Sandbox.open."""
        return self._decided().open(preload=preload)

    def remove_orphans(self) -> int:
        """See Sandbox.remove_orphans."""
        return 0 if self.unavailable_reason() or self._chosen is None else self._chosen.remove_orphans()

    def close(self) -> None:
        """See Sandbox.close."""
        if self._chosen is not None:
            self._chosen.close()

    def _decided(self) -> Sandbox:
        if self._chosen is None:
            reason = self.unavailable_reason()
            if self._chosen is None:
                raise SandboxUnavailable(reason or "no sandbox works here")
        return self._chosen
