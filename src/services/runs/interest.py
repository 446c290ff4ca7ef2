"""Records which runs must continue when the client that started them disconnects, as far as this process knows."""

from src.services.storage.records.runs import RunKey


class ClientInterest:
    """Running runs that must not end when their first client disconnects. Safe to use from several threads."""

    def __init__(self) -> None:
        self._awaited: set[RunKey] = set()
        self._promised: set[RunKey] = set()

    def await_end(self, key: RunKey) -> None:
        """Record that another client waits for it."""
        self._awaited.add(key)

    def promise(self, key: RunKey) -> None:
        """Record that a client was told that it is accepted."""
        self._promised.add(key)

    def withdraw(self, key: RunKey) -> None:
        """Drop the promise: it is kept, or was never made."""
        self._promised.discard(key)

    def forget(self, key: RunKey) -> None:
        """Drop the run: it has ended, or is queued."""
        self._awaited.discard(key)
        self._promised.discard(key)

    def is_wanted(self, key: RunKey) -> bool:
        """Whether it must continue."""
        return key in self._awaited or key in self._promised

    def promised(self) -> tuple[RunKey, ...]:
        """All promised runs that have not ended here."""
        return tuple(self._promised)
