"""A bounded queue in which clients take turns: later items of one client wait behind the first items of others."""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from src.errors import BacktesterError

Item = TypeVar("Item")

MAX_REMEMBERED_CLIENTS = 1_024
"""Number of clients whose last turn is remembered after they have left."""


class LineFull(BacktesterError):
    """The queue is full; nothing was accepted.

    Args:
        n_waiting: number of items in it.
    """

    code = "line_full"
    http_status = 503
    retry_after_seconds = 5

    def __init__(self, n_waiting: int) -> None:
        super().__init__(f"{n_waiting} strategies are waiting to be analysed: try again in a few seconds.")
        self.n_waiting = n_waiting


class ClientLineFull(BacktesterError):
    """The client has reached the limit of items per client.

    Args:
        n_waiting: number of this client's queued items.
    """

    code = "client_line_full"
    http_status = 429
    retry_after_seconds = 5

    def __init__(self, n_waiting: int) -> None:
        super().__init__(f"{n_waiting} of your strategies are waiting to be analysed: try again when they are done.")
        self.n_waiting = n_waiting


@dataclass(frozen=True)
class LineLimits:
    """Limits of a queue, in total and per client; all are counts of at least one.

    Attributes:
        waiting: queued items, over all clients.
        waiting_of_client: queued items of one client.
        started_of_client: items of one client that have started but not ended.
    """

    waiting: int
    waiting_of_client: int
    started_of_client: int


class ClientLine(Generic[Item]):
    """Decides whose item is started next. Not thread-safe.

    The client with the fewest started items goes first; at a tie, the one whose last turn was longest ago. The items
    of one client are started in order of arrival.
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
        """Number of that client's queued items."""
        return len(self._waiting.get(client, ()))

    def __iter__(self) -> Iterator[Item]:
        return (item for items in self._waiting.values() for item in items)

    def join(self, client: str, item: Item) -> Item | None:
        """Append an item to its client's part of the queue.

        Returns:
            The item displaced by this one: in a full queue, the newest of the client with the most items.

        Raises:
            ClientLineFull: the client has reached its limit.
            LineFull: the queue is full, and no client has more items in it than this one would have.
        """
        n_own = self.n_waiting_of(client)
        if n_own >= self._limits.waiting_of_client:
            raise ClientLineFull(n_own)
        displaced = self.displace(client) if len(self) >= self._limits.waiting else None
        self.admit(client, item)
        return displaced

    def admit(self, client: str, item: Item) -> None:
        """Like join, but without limits: for items that must not be refused and are bounded elsewhere."""
        self._waiting.setdefault(client, deque()).append(item)
        # A new client goes before those that just had a turn, and behind those that have waited longer.
        self._last_turns.setdefault(client, self._n_turns - 0.5)
        if len(self._last_turns) > MAX_REMEMBERED_CLIENTS:
            self._last_turns.popitem(last=False)

    def displace(self, client: str) -> Item:
        """Remove the newest item of the client with the most items, to make room for another client's.

        Raises:
            LineFull: no client has more items in the queue than this one would have.
        """
        longest: deque[Item] = max(self._waiting.values(), key=len, default=deque())
        if len(longest) <= self.n_waiting_of(client) + 1:
            raise LineFull(len(self))
        return longest.pop()

    def leave(self, client: str, item: Item) -> None:
        """Remove an item from the queue, if it is still there."""
        items = self._waiting.get(client)
        if items is not None and item in items:
            items.remove(item)
            if not items:
                del self._waiting[client]

    def start(self) -> tuple[str, Item] | None:
        """The next item and its client, against whom it counts until `end`; None if no client may start one."""
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
        """Record that a started item of that client has ended."""
        self._started[client] -= 1
        if not self._started[client]:
            del self._started[client]
