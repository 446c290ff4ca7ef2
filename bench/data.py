"""How fast cached prices are read: `python -m bench.data` prints the tables.

Every contender builds one table of bars of all symbols over 25 years from files in the disk cache: a fresh
process reads them, then reads the same again. Real prices if this machine has them, otherwise synthetic ones;
200 symbols are copies of the real ones under other names.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from bench.prices import generated, real_or_generated
from src.services.data_provider.cache.history_file import Record, write
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.history import ADJ_CLOSE, COLUMNS, RAW_VOLUME, History
from src.services.data_provider.trading_hours import Market
from src.utils.deadline import NO_DEADLINE, Deadline

START, END = date(2001, 1, 2), date(2025, 12, 31)
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
NEW_YORK = Market("America/New_York", has_new_york_sessions=True, trades_weekends=False)
KNOWN = ("SPY", "QQQ", "IWM", "DIA", "XLB", "XLE", "XLF", "XLI", "XLK", "XLP", "XLU", "XLV", "XLY")
CONTENDERS = ("ours", "ours, files without memory", "pd.read_parquet + concat", "read_parquet of 6 columns + concat")
REPEATS = 7


class NoSource:
    """A source that must not be used: everything is cached."""

    name = "yahoo"
    is_synthetic = False

    def history(self, symbol: str, start: date | None = None, deadline: Deadline = NO_DEADLINE) -> History:
        raise AssertionError(f"{symbol} is not cached from {start}")

    def prepare(self) -> None:
        """Nothing."""


def names(n_symbols: int) -> list[str]:
    """Symbols to read."""
    return [f"S{number}" for number in range(n_symbols)]


def fill(folder: Path, n_symbols: int) -> str:
    """Cache files of that many symbols; returns whose prices they hold."""
    prices = real_or_generated(KNOWN, START.isoformat(), END.isoformat())
    if prices.close.empty:
        prices = generated(KNOWN, START.isoformat(), END.isoformat())
    dates = prices.close.index.to_numpy().astype("datetime64[D]")
    record = Record("yahoo", NOW - timedelta(hours=1), NOW - timedelta(hours=1), END)
    for number, symbol in enumerate(names(n_symbols)):
        known = KNOWN[number % len(KNOWN)]
        rows = np.zeros((dates.size, len(COLUMNS)))
        for column, name in ((0, "open"), (1, "high"), (2, "low"), (3, "close"), (RAW_VOLUME, "volume")):
            rows[:, column] = prices.frames[name][known].to_numpy()
        rows[:, ADJ_CLOSE] = rows[:, 3] * 0.97
        write(folder / f"{symbol}.parquet", History(symbol, dates, rows, NEW_YORK), record)
    return prices.source


def ours(folder: Path, symbols: list[str], memory_bytes: int) -> Callable[[], float]:
    """The provider of the service."""
    provider = CachedProvider(NoSource(), folder, lambda: NOW, memory_bytes)
    return lambda: float(np.nansum(provider.fetch(symbols, START, END).close[-1]))


def by_pandas(folder: Path, symbols: list[str], columns: list[str] | None) -> Callable[[], float]:
    """A plain pandas implementation."""

    def run() -> float:
        frames = {s: pd.read_parquet(folder / f"{s}.parquet", columns=columns).set_index("day") for s in symbols}
        factor = {s: frame["adj_close"] / frame["close"] for s, frame in frames.items()}
        adjusted = {
            s: frame[["open", "high", "low", "close"]].mul(factor[s], axis=0).assign(volume=frame["volume"])
            for s, frame in frames.items()
        }
        table = pd.concat(adjusted, axis=1)
        return float(table.xs("close", axis=1, level=1).iloc[-1].sum())

    return run


def prepared(contender: str, folder: Path, symbols: list[str]) -> Callable[[], float]:
    """One contender, ready to run."""
    if contender == CONTENDERS[0]:
        return ours(folder, symbols, 128 * 1024 * 1024)
    if contender == CONTENDERS[1]:
        return ours(folder, symbols, 0)
    six = ["day", "open", "high", "low", "close", "adj_close", "volume"]
    return by_pandas(folder, symbols, None if contender == CONTENDERS[2] else six)


def measure(contender: str, folder: Path, n_symbols: int) -> None:
    """Print first and best later milliseconds, the result, and the megabytes the reading took at most."""
    from src.services.data_provider import calendar

    calendar.prepare()  # the service does that when it starts
    pd.read_parquet(folder / "S0.parquet")  # neither contender pays for imports
    run = prepared(contender, folder, names(n_symbols))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, result = [], 0.0
    for _ in range(1 + REPEATS):
        began = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - began)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{seconds[0] * 1e3:.2f} {min(seconds[1:]) * 1e3:.2f} {result!r} {grown:.0f}")


def print_table(n_symbols: int) -> None:
    """All contenders on that many symbols, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        source = fill(Path(folder), n_symbols)
        print(f"\n{n_symbols} symbols, {START} to {END}, {source}")
        print(f"{'':36} {'first ms':>9} {'again ms':>9} {'times ours':>11} {'more MB':>8}")
        fastest, results = None, set()
        for contender in CONTENDERS:
            command = [sys.executable, "-m", "bench.data", contender, folder, str(n_symbols)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            first, again, result, grown = done.stdout.split()
            fastest = fastest or float(first)
            results.add(round(float(result), 6))
            print(f"{contender:36} {first:>9} {again:>9} {float(first) / fastest:>10.1f}x {grown:>8}")
        assert len(results) == 1, f"they disagree: {results}"


def main() -> None:
    """The tables for 2 and 200 symbols."""
    if len(sys.argv) == 4:
        measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
        return
    for n_symbols in (2, 200):
        print_table(n_symbols)


if __name__ == "__main__":
    main()
