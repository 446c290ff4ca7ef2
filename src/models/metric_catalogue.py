"""How each metric is presented: its group, label and unit, and the explanation from the model."""

import re
from dataclasses import dataclass
from enum import StrEnum

from src.models.metrics import MetricsAnswer


class MetricUnit(StrEnum):
    """What a metric's number counts."""

    FRACTION = "fraction"
    """0.05 is five percent; shown as a percentage, signed where it can be a loss."""
    RATIO = "ratio"
    """A plain number."""
    DAYS = "days"
    """Days of the timeline."""
    COUNT = "count"
    """A count."""
    BASIS_POINTS = "basis points"
    """Hundredths of a percent."""


@dataclass(frozen=True)
class MetricEntry:
    """One metric as users see it.

    Attributes:
        name: the field of MetricsAnswer.
        group: the heading it appears under.
        label: its display name.
        unit: what its number counts.
        explanation: one line, the docstring of the field without its unit, which `unit` gives.
    """

    name: str
    group: str
    label: str
    unit: MetricUnit
    explanation: str


_F, _R, _D, _C, _B = (
    MetricUnit.FRACTION,
    MetricUnit.RATIO,
    MetricUnit.DAYS,
    MetricUnit.COUNT,
    MetricUnit.BASIS_POINTS,
)

_GROUPS: dict[str, tuple[tuple[str, str, MetricUnit], ...]] = {
    "Return": (
        ("total_return", "Total return", _F),
        ("annualized_return", "Annualized return", _F),
        ("best_day", "Best day", _F),
        ("worst_day", "Worst day", _F),
        ("positive_day_rate", "Days with a gain", _F),
    ),
    "Risk": (
        ("annual_volatility", "Annual volatility", _F),
        ("max_drawdown", "Maximum drawdown", _F),
        ("max_drawdown_duration", "Longest drawdown", _D),
        ("ulcer_index", "Ulcer index", _F),
        ("var_95", "Value at risk (95%)", _F),
        ("cvar_95", "Expected shortfall (95%)", _F),
        ("skew", "Skewness", _R),
        ("excess_kurtosis", "Excess kurtosis", _R),
        ("tail_ratio", "Tail ratio", _R),
    ),
    "Risk-adjusted return": (
        ("sharpe_ratio", "Sharpe ratio", _R),
        ("sortino", "Sortino ratio", _R),
        ("calmar", "Calmar ratio", _R),
        ("omega", "Omega ratio", _R),
        ("psr", "Probability of a Sharpe ratio above one", _F),
        ("psr_zero", "Probability of a Sharpe ratio above zero", _F),
        ("risk_free_rate", "Risk-free rate used", _F),
        ("periods_per_year", "Days per year", _D),
    ),
    "Against the benchmark": (
        ("alpha", "Alpha", _F),
        ("beta", "Beta", _R),
        ("information_ratio", "Information ratio", _R),
        ("tracking_error", "Tracking error", _F),
        ("treynor", "Treynor ratio", _R),
    ),
    "Trading": (
        ("total_orders", "Orders", _C),
        ("closed_trades", "Closed trades", _C),
        ("win_rate", "Win rate", _F),
        ("loss_rate", "Loss rate", _F),
        ("avg_win", "Average win", _F),
        ("avg_loss", "Average loss", _F),
        ("profit_factor", "Profit factor", _R),
        ("expectancy", "Expectancy", _F),
        ("profit_loss_ratio", "Profit/loss ratio", _R),
        ("turnover", "Annual turnover", _R),
        ("exposure", "Exposure", _F),
        ("break_even_cost_bps", "Break-even cost", _B),
    ),
}

_LABELS = {name: label for entries in _GROUPS.values() for name, label, _ in entries}

_UNIT_CLAUSE = re.compile(r", a (?:positive |\(negative\) |yearly )?fraction\.$")
_FIELD_NAME = re.compile(r"\b[a-z]+_[a-z_0-9]+\b")


def _explanation(name: str) -> str:
    """The field's docstring with other fields named by their labels, and without its unit, which `unit` gives."""
    described = _UNIT_CLAUSE.sub(".", " ".join(str(MetricsAnswer.model_fields[name].description).split()))
    worded = _FIELD_NAME.sub(lambda match: _LABELS[match.group()].lower(), described)
    return worded[0].upper() + worded[1:]


METRIC_CATALOGUE: tuple[MetricEntry, ...] = tuple(
    MetricEntry(name, group, label, unit, _explanation(name))
    for group, entries in _GROUPS.items()
    for name, label, unit in entries
)
"""Every metric once, in display order."""
