"""Validation for editors: whether a strategy may run, and what it declares."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from src.models.plain import Text
from src.models.problems import ViolationAnswer
from src.models.request import Universe


class ValidationRequest(BaseModel):
    """A strategy to check without running it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="ignore")

    strategy_code: Text
    """Python source, as for a backtest."""
    universe: Universe | None = None
    """Tickers to trade, overriding its universe(), as for a backtest; null uses universe()."""


class CadenceAnswer(BaseModel):
    """When the strategy is called and when its orders fill."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    bar_size: str
    """How often on_data is called: 1d, 1w, 1m or 1q."""
    execution: str
    """When orders fill: close_to_close or close_to_next_open."""


class ValidationAnswer(BaseModel):
    """What the source shows; none of it was run."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    valid: bool
    """Whether a backtest would run it; it may still fail while it runs."""
    violations: list[ViolationAnswer]
    """Broken rules in the source's order, bounded; empty when valid."""
    universe: list[str] | None
    """The tickers as written, upper-case and unique; null if it is invalid or only running the code would show it."""
    cadence: CadenceAnswer | None
    """Null if it is invalid or only running the code would show it."""
    dialect: Literal[1, 2, 3, 4] | None
    """1 class attributes, 2 methods and signals, 3 methods and dicts, 4 no imports; null without a strategy."""
