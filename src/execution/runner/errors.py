"""Why a run inside the box ended without a ledger, in a form that the host can turn into a sentence."""

from typing import Any


class RunFailed(Exception):
    """The run cannot continue.

    Args:
        kind: "exception" (user code raised), "signal" (its reply is not a valid signal), "malformed" (its reply
            is unreadable), "time", "memory", "output", "orders", "levels", "threads", "killed", "crashed",
            "exited" or "silent".
        details: type, message and frames of an exception; code or name of an exit or signal.
    """

    def __init__(self, kind: str, **details: Any) -> None:
        super().__init__(kind)
        self.kind = kind
        self.details = details

    def to_wire(self, day: int | None) -> dict[str, Any]:
        """The JSON form for FINISHED.

        Args:
            day: timeline index of the bar on which it happened, None before the first.
        """
        return {"kind": self.kind, "day": day, **self.details}
