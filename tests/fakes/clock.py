"""Time that passes only when a test says so."""


class Clock:
    """Seconds that a test sets."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
