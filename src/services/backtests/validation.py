"""Validates a strategy for an editor: its broken rules and what it declares. Runs nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from src.execution.reading.reading import Reading
from src.execution.reading.strategy_source import DeclaredParameters


def validation_answer(
    reading: Reading, universe: Sequence[str] | None = None, parameters: Iterable[str] = ()
) -> dict[str, Any]:
    """The fields of src.models.validation.ValidationAnswer, as plain values.

    Args:
        universe: tickers that override its own; None keeps its own.
        parameters: names of the parameters to run it with.
    """
    reading = reading.trading(universe).given(parameters)
    description, violations = reading.description, reading.violations
    cadence = description.cadence if description else None
    declared = description.parameters if description else None
    return {
        "valid": description is not None and not violations,
        "violations": [asdict(violation) for violation in violations],
        "universe": list(description.universe) if description and description.universe else None,
        "cadence": {"bar_size": cadence.bar_size.value, "execution": cadence.execution.value} if cadence else None,
        "dialect": description.dialect if description else None,
        **({"warmup_bars": description.warmup_bars} if description and description.warmup_bars else {}),
        **({"declared_parameters": _typed(declared)} if declared else {}),
    }


def _typed(declared: DeclaredParameters) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": type(default).__name__, "default": default}
        for name, default in declared.defaults.items()
    ]
