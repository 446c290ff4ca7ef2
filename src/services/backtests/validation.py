"""Validates a strategy for an editor: its broken rules and what it declares. Runs nothing."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from src.execution.reading.reading import Reading


def validation_answer(reading: Reading, universe: Sequence[str] | None = None) -> dict[str, Any]:
    """The fields of src.models.validation.ValidationAnswer, as plain values.

    Args:
        universe: tickers that override its own; None keeps its own.
    """
    reading = reading.trading(universe)
    description, violations = reading.description, reading.violations
    cadence = description.cadence if description else None
    return {
        "valid": description is not None and not violations,
        "violations": [asdict(violation) for violation in violations],
        "universe": list(description.universe) if description and description.universe else None,
        "cadence": {"bar_size": cadence.bar_size.value, "execution": cadence.execution.value} if cadence else None,
        "dialect": description.dialect if description else None,
    }
