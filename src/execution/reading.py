"""A strategy read but not run: what it says of itself, and every rule it breaks."""

from dataclasses import dataclass

from src.execution.analysis import Violation, analyse
from src.execution.strategy_source import StrategyDescription, describe


@dataclass(frozen=True)
class Reading:
    """What the source says.

    Attributes:
        description: class, universe, cadence and dialect; None where the source is too broken to tell.
        violations: every broken rule with its place; a strategy with any is not run.
    """

    description: StrategyDescription | None
    violations: tuple[Violation, ...]


def read(source: str) -> Reading:
    """Read the source in this process. Never raises, whatever the source."""
    analysis = analyse(source)
    description, further = describe(source, analysis)
    return Reading(description, (*analysis.violations, *further))
