"""The request: a strategy, a window and the settings it trades under."""

import difflib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from src.models.costs import Commission, CostModel, Slippage
from src.models.plain import Number, Text, WholeNumber, check_plain_json, printable
from src.utils.price_adjustment import FULL, PriceAdjustment
from src.utils.symbols import MAX_SYMBOL_CHARACTERS, MAX_UNIVERSE_SYMBOLS, SYMBOL_PATTERN

MAX_PARAMETERS_BYTES = 100_000
MAX_WARMUP_BARS = 10_000
"""The same bound as src.engine.market has, which this package must not import."""

LATER_FIELDS = (
    *("delisting_return", "price_adjustment", "allow_short", "max_gross", "borrow_rate", "margin_rate"),
    "warmup_bars",
)
"""Fields added after the first engine version. They are written only if they differ from their defaults, so that a
request without them keeps its stored form, its hash and its answer."""

_MAX_UNKNOWN_NAMED = 20
_LONGEST_TYPO = 40


def _iso_date(value: Any) -> date:
    """The calendar date as written: a time of day and a time zone are dropped, nothing is converted."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        for parse in (date.fromisoformat, lambda text: datetime.fromisoformat(text).date()):
            try:
                return parse(value)
            except ValueError:
                continue
    raise PydanticCustomError("iso_date", "Must be an ISO date such as 2015-01-31, or an ISO datetime")


def _symbol(value: str) -> str | None:
    # ASCII only: upper() turns some non-ASCII letters into two Latin ones.
    symbol = value.strip().upper() if value.isascii() else ""
    return symbol if SYMBOL_PATTERN.fullmatch(symbol) else None


def _ticker(value: str) -> str:
    symbol = _symbol(value)
    if symbol is None:
        raise PydanticCustomError("ticker", "Must be a ticker such as SPY, BRK-B or ^GSPC, or null")
    return symbol


def _traded_ticker(value: str) -> str:
    symbol = _symbol(value)
    if symbol is None or len(symbol) > MAX_SYMBOL_CHARACTERS:
        raise PydanticCustomError("ticker", "Must be a ticker such as SPY, BRK-B or ^GSPC")
    return symbol


def _unique(tickers: list[str]) -> list[str]:
    return list(dict.fromkeys(tickers))


def _parameters(value: dict[str, Any]) -> dict[str, Any]:
    return check_plain_json(value, max_bytes=MAX_PARAMETERS_BYTES)


def check_end_after_start(end: date, info: ValidationInfo) -> date:
    """Return the last day of a window if it comes after the model's start_date.

    Raises:
        PydanticCustomError: it does not.
    """
    start = info.data.get("start_date")
    if start is not None and end <= start:
        raise PydanticCustomError("end_not_after_start", "end_date must be after start_date")
    return end


def unknown_field_warnings(sent: Iterable[str], known: Iterable[str]) -> list[str]:
    """One sentence for each sent name that does not exist, with the nearest existing name."""
    return list(_warnings(list(_unknown_fields(dict.fromkeys(sent), known))))


Conventions = Literal["default", "lean"]

Day = Annotated[date, BeforeValidator(_iso_date), WithJsonSchema({"type": "string", "format": "date"})]
"""An ISO date, or an ISO datetime whose date is used as written."""

EndDay = Annotated[Day, AfterValidator(check_end_after_start)]
"""A day after the model's start_date."""

Parameters = Annotated[dict[str, Any], AfterValidator(_parameters)]
"""What `import config` offers: plain JSON of bounded size."""


Universe = Annotated[
    list[Annotated[Text, AfterValidator(_traded_ticker)]],
    Field(min_length=1, max_length=MAX_UNIVERSE_SYMBOLS, examples=[["SPY"]]),
    AfterValidator(_unique),
]
"""Tickers to trade: upper-case, each once."""


class BacktestRequest(BaseModel):
    """A strategy and the settings of its backtest. Only the code and the two dates are required."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="ignore")

    strategy_code: Text
    """Python source with one class that extends `hqg_algorithms.Strategy`; limited only by the size of the body."""
    start_date: Annotated[Day, Field(examples=["2015-01-01"])]
    """First day of the window: an ISO date, or an ISO datetime whose date is used as written."""
    end_date: Annotated[EndDay, Field(examples=["2020-12-31"])]
    """Last day of the window, included; after start_date."""
    universe: Universe | None = None
    """Tickers to trade, overriding the strategy's universe(); null uses universe()."""
    name: Annotated[Text, Field(max_length=200, examples=["21-day trend"])] | None = None
    """A name for the run, returned unchanged."""
    initial_capital: Annotated[Number, Field(gt=0, le=1e15)] = 10_000.0
    """Cash at the start, in account currency."""
    commission: Commission = 0.0
    """A flat fee per order in account currency, or a commission model."""
    slippage: Annotated[Slippage, Field(examples=[0.0005])] = 0.0
    """Fraction of price by which fills are worse (0.0005 is five basis points), or a slippage model."""
    benchmark: Annotated[Text, AfterValidator(_ticker), Field(max_length=24)] | None = "SPY"
    """Ticker that the run is measured against, or null for none."""
    risk_free_rate: Annotated[Number, Field(gt=-1, le=1, examples=[0.02])] | None = None
    """Yearly risk-free rate as a fraction (0.02 is two percent); null takes it from the price source."""
    min_trade_value: Annotated[Number, Field(ge=0, le=1e15)] = 1.0
    """Changes worth less than this, in account currency, are not traded; a close to zero always is."""
    delisting_return: Annotated[Number, Field(ge=-1, le=1, examples=[-0.3])] = 0.0
    """What a position gains or loses when its symbol is delisted, as a fraction of its value at the last close:
    -1 loses it all, 0 pays the last close."""
    price_adjustment: PriceAdjustment = FULL
    """What prices are adjusted for. With "splits" orders fill at the prices actually paid (in today's shares) and
    dividends are cash on their ex-date; for Yahoo's prices, and files with a column "Adj Close" or "Dividends"."""
    allow_short: Annotated[bool, Field(strict=True)] = False
    """Whether weights may be negative: a dict of weights or `hqg_backtester.Weights`. A short's proceeds are cash, it
    pays dividends, and an account whose equity is gone at a close ends there."""
    max_gross: Annotated[Number, Field(ge=1, le=10, examples=[2.0])] = 1.0
    """Largest sum of absolute weights; above 1 positions are paid for with negative cash. It binds when orders are
    sized; later drift is named in `warnings`."""
    borrow_rate: Annotated[Number, Field(ge=0, le=10, examples=[0.03])] = 0.0
    """Yearly cost of short positions, as a fraction of their value at each close, charged by calendar day."""
    margin_rate: Annotated[Number, Field(ge=0, le=10, examples=[0.05])] = 0.0
    """Yearly interest on negative cash, a fraction, charged by calendar day."""
    warmup_bars: Annotated[WholeNumber, Field(ge=0, le=MAX_WARMUP_BARS, examples=[200])] | None = None
    """How many times on_data is called on earlier bars before start_date, while `data.is_warming_up` and signals are
    ignored; null takes the strategy's `warmup_bars`, else 0."""
    seed: Annotated[WholeNumber, Field(ge=0, le=2**32 - 1)] = 0
    """Seeds `random` and NumPy in the box."""
    parameters: Parameters = Field(default_factory=dict, examples=[{"lookback_days": 21}])
    """What the strategy reads with `import config`, at most 100 KB as JSON. Alias: `config_params`."""
    # A way of showing the result: no part of the run, its hash or its stored request.
    conventions: Annotated[Conventions, Field(exclude=True)] = "default"
    """"lean" adds metrics_lean to the answer: the metrics as QuantConnect's LEAN defines them."""

    _unknown_field_warnings: tuple[str, ...] = PrivateAttr(default=())

    def unknown_fields_warnings(self) -> list[str]:
        """One sentence for each field that was sent but does not exist, with the nearest existing name."""
        return list(self._unknown_field_warnings)

    def sent_with(self, warnings: Iterable[str]) -> Self:
        """The same request with the warnings about unknown fields it was sent with."""
        same = self.model_copy()
        same._unknown_field_warnings = tuple(warnings)
        return same

    def later_fields(self) -> dict[str, Any]:
        """The LATER_FIELDS whose values differ from their defaults."""
        defaults = {name: type(self).model_fields[name].default for name in LATER_FIELDS}
        return {name: getattr(self, name) for name in LATER_FIELDS if getattr(self, name) != defaults[name]}

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        kept = self.later_fields()
        return {name: value for name, value in handler(self).items() if name not in LATER_FIELDS or name in kept}

    @model_validator(mode="wrap")
    @classmethod
    def _tolerate_unknown_fields(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        request = handler(named_once(data))
        unknown = list(_unknown_fields(data, [*cls.model_fields, "config_params"]))
        for field in ("commission", "slippage"):
            model = getattr(request, field)
            if isinstance(model, CostModel) and isinstance(data[field], Mapping):
                unknown += _unknown_fields(data[field], type(model).model_fields, f"{field}.")
        request._unknown_field_warnings = tuple(_warnings(unknown))
        return request


def named_once(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same fields, with `config_params` renamed to `parameters`.

    Raises:
        PydanticCustomError: both names were sent.
    """
    if "config_params" not in data:
        return data
    if "parameters" in data:
        raise PydanticCustomError(
            "parameters_twice", "parameters and config_params are two names for one field: send one of them"
        )
    return {("parameters" if name == "config_params" else name): value for name, value in data.items()}


def _unknown_fields(sent: Mapping[Any, Any], known: Iterable[str], prefix: str = "") -> Iterable[tuple[str, list[str]]]:
    """The sent names that do not exist, each with the existing names, in full as the user writes them."""
    names = set(known)
    choices = [prefix + name for name in sorted(names)]
    return ((prefix + str(name), choices) for name in sent if name not in names)


def _warnings(unknown: list[tuple[str, list[str]]]) -> Iterable[str]:
    for name, choices in unknown[:_MAX_UNKNOWN_NAMED]:
        # Comparing is quadratic in the length, and no typo is that long.
        nearest = difflib.get_close_matches(name.lower(), choices, n=1) if len(name) <= _LONGEST_TYPO else []
        hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
        yield f"'{printable(name)}' is not a field{hint}"
    if len(unknown) > _MAX_UNKNOWN_NAMED:
        yield f"{len(unknown) - _MAX_UNKNOWN_NAMED} more names are not fields"
