"""The program that starts the bubblewrap boxes of one service; see box_launcher.py for the service's side.

It runs as long as the service and forks for each box, so that no box pays for an interpreter. The child joins the box's
groups, gives up root for a user that owns nothing else on the host, and becomes bwrap. The program is run by path and
imports only the standard library.

Standard input is a socket. Each request is a JSON list of two lists, the files of the groups to join and further
options of bwrap, and carries the box's standard input, output and error. The reply is the process ID and carries a
descriptor of the process; a reply without one is the reason why there is no process.
"""

import ctypes
import json
import os
import signal
import socket
import sys
from types import FrameType

FIRST_USER_ID = 1_900_000_000
"""First user ID of boxes, to which the process ID is added, so that no two living boxes share a user.

Source: https://systemd.io/UIDS-GIDS (the range from 1,879,048,192 is unused).
"""

NOBODY = 65534
"""The box user if the service's user namespace has no such high IDs."""

MESSAGE_BYTES = 1 << 16
STREAMS = 3

FILTER = 3
"""Descriptor from which bwrap reads the box's system-call filter."""

_BINDS = {"--ro-bind", "--ro-bind-try", "--dev-bind"}
"""Options of bwrap that take a path on the host."""

_STAGE = "/tmp"  # noqa: S108 - covered by our own file system, in our own mount namespace
_NEW_MOUNT_NAMESPACE = 0x00020000
_BIND, _RECURSIVE, _PRIVATE, _NO_DEVICES, _NO_SETUID = 0x1000, 0x4000, 1 << 18, 4, 2
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_JOIN_SESSION_KEYRING = 1

_libc = ctypes.CDLL(None, use_errno=True)


def serve(seccomp: int, command: list[str]) -> None:
    """Start boxes until the service closes its end of the socket or dies.

    Args:
        seccomp: descriptor of the system-call filter.
        command: bwrap's command line, as far as it is the same for every box.

    Raises:
        OSError: the kernel refused to prepare the paths that the boxes bind.
    """
    signal.signal(signal.SIGCHLD, _reap)
    os.set_inheritable(seccomp, False)
    if os.geteuid() == 0:
        command = _with_reachable_sources(command)
    with socket.socket(fileno=os.dup(0)) as service:
        while True:
            message, streams, _, _ = socket.recv_fds(service, MESSAGE_BYTES, STREAMS)
            if not message:
                return
            entrances, options = json.loads(message)
            try:
                _start(service, entrances, [command[0], *options, *command[1:]], (*streams, seccomp))
            except OSError as error:
                service.send(str(error).encode())
            for stream in streams:
                os.close(stream)


def _reap(_number: int, _frame: FrameType | None) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _start(service: socket.socket, entrances: list[str], command: list[str], descriptors: tuple[int, ...]) -> None:
    # A child that ends at once is not reaped before its descriptor exists.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        pid = os.fork()
        if pid == 0:
            _become_box(entrances, command, descriptors)
        process = os.pidfd_open(pid)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    try:
        socket.send_fds(service, [str(pid).encode()], [process])
    finally:
        os.close(process)


def _become_box(entrances: list[str], command: list[str], descriptors: tuple[int, ...]) -> None:
    try:
        for number in (signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        # Its own session: a Ctrl-C in the operator's terminal must not reach the boxes before the service.
        os.setsid()
        *streams, seccomp = descriptors
        # Opened again, because boxes that start together must not share one reading position.
        program = os.open(f"/proc/self/fd/{seccomp}", os.O_RDONLY)
        for target, stream in enumerate(streams):
            os.set_inheritable(stream, False)
            os.dup2(stream, target)
        os.dup2(program, FILTER)
        for entrance in entrances:
            with open(entrance, "w") as file:  # noqa: PTH123 - see the module's docstring
                file.write("0")
        _join_a_keyring_of_its_own()
        if os.geteuid() == 0:
            _become(_free_user())
        os.execve(command[0], command, {})  # noqa: S606 - it needs no shell
    except BaseException as error:  # noqa: BLE001 - a copy of the launcher must not go on
        os.write(2, f"{error}\n".encode())
    finally:
        os._exit(1)


def _join_a_keyring_of_its_own() -> None:
    # A process that inherits a session keyring possesses its keys. A kernel without keyrings has none to protect.
    number = _KEYCTL.get(os.uname().machine)
    if number is not None:
        _libc.syscall(number, _JOIN_SESSION_KEYRING, None)


def _with_reachable_sources(command: list[str]) -> list[str]:
    """The command, with its bind sources moved to places that a user without access to /root can reach."""
    _check(_libc.unshare(_NEW_MOUNT_NAMESPACE), "a mount namespace")
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)
    # Opened in the new namespace, since only its mounts can be bound, and before the stage covers paths below it.
    opened = {
        index: os.open(command[index], os.O_PATH)
        for index in range(1, len(command))
        if command[index - 1] in _BINDS and os.path.exists(command[index])  # noqa: PTH110 - see the module's docstring
    }
    _mount("tmpfs", _STAGE, "tmpfs", _NO_DEVICES | _NO_SETUID, "mode=755,size=64k")
    return [_staged(opened[index]) if index in opened else word for index, word in enumerate(command)]


def _staged(source: int) -> str:
    """Bind an opened file or folder at a new place on the stage, and return the place."""
    opened, place = f"/proc/self/fd/{source}", f"{_STAGE}/{source}"
    if os.path.isdir(opened):  # noqa: PTH112 - see the module's docstring
        os.mkdir(place)  # noqa: PTH102
    else:
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(opened, place, None, _BIND | _RECURSIVE)
    os.close(source)
    return place


def _free_user() -> int:
    wanted = FIRST_USER_ID + os.getpid()
    with open("/proc/self/uid_map") as file:  # noqa: PTH123 - see the module's docstring
        ranges = [[int(n) for n in line.split()] for line in file]
    is_there = any(first <= wanted < first + count for first, _, count in ranges)
    return wanted if is_there else NOBODY


def _become(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    words = [word.encode() if word is not None else None for word in (source, target, kind)]
    _check(_libc.mount(*words, flags, options.encode() if options else None), f"mounting {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), what)


if __name__ == "__main__":
    try:
        serve(int(sys.argv[1]), sys.argv[2:])
    except OSError as refused:
        sys.exit(f"{refused}")
