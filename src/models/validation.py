"""Validation for editors: whether a strategy may run, and what it declares."""

from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from src.models.plain import Text
from src.models.problems import ViolationAnswer
from src.models.request import Parameters, Universe


class ValidationRequest(BaseModel):
    """A strategy to check without running it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="ignore")

    strategy_code: Text
    """Python source, as for a backtest."""
    universe: Universe | None = None
    """Tickers to trade, overriding its universe(), as for a backtest; null uses universe()."""
    parameters: Parameters = Field(
        default_factory=dict,
        validation_alias=AliasChoices("parameters", "config_params"),
        examples=[{"lookback_days": 21}],
    )
    """The parameters to run it with, checked against those that it declares. Alias: `config_params`."""


class CadenceAnswer(BaseModel):
    """When the strategy is called and when its orders fill."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    bar_size: str
    """How often on_data is called: 1d, 1w, 1m or 1q."""
    execution: str
    """When orders fill: close_to_close or close_to_next_open."""


class DeclaredParameterAnswer(BaseModel):
    """A parameter that the strategy declares."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    """As the request's `parameters` name it."""
    type: Literal["bool", "int", "float", "str", "list", "dict", "NoneType"]
    """The default's type in Python."""
    default: Any
    """Its value where the request does not give one."""


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
    warmup_bars: int | None = None
    """How many earlier bars it asks to see; absent if none, or if only running the code would show it."""
    declared_parameters: list[DeclaredParameterAnswer] | None = None
    """The names and defaults in `declared_parameters`; absent if it has none or only running the code would show it."""
