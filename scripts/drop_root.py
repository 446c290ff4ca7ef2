"""The service image's entry point: switch to an ordinary user with access to the Docker socket, then start the service.

The socket belongs to a group whose number differs from host to host, so it cannot be written into an image.
"""

import os
import sys
from pathlib import Path

SOCKET = Path("/var/run/docker.sock")
SERVICE_USER_ID = 10001


def main(command: list[str]) -> None:
    """Replace this process with the command, running as SERVICE_USER_ID if it was started as root."""
    if os.geteuid() == 0:
        # The files it writes hold users' code and results.
        os.umask(0o077)
        os.setgroups([SOCKET.stat().st_gid] if SOCKET.exists() else [])
        os.setgid(SERVICE_USER_ID)
        os.setuid(SERVICE_USER_ID)
    os.execvp(command[0], command)  # noqa: S606 - the image's own CMD, and no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
