"""The parts of an answer that it has only if it is asked for them, and warnings that come with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SECTIONS = ("trades", "benchmark_metrics", "rolling", "periods", "plots", "log_lines")
"""Names for `include`, in the order of the answer."""

SAME_CLOSE = (
    "Orders fill at the very close that the strategy saw (close_to_close): a real order would come too late for that "
    "price. Execution at the next open (close_to_next_open) assumes less."
)


@dataclass(frozen=True)
class Asked:
    """What an answer has beyond the usual.

    Attributes:
        sections: some of SECTIONS.
        is_lean: whether it has `metrics_lean` too.
    """

    sections: frozenset[str] = frozenset()
    is_lean: bool = False

    def __bool__(self) -> bool:
        return bool(self.sections) or self.is_lean

    @property
    def name(self) -> str:
        """Part of ETags; empty if nothing is asked for."""
        return "".join(f"-{name}" for name in (*sorted(self.sections), *(["lean"] if self.is_lean else [])))


NOTHING = Asked()


def rendered_warnings(document: Mapping[str, Any]) -> Sequence[str]:
    """Warnings that are not stored with a result, so that answers without sections keep their bytes."""
    return [SAME_CLOSE] if document["parameters"]["execution"] == "close_to_close" else []
