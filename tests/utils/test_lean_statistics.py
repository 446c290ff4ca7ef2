"""LEAN's statistics by hand, from the formulas in its sources (Common/Statistics of QuantConnect/Lean)."""

import math

import numpy as np
import pytest

from src.utils.lean_statistics import Account, lean_statistics
from tests.utils.test_round_trips import fills, trips

DATES = np.array(["2015-01-02", "2015-01-05", "2015-01-06"], dtype="datetime64[D]")
EQUITY = np.array([110.0, 99.0, 108.9])
"""Of 100 on a Friday, a Monday and a Tuesday. Samples of calendar days: 110, 110, 110, 99, 108.9, hence returns of
0.1, 0, 0, −0.1, 0.1. The first is dropped."""

BENCHMARK = np.array([100.0, 95.0, 104.5])
"""Returns without the first: 0, 0, −0.05, 0.1, with the mean 0.0125."""

NOTHING = tuple(np.empty(0) for _ in range(4))


def measured(equity=EQUITY, benchmark=BENCHMARK, orders=NOTHING, trades=None, rate=0.02):
    return lean_statistics(Account(DATES[: len(equity)], equity, 100.0, benchmark), orders, trades, rate)


def test_risk_is_that_of_calendar_days_times_252():
    found = measured()
    # Σ(r − 0)² ÷ 3 = 0.02 ÷ 3; a single negative return has no variance.
    assert found["annual_variance"] == pytest.approx(0.02 / 3 * 252)
    assert found["annual_standard_deviation"] == pytest.approx(math.sqrt(1.68))
    assert found["sharpe_ratio"] == pytest.approx((1.0**252 - 1.0 - 0.02) / math.sqrt(1.68))
    assert found["sortino_ratio"] == 0.0
    # The normal distribution's 5 % and 1 % quantiles, −1.6449 and −2.3263 times √(0.02 ÷ 3) = 0.08165, to 3 places.
    assert (found["value_at_risk_95"], found["value_at_risk_99"]) == (-0.134, -0.19)
    # A Sharpe ratio of 0 against 1 ÷ √252 with the variance 1 ÷ 3: Φ(−0.10911).
    assert found["probabilistic_sharpe_ratio"] == pytest.approx(0.456558, abs=1e-6)


def test_growth_counts_years_of_365_calendar_days():
    found = measured()
    assert found["compounding_annual_return"] == pytest.approx(1.089 ** (365 / 5) - 1)
    assert found["total_net_profit"] == pytest.approx(0.089)
    assert found["drawdown"] == 0.1
    assert measured(equity=np.array([100.0, 87.6543]), benchmark=None)["drawdown"] == 0.123


def test_figures_against_the_benchmark():
    found = measured()
    # Σ r·(b − 0.0125) ÷ 3 = 0.005; Σ(b − 0.0125)² ÷ 3 = 0.011875 ÷ 3; r − b is 0, 0, −0.05, 0 with variance 0.000625.
    beta, yearly = 0.005 / (0.011875 / 3), 1.0125**252 - 1
    assert found["beta"] == pytest.approx(beta)
    assert found["alpha"] == pytest.approx(0.0 - (0.02 + beta * (yearly - 0.02)))
    assert found["tracking_error"] == pytest.approx(math.sqrt(0.000625 * 252))
    assert found["information_ratio"] == pytest.approx((0.0 - yearly) / math.sqrt(0.000625 * 252))
    assert found["treynor_ratio"] == pytest.approx(-0.02 / beta)
    without = measured(benchmark=None)
    assert [without[name] for name in ("beta", "alpha", "treynor_ratio")] == [0.0, 0.0, 0.0]


def test_each_closing_fill_is_a_trade_against_the_average_price_with_its_fee_twice():
    # 10 bought at 10; 5 sold at 12: 10 − 2 = 8 of 100. 5 sold at 9: −5 − 2 = −7 of 108.
    rows = fills((0, 0, 10, 10, 1), (1, 0, -5, 12, 1), (2, 0, -5, 9, 1))
    found = measured(orders=(rows.symbol, rows.shares, rows.price, rows.fee))
    assert (found["win_rate"], found["loss_rate"]) == (0.5, 0.5)
    assert (found["average_win_rate"], found["average_loss_rate"]) == pytest.approx((0.08, -7 / 108))
    assert found["profit_loss_ratio"] == pytest.approx(0.08 / (7 / 108))
    assert found["expectancy"] == pytest.approx(0.5 * 0.08 / (7 / 108) - 0.5)


def test_a_fill_through_zero_starts_a_new_average_price():
    # 2 sold short at 10, 3 bought at 8: 4 earned, one share held at 8 and sold at 9: 1 earned.
    rows = fills((0, 0, -2, 10, 0), (1, 0, 3, 8, 0), (2, 0, -1, 9, 0))
    found = measured(orders=(rows.symbol, rows.shares, rows.price, rows.fee))
    assert found["average_win_rate"] == pytest.approx((4 / 100 + 1 / 104) / 2)


def test_round_trips_are_counted_before_fees():
    # Closes 10, 12, 8, 11. Bought at 10 and sold at 12: 2. Bought at 12, sold at 8: −4. Bought at 8, sold at 11: 3.
    rows = [(0, 0, 1, 10, 1), (1, 0, -1, 12, 0), (1, 1, 1, 12, 0), (2, 1, -1, 8, 0), (2, 0, 1, 8, 0), (3, 0, -1, 11, 2)]
    closes = [[price, price] for price in (10.0, 12.0, 8.0, 11.0)]
    dates = np.array(["2015-01-02", "2015-01-05", "2015-01-06", "2015-01-07"], dtype="datetime64[D]")
    account = Account(dates, np.full(4, 100.0), 100.0, None)
    found = lean_statistics(account, NOTHING, trips(fills(*rows), closes), 0.0)["trade_statistics"]
    deviation = math.sqrt(((2 - 1 / 3) ** 2 + (-4 - 1 / 3) ** 2 + (3 - 1 / 3) ** 2) / 2)
    expected = {
        "total_number_of_trades": 3,
        "number_of_winning_trades": 2,
        "number_of_losing_trades": 1,
        "total_profit_loss": 1.0,
        "average_profit": 2.5,
        "average_loss": -4.0,
        "average_trade_duration_days": (3 + 1 + 1) / 3,
        "median_trade_duration_days": 1.0,
        "max_consecutive_winning_trades": 1,
        "profit_loss_ratio": 0.625,
        "win_loss_ratio": 2.0,
        "win_rate": 2 / 3,
        "profit_factor": 5 / 4,
        "average_mae": -4 / 3,
        "average_mfe": 5 / 3,
        "maximum_closed_trade_drawdown": -4.0,
        "profit_loss_standard_deviation": deviation,
        "profit_loss_downside_deviation": 0.0,
        "sharpe_ratio": 1 / 3 / deviation,
        "profit_to_max_drawdown_ratio": 0.25,
        "total_fees": 3.0,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_what_is_not_defined_is_zero():
    found = measured(equity=np.array([100.0]), benchmark=None)
    assert {value for name, value in found.items() if name not in ("start_equity", "end_equity")} == {0.0, None}
    ruined = measured(equity=np.array([1e-300, 1e300, 0.0]), benchmark=None)
    assert all(math.isfinite(value) for value in ruined.values() if value is not None)
