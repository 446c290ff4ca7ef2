"""A durable run as the API shows it: its summary, its place in a list, what decides its result."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from src.models.metrics import MetricsAnswer

StatusName = Literal["queued", "running", "succeeded", "failed", "cancelled", "timed_out"]


class RunPart(BaseModel):
    """What all parts of these answers have in common: more fields may come, none goes."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")


class ProgressAnswer(RunPart):
    """How far a run has come."""

    share: float
    """Of the days, 0 to 1."""
    day: str
    """The day reached, an ISO date."""
    equity: float
    """Equity on that day in account currency, not audited yet."""


class RunErrorAnswer(RunPart):
    """Why a run did not succeed."""

    code: str
    """Stable name of the reason."""
    errors: list[str]
    """One sentence a reason."""
    traceback: str
    """Frames of the strategy's own source only, or empty."""
    logs: list[str]
    """What the strategy printed before, bounded."""


class RecomputedAnswer(RunPart):
    """What came of computing a finished run once more; its stored result stays."""

    at: datetime
    """When that ended, in UTC."""
    status: StatusName
    """How it ended."""
    differences: list[str]
    """Paths in the answer that came out otherwise, such as metrics.sharpe_ratio; empty when equal."""
    error: RunErrorAnswer | None
    """Why it did not succeed."""


class RunSummary(RunPart):
    """One run, small whatever its size."""

    run_hash: str
    """Its address: SHA-256 of everything that decides the result."""
    name: str | None
    """The name under which it was posted last, or the name of the strategy's class."""
    status: StatusName
    """queued and running go on; the others are final."""
    symbols: list[str]
    """What it trades."""
    start_date: str
    """First day of the window, an ISO date."""
    end_date: str
    """Last day of the window, an ISO date."""
    submitted_at: datetime
    """When it was last accepted, in UTC; lists are ordered by it."""
    started_at: datetime | None
    """When its present or last attempt began, in UTC."""
    finished_at: datetime | None
    """When it ended, in UTC."""
    attempt: int
    """How often it was started since it was last accepted, a count."""
    position: int | None
    """Runs in line before it while it is queued; null else, and null in lists."""
    progress: ProgressAnswer | None
    """Of the present or last attempt; null before its first day."""
    metrics: MetricsAnswer | None
    """Every measure of the result, once there is one."""
    error: RunErrorAnswer | None
    """Why it did not succeed."""
    recomputed: RecomputedAnswer | None
    """What came of the last rerun, where there was one."""
    has_result: bool
    """Whether there is a stored result; a run that is computed once more keeps its own."""
    is_cancel_requested: bool
    """Somebody wants the running run to end."""


class RunList(RunPart):
    """One page of runs."""

    runs: list[RunSummary]
    """Newest first."""
    next_cursor: str | None
    """Send it as `cursor` for the next page; null when this was the last."""


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
    """A number is a flat fee per order in account currency; or a model."""
    slippage: float | dict[str, Any]
    """A number is a fraction of price; or a model."""
    benchmark: str | None
    """Ticker that the run is measured against, or null for none."""
    risk_free_rate: float | None
    """Yearly fraction; null takes it from the price source."""
    min_trade_value: float
    """Changes worth less than this, in account currency, are not traded."""
    seed: int
    """Seeds `random` and NumPy in the box."""
    parameters: dict[str, Any]
    """What the strategy reads with `import config`."""
    universe: list[str] | None
    """What is traded, whatever the strategy's universe() says; null asks the strategy."""


class Difference(RunPart):
    """One ingredient in which two runs differ."""

    ingredient: str
    """Its path, such as parameters.lookback_days."""
    this: Any
    """Its value in the run that was asked about; null where it has none."""
    other: Any
    """Its value in the other run; null where it has none."""


class Explanation(RunPart):
    """What decides a run's result, and what sets it apart from another."""

    run_hash: str
    """The run that was asked about."""
    against: str | None
    """The other run; null when none was named."""
    ingredients: dict[str, Any]
    """Everything that decides the result; run_hash is the hash of it."""
    differences: list[Difference]
    """One an ingredient; empty without another run."""
    code_difference: str | None
    """The two sources as a unified diff; null when they are equal or there is no other run."""
