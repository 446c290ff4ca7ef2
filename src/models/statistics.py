"""Statistics of a finished run beside its result: drawdowns and calendar returns."""

from src.models.run import RunPart


class DrawdownPeriodAnswer(RunPart):
    """One fall of equity from a peak, and the way back."""

    depth: float
    """Equity lost from the peak to the trough, a fraction: 0.25 is a quarter."""
    peak: str | None
    """Last day at the peak, an ISO date; null if the peak is the initial capital, before the first day."""
    trough: str
    """Day of the lowest equity, an ISO date."""
    recovery: str | None
    """First day at or above the peak again, an ISO date; null if equity has not recovered."""
    n_days: int
    """Timeline days from the peak to the recovery, or to the last day."""


class YearAnswer(RunPart):
    """Returns of one calendar year, counted from the run's start in its first year and to its end in its last."""

    year: int
    """Such as 2015."""
    months: list[float | None]
    """Twelve simple returns as fractions, January first; null for a month without a day."""
    total: float | None
    """The year's simple return as a fraction; null if equity was zero before it."""


class RunStatistics(RunPart):
    """Computed from the stored result, as in its report."""

    run_hash: str
    """The run asked about."""
    drawdown: list[float]
    """One per candle of the result: fraction of its close below the highest so far, at least 0."""
    drawdown_periods: list[DrawdownPeriodAnswer]
    """The ten deepest, deepest first."""
    years: list[YearAnswer]
    """One per calendar year, the earliest first."""
