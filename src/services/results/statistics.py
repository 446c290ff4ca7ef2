"""Drawdowns and calendar returns of a finished run, from the functions that its report uses."""

from typing import Any

from src.services.results.exports.equity_table import EquityCurve
from src.utils.drawdown import worst_drawdowns
from src.utils.monthly_returns import yearly_table


def statistics(curve: EquityCurve) -> dict[str, Any]:
    """The parts of a RunStatistics that are computed, as JSON."""
    days = curve.dates.astype(str).tolist()
    periods = worst_drawdowns(curve.close, curve.starting_equity)
    years = yearly_table(curve.close, curve.starting_equity, curve.dates)
    return {
        "drawdown": curve.drawdown.tolist(),
        "drawdown_periods": [
            {
                "depth": period.depth,
                "peak": None if period.peak < 0 else days[period.peak],
                "trough": days[period.trough],
                "recovery": None if period.recovery is None else days[period.recovery],
                "n_days": period.n_days,
            }
            for period in periods
        ],
        "years": [{"year": entry.year, "months": list(entry.months), "total": entry.total} for entry in years],
    }
