"""Finds a sandbox for strategies on this machine, a Docker engine or bubblewrap, and explains how to get one.

Standard library only: `make setup` runs it before anything else is installed.
"""

import os
import shutil
import subprocess

PROBE_SECONDS = 20.0
INSTALL_SECONDS = 600.0

HOW_TO_GET_A_BOX = """\
This machine cannot build a box yet, and strategies never run without one. Install one of:
  bubblewrap        Debian, Ubuntu: apt-get install bubblewrap    Fedora: dnf install bubblewrap    (as root)
  a Docker engine   https://docs.docker.com/engine/install/    (your user must be allowed to use it)"""


def docker_complaint() -> str | None:
    """None if an engine answers the docker command, else the reason."""
    return complaint_of(["docker", "version", "--format", "{{.Server.Version}}"])


def bubblewrap_complaint() -> str | None:
    """None if bubblewrap is installed and the kernel lets it create namespaces, else the reason."""
    return complaint_of(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"])


def image_complaint(image: str) -> str | None:
    """Build the sandbox image from the current sources; None on success, else the build's output."""
    # The host's network: every engine has it, and an engine without a bridge has no other.
    command = ["docker", "build", "--network=host", "-f", "Dockerfile.sandbox", "-t", image, "."]
    return complaint_of(command, seconds=INSTALL_SECONDS)


def ensure_bubblewrap() -> str | None:
    """Install bubblewrap if needed and allowed; None if it then works, else the reason."""
    if shutil.which("bwrap") is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        print("Installing bubblewrap with apt-get: it builds the boxes in which strategies run.", flush=True)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "bubblewrap"]
        if complaint_of(install, seconds=INSTALL_SECONDS) is not None:  # a fresh machine has no package lists yet
            complaint_of(["apt-get", "update", "-qq"], seconds=INSTALL_SECONDS)
            complaint = complaint_of(install, seconds=INSTALL_SECONDS)
            if complaint is not None:
                return complaint
    return bubblewrap_complaint()


def main() -> None:
    """Ensure that a box can be built here, or print what is missing.

    That is not an error: linting and most tests work without a box.
    """
    if bubblewrap_complaint() is None or docker_complaint() is None:
        return
    complaint = ensure_bubblewrap()
    if complaint is not None:
        print(f"{HOW_TO_GET_A_BOX}\nbubblewrap at present: {complaint}")


def complaint_of(command: list[str], *, seconds: float = PROBE_SECONDS) -> str | None:
    """None if the command succeeds, else the end of its output."""
    try:
        finished = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if finished.returncode == 0:
        return None
    return finished.stdout.strip()[-2000:] or f"{command[0]} ended with {finished.returncode}"


if __name__ == "__main__":
    main()
