"""Boxes that a Docker engine builds: one container per run, always removed."""

import json
import logging
import socket
import struct
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import docker
import requests
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Ulimit

from src.errors import SandboxUnavailable
from src.execution.sandbox import seccomp
from src.execution.sandbox.base import (
    BOX_COMMAND,
    BOX_USER_ID,
    TMP_BYTES,
    Box,
    BoxClosed,
    BoxLimits,
    Enforcement,
    box_environment,
)
from src.execution.sandbox.docker_engine import Container, Engine
from src.execution.sandbox.ownership import is_gone, owner_mark
from src.execution.sandbox.pipe import close_all, is_silent, read_some, write_all
from src.execution.sandbox.removal import Removal
from src.utils.deadline import Deadline, DeadlinePassed

logger = logging.getLogger(__name__)

LABEL = "hqg-backtester.box"
"""Label on every box, with the ID of its service, so that orphans can be found."""

OWNER_LABEL = "hqg-backtester.owner"
"""Label with the process that owns the container: see ownership.py."""

ENDED_SECONDS = 60.0
"""A container that ended this long ago is an orphan, even if its owner is unknown."""

ENDING_SECONDS = 0.3
"""How long a box that is ending may take to do so, before it is removed by force."""

END_SECONDS = 10.0
"""How long to wait for a container to end by itself before reading what killed the strategy."""

_STREAM_HEADER = struct.Struct(">BxxxL")
_STDOUT_STREAM = 1
_STDERR_BYTES = 2000


class DockerSandbox:
    """Builds boxes as containers.

    Args:
        image: the sandbox image (Dockerfile.sandbox).
        limits: the limits of one container.
        runtime: an OCI runtime of the engine ("runsc" is gVisor's); "" is the engine's default.
    """

    enforcement = Enforcement(memory="container", processes="container")

    def __init__(self, *, image: str, limits: BoxLimits, runtime: str = "") -> None:
        self.name = f"docker+{runtime}" if runtime else "docker"
        self._runtime = runtime
        self._image = image
        self.service_id = uuid.uuid4().hex
        self._limits = limits
        self.memory_bytes = limits.memory_bytes
        self.strategy_limits = limits.strategy_limits()
        self._client_lock = threading.Lock()
        self._client: Engine | None = None
        self._bodies: dict[tuple[str, ...], bytes] = {}
        self._removal = Removal()
        self._boxes_lock = threading.Lock()
        self._open_boxes: set[DockerBox] = set()

    def unavailable_reason(self) -> str | None:
        """None, or whether the engine, the image or the runtime is missing. Checked again on each call."""
        try:
            client = self._engine().client
            client.images.get(self._image)
            if self._runtime and self._runtime not in client.info().get("Runtimes", {}):
                return f"the Docker engine does not know the runtime {self._runtime} (see `docker info`)"
        except ImageNotFound:
            return f"the sandbox image {self._image} is not on the Docker engine: build it with `make images`"
        except (DockerException, requests.RequestException) as error:
            return f"no Docker engine answers: {_short(error)}"
        return None

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """See Sandbox.open."""
        try:
            engine = self._engine()
            container = Container(engine, self._body(engine, tuple(preload)))
        except (DockerException, requests.RequestException) as error:
            reason = self.unavailable_reason() or f"the Docker engine created no container: {_short(error)}"
            raise SandboxUnavailable(reason) from error
        box = DockerBox(container, self._remove)
        with self._boxes_lock:
            self._open_boxes.add(box)
        try:
            box.start()
        except (DockerException, requests.RequestException, OSError) as error:
            box.close()
            raise SandboxUnavailable(f"the Docker engine started no container: {_short(error)}") from error
        return box

    def remove_orphans(self) -> int:
        """Remove the containers that killed services left on this engine. Returns the number removed.

        A box ends when its service dies, except in the middle of a run. This removes boxes whose service is known
        to be gone and boxes that ended more than ENDED_SECONDS ago, never those of a running service.
        """
        removed = 0
        try:
            ours = self._engine().client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
            for container in ours:
                if _is_orphan(container):
                    with suppress(NotFound):
                        container.remove(force=True, v=True)
                        removed += 1
        except (DockerException, requests.RequestException) as error:
            logger.warning("could not look for orphaned containers: %s", _short(error))
        return removed

    def close(self) -> None:
        """See Sandbox.close."""
        with self._boxes_lock:
            boxes = list(self._open_boxes)
        for box in boxes:
            box.close()
        self._removal.close()
        with self._client_lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _engine(self) -> Engine:
        with self._client_lock:
            if self._client is None:
                self._client = Engine()
            return self._client

    def _remove(self, box: "DockerBox", is_ending: bool) -> None:
        # Removal takes the engine 50 ms or more; the reply to the client does not wait for it.
        self._removal.add(lambda: self._remove_now(box, is_ending))

    def _remove_now(self, box: "DockerBox", is_ending: bool) -> None:
        try:
            box.hang_up(ENDING_SECONDS if is_ending else 0.0)
            box.container.remove()
        except NotFound:
            pass
        except (DockerException, requests.RequestException) as error:
            logger.error("container %s was not removed: %s", box.container.id, _short(error))
        with self._boxes_lock:
            self._open_boxes.discard(box)

    def _body(self, engine: Engine, preload: tuple[str, ...]) -> bytes:
        """The engine's form of a box's specification, which is the same for every box with these modules."""
        if preload not in self._bodies:
            self._bodies[preload] = json.dumps(self._specification(engine.client.api, preload)).encode()
        return self._bodies[preload]

    def _specification(self, api: docker.APIClient, preload: Sequence[str]) -> dict[str, Any]:
        limits = self._limits
        host = api.create_host_config(
            network_mode="none",
            ipc_mode="none",
            read_only=True,
            tmpfs={"/tmp": f"rw,noexec,nosuid,nodev,size={TMP_BYTES},nr_inodes=4096,mode=1777"},  # noqa: S108
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true", f"seccomp={seccomp.docker_profile()}"],
            mem_limit=limits.memory_bytes,
            # Equal to mem_limit means no swap; if left out, the box could swap as much again.
            memswap_limit=limits.memory_bytes,
            nano_cpus=int(limits.cpus * 1_000_000_000),
            pids_limit=limits.processes,
            ulimits=[
                Ulimit(name="nofile", soft=256, hard=256),
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="memlock", soft=0, hard=0),
                Ulimit(name="msgqueue", soft=0, hard=0),
            ],
            log_config=LogConfig(type="none"),
            runtime=self._runtime or None,
        )
        specification: dict[str, Any] = api.create_container_config(
            self._image,
            ["python", *BOX_COMMAND],
            labels={LABEL: self.service_id, OWNER_LABEL: owner_mark()},
            hostname="sandbox",
            user=f"{BOX_USER_ID}:{BOX_USER_ID}",
            working_dir="/",
            environment=box_environment(preload),
            network_disabled=True,
            stdin_open=True,
            tty=False,
            host_config=host,
        )
        return specification


class DockerBox:
    """One container. Its output arrives in the engine's frames, which code inside cannot forge."""

    def __init__(self, container: Container, remove: "Callable[[DockerBox, bool], None]") -> None:
        self.container = container
        self._remove = remove
        self._stream: Any = None
        self._socket: socket.socket | None = None
        self._raw = bytearray()
        self._output = bytearray()
        self._errors = bytearray()
        self._close_lock, self._use_lock = threading.Lock(), threading.Lock()
        self._is_closed = False

    def start(self) -> None:
        """Attach, then start, so that no output is lost."""
        self._stream = self.container.attach()
        self._socket = getattr(self._stream, "_sock", self._stream)
        self._socket.setblocking(False)
        self.container.start()

    def write(self, data: bytes, deadline: Deadline) -> None:
        """See Box.write."""
        with self._use_lock:
            write_all(self._descriptor(), data, deadline)

    def read(self, max_bytes: int, deadline: Deadline) -> bytes:
        """See Box.read."""
        while not self._output:
            with self._use_lock:
                self._raw += read_some(self._descriptor(), 1 << 18, deadline)
            self._unwrap()
        data = bytes(self._output[:max_bytes])
        del self._output[:max_bytes]
        return data

    def is_waiting(self) -> bool:
        """See Box.is_waiting."""
        return not self._is_closed and not self._output and self._socket is not None and is_silent(self._descriptor())

    def ran_out_of_memory(self) -> bool:
        """See Box.ran_out_of_memory: the engine's own flag, which is set only when the container has ended."""
        try:
            return self.container.ran_out_of_memory(END_SECONDS)
        except (DockerException, requests.RequestException, KeyError):
            return False

    def close(self, *, is_ending: bool = False) -> None:
        """See Box.close. A container that has ended costs the engine less to remove than one that it must kill."""
        with self._close_lock:
            if self._is_closed:
                return
            self._is_closed = True
        if not is_ending and self._socket is not None:
            # A thread that is reading or writing now sees the end of the stream.
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._remove(self, is_ending)
        if self._errors:
            logger.warning("the box wrote to stderr: %r", bytes(self._errors[:_STDERR_BYTES]))

    def hang_up(self, end_seconds: float) -> None:
        """Wait at most that long for the end of a closed box, then close the connection to it."""
        if self._stream is None or self._socket is None:
            return
        deadline = Deadline.after(end_seconds)
        # Closing the descriptor while another thread uses it could let its number be reused.
        with self._use_lock:
            with suppress(BoxClosed, DeadlinePassed):
                while True:
                    read_some(self._socket.fileno(), 1 << 18, deadline)
            # The stream is a file over the socket of an HTTP response: each of the three keeps the connection open.
            close_all(getattr(self._stream, "_response", None), self._stream, self._socket)

    def _descriptor(self) -> int:
        if self._socket is None or self._is_closed:
            raise BoxClosed("the box is closed")
        return self._socket.fileno()

    def _unwrap(self) -> None:
        while len(self._raw) >= _STREAM_HEADER.size:
            stream, length = _STREAM_HEADER.unpack_from(self._raw)
            end = _STREAM_HEADER.size + length
            if len(self._raw) < end:
                return
            if stream == _STDOUT_STREAM:
                self._output += self._raw[_STREAM_HEADER.size : end]
            elif len(self._errors) < _STDERR_BYTES:
                self._errors += self._raw[_STREAM_HEADER.size : end]
            del self._raw[:end]


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _is_orphan(container: Any) -> bool:
    if is_gone(container.labels.get(OWNER_LABEL, "")):
        return True
    if container.status != "exited":
        return False
    # The engine writes nanoseconds; datetime reads at most six digits.
    ended = datetime.fromisoformat(container.attrs["State"]["FinishedAt"][:26].rstrip("Z") + "+00:00")
    return (datetime.now(UTC) - ended).total_seconds() > ENDED_SECONDS
