"""`measure`: the hand calculations of metrics.md, odd runs, and laws that hold for every run."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.utils.benchmark_stats import benchmark_equity
from src.utils.metrics import measure
from src.utils.return_stats import daily_rate
from src.utils.trade_stats import TradeColumns

TABLE = """
    total_return annualized_return annual_volatility sharpe_ratio sortino calmar omega max_drawdown
    max_drawdown_duration var_95 cvar_95 skew excess_kurtosis tail_ratio ulcer_index beta alpha
    information_ratio tracking_error treynor psr psr_zero win_rate loss_rate avg_win avg_loss
    profit_factor expectancy profit_loss_ratio turnover exposure total_orders closed_trades best_day
    worst_day positive_day_rate break_even_cost_bps periods_per_year risk_free_rate
"""
NAMES = TABLE.split()

STATISTICS = {
    *(
        "annualized_return",
        "annual_volatility",
        "sharpe_ratio",
        "sortino",
        "omega",
        "var_95",
        "cvar_95",
        "skew",
    ),
    *("excess_kurtosis", "tail_ratio", "beta", "alpha", "information_ratio", "tracking_error", "treynor"),
    *("psr", "psr_zero", "turnover"),
}


def days(count, first="2020-01-02"):
    return np.datetime64(first) + np.arange(count)


def no_orders():
    return orders()


def orders(*rows):
    """(day, symbol, shares, price, fee, reference price) each."""
    columns = np.array(rows, dtype=np.float64).reshape(-1, 6).T
    return TradeColumns(columns[0].astype(np.int64), columns[1].astype(np.int64), *columns[2:])


def measured(equity, capital=100.0, **given):
    equity = np.array(equity, dtype=np.float64)
    given = {"periods_per_year": 252} | given
    return measure(equity, capital, days(len(equity)), **given)


def measured_whole(equity, capital=100.0, **given):
    """A run with everything: benchmark, orders (none), positions (none)."""
    count = len(equity)
    known = {
        "benchmark_equity": capital * (1.0 + 0.01 * np.sin(np.arange(count, dtype=np.float64))),
        "trades": no_orders(),
        "position_value": np.zeros(count),
    }
    return measured(equity, capital, **(known | given))


def test_every_metric_is_present_in_the_order_of_the_table_even_when_undefined():
    assert list(measured([101, 102]).values) == NAMES
    assert list(measured_whole([101, 100, 99, 103, 101]).values) == NAMES


def test_exactly_the_metrics_that_are_none_have_a_reason():
    for metrics in (measured([100]), measured_whole([101, 100, 99, 103, 101])):
        assert set(metrics.undefined) == {name for name, value in metrics.values.items() if value is None}
        assert all(metrics.undefined.values())


def test_total_return_by_hand():
    assert measured([120, 90]).values["total_return"] == pytest.approx(90 / 100 - 1)


def test_annualized_return_by_hand():
    # Four days, 2 to 5 January: three calendar days from the first to the last date. 100 → 101.
    values = measured([100, 100.5, 100.2, 101]).values
    assert values["annualized_return"] == pytest.approx(1.01 ** (365.25 / 3) - 1, rel=1e-12)


def test_calmar_is_annualized_return_over_maximum_drawdown():
    values = measured([100, 120, 90, 101]).values
    assert values["max_drawdown"] == pytest.approx(1 - 90 / 120)
    assert values["calmar"] == pytest.approx(values["annualized_return"] / 0.25)


def test_the_first_loss_is_a_drawdown_from_the_initial_capital():
    assert measured([90, 95]).values["max_drawdown"] == pytest.approx(0.1)


def test_ulcer_index_by_hand():
    # Depths: 0, 1/10 (90 of 100), 0, 1/4 (90 of 120). √((0 + 0.01 + 0 + 0.0625) / 4)
    assert measured([100, 90, 120, 90]).values["ulcer_index"] == pytest.approx(math.sqrt(0.0725 / 4))


def test_tracking_error_and_information_ratio_by_hand():
    # r = +1 %, −1 %, +2 %, 0; b = 0, 0, +1 %, +1 %; active = 1, −1, 1, −1 percent.
    equity = 100 * np.cumprod([1.01, 0.99, 1.02, 1.0])
    benchmark = 100 * np.cumprod([1.0, 1.0, 1.01, 1.01])
    values = measured(equity, benchmark_equity=benchmark).values
    # mean 0; deviations ±1 %, so the sample variance is 4 · 1e-4 / 3.
    assert values["tracking_error"] == pytest.approx(math.sqrt(4e-4 / 3 * 252))
    assert values["information_ratio"] == pytest.approx(0.0, abs=1e-9)


def test_information_ratio_of_a_lead_by_hand():
    # active = 2, 0, 2, 0 percent: mean 1 %, sample variance 4 · 1e-4 / 3.
    equity = 100 * np.cumprod([1.02, 1.0, 1.02, 1.0])
    values = measured(equity, benchmark_equity=np.full(4, 100.0)).values
    assert values["information_ratio"] == pytest.approx(0.01 / math.sqrt(4e-4 / 3) * math.sqrt(252))


def test_alpha_beta_and_treynor_by_hand():
    # b = 1, −1, 1, −1 percent; r = 0.1 % + 2·b. Without a risk-free rate: beta 2, alpha 252 · 0.1 %.
    b = np.array([0.01, -0.01, 0.01, -0.01])
    equity, benchmark = 100 * np.cumprod(1 + 0.001 + 2 * b), 100 * np.cumprod(1 + b)
    values = measured(equity, benchmark_equity=benchmark).values
    assert values["beta"] == pytest.approx(2.0)
    assert values["alpha"] == pytest.approx(252 * 0.001)
    assert values["treynor"] == pytest.approx(252 * 0.001 / 2)


def test_alpha_is_counted_above_the_risk_free_rate():
    # r = 2·b and rf = f per day: alpha = A · ((0 − f) − 2 · (0 − f)) = A · f.
    b = np.array([0.01, -0.01, 0.01, -0.01])
    equity, benchmark = 100 * np.cumprod(1 + 2 * b), 100 * np.cumprod(1 + b)
    values = measured(equity, benchmark_equity=benchmark, annual_risk_free_rate=0.05).values
    assert values["alpha"] == pytest.approx(252 * daily_rate(0.05, 252))


def test_day_extremes_by_hand():
    values = measured([101, 101, 99.99, 102.9897]).values
    assert values["best_day"] == pytest.approx(102.9897 / 99.99 - 1)
    assert values["worst_day"] == pytest.approx(99.99 / 101 - 1)
    assert values["positive_day_rate"] == 2 / 4


def test_the_assumptions_are_echoed():
    values = measured([100, 101], periods_per_year=365, annual_risk_free_rate=0.02).values
    assert (values["periods_per_year"], values["risk_free_rate"]) == (365, 0.02)


def test_a_run_of_fewer_than_four_days_has_facts_and_no_statistics():
    for count in (1, 2, 3):
        metrics = measured_whole([101, 99, 102][:count])
        assert set(metrics.undefined) >= STATISTICS, count
        assert metrics.undefined["sharpe_ratio"] == f"needs at least 4 daily returns, has {count}"
        assert metrics.values["total_return"] == pytest.approx([0.01, -0.01, 0.02][count - 1])
        assert metrics.values["best_day"] is not None


def test_all_cash_has_no_risk_and_no_ratios():
    for annual_rate in (0.0, 0.03):
        metrics = measured_whole([100.0] * 30, annual_risk_free_rate=annual_rate)
        zero = {
            "total_return",
            "annualized_return",
            "annual_volatility",
            "max_drawdown",
            "exposure",
            "turnover",
        }
        assert {name: metrics.values[name] for name in zero} == dict.fromkeys(zero, 0.0)
        for ratio in (
            "sharpe_ratio",
            "sortino",
            "omega",
            "psr",
            "psr_zero",
            "skew",
            "excess_kurtosis",
            "tail_ratio",
        ):
            assert metrics.undefined[ratio] == "daily returns do not vary"
        assert metrics.undefined["calmar"] == "no drawdown"
        assert metrics.undefined["win_rate"] == "no closed trades"
        assert metrics.undefined["treynor"] == "beta is zero"
        assert metrics.undefined["break_even_cost_bps"] == "no orders"
        assert metrics.values["total_orders"] == 0


def test_constant_growth_has_no_dispersion_although_rounding_makes_its_deviation_positive():
    equity = 100 * 1.001 ** np.arange(1, 500)
    returns = np.diff(equity) / equity[:-1]
    assert np.std(returns, ddof=1) > 0.0  # what an exact comparison with zero would fall for
    metrics = measured_whole(equity)
    assert metrics.undefined["sharpe_ratio"] == "daily returns do not vary"
    assert metrics.values["annual_volatility"] == 0.0


def test_rounding_in_unchanged_holdings_is_neither_a_drawdown_nor_a_positive_day():
    equity = np.full(100, 100.0)
    equity[50:] = np.nextafter(100.0, 0.0)
    equity[75:] = np.nextafter(100.0, 200.0)
    values = measured(equity).values
    assert (values["max_drawdown"], values["max_drawdown_duration"], values["positive_day_rate"]) == (0, 0, 0)


def test_a_run_without_a_losing_day_has_no_sortino_and_no_omega():
    metrics = measured([101, 103, 104, 107])
    assert metrics.undefined["sortino"] == metrics.undefined["omega"]
    assert metrics.undefined["omega"] == "no day returned less than the risk-free rate"
    assert metrics.values["sharpe_ratio"] > 0


def test_a_constant_benchmark_has_no_beta_but_a_tracking_error():
    metrics = measured([101, 99, 104, 102], benchmark_equity=np.full(4, 100.0))
    for name in ("beta", "alpha", "treynor"):
        assert metrics.undefined[name] == "the benchmark's daily returns do not vary"
    assert metrics.values["tracking_error"] == metrics.values["annual_volatility"]


def test_holding_the_benchmark_itself_has_beta_one_and_no_information_ratio():
    equity = np.array([101.0, 99, 104, 102])
    metrics = measured(equity, benchmark_equity=equity)
    assert metrics.values["beta"] == pytest.approx(1.0)
    assert metrics.values["alpha"] == pytest.approx(0.0, abs=1e-12)
    assert metrics.values["tracking_error"] == 0.0
    assert metrics.undefined["information_ratio"] == "daily returns less the benchmark's do not vary"


def test_without_benchmark_orders_or_positions_their_metrics_say_so():
    metrics = measured([101, 99, 104, 102])
    assert {metrics.undefined[name] for name in ("beta", "alpha", "information_ratio")} == {"no benchmark"}
    assert metrics.undefined["total_orders"] == "the orders are not known"
    assert metrics.undefined["exposure"] == "the positions are not known"


def test_a_total_loss_on_the_last_day_keeps_every_daily_return():
    metrics = measured([101, 99, 104, 0])
    assert metrics.values["total_return"] == metrics.values["worst_day"] == -1.0
    assert metrics.values["annualized_return"] == -1.0
    assert metrics.values["max_drawdown"] == 1.0


def test_equity_of_zero_before_the_end_leaves_a_drawdown_but_no_daily_returns():
    metrics = measured_whole([101, 0, 0, 0, 0])
    assert metrics.undefined["sharpe_ratio"] == "equity reached zero, after which daily returns have no base"
    assert metrics.undefined["exposure"] == "equity reached zero"
    assert (metrics.values["total_return"], metrics.values["max_drawdown"]) == (-1.0, 1.0)


def test_equity_below_zero_has_no_annualized_return():
    assert measured([101, 50, 20, -5]).undefined["annualized_return"] == "equity ended below zero"


def test_growth_beyond_the_float_range_is_undefined_and_not_infinite():
    metrics = measured([1e150, 1e300, 1e10, 1e305])
    assert "too large" in metrics.undefined["annualized_return"]
    assert "too large" in metrics.undefined["sharpe_ratio"]


@pytest.mark.parametrize(
    ("equity", "given", "complaint"),
    [
        ([], {}, "at least one date"),
        ([100, math.nan], {}, "equity must be finite"),
        ([100, 101], {"capital": 0.0}, "initial capital"),
        ([100, 101], {"capital": math.inf}, "initial capital"),
        ([100, 101], {"annual_risk_free_rate": -1.0}, "risk-free rate"),
        (
            [100, 101],
            {"benchmark_equity": np.array([100.0])},
            "benchmark must be finite without a gap, one value per date",
        ),
        ([100, 101, 102], {"benchmark_equity": np.array([100.0, math.nan, 100.0])}, "without a gap"),
        ([100, 101, 102], {"benchmark_equity": np.array([math.nan, 100.0, math.inf])}, "without a gap"),
        ([100, 101], {"benchmark_equity": np.full(2, math.nan)}, "without a gap"),
        ([100, 101], {"benchmark_equity": np.array([100.0, 0.0])}, "benchmark must be above zero"),
        ([100, 101], {"position_value": np.array([0.0, math.inf])}, "position value must be finite"),
    ],
)
def test_inputs_that_are_not_a_run_are_refused(equity, given, complaint):
    with pytest.raises(ValueError, match=complaint):
        measured(equity, **given)


def test_the_daily_rate_compounds_to_the_annual_rate():
    assert (1 + daily_rate(0.05, 252)) ** 252 == pytest.approx(1.05, rel=1e-12)


AGAINST_THE_BENCHMARK = ("beta", "alpha", "information_ratio", "tracking_error", "treynor")


@pytest.mark.parametrize(("first", "last"), [(0, 59), (20, 59), (0, 39), (20, 39), (1, 58)])
def test_a_benchmark_of_some_days_is_compared_on_those_days_alone(first, last):
    # The oracle: a run that begins with the benchmark's first value and ends with its last.
    generator = np.random.default_rng(11)
    equity = 100 * np.cumprod(1 + generator.normal(0.001, 0.02, 60))
    benchmark = 100 * np.cumprod(1 + generator.normal(0.0005, 0.01, 60))
    known = np.full(60, math.nan)
    known[first : last + 1] = benchmark[first : last + 1]
    values = measured(equity, benchmark_equity=known, annual_risk_free_rate=0.03).values
    after = first + 1 if first else 0
    capital = equity[first] if first else 100.0
    scale = capital / benchmark[first] if first else 1.0
    whole = measured(
        equity[after : last + 1],
        capital,
        benchmark_equity=benchmark[after : last + 1] * scale,
        annual_risk_free_rate=0.03,
    ).values
    for name in AGAINST_THE_BENCHMARK:
        assert values[name] == pytest.approx(whole[name], rel=1e-9), name
    # Other metrics cover the whole run.
    alone = measured(equity, annual_risk_free_rate=0.03).values
    for name in set(alone) - set(AGAINST_THE_BENCHMARK):
        assert values[name] == alone[name], name


def test_a_benchmark_of_fewer_than_four_days_says_so():
    benchmark = np.full(9, math.nan)
    benchmark[5:8] = [100.0, 101.0, 99.0]
    metrics = measured([101, 99, 102, 103, 101, 100, 104, 105, 103], benchmark_equity=benchmark)
    assert {metrics.undefined[name] for name in AGAINST_THE_BENCHMARK} == {"needs at least 4 daily returns, has 2"}


def test_a_benchmark_is_cash_until_its_first_close_and_keeps_its_last_close_on_days_without_one():
    closes = np.array([math.nan, 50.0, math.nan, 60.0, 45.0, math.nan])
    assert benchmark_equity(closes, 100.0).tolist() == [100, 100, 100, 120, 90, 90]


def test_a_benchmark_without_any_close_is_refused():
    with pytest.raises(ValueError, match="no close"):
        benchmark_equity(np.full(3, math.nan), 100.0)


positive = st.floats(min_value=5e-324, max_value=1.7e308)
plausible = st.floats(min_value=1e-3, max_value=1e9)


@given(st.lists(positive | plausible, min_size=1, max_size=30), positive | plausible, st.data())
def test_no_positive_equity_ever_gives_an_exception_or_a_number_that_is_not_finite(equity, capital, data):
    count = len(equity)
    benchmark = data.draw(st.lists(positive | plausible, min_size=count, max_size=count))
    rate = data.draw(st.floats(-0.99, 1e6))
    metrics = measured_whole(
        equity,
        capital,
        benchmark_equity=np.array(benchmark),
        annual_risk_free_rate=rate,
        trades=data.draw(any_orders(count)),
    )
    assert list(metrics.values) == NAMES
    for name, value in metrics.values.items():
        assert (value is None) == (name in metrics.undefined)
        assert value is None or math.isfinite(value), name
        assert value is None or type(value) in (int, float), name


@st.composite
def any_orders(draw, n_days):
    amount = st.floats(1e-6, 1e6)
    row = st.tuples(
        st.integers(0, n_days - 1),
        st.integers(0, 2),
        amount | amount.map(lambda shares: -shares),
        amount,
        st.just(0.0) | amount,
        amount,
    )
    return orders(*draw(st.lists(row, max_size=8)))


@given(st.lists(plausible, min_size=4, max_size=40), st.integers(-8, 8), st.data())
def test_rates_do_not_depend_on_the_size_of_the_account(equity, exponent, data):
    factor = 2.0**exponent  # exact in floating point, so even the last bit must agree
    equity = np.array(equity)
    trades = data.draw(any_orders(len(equity)))
    scaled = TradeColumns(
        trades.day,
        trades.symbol,
        trades.shares * factor,
        trades.price,
        trades.fee * factor,
        trades.reference_price,
    )
    small = measured_whole(equity, 100.0, trades=trades)
    large = measured_whole(equity * factor, 100.0 * factor, trades=scaled)
    assert small == large
