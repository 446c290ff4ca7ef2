"""A bounded line in which clients take turns: many items of one client wait behind the first items of others."""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from src.errors import BacktesterError

Item = TypeVar("Item")

MAX_REMEMBERED_CLIENTS = 1_024
"""Clients whose last turn is remembered after they have left."""


class LineFull(BacktesterError):
    """There is no place left in the line; nothing was accepted.

    Args:
        n_waiting: items in it.
    """

    code = "line_full"
    http_status = 503
    retry_after_seconds = 5

    def __init__(self, n_waiting: int) -> None:
        super().__init__(f"{n_waiting} strategies wait to be read: try again in a few seconds.")
        self.n_waiting = n_waiting


class ClientLineFull(BacktesterError):
    """The client has as many items in the line as one client may have.

    Args:
        n_waiting: items of this client in the line.
    """

    code = "client_line_full"
    http_status = 429
    retry_after_seconds = 5

    def __init__(self, n_waiting: int) -> None:
        super().__init__(f"{n_waiting} of your strategies wait to be read: try again when they have been.")
        self.n_waiting = n_waiting


@dataclass(frozen=True)
class LineLimits:
    """How long a line may be, and what one client may have of it; all are counts of at least one.

    Attributes:
        waiting: items in line, over all clients.
        waiting_of_client: items of one client in line.
        started_of_client: items of one client that have been started and have not ended.
    """

    waiting: int
    waiting_of_client: int
    started_of_client: int


class ClientLine(Generic[Item]):
    """Says whose item is started next. One thread at a time may call it.

    The client with the fewest started items goes first; of several, the one whose last turn was longest ago. The items
    of one client are started in the order in which they came.
    """

    def __init__(self, limits: LineLimits) -> None:
        self._limits = limits
        self._waiting: dict[str, deque[Item]] = {}
        self._started: Counter[str] = Counter()
        self._last_turns: OrderedDict[str, float] = OrderedDict()
        self._n_turns = 0

    def __len__(self) -> int:
        return sum(len(items) for items in self._waiting.values())

    def n_waiting_of(self, client: str) -> int:
        """Items of that client in line."""
        return len(self._waiting.get(client, ()))

    def __iter__(self) -> Iterator[Item]:
        return (item for items in self._waiting.values() for item in items)

    def join(self, client: str, item: Item) -> Item | None:
        """Put an item at the end of its client's part of the line.

        Returns:
            The item that lost its place to this one: in a full line, the newest of the client with the most items.

        Raises:
            ClientLineFull: the client has enough items in the line.
            LineFull: the line is full, and no client has more items in it than this one would have.
        """
        n_own = self.n_waiting_of(client)
        if n_own >= self._limits.waiting_of_client:
            raise ClientLineFull(n_own)
        displaced = self.displace(client) if len(self) >= self._limits.waiting else None
        self.admit(client, item)
        return displaced

    def admit(self, client: str, item: Item) -> None:
        """As join, whatever the limits: for items that must not be refused and are bounded elsewhere."""
        self._waiting.setdefault(client, deque()).append(item)
        # A new client goes before those who have had a turn just now, and behind those who have waited longer.
        self._last_turns.setdefault(client, self._n_turns - 0.5)
        if len(self._last_turns) > MAX_REMEMBERED_CLIENTS:
            self._last_turns.popitem(last=False)

    def displace(self, client: str) -> Item:
        """Take the newest item of the client with the most items out of the line, to make place for another client's.

        Raises:
            LineFull: no client has more items in the line than this one would have.
        """
        longest: deque[Item] = max(self._waiting.values(), key=len, default=deque())
        if len(longest) <= self.n_waiting_of(client) + 1:
            raise LineFull(len(self))
        return longest.pop()

    def leave(self, client: str, item: Item) -> None:
        """Take an item out of the line, if it is still there."""
        items = self._waiting.get(client)
        if items is not None and item in items:
            items.remove(item)
            if not items:
                del self._waiting[client]

    def start(self) -> tuple[str, Item] | None:
        """The next item and its client, to whom it counts until `end`; None where no client may start one."""
        ready = [client for client in self._waiting if self._started[client] < self._limits.started_of_client]
        if not ready:
            return None
        client = min(ready, key=lambda client: (self._started[client], self._last_turns.get(client, 0.0)))
        item = self._waiting[client].popleft()
        if not self._waiting[client]:
            del self._waiting[client]
        self._started[client] += 1
        self._n_turns += 1
        self._last_turns[client] = self._n_turns
        self._last_turns.move_to_end(client)
        return client, item

    def end(self, client: str) -> None:
        """A started item of that client has ended."""
        self._started[client] -= 1
        if not self._started[client]:
            del self._started[client]
