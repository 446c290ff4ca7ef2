"""Who wants a run to go on when the client who began it leaves: only what is known in this process."""

from src.services.storage.records import RunKey


class RunWishes:
    """Runs under way that must not end with the client who began them. Safe to use from several threads."""

    def __init__(self) -> None:
        self._awaited: set[RunKey] = set()
        self._promised: set[RunKey] = set()

    def await_end(self, key: RunKey) -> None:
        """Another client waits for it."""
        self._awaited.add(key)

    def promise(self, key: RunKey) -> None:
        """Somebody was told that it is accepted."""
        self._promised.add(key)

    def withdraw(self, key: RunKey) -> None:
        """The promise is kept, or was none."""
        self._promised.discard(key)

    def forget(self, key: RunKey) -> None:
        """It has ended, or is in line."""
        self._awaited.discard(key)
        self._promised.discard(key)

    def is_wanted(self, key: RunKey) -> bool:
        """Whether it must go on."""
        return key in self._awaited or key in self._promised

    def promised(self) -> tuple[RunKey, ...]:
        """All that somebody was promised and that has not ended here."""
        return tuple(self._promised)
