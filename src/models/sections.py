"""The parts of an answer that `include` and `conventions` add."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from src.models.metrics import MetricsAnswer
from src.models.statistics import YearAnswer


class SectionPart(BaseModel):
    """Base of all parts: fields may be added, none is removed."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")


class TradeAnswer(SectionPart):
    """One round trip: shares of one opening fill and one closing fill, matched first in, first out."""

    symbol: str
    """The symbol traded."""
    side: Literal["long", "short"]
    """Whether shares were bought first or sold first."""
    entry_time: str
    """Midnight UTC of the day of the opening fill, an ISO datetime."""
    exit_time: str
    """The same of the closing fill; the last day of the run if the trip is still open."""
    entry_price: float
    """Fill price per share with slippage, in account currency."""
    exit_price: float
    """The same of the closing fill; the last known close if the trip is still open."""
    shares: float
    """Always above zero; may be a fraction."""
    pnl: float
    """Profit after `fees`, in account currency, without dividends and interest."""
    # `return` is a Python keyword; answers are not serialized through this model.
    bars_held: int
    """Days of the timeline from entry to exit."""
    fees: float
    """Its share of both fills' commissions, in account currency."""
    mae: float
    """Maximum adverse excursion: largest move against the position from the entry price while held, by highs and lows,
    a fraction at most 0."""
    mfe: float
    """Maximum favorable excursion, the same in its favor: a fraction at least 0."""
    mae_close: float
    """Like mae, by closes and the exit price only."""
    mfe_close: float
    """Like mfe, by closes and the exit price only."""
    exit_reason: Literal["signal", "stop_loss", "take_profit", "trailing_stop", "end", "delisting", "ruin"]
    """Why it ended; "end": it was still open on the last day."""


class PerTrade(SectionPart):
    """Statistics per trade. Rates are fractions; `undefined` explains each null."""

    closed_trades: int | None
    """Number of trades counted."""
    win_rate: float | None
    """Share of trades with a profit, net of fees."""
    loss_rate: float | None
    """Share of trades with a loss, net of fees."""
    avg_win: float | None
    """Mean profit of winning trades, as a fraction of their cost."""
    avg_loss: float | None
    """Mean loss of losing trades, as a (negative) fraction of their cost."""
    profit_factor: float | None
    """Gross profit over gross loss."""
    expectancy: float | None
    """Mean result as a fraction of cost."""
    profit_loss_ratio: float | None
    """avg_win over avg_loss without its sign."""
    undefined: dict[str, str] = {}
    """For each null above, why it is undefined."""


class PerRoundTrip(PerTrade):
    """The same per round trip, those still open left out; cost is shares times entry price."""

    open_trades: int
    """Round trips still open on the last day."""
    avg_bars_held: float | None
    """Mean of bars_held."""
    avg_mae: float | None
    """Mean of mae, a fraction."""
    avg_mfe: float | None
    """Mean of mfe, a fraction."""


class TradeStatisticsAnswer(SectionPart):
    """Statistics of trades, counted in two ways."""

    per_round_trip: PerRoundTrip | None
    """Per round trip; null if the result was stored before they were recorded."""
    per_fill: PerTrade
    """Per closing fill against the average cost, as in `metrics`."""


class RollingWindow(SectionPart):
    """Statistics of the last so many daily returns. Every list has one value per candle, null before the first window
    is full and where undefined."""

    days: int
    """Length of the window in timeline days."""
    sharpe_ratio: list[float | None]
    """Per year, of returns above the risk-free rate."""
    volatility: list[float | None]
    """Standard deviation of returns, per year, a fraction."""
    beta: list[float | None]
    """Slope on the benchmark's returns, both above the risk-free rate."""
    max_drawdown: list[float | None]
    """Deepest fall from a peak within the window, a positive fraction."""


class RollingMonth(SectionPart):
    """Averages of one calendar month."""

    month: str
    """Such as 2015-01."""
    exposure: float | None
    """Mean value of positions over equity at the close, short ones negative; a fraction."""
    gross_exposure: float | None
    """The same, short ones positive."""
    turnover: float | None
    """Half the traded value over equity, summed over the month's days; not per year."""


class RollingAnswer(SectionPart):
    """How the run's statistics changed over time."""

    windows: list[RollingWindow]
    """One of 63 and one of 252 days."""
    months: list[RollingMonth]
    """One per calendar month, the earliest first."""


class PeriodsAnswer(SectionPart):
    """Returns by year and month."""

    years: list[YearAnswer]
    """The run's calendar years, the earliest first."""
    benchmark_years: list[YearAnswer] | None
    """The benchmark's; null without one."""


class PlotAnswer(SectionPart):
    """A series that the strategy plotted."""

    name: str
    """As the strategy names it."""
    points: list[tuple[int, float]]
    """Day (UTC midnight, in seconds since 1970) and value of each point, the earliest first."""


class LogLineAnswer(SectionPart):
    """A line that the strategy printed."""

    time: int | None
    """The day of the bar on which it was printed (UTC midnight, in seconds since 1970); null before the first bar, and
    in results stored before days were recorded."""
    line: str
    """As in `logs`."""


class SectionsAnswer(BaseModel):
    """What an answer has only if it is asked for with `include` or `conventions`."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")

    trades: list[TradeAnswer] | None = None
    """include=trades: every round trip by its exit; null if the result was stored before they were recorded. Each also
    has `return`: pnl over shares times entry price, a fraction."""
    trade_statistics: TradeStatisticsAnswer | None = None
    """include=trades: per round trip and per fill."""
    benchmark_metrics: MetricsAnswer | None = None
    """include=benchmark_metrics: the metrics of the benchmark; null without one."""
    rolling: RollingAnswer | None = None
    """include=rolling."""
    periods: PeriodsAnswer | None = None
    """include=periods."""
    plots: list[PlotAnswer] | None = None
    """include=plots: what the strategy plotted, in the order in which its series began."""
    log_lines: list[LogLineAnswer] | None = None
    """include=log_lines: `logs` with dates."""
    metrics_lean: dict[str, Any] | None = None
    """conventions=lean: the metrics as QuantConnect's LEAN defines them: calendar days annualised by 252, years of 365
    days, 0 where undefined; `trade_statistics` of its round trips, profits before fees."""
