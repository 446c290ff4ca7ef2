"""The service's side of launcher.py: starts it, and has it start the boxes."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from src.errors import SandboxUnavailable
from src.execution.sandbox import launcher, seccomp

_END_SECONDS = 2.0
_STDERR_BYTES = 2000


@dataclass(frozen=True)
class BoxProcess:
    """A bwrap process, and our ends of its standard streams.

    Attributes:
        pid: its ID.
        descriptor: its process descriptor, readable once it has ended: pidfd_open(2).
        stdin, stdout, stderr: descriptors; stdin does not block.
    """

    pid: int
    descriptor: int
    stdin: int
    stdout: int
    stderr: int

    def has_ended(self) -> bool:
        """Whether it has ended."""
        return bool(select.select([self.descriptor], [], [], 0)[0])

    def kill(self) -> None:
        """End it. The kernel ends process 1 of the box with its parent, and with it everything inside."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)

    def last_words(self) -> bytes:
        """Wait until it has ended, and read its standard error."""
        select.select([self.descriptor], [], [])
        os.set_blocking(self.stderr, False)
        with suppress(OSError):
            return os.read(self.stderr, _STDERR_BYTES)
        return b""

    def close(self) -> None:
        """Close all descriptors."""
        for descriptor in (self.descriptor, self.stdin, self.stdout, self.stderr):
            os.close(descriptor)


class BoxLauncher:
    """One running launcher, started again if it was killed. Safe to call from several threads.

    Args:
        command: bwrap's command line without its filter, as far as it is the same for every box.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = [*command[:1], "--seccomp", str(launcher.FILTER), *command[1:]]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def start(self, entrances: Sequence[str], options: Sequence[str]) -> BoxProcess:
        """Start a box.

        Args:
            entrances: the cgroup.procs files to join.
            options: further options of bwrap.

        Raises:
            SandboxUnavailable: the launcher or the box cannot be started.
        """
        request = json.dumps([list(entrances), list(options)]).encode()
        stdin, ours = os.pipe()
        stdout, theirs = os.pipe()
        stderr, errors = os.pipe()
        try:
            with self._lock:
                pid, descriptor = self._ask(request, [stdin, theirs, errors])
        except BaseException:
            for end in (ours, stdout, stderr):
                os.close(end)
            raise
        finally:
            for end in (stdin, theirs, errors):
                os.close(end)
        os.set_blocking(ours, False)
        return BoxProcess(pid, descriptor, ours, stdout, stderr)

    def close(self) -> None:
        """End the launcher, and with it all its boxes."""
        with self._lock:
            self._stop()

    def _ask(self, request: bytes, streams: list[int]) -> tuple[int, int]:
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        try:
            service = self._socket or self._run()
            socket.send_fds(service, [request], streams)
            reply, descriptors, _, _ = socket.recv_fds(service, launcher.MESSAGE_BYTES, 1)
        except (OSError, ImportError) as error:
            raise SandboxUnavailable(f"bubblewrap cannot be started: {self._stop() or error}") from error
        if not descriptors:
            raise SandboxUnavailable(f"bubblewrap cannot be started: {reply.decode() or self._stop()}")
        os.set_inheritable(descriptors[0], False)
        return int(reply), descriptors[0]

    def _run(self) -> socket.socket:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, os.fdopen(os.memfd_create("seccomp"), "w+b") as program:
            program.write(seccomp.bpf_program())
            program.flush()
            self._process = subprocess.Popen(  # noqa: S603 - our own argument list
                [sys.executable, "-I", "-S", "-B", launcher.__file__, str(program.fileno()), *self._command],
                stdin=theirs.fileno(),
                stderr=subprocess.PIPE,
                env={},
                pass_fds=(program.fileno(),),
                start_new_session=True,
            )
        return self._socket

    def _stop(self) -> str:
        """End the launcher, and return what it wrote to standard error."""
        process, self._process = self._process, None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if process is None:
            return ""
        try:
            return process.communicate(timeout=_END_SECONDS)[1].decode(errors="replace").strip()
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[1].decode(errors="replace").strip()
