"""The answer to a backtest as OpenAPI describes it. Answers are not serialized through these models."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from src.models.metrics import MetricsAnswer
from src.models.sections import SectionsAnswer
from src.utils.price_adjustment import FULL, PriceAdjustment


class AnswerPart(BaseModel):
    """Base of all parts of the answer: fields may be added, none is removed."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")


class ParametersAnswer(AnswerPart):
    """What was run, with every default filled in."""

    name: str | None
    """The request's name."""
    starting_equity: float
    """Cash at the start, in account currency."""
    start_date: str
    """First day of the window, an ISO date."""
    end_date: str
    """Last day of the window, an ISO date."""
    universe: list[str]
    """Symbols that the strategy trades, in the strategy's order."""
    bar_size: str
    """How often on_data was called: 1d, 1w, 1m or 1q."""
    execution: str
    """When orders fill: close_to_close or close_to_next_open."""
    commission: float | dict[str, Any]
    """As requested."""
    slippage: float | dict[str, Any]
    """As requested."""
    benchmark: str | None
    """Ticker the run was measured against."""
    risk_free_rate: float | None
    """As requested: a yearly fraction, or null for the price source's."""
    min_trade_value: float
    """As requested, in account currency."""
    delisting_return: float = 0.0
    """As requested, a fraction; omitted when 0."""
    price_adjustment: PriceAdjustment = FULL
    """As requested; omitted when "dividends_and_splits"."""
    allow_short: bool = False
    """As requested; omitted when false."""
    max_gross: float = 1.0
    """As requested; omitted when 1."""
    borrow_rate: float = 0.0
    """As requested, a yearly fraction; omitted when 0."""
    margin_rate: float = 0.0
    """As requested, a yearly fraction; omitted when 0."""
    seed: int
    """As requested."""
    parameters: dict[str, Any]
    """As requested."""


class EquityStats(AnswerPart):
    """The run's totals, in account currency unless noted."""

    equity: float
    """Equity at the end."""
    fees: float
    """Commissions paid."""
    slippage_cost: float
    """What fills cost compared with their reference prices."""
    net_profit: float
    """Final equity less the initial capital."""
    return_pct: float
    """net_profit over the initial capital, in percent."""
    volume: float
    """Traded value: the sum of shares times price over all orders."""
    dividends: float = 0.0
    """Dividends received in cash less those that shorts paid; only if prices are adjusted for splits alone."""
    charges: float = 0.0
    """What short positions and negative cash cost; only with a borrow_rate or margin_rate."""


class Ruin(AnswerPart):
    """The end of an account that lost all its equity, with which the run's days and metrics end."""

    date: str
    """The day at whose close equity was zero or below, an ISO date."""
    shortfall: float
    """What the account then lacked, in account currency: at least zero."""


class Candle(AnswerPart):
    """The portfolio's equity over one timeline day, in account currency."""

    time: int
    """The day's midnight UTC, in Unix seconds; ascending and unique."""
    open: float
    """Before the fills at that day's open."""
    high: float
    """Highest of the day."""
    low: float
    """Lowest of the day."""
    close: float
    """After the fills at that day's close."""


class OrderAnswer(AnswerPart):
    """One order that filled."""

    id: str
    """Numbered from "1" in the order of the fills."""
    timestamp: str
    """Midnight UTC of the day on which it filled, an ISO datetime."""
    symbol: str
    """The symbol traded."""
    action: Literal["Buy", "Sell"]
    """Its direction."""
    price: float
    """Fill price per share with slippage, in account currency."""
    shares: float
    """Always above zero; may be a fraction."""
    fee: float
    """Commission, in account currency."""
    slippage_cost: float
    """What the fill cost compared with its reference price, in account currency."""
    reason: Literal["delisting", "stop_loss", "take_profit", "trailing_stop"] | None = None
    """Set only on orders without a signal: "delisting" closed the position of a symbol whose prices ended; the others
    are protective levels of the strategy that a bar reached."""


class HoldingWeights(AnswerPart):
    """What the portfolio held after the fills of one day."""

    time: int
    """The day's midnight UTC, in Unix seconds."""
    weights: dict[str, float]
    """Fraction of equity by symbol."""


class BenchmarkPoint(AnswerPart):
    """The benchmark's value on one day."""

    time: int
    """The day's midnight UTC, in Unix seconds."""
    value: float
    """Scaled to the starting equity, in account currency."""


class TimingsMs(AnswerPart):
    """Duration of each step in milliseconds."""

    analysis: float
    """Reading the source, without the wait before it. Near 0 if it was already read, as it is for a queued run."""
    data: float
    sandbox: float
    audit: float
    metrics: float
    total: float


class SymbolOrigin(AnswerPart):
    """The price source's data for one symbol in the window."""

    symbol: str
    """Its ticker."""
    first_day: str | None
    """Its first bar in the window, an ISO date."""
    last_day: str | None
    """Its last bar in the window, an ISO date."""
    rows: int
    """Number of its bars in the window."""
    fetched_at: str | None
    """When the prices were fetched or the file was written, ISO 8601 in UTC; null for synthetic prices."""


class Provenance(AnswerPart):
    """What the result was made from: equal provenance means an equal result."""

    data_source: str
    """Name of the price source."""
    is_synthetic: bool
    """Whether the prices are synthetic, so that the result says nothing about any market."""
    data_hash: str
    """Hash of the prices the run used."""
    data: list[SymbolOrigin] = []
    """The data used, per symbol."""
    code_hash: str
    """Hash of the strategy's source."""
    engine_version: str
    """Version of the simulation."""
    sandbox: str
    """The sandbox that ran the code."""
    seed: int
    """What `random` and NumPy were seeded with."""
    timings_ms: TimingsMs
    """The only part that differs when the same request is sent again on the same prices."""


class BacktestResponse(SectionsAnswer, AnswerPart):
    """The finished backtest."""

    run_hash: str
    """Identifies the request and its prices: the same input gives the same value."""
    job_id: str
    """The same as run_hash."""
    parameters: ParametersAnswer
    metrics: MetricsAnswer
    equity_stats: EquityStats
    ruin: Ruin | None = None
    """Only for a short or leveraged account that lost all its equity; its days end there."""
    candles: list[Candle]
    """One per timeline day, ascending."""
    orders: list[OrderAnswer]
    """All fills, in the order they happened."""
    holding_weights: list[HoldingWeights]
    """One for each day on which something filled."""
    benchmark: list[BenchmarkPoint] | None
    """One per timeline day from the benchmark's first to its last, or null without a benchmark."""
    logs: list[str]
    """What the strategy printed or logged, up to a limit."""
    warnings: list[str]
    """What a careful reader of the result should know."""
    provenance: Provenance
