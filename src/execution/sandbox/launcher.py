"""Started in place of bwrap by a service that is root or has a control group for the box.

A separate program: it joins the group, changes from root to a user that owns nothing else on the host, and becomes
bwrap. It is run by path and imports only the standard library, and little of it: every box pays for each import.
"""

import ctypes
import os
import sys

FIRST_USER_ID = 1_900_000_000
"""First user ID of boxes, to which the process ID is added, so that no two living boxes share a user.

Source: https://systemd.io/UIDS-GIDS (the range from 1,879,048,192 is unused).
"""

NOBODY = 65534
"""The box user if the service's user namespace has no such high IDs."""

_BINDS = {"--ro-bind", "--ro-bind-try", "--dev-bind"}
"""Options of bwrap that take a path on the host."""

_SEPARATOR = "--"
_STAGE = "/tmp"  # noqa: S108 - covered by our own file system, in our own mount namespace
_NEW_MOUNT_NAMESPACE = 0x00020000
_BIND, _RECURSIVE, _PRIVATE, _NO_DEVICES, _NO_SETUID = 0x1000, 0x4000, 1 << 18, 4, 2
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_JOIN_SESSION_KEYRING = 1

_libc = ctypes.CDLL(None, use_errno=True)


def arguments(entrances: list[str], command: list[str]) -> list[str]:
    """The launcher's arguments for `main`."""
    return [*entrances, _SEPARATOR, *command]


def main(entrances: list[str], command: list[str]) -> None:
    """Replace this process with the command.

    Args:
        entrances: the cgroup.procs files to join.
        command: bwrap's complete command line.

    Raises:
        OSError: the kernel refused a step.
    """
    for entrance in entrances:
        with open(entrance, "w") as file:  # noqa: PTH123 - see the module's docstring
            file.write("0")
    _join_a_keyring_of_its_own()
    if os.geteuid() == 0:
        command = _with_reachable_sources(command)
        _become(_free_user())
    os.execv(command[0], command)  # noqa: S606 - it needs no shell


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
        _end = sys.argv.index(_SEPARATOR)
        main(sys.argv[1:_end], sys.argv[_end + 1 :])
    except OSError as refused:
        sys.exit(f"{refused}")
