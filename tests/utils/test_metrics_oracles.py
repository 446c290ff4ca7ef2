"""The formulas agree with the libraries that metrics.md names, on real and on made-up price series.

Agreement is to rtol 1e-9 everywhere: none of these oracles is an estimate.
"""

import functools
import importlib
import warnings
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from src.utils.benchmark_stats import benchmark_equity
from src.utils.metrics import measure

CAPITAL = 10_000.0
RTOL = 1e-9


@functools.cache
def oracle(name: str) -> ModuleType:
    """Imported when the first test asks for it: that takes seconds, and every worker collects this file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what an oracle's own imports warn about is not ours to fix
        return importlib.import_module(name)


def real_run(folder, symbol):
    """Two fifths in the symbol, the rest in cash, beside SPY."""
    spy, closes = (pd.read_parquet(folder / f"{name}.parquet")["close"].loc["2008":"2020"] for name in ("SPY", symbol))
    equity = 0.4 * benchmark_equity(closes.reindex(spy.index).to_numpy(), CAPITAL) + 0.6 * CAPITAL
    equity *= 0.999  # a first purchase that cost something
    return equity, benchmark_equity(spy.to_numpy(), CAPITAL), spy.index


def synthetic_run(seed, n_days, volatility):
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(4, size=(2, n_days)) * volatility
    equity = CAPITAL * np.cumprod(1.0 + 0.03 * volatility + shocks[0])
    benchmark = CAPITAL * np.cumprod(1.0 + 0.02 * volatility + 0.5 * shocks[0] + shocks[1])
    return equity, benchmark, pd.bdate_range("2001-03-02", periods=n_days)


SYNTHETIC = {
    "quiet": (1, 2_500, 1e-5),
    "wild": (2, 800, 0.03),
    "one month": (3, 21, 0.01),
    "four days": (4, 4, 0.01),
}


@pytest.fixture(params=["SPY", "TLT", "XLE", *SYNTHETIC])
def run(request):
    if request.param in SYNTHETIC:
        return synthetic_run(*SYNTHETIC[request.param])
    return real_run(request.getfixturevalue("market_folder"), request.param)


@pytest.fixture(params=[(252, 0.0), (252, 0.031), (365, -0.004)], ids=["252", "252 rf", "365 negative rf"])
def convention(request):
    return request.param


def measured(run, convention):
    equity, benchmark, index = run
    periods, annual_rate = convention
    dates = index.to_numpy().astype("datetime64[D]")
    return measure(
        equity,
        CAPITAL,
        dates,
        periods_per_year=periods,
        annual_risk_free_rate=annual_rate,
        benchmark_equity=benchmark,
    ).values


def returns_of(values, index):
    """Daily returns by pandas, the first from the capital."""
    return pd.Series(np.concatenate(([CAPITAL], values))).pct_change().iloc[1:].set_axis(index)


def test_volatility_sharpe_sortino_and_omega_agree_with_empyrical(run, convention):
    periods, annual_rate = convention
    returns = returns_of(run[0], run[2])
    rate = (1 + annual_rate) ** (1 / periods) - 1
    ours = measured(run, convention)
    close(ours["annual_volatility"], oracle("empyrical").annual_volatility(returns, annualization=periods))
    close(ours["sharpe_ratio"], oracle("empyrical").sharpe_ratio(returns, risk_free=rate, annualization=periods))
    close(ours["sortino"], oracle("empyrical").sortino_ratio(returns, required_return=rate, annualization=periods))
    close(ours["omega"], oracle("empyrical").omega_ratio(returns, risk_free=rate))


def test_max_drawdown_agrees_with_empyrical_but_for_the_sign(run, convention):
    returns = returns_of(run[0], run[2])
    close(measured(run, convention)["max_drawdown"], -oracle("empyrical").max_drawdown(returns))


def test_tails_agree_with_empyrical(run, convention):
    returns = returns_of(run[0], run[2])
    ours = measured(run, convention)
    close(ours["var_95"], oracle("empyrical").value_at_risk(returns))
    close(ours["cvar_95"], oracle("empyrical").conditional_value_at_risk(returns))
    close(ours["tail_ratio"], oracle("empyrical").tail_ratio(returns))


def test_beta_agrees_with_empyrical(run, convention):
    periods, annual_rate = convention
    equity, benchmark, index = run
    rate = (1 + annual_rate) ** (1 / periods) - 1
    expected = oracle("empyrical").beta(returns_of(equity, index), returns_of(benchmark, index), risk_free=rate)
    close(measured(run, convention)["beta"], expected)


def test_alpha_agrees_with_the_intercept_of_a_least_squares_line(run, convention):
    periods, annual_rate = convention
    equity, benchmark, index = run
    rate = (1 + annual_rate) ** (1 / periods) - 1
    line = oracle("scipy.stats").linregress(returns_of(benchmark, index) - rate, returns_of(equity, index) - rate)
    # An intercept is a difference of larger numbers, so near zero its error is measured against those.
    assert measured(run, convention)["alpha"] == pytest.approx(line.intercept * periods, rel=RTOL, abs=RTOL)


def test_annualized_return_agrees_with_ffn_when_the_capital_stands_on_the_first_date(run, convention):
    equity, _, index = run
    prices = pd.Series(np.concatenate(([CAPITAL], equity)), index=[index[0], *index])
    close(measured(run, convention)["annualized_return"], oracle("ffn").calc_cagr(prices))


def test_skew_and_kurtosis_agree_with_scipy(run, convention):
    returns = returns_of(run[0], run[2])
    ours = measured(run, convention)
    close(ours["skew"], oracle("scipy.stats").skew(returns, bias=False))
    close(ours["excess_kurtosis"], oracle("scipy.stats").kurtosis(returns, bias=False))


def test_both_psr_agree_with_skfolio(run, convention):
    periods, annual_rate = convention
    returns = returns_of(run[0], run[2]).to_numpy()
    rate = (1 + annual_rate) ** (1 / periods) - 1
    ours = measured(run, convention)
    yearly_one = 1 / np.sqrt(periods)
    close(ours["psr"], oracle("skfolio.measures").probabilistic_sharpe_ratio(returns, yearly_one, risk_free_rate=rate))
    close(ours["psr_zero"], oracle("skfolio.measures").probabilistic_sharpe_ratio(returns, 0.0, risk_free_rate=rate))


def test_cvar_agrees_with_empyrical_at_every_length():
    """The number of days in the tail is a whole number that must round the same way."""
    rng = np.random.default_rng(5)
    for n_days in range(4, 200):
        returns = rng.normal(0, 0.01, n_days)
        dates = np.datetime64("2020-01-01") + np.arange(n_days)
        equity = CAPITAL * np.cumprod(1 + returns)
        ours = measure(equity, CAPITAL, dates, periods_per_year=365).values["cvar_95"]
        assert ours == pytest.approx(oracle("empyrical").conditional_value_at_risk(returns), rel=RTOL), n_days


def close(ours, expected):
    assert ours == pytest.approx(float(expected), rel=RTOL)
