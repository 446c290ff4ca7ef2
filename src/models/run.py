"""A durable run as the API returns it: its summary, lists of runs, and what decides its result."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from src.models.metrics import MetricsAnswer

StatusName = Literal["queued", "running", "succeeded", "failed", "cancelled", "timed_out"]


class RunPart(BaseModel):
    """Base of all parts of these answers: fields may be added, none is removed."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")


class ProgressAnswer(RunPart):
    """Progress of a run."""

    share: float
    """Share of the days done, 0 to 1."""
    day: str
    """The day reached, an ISO date."""
    equity: float
    """Equity on that day in account currency, not yet audited."""


class RunErrorAnswer(RunPart):
    """Why a run did not succeed."""

    code: str
    """Stable name of the reason."""
    errors: list[str]
    """One sentence per reason."""
    traceback: str
    """Frames of the strategy's own source only, or empty."""
    logs: list[str]
    """What the strategy printed before, up to a limit."""


class RecomputedAnswer(RunPart):
    """The outcome of computing a finished run again; its stored result stays."""

    at: datetime
    """When the rerun ended, in UTC."""
    status: StatusName
    """How it ended."""
    differences: list[str]
    """Paths of the values that differ, such as metrics.sharpe_ratio; empty when equal."""
    error: RunErrorAnswer | None
    """Why it did not succeed."""


class RunSummary(RunPart):
    """One run, without its result."""

    run_hash: str
    """Its id: the SHA-256 of everything that decides the result."""
    name: str | None
    """The name it was last posted under, or the name of the strategy's class."""
    status: StatusName
    """queued and running are in progress; the others are final."""
    symbols: list[str]
    """Symbols it trades."""
    start_date: str
    """First day of the window, an ISO date."""
    end_date: str
    """Last day of the window, an ISO date."""
    submitted_at: datetime
    """When it was last accepted, in UTC; lists are ordered by it."""
    started_at: datetime | None
    """When its current or last attempt started, in UTC."""
    finished_at: datetime | None
    """When it ended, in UTC."""
    attempt: int
    """Number of starts since it was last accepted."""
    position: int | None
    """Number of runs ahead of it while queued; otherwise null, and always null in lists."""
    progress: ProgressAnswer | None
    """Progress of the current or last attempt; null before its first day."""
    metrics: MetricsAnswer | None
    """Every metric of the result, once it exists."""
    error: RunErrorAnswer | None
    """Why it did not succeed."""
    recomputed: RecomputedAnswer | None
    """The outcome of the last rerun, if any."""
    has_result: bool
    """Whether a stored result exists; a run being computed again keeps its own."""
    is_cancel_requested: bool
    """Whether the running run was asked to stop."""


class RunList(RunPart):
    """One page of runs."""

    runs: list[RunSummary]
    """Newest first."""
    next_cursor: str | None
    """Send it as `cursor` to get the next page; null on the last page."""


class RunRequest(RunPart):
    """The request of a run with every default filled in: posting it again gives the same run."""

    strategy_code: str
    """Python source."""
    start_date: str
    """First day of the window, an ISO date."""
    end_date: str
    """Last day of the window, an ISO date."""
    name: str | None = None
    """A name for the run."""
    initial_capital: float
    """Cash at the start, in account currency."""
    commission: float | dict[str, Any]
    """A flat fee per order in account currency, or a commission model."""
    slippage: float | dict[str, Any]
    """A fraction of price, or a slippage model."""
    benchmark: str | None
    """Ticker the run is measured against, or null for none."""
    risk_free_rate: float | None
    """Yearly fraction; null takes it from the price source."""
    min_trade_value: float
    """Changes worth less than this, in account currency, are not traded."""
    seed: int
    """Seeds `random` and NumPy in the box."""
    parameters: dict[str, Any]
    """What the strategy reads with `import config`."""
    universe: list[str] | None
    """Tickers to trade, overriding the strategy's universe(); null uses universe()."""


class Difference(RunPart):
    """One ingredient in which two runs differ."""

    ingredient: str
    """Its path, such as parameters.lookback_days."""
    this: Any
    """Its value in the run asked about; null if absent."""
    other: Any
    """Its value in the other run; null if absent."""


class Explanation(RunPart):
    """What decides a run's result, and how it differs from another run."""

    run_hash: str
    """The run asked about."""
    against: str | None
    """The other run; null if none was given."""
    ingredients: dict[str, Any]
    """Everything that decides the result; run_hash is its hash."""
    differences: list[Difference]
    """One per ingredient; empty without another run."""
    code_difference: str | None
    """Unified diff of the two sources; null if they are equal or no other run was given."""


class JobAccepted(RunPart):
    """202: the run was accepted and proceeds on its own."""

    job_id: str
    """Its run_hash: GET /api/v1/backtest/{job_id} returns its progress."""
