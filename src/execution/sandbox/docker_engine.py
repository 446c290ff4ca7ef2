"""Connects to the Docker engine that the environment names (DOCKER_HOST, or the default socket)."""

import os
import socket

import docker
import requests
from docker.errors import DockerException
from docker.utils import parse_host

ENGINE_SECONDS = 20.0
"""How long one reply from the engine may take."""

_UNIX_SCHEME = "http+unix://"


def connect_to_engine() -> docker.DockerClient:
    """A client for an engine that has just replied. Close it after use.

    Raises:
        DockerException, requests.RequestException: no engine answers.
    """
    address = parse_host(os.environ.get("DOCKER_HOST"))
    if address.startswith(_UNIX_SCHEME):
        _check_socket(address.removeprefix(_UNIX_SCHEME))
    return docker.from_env(timeout=ENGINE_SECONDS)


def engine_answers() -> bool:
    """Whether a Docker engine replies at the environment's address."""
    try:
        connect_to_engine().close()
    except (DockerException, requests.RequestException):
        return False
    return True


def _check_socket(path: str) -> None:
    # The client leaks its own socket if the connection is refused.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(ENGINE_SECONDS)
        try:
            probe.connect(path)
        except OSError as error:
            raise DockerException(f"{path}: {error.strerror or error}") from error
