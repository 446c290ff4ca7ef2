"""TCP proxies that lose connections: all of them on demand, or event streams in the middle of an event."""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Iterator, Sequence


class Proxy:
    """Passes connections on to a server.

    Args:
        target_port: the server's, on 127.0.0.1.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self.port = 0

    @contextlib.contextmanager
    def serving(self) -> Iterator[int]:
        """Listens while the block lasts; gives its port."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = listening.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=(listening,), daemon=True)
            thread.start()
            yield self.port
            # Closing alone would not wake the thread that waits in accept.
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(60)

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        here = ("127.0.0.1", self._target_port)
        with client, contextlib.suppress(OSError), socket.create_connection(here) as server:
            self._pass(client, server)

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        raise NotImplementedError


class DroppingProxy(Proxy):
    """Drops every connection on demand, like a train in a tunnel.

    Attributes:
        n_dropped: connections that were lost.
    """

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port)
        self._open: set[socket.socket] = set()
        self._is_in_tunnel = False
        self.n_dropped = 0

    @contextlib.contextmanager
    def tunnel(self) -> Iterator[None]:
        """Drop open connections and pass nothing during the block."""
        self._is_in_tunnel = True
        for client in list(self._open):
            self.n_dropped += 1
            _end(client)
        yield
        self._is_in_tunnel = False

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        if self._is_in_tunnel:
            return
        self._open.add(client)
        there = threading.Thread(target=_copy, args=(client, server), daemon=True)
        there.start()
        _copy(server, client)
        there.join()
        self._open.discard(client)


class CuttingProxy(Proxy):
    """Cuts requests for events after so many bytes of the answer.

    Args:
        cuts: bytes of the answer that the first, second, … event stream lets through; later ones are left alone.
    """

    def __init__(self, target_port: int, cuts: Sequence[int]) -> None:
        super().__init__(target_port)
        self._cuts = deque(cuts)
        self.n_cut = 0
        self.n_streams = 0

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        head = client.recv(65_536)
        left = self._limit(head)
        server.sendall(head)
        threading.Thread(target=_copy, args=(client, server), daemon=True).start()
        while data := server.recv(4096):
            client.sendall(data if left is None else data[:left])
            if left is not None and len(data) >= left:
                self.n_cut += 1
                break
            left = None if left is None else left - len(data)
        # Closing alone would not end a connection that another thread still reads.
        _end(server, client)

    def _limit(self, head: bytes) -> int | None:
        if b"/events HTTP" not in head.split(b"\r\n")[0]:
            return None
        self.n_streams += 1
        return self._cuts.popleft() if self._cuts else None


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    _end(source, target)


def _end(*connections: socket.socket) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
