"""The Docker engine that the environment names (DOCKER_HOST, or the default socket), and its containers."""

import json
import os
import socket
import uuid
from contextlib import suppress
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, NotFound
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


class Engine:
    """A client of the engine, and the calls that every box needs, made over connections that stay open.

    docker-py's own calls take three times the processor: they connect each time, and inspect what they create.

    Attributes:
        client: docker-py's client, for all other calls.

    Raises:
        DockerException, requests.RequestException: no engine answers.
    """

    def __init__(self) -> None:
        self.client = connect_to_engine()
        # A second client, because docker-py closes the connections to all but the last few addresses that it called.
        api = docker.from_env(timeout=ENGINE_SECONDS, version=self.client.api.api_version).api
        # Its adapter knows the socket, the certificates or the tunnel.
        to_engine = requests.Request("GET", api.base_url).prepare()
        adapter = api.get_adapter(api.base_url)
        self._connections = adapter.get_connection_with_tls_context(to_engine, api.verify, cert=api.cert)
        self._root = f"/v{api.api_version}/containers"

    def call(self, method: str, path: str, body: bytes = b"") -> Any:
        """Call the engine at a path below /containers. Returns its answer, parsed; None if it is empty.

        Raises:
            DockerException: the engine does not answer, or refuses; NotFound: there is no such container.
        """
        headers = {"Content-Type": "application/json"}
        try:
            reply = self._connections.urlopen(
                method, self._root + path, body, headers, retries=False, timeout=ENGINE_SECONDS
            )
        except urllib3.exceptions.HTTPError as error:
            raise DockerException(str(error)) from error
        if reply.status >= requests.codes.bad_request:
            raise (NotFound if reply.status == requests.codes.not_found else APIError)(
                reply.data.decode(errors="replace")
            )
        return json.loads(reply.data) if reply.data else None

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()
        self.client.close()


class Container:
    """One container, created but not started. Every method raises DockerException or requests.RequestException.

    Args:
        engine: the engine.
        specification: the body of the engine's create call.
    """

    def __init__(self, engine: Engine, specification: bytes) -> None:
        self._engine = engine
        self.id: str = engine.call("POST", f"/create?name=hqg-box-{uuid.uuid4().hex}", specification)["Id"]

    def attach(self) -> Any:
        """A stream to its standard input, output and error."""
        streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        return self._engine.client.api.attach_socket(self.id, params=streams)

    def start(self) -> None:
        """Start it."""
        self._engine.call("POST", f"/{self.id}/start")

    def ran_out_of_memory(self, end_seconds: float) -> bool:
        """Wait at most that long for its end, and return whether the kernel killed a process at its memory limit."""
        with suppress(requests.ConnectionError, requests.Timeout):
            self._engine.client.api.wait(self.id, timeout=end_seconds)
        return bool(self._engine.call("GET", f"/{self.id}/json")["State"]["OOMKilled"])

    def remove(self) -> None:
        """Kill it if it runs, and remove it."""
        self._engine.call("DELETE", f"/{self.id}?force=1&v=1")


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
