"""A TCP proxy that cuts event streams in the middle of an event."""

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Iterator, Sequence


class CuttingProxy:
    """Passes connections on to a server; requests for events are cut after so many bytes of the answer.

    Args:
        target_port: the server's, on 127.0.0.1.
        cuts: bytes of the answer that the first, second, … event stream lets through; later ones are left alone.
    """

    def __init__(self, target_port: int, cuts: Sequence[int]) -> None:
        self._target_port = target_port
        self._cuts = deque(cuts)
        self.n_cut = 0
        self.n_streams = 0
        self.port = 0

    @contextlib.contextmanager
    def serving(self) -> Iterator["CuttingProxy"]:
        """Listens while the block lasts."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port = listening.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=(listening,), daemon=True)
            thread.start()
            yield self
            # Closing alone would not wake the thread that waits in accept.
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(60)

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = client.recv(65_536)
            left = self._limit(head)
            with socket.create_connection(("127.0.0.1", self._target_port)) as server:
                server.sendall(head)
                threading.Thread(target=self._copy, args=(client, server), daemon=True).start()
                while data := server.recv(4096):
                    client.sendall(data if left is None else data[:left])
                    if left is not None and len(data) >= left:
                        self.n_cut += 1
                        break
                    left = None if left is None else left - len(data)
                # Closing alone would not end a connection that another thread still reads.
                for end in (server, client):
                    end.shutdown(socket.SHUT_RDWR)

    def _limit(self, head: bytes) -> int | None:
        if b"/events HTTP" not in head.split(b"\r\n")[0]:
            return None
        self.n_streams += 1
        return self._cuts.popleft() if self._cuts else None

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
