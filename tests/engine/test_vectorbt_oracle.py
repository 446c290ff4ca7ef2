"""Daily equity agrees with vectorbt's `from_orders`.

Target percent orders with shared cash, sells first, sized at the fill price. It takes the fill prices as a
table of their own, so both fill timings can be expressed: closes, or the next day's opens.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hqg_algorithms import ExecutionTiming

from tests.engine.oracle_cases import CASES, SHORT_CASES, OracleCase

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow, pytest.mark.xdist_group("vectorbt")]


def equity_by_vectorbt(close: pd.DataFrame, fill_prices: pd.DataFrame, weights: pd.DataFrame) -> pd.Series:
    """Equity at each close, with the weights of a row traded at that row's fill prices."""
    import vectorbt  # noqa: PLC0415 - takes seconds, and every worker collects this file

    portfolio = vectorbt.Portfolio.from_orders(
        close,
        size=weights,
        size_type="targetpercent",
        price=fill_prices,
        cash_sharing=True,
        group_by=True,
        call_seq="auto",
        init_cash=10_000.0,
        freq="D",
    )
    return portfolio.value()


@pytest.mark.parametrize("case", [*CASES, *SHORT_CASES], ids=str)  # it borrows shares but no cash
def test_daily_equity_agrees_with_vectorbt(case: OracleCase, market_folder: Path) -> None:
    prices = case.prices(market_folder)
    close = prices["close"]
    weights = case.weights(close).reindex(close.index)
    if case.execution is ExecutionTiming.CLOSE_TO_CLOSE:
        theirs = equity_by_vectorbt(close, close, weights)
    else:
        theirs = equity_by_vectorbt(close, prices["open"], weights.shift(1))
    np.testing.assert_allclose(case.run(prices).equity, theirs.to_numpy(), rtol=1e-9)
