"""A TCP proxy that drops every connection on demand, like a train in a tunnel."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class DroppingProxy:
    """Passes connections on to a server.

    Args:
        target_port: the server's, on 127.0.0.1.

    Attributes:
        n_dropped: connections that were lost.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._open: set[socket.socket] = set()
        self._is_in_tunnel = False
        self.n_dropped = 0

    @contextlib.contextmanager
    def serving(self) -> Iterator[int]:
        """Listens while the block lasts; gives its port."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=self._accept, args=(listening,), daemon=True)
            thread.start()
            yield listening.getsockname()[1]
            # Closing alone would not wake the thread that waits in accept.
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(60)
            self._drop_all()

    @contextlib.contextmanager
    def tunnel(self) -> Iterator[None]:
        """Drop open connections and pass nothing during the block."""
        self._is_in_tunnel = True
        self._drop_all()
        yield
        self._is_in_tunnel = False

    def _drop_all(self) -> None:
        for end in list(self._open):
            self.n_dropped += 1
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                if self._is_in_tunnel:
                    client.close()
                else:
                    threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target_port)) as server:
            self._open.add(client)
            there = threading.Thread(target=_copy, args=(client, server), daemon=True)
            there.start()
            _copy(server, client)
            there.join()
            self._open.discard(client)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
