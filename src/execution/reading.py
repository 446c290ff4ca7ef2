"""A strategy read but not run: what it says of itself, and every rule it breaks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from src.execution.analysis import Violation, examine
from src.execution.strategy_source import UNIVERSE_RULES, StrategyDescription, describe


@dataclass(frozen=True)
class Reading:
    """What the source says.

    Attributes:
        description: class, universe, cadence and dialect; None where the source is too broken to tell.
        violations: every broken rule with its place; a strategy with any is not run.
    """

    description: StrategyDescription | None
    violations: tuple[Violation, ...]

    def trading(self, universe: Sequence[str] | None) -> "Reading":
        """The same of a strategy that trades these tickers whatever it says itself, which then may be missing or wrong.

        Args:
            universe: upper-case and unique; None leaves the strategy its own.
        """
        if universe is None:
            return self
        description = self.description and replace(self.description, universe=tuple(universe))
        return Reading(description, tuple(broken for broken in self.violations if broken.rule not in UNIVERSE_RULES))


def read(source: str) -> Reading:
    """Read the source in this process. Never raises, whatever the source."""
    analysis, code = examine(source)
    description, further = describe(source, analysis, code)
    return Reading(description, (*analysis.violations, *further))
