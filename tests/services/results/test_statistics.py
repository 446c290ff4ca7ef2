"""Statistics of a result against a calculation by hand."""

import numpy as np
import pytest

from src.models.statistics import RunStatistics
from src.services.results.exports.equity_table import equity_curve
from src.services.results.statistics import statistics
from tests.services.results.samples import answer, result_of

DAYS = ("2015-01-30", "2015-02-02", "2015-02-27", "2016-01-04")


def of(closes: list[float]) -> dict:
    """The statistics of 10,000 that become these."""
    times = np.array(DAYS[: len(closes)], dtype="datetime64[s]").astype(int).tolist()
    candles = [dict.fromkeys(("open", "high", "low", "close"), close) for close in closes]
    result = answer(n_days=len(closes), n_orders=0) | {"benchmark": None}
    result["candles"] = [{"time": time, **candle} for time, candle in zip(times, candles, strict=True)]
    return statistics(equity_curve(result_of(result)))


def test_falls_have_their_days_and_months_and_years_their_returns() -> None:
    found = of([12_000.0, 9_000.0, 12_000.0, 6_000.0])
    assert found == {
        "drawdown": [0.0, 0.25, 0.0, 0.5],
        "drawdown_periods": [
            {"depth": 0.5, "peak": "2015-02-27", "trough": "2016-01-04", "recovery": None, "n_days": 1},
            {"depth": 0.25, "peak": "2015-01-30", "trough": "2015-02-02", "recovery": "2015-02-27", "n_days": 2},
        ],
        "years": [
            {"year": 2015, "months": [pytest.approx(0.2), 0.0, *[None] * 10], "total": pytest.approx(0.2)},
            {"year": 2016, "months": [-0.5, *[None] * 11], "total": -0.5},
        ],
    }
    RunStatistics.model_validate({"run_hash": "5f1c", **found})


def test_a_fall_from_the_initial_capital_has_no_day_of_its_peak() -> None:
    found = of([5_000.0, 0.0, 0.0, 0.0])
    assert found["drawdown_periods"] == [
        {"depth": 1.0, "peak": None, "trough": "2015-02-02", "recovery": None, "n_days": 4}
    ]
    assert [year["total"] for year in found["years"]] == [-1.0, None]


def test_a_run_that_never_fell_has_no_falls() -> None:
    assert of([10_000.0])["drawdown_periods"] == []
