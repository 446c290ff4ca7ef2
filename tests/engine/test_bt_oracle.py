"""Daily equity agrees with the `bt` library.

bt trades at the prices of the row on which it is asked, so both fill timings can be expressed: close to
close on a table of closes, close to next open on a table with two rows a day, the open and the close.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hqg_algorithms import ExecutionTiming

from tests.engine.oracle_cases import CASES, LEVERAGED_CASES, SHORT_CASES, OracleCase

pytestmark = pytest.mark.filterwarnings("ignore")

MORNING, EVENING = pd.Timedelta("9h30min"), pd.Timedelta("16h")


def equity_by_bt(table: pd.DataFrame, weights: pd.DataFrame) -> pd.Series:
    """Equity on each row of `table`, rebalanced to `weights` on the rows they name."""
    import bt  # noqa: PLC0415 - takes seconds, and every worker collects this file

    rebalance = [bt.algos.WeighTarget(weights.dropna()), bt.algos.Rebalance()]
    backtest = bt.Backtest(
        bt.Strategy("oracle", rebalance),
        table,
        initial_capital=10_000.0,
        integer_positions=False,
        progress_bar=False,
    )
    backtest.run()
    return backtest.strategy.values.reindex(table.index)


def with_opens(prices: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Two rows per day: the opens in the morning, the closes in the evening."""
    opens = prices["open"].set_axis(prices["open"].index + MORNING)
    closes = prices["close"].set_axis(prices["close"].index + EVENING)
    return pd.concat([opens, closes]).sort_index()


@pytest.mark.parametrize("case", [*CASES, *SHORT_CASES, *LEVERAGED_CASES], ids=str)
def test_daily_equity_agrees_with_bt(case: OracleCase, market_folder: Path) -> None:
    prices = case.prices(market_folder)
    close = prices["close"]
    weights = case.weights(close)
    if case.execution is ExecutionTiming.CLOSE_TO_CLOSE:
        theirs = equity_by_bt(close, weights)
    else:
        following = close.index.to_series().shift(-1)[weights.index]
        weights = weights[following.notna()].set_axis(following.dropna() + MORNING)
        theirs = equity_by_bt(with_opens(prices), weights).loc[close.index + EVENING]
    ledger = case.run(prices)
    assert len(ledger.orders.day) > len(weights) / 4
    np.testing.assert_allclose(ledger.equity, theirs.to_numpy(), rtol=1e-9)
