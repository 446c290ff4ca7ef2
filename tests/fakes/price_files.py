"""A folder of made-up daily prices, for tests without real ones."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from src.services.data_provider.calendar import sessions
from src.services.data_provider.mock.provider import MockProvider

SYMBOLS = ("SPY", "BND", "TLT", "VXUS", "^IRX", *(f"XL{letter}" for letter in "BEFIKPUVY"))
"""What the strategies of tests/strategies trade, and what their results are compared with."""


def write_made_up_prices(folder: Path, start: date, end: date) -> None:
    """Write <symbol>.parquet for each of SYMBOLS, one row for each New York session from start to end."""
    provider = MockProvider(lambda: datetime.combine(end, datetime.max.time(), UTC))
    for symbol in SYMBOLS:
        prices = provider.fetch((symbol,), start, end)
        index = pd.DatetimeIndex(prices.dates, name="date")
        frame = pd.DataFrame(prices.bars[:, 0, :], index, ["open", "high", "low", "close", "volume"])
        frame.to_parquet(folder / f"{symbol}.parquet")


def write_random_prices(folder: Path, symbol: str, seed: int = 0) -> None:
    """Write <symbol>.parquet, 2014 to 2016; files of different seeds have the same size."""
    days = sessions(date(2014, 1, 2), date(2016, 12, 30))
    prices = 100 * np.exp(np.cumsum(np.random.default_rng([seed, *symbol.encode()]).normal(0, 0.01, days.size)))
    columns = dict.fromkeys(("Open", "High", "Low", "Close"), prices) | {"Volume": np.full(days.size, 1e6)}
    pq.write_table(pa.table({"Date": days, **columns}), folder / f"{symbol}.parquet")
