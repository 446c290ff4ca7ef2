"""Boxes that a Docker engine builds: one container per run, always removed."""

import logging
import socket
import struct
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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
from src.execution.sandbox.docker_engine import connect_to_engine
from src.execution.sandbox.ownership import is_gone, owner_mark
from src.execution.sandbox.pipe import close_all, is_silent, read_some, write_all
from src.utils.deadline import Deadline

logger = logging.getLogger(__name__)

LABEL = "hqg-backtester.box"
"""Label on every box, with the ID of its service, so that orphans can be found."""

OWNER_LABEL = "hqg-backtester.owner"
"""Label with the process that owns the container: see ownership.py."""

ENDED_SECONDS = 60.0
"""A container that ended this long ago is an orphan, even if its owner is unknown."""

END_SECONDS = 10.0
"""How long to wait for a container to end by itself before reading what killed the strategy."""

_STREAM_HEADER = struct.Struct(">BxxxL")
_STDOUT_STREAM = 1
_STDERR_BYTES = 2000
_REMOVERS = 4


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
        self._client: docker.DockerClient | None = None
        self._removers = ThreadPoolExecutor(_REMOVERS, thread_name_prefix="box-remover")
        self._boxes_lock = threading.Lock()
        self._open_boxes: set[DockerBox] = set()

    def unavailable_reason(self) -> str | None:
        """None, or whether the engine, the image or the runtime is missing. Checked again on each call."""
        try:
            engine = self._engine()
            engine.images.get(self._image)
            if self._runtime and self._runtime not in engine.info().get("Runtimes", {}):
                return f"the Docker engine does not know the runtime {self._runtime} (see `docker info`)"
        except ImageNotFound:
            return f"the sandbox image {self._image} is not on the Docker engine: build it with `make images`"
        except (DockerException, requests.RequestException) as error:
            return f"no Docker engine answers: {_short(error)}"
        return None

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """See Sandbox.open."""
        try:
            container = self._engine().containers.create(self._image, **self._options(preload))
            box = DockerBox(container, self._remove)
            with self._boxes_lock:
                self._open_boxes.add(box)
        except (DockerException, requests.RequestException) as error:
            reason = self.unavailable_reason() or f"the Docker engine created no container: {_short(error)}"
            raise SandboxUnavailable(reason) from error
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
            ours = self._engine().containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
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
        self._removers.shutdown(wait=True)
        with self._client_lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _engine(self) -> docker.DockerClient:
        with self._client_lock:
            if self._client is None:
                self._client = connect_to_engine()
            return self._client

    def _remove(self, box: "DockerBox") -> None:
        # Removal takes the engine 50 ms or more; the reply to the client does not wait for it.
        self._removers.submit(self._remove_now, box)

    def _remove_now(self, box: "DockerBox") -> None:
        try:
            box.container.remove(force=True, v=True)
        except NotFound:
            pass
        except (DockerException, requests.RequestException) as error:
            logger.error("container %s was not removed: %s", box.container.name, _short(error))
        with self._boxes_lock:
            self._open_boxes.discard(box)

    def _options(self, preload: Sequence[str]) -> dict[str, Any]:
        limits = self._limits
        return {
            "command": ["python", *BOX_COMMAND],
            "name": f"hqg-box-{uuid.uuid4().hex}",
            "labels": {LABEL: self.service_id, OWNER_LABEL: owner_mark()},
            "hostname": "sandbox",
            "user": f"{BOX_USER_ID}:{BOX_USER_ID}",
            "working_dir": "/",
            "environment": box_environment(preload),
            "network_mode": "none",
            "network_disabled": True,
            "ipc_mode": "none",
            "read_only": True,
            "tmpfs": {"/tmp": f"rw,noexec,nosuid,nodev,size={TMP_BYTES},nr_inodes=4096,mode=1777"},  # noqa: S108
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true", f"seccomp={seccomp.docker_profile()}"],
            "mem_limit": limits.memory_bytes,
            # Equal to mem_limit means no swap; if left out, the box could swap as much again.
            "memswap_limit": limits.memory_bytes,
            "nano_cpus": int(limits.cpus * 1_000_000_000),
            "pids_limit": limits.processes,
            "ulimits": [
                Ulimit(name="nofile", soft=256, hard=256),
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="memlock", soft=0, hard=0),
                Ulimit(name="msgqueue", soft=0, hard=0),
            ],
            "log_config": LogConfig(type="none"),
            "restart_policy": None,
            "runtime": self._runtime or None,
            "stdin_open": True,
            "tty": False,
        }


class DockerBox:
    """One container. Its output arrives in the engine's frames, which code inside cannot forge."""

    def __init__(self, container: Any, remove: Any) -> None:
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
        streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._stream = self.container.attach_socket(params=streams)
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
            with suppress(requests.ConnectionError, requests.Timeout):
                self.container.wait(timeout=END_SECONDS)
            self.container.reload()
            return bool(self.container.attrs["State"]["OOMKilled"])
        except (DockerException, requests.RequestException, KeyError):
            return False

    def close(self) -> None:
        """See Box.close."""
        with self._close_lock:
            if self._is_closed:
                return
            self._is_closed = True
        try:
            self._hang_up()
        finally:
            self._remove(self)
        if self._errors:
            logger.warning("the box wrote to stderr: %r", bytes(self._errors[:_STDERR_BYTES]))

    def _hang_up(self) -> None:
        if self._stream is None or self._socket is None:
            return
        # A thread that is reading or writing now sees the end of the stream. Closing the descriptor earlier could
        # let its number be reused while that thread still uses it.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        # The stream is a file over the socket of an HTTP response: each of the three keeps the connection open.
        answer = getattr(self._stream, "_response", None)
        with self._use_lock:
            close_all(answer, self._stream, self._socket)

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
