"""Prices for benchmarks: real ones if this machine has them, otherwise synthetic ones."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from src.engine.market import Market

FIELDS = ("open", "high", "low", "close", "volume")
_PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Prices:
    """Complete daily bars: frames of (n_days, n_symbols), one a field, and where they are from."""

    frames: dict[str, pd.DataFrame]
    source: str

    @property
    def open(self) -> pd.DataFrame:
        return self.frames["open"]

    @property
    def close(self) -> pd.DataFrame:
        return self.frames["close"]

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.close.columns)

    def market(self) -> Market:
        """The same prices as the engine takes them."""
        bars = np.stack([self.frames[field].to_numpy() for field in FIELDS], axis=2)
        days = self.close.index.to_numpy().astype("datetime64[D]").astype(int).tolist()
        return Market(days, self.symbols, memoryview(np.ascontiguousarray(bars).reshape(-1)))


def real_or_generated(symbols: Sequence[str], first: str, last: str) -> Prices:
    """Real prices of all symbols between two dates; generated ones if any file is missing."""
    folder = Path(os.environ.get("MARKET_DATA_DIR", _PROJECT.parent / "shared" / "market")) / "daily"
    paths = [folder / f"{symbol}.parquet" for symbol in symbols]
    if not all(path.is_file() for path in paths):
        return generated(symbols, first, last)
    files = [pd.read_parquet(path).loc[first:last] for path in paths]
    frames = {f: pd.DataFrame({s: file[f] for s, file in zip(symbols, files, strict=True)}) for f in FIELDS}
    if any(frame.isna().to_numpy().any() for frame in frames.values()):
        raise ValueError(f"some of {', '.join(symbols)} lack a bar between {first} and {last}")
    return Prices(frames, "real daily prices")


def generated(symbols: Sequence[str], first: str, last: str) -> Prices:
    """Random walks on business days, the same for the same arguments."""
    days = pd.bdate_range(first, last)
    random = np.random.default_rng(20240101)
    shape = (len(days), len(symbols))
    close = 100 * np.exp(np.cumsum(random.normal(0.0003, 0.012, shape), axis=0))
    opening = np.vstack([np.full((1, shape[1]), 100.0), close[:-1]]) * np.exp(random.normal(0, 0.004, shape))
    columns = {
        "open": opening,
        "high": np.maximum(opening, close) * 1.004,
        "low": np.minimum(opening, close) * 0.996,
        "close": close,
        "volume": random.uniform(1e6, 1e8, shape).round(),
    }
    return Prices({f: pd.DataFrame(columns[f], index=days, columns=list(symbols)) for f in FIELDS}, "generated prices")
