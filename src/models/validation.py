"""What an editor asks and underlines: may this strategy run, and what does it say of itself?"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from src.models.plain import Text
from src.models.problems import ViolationAnswer
from src.models.request import Universe


class ValidationRequest(BaseModel):
    """A strategy to be read and not run."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="ignore")

    strategy_code: Text
    """Python source, as for a backtest."""
    universe: Universe | None = None
    """What it is to trade whatever its universe() says, as for a backtest; null leaves it its own."""


class CadenceAnswer(BaseModel):
    """When the strategy is called and when its orders fill."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    bar_size: str
    """How often on_data is called: 1d, 1w, 1m or 1q."""
    execution: str
    """When orders fill: close_to_close or close_to_next_open."""


class ValidationAnswer(BaseModel):
    """What reading the source told; nothing of it was run."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    valid: bool
    """Whether a backtest would run it; it may still fail while it runs."""
    violations: list[ViolationAnswer]
    """Broken rules in the source's order, bounded; empty when valid."""
    universe: list[str] | None
    """The tickers as written, upper-case and unique; null where only running the code tells, or it is wrong."""
    cadence: CadenceAnswer | None
    """Null where only running the code tells, or it is wrong."""
    dialect: Literal[1, 2, 3, 4] | None
    """1 class attributes, 2 methods and signals, 3 methods and dicts, 4 nothing imported; null without a strategy."""
