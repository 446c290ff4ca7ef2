"""A folder of made-up daily prices, for tests that want some and have no real ones."""

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

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
