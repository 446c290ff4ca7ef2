"""Rolling statistics against pandas."""

import numpy as np
import pandas as pd
import pytest

from src.utils import rolling as module
from src.utils.rolling import monthly, rolling_beta, rolling_drawdown, rolling_risk


@pytest.fixture(params=[7, 1_000], autouse=True)
def rows_at_a_time(request, monkeypatch) -> None:
    monkeypatch.setattr(module, "ROWS", request.param)


def returns(seed: int, n: int = 300) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(0.0005, 0.01, n))


def equal(found, expected) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_sharpe_and_volatility_are_those_of_pandas():
    r = returns(1)
    window = r.rolling(63)
    sharpe, volatility = rolling_risk(r.to_numpy(), 63, 252)
    equal(sharpe, window.mean() / window.std() * np.sqrt(252))
    equal(volatility, window.std() * np.sqrt(252))


def test_beta_is_that_of_pandas_and_missing_where_the_benchmark_is():
    r, b = returns(1), returns(2)
    b[:20] = b[290:] = np.nan
    expected = r.rolling(63).cov(b) / b.rolling(63).var()
    equal(rolling_beta(r.to_numpy(), b.to_numpy(), 63), expected)


def test_drawdown_is_the_deepest_fall_within_each_window():
    equity = (1.0 + returns(3)).cumprod()
    values = pd.concat([pd.Series([1.0]), equity], ignore_index=True)
    expected = values.rolling(64).apply(lambda part: (1.0 - part / part.cummax()).max())
    equal(rolling_drawdown(equity.to_numpy(), 1.0, 63), expected[1:])


def test_what_does_not_vary_has_no_ratio():
    flat = np.full(10, 0.01)
    sharpe, volatility = rolling_risk(flat, 4, 252)
    assert np.isnan(sharpe).all()
    assert np.isnan(rolling_beta(np.arange(10.0), flat, 4)).all()
    assert volatility[3:].tolist() == [0.0] * 7


def test_a_run_shorter_than_the_window_has_no_values():
    assert np.isnan(rolling_risk(np.zeros(3), 63, 252)).all()
    assert np.isnan(rolling_drawdown(np.ones(3), 1.0, 63)).tolist() == [True] * 3


def test_months_are_summed_and_averaged_over_their_known_days():
    dates = np.array(["2015-01-30", "2015-01-31", "2015-02-02", "2015-03-02"], dtype="datetime64[D]")
    months, sums, means = monthly(dates, np.array([1.0, 3.0, 5.0, np.nan]))
    assert months.astype(str).tolist() == ["2015-01", "2015-02", "2015-03"]
    equal(sums, [4.0, 5.0, np.nan])
    equal(means, [2.0, 5.0, np.nan])
