"""A run in the terms of the dashboard's job contract: the dashboard reads every name here, and we do not change it."""

from datetime import datetime
from typing import Literal

from src.models.response import AnswerPart, Candle, HoldingWeights, ParametersAnswer
from src.models.run import RunPart
from src.models.sections import SectionsAnswer

JobStatus = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]


class JobOrder(AnswerPart):
    """One order that filled."""

    id: str
    """Numbered from "1" in the order of the fills."""
    timestamp: str
    """Midnight UTC of the day on which it filled, an ISO datetime."""
    ticker: str
    """The symbol traded."""
    type: Literal["Buy", "Sell"]
    """Its direction."""
    shares: float
    """Always above zero; may be a fraction."""
    price: float
    """Fill price per share with slippage, in account currency."""


class JobMetrics(AnswerPart):
    """The measures that the dashboard shows. Rates are fractions; 0 also stands for undefined, where not null."""

    final_portfolio_value: float
    """Equity at the end, in account currency."""
    fees: float
    """Commissions paid, in account currency."""
    net_profit: float
    """Final equity less the initial capital, in account currency."""
    volume: float
    """Traded value, in account currency."""
    sharpe: float
    """Mean over standard deviation of daily excess returns, per year."""
    sortino: float
    """Mean over downside deviation of daily excess returns, per year."""
    calmar: float | None
    """annualized_return over max_drawdown; null where undefined."""
    psr: float
    """Probability that the true yearly Sharpe ratio is above one."""
    total_pct_return: float
    """Final equity over initial capital, minus one, a fraction."""
    annualized_return: float | None
    """Compound growth per calendar year, a fraction; null where undefined."""
    ann_vol: float
    """Standard deviation of daily returns, per year."""
    max_drawdown: float
    """Deepest fall from a peak of equity, a positive fraction."""
    max_drawdown_duration: int
    """Longest stretch from a peak to a new peak, in timeline days."""
    var_95: float
    """Daily return that one day in twenty falls below, a (negative) fraction."""
    cvar_95: float
    """Mean daily return of the worst twentieth of days, a (negative) fraction."""
    alpha: float
    """Jensen's alpha against the benchmark, a yearly fraction."""
    beta: float
    """Covariance with the benchmark's excess returns over their variance."""
    total_orders: int
    """Orders that filled, a count."""


class JobResult(SectionsAnswer, AnswerPart):
    """The finished backtest in the dashboard's names."""

    parameters: ParametersAnswer
    metrics: JobMetrics
    candles: list[Candle]
    """One per timeline day, ascending."""
    orders: list[JobOrder]
    """All fills, in the order they happened."""
    holding_weights: list[HoldingWeights]
    """One for each day on which something filled."""


class JobAnswer(RunPart):
    """One job."""

    job_id: str
    """The run's run_hash."""
    status: JobStatus
    """PENDING and RUNNING are in progress; the others are final."""
    submitted_at: datetime
    """When it was accepted, in UTC."""
    started_at: datetime | None
    """When it started, in UTC."""
    completed_at: datetime | None
    """When it ended, in UTC."""
    result: JobResult | None
    """The finished backtest, once COMPLETED."""
    error: str | None
    """Why it did not complete, as a sentence."""
    logs: list[str]
    """What the strategy printed, up to a limit."""


class JobCancelled(RunPart):
    """The job was cancelled."""

    job_id: str
    """The job cancelled."""
    status: Literal["CANCELLED"]
    """Always CANCELLED."""
