"""Reads a strategy without running it: its description, and every rule it breaks."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from src.execution.reading.analysis import Violation, examine
from src.execution.reading.strategy_source import UNIVERSE_RULES, StrategyDescription, describe


@dataclass(frozen=True)
class Reading:
    """The result of reading a source.

    Attributes:
        description: class, universe, cadence and dialect; None if the source has no recognisable strategy.
        violations: every broken rule with its position; a strategy with any is not run.
        seconds: wall time spent reading it; 0 for a reading from a cache. Equality ignores it.
    """

    description: StrategyDescription | None
    violations: tuple[Violation, ...]
    seconds: float = field(default=0.0, compare=False)

    def trading(self, universe: Sequence[str] | None) -> "Reading":
        """The reading with this universe in place of the strategy's own, which may then be missing or wrong.

        Args:
            universe: tickers, upper-case and unique; None keeps the strategy's own.
        """
        if universe is None:
            return self
        description = self.description and replace(self.description, universe=tuple(universe))
        violations = tuple(broken for broken in self.violations if broken.rule not in UNIVERSE_RULES)
        return replace(self, description=description, violations=violations)

    def given(self, parameters: Iterable[str]) -> "Reading":
        """The reading with a violation for each of a request's parameters that the strategy does not declare.

        A strategy that declares none takes any; one that computes what it declares is checked in the box.
        """
        declared = self.description and self.description.parameters
        if not declared:
            return self
        return replace(self, violations=(*self.violations, *declared.violations(parameters)))


def read(source: str) -> Reading:
    """Read the source in this process. Never raises, for any source."""
    started = time.perf_counter()
    analysis, code = examine(source)
    description, further = describe(source, analysis, code)
    return Reading(description, (*analysis.violations, *further), time.perf_counter() - started)
