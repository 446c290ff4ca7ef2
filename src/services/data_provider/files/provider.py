"""Prices from a folder of files, one per symbol, without any network."""

import os
import stat
from collections.abc import Callable, Hashable, Sequence
from datetime import date
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.alignment import check_symbol, gather, usable_yields, yields_in_window
from src.services.data_provider.arrays import CLOSE
from src.services.data_provider.base import PriceTable, Yields
from src.services.data_provider.cached_symbol import CachedSymbol
from src.services.data_provider.cleaning import SymbolBars
from src.services.data_provider.files.bars import bars_of_file
from src.services.data_provider.files.price_file import read_price_columns, read_price_file
from src.services.data_provider.recently_used import YIELDS_BYTES, RecentlyUsed
from src.utils.deadline import NO_DEADLINE, Deadline
from src.utils.price_adjustment import FULL, PriceAdjustment
from src.utils.symbols import SYMBOL_PATTERN

SUFFIXES = (".parquet", ".csv")
SMALL_FOLDER_FILES = 500
"""A folder with up to this many files is searched for symbols spelt like an unknown one."""


class FilesProvider:
    """Reads `<SYMBOL>.parquet`, or else `<SYMBOL>.csv`, from one folder.

    `read_price_columns` documents the required columns. A file is read again when its size or modification
    time changes.

    Args:
        folder: the files' folder. Links that lead out of it are refused.
        memory_bytes: limit on the bars kept in memory for later requests.
    """

    name = "files"
    is_synthetic = False

    def __init__(self, folder: Path, memory_bytes: int = 128 * 1024 * 1024) -> None:
        self._folder = folder
        self._memory = RecentlyUsed[SymbolBars](memory_bytes)
        self._yields = RecentlyUsed[Yields](YIELDS_BYTES)

    def fetch(
        self,
        symbols: Sequence[str],
        start: date,
        end: date,
        deadline: Deadline = NO_DEADLINE,
        adjustment: PriceAdjustment = FULL,
    ) -> PriceTable:
        """The bars of `symbols` between start and end, as `DataProvider.fetch` promises."""
        self._check_folder()
        return gather(symbols, start, end, lambda symbol: self._load(symbol, adjustment))

    def fetch_yields(self, symbol: str, start: date, end: date, deadline: Deadline = NO_DEADLINE) -> Yields:
        """The yields of `symbol`, as `DataProvider.fetch_yields` promises."""
        self._check_folder()
        check_symbol(symbol)
        stamp = self.version(symbol, end)
        path = self._find(symbol)
        whole = self._yields.get(symbol, stamp)
        if whole is None:
            dates, rows = read_price_file(path, symbol)
            whole = usable_yields(dates, rows[:, CLOSE])
            self._yields.put(symbol, stamp, whole)
        return yields_in_window(symbol, whole, start, end)

    def symbols(self) -> list[str]:
        """The symbols that have a file, sorted.

        Raises:
            PriceSourceUnavailable: the folder is missing.
        """
        self._check_folder()
        names = {path.stem for path in self._folder.iterdir() if path.suffix in SUFFIXES and path.is_file()}
        return sorted(name for name in names if SYMBOL_PATTERN.fullmatch(name))

    def held(self, symbol: str) -> CachedSymbol | None:
        """Summary of the symbol's file; None without one.

        Raises:
            NoPrices: it is not a ticker, or its file cannot be understood or has no usable row.
            PriceSourceUnavailable: the folder is missing, or the file cannot be opened.
        """
        self._check_folder()
        check_symbol(symbol)
        if self._path(symbol) is None:
            return None
        bars = self._load(symbol)
        if not bars.dates.size:
            raise NoPrices([f"The price file of '{symbol}' has no usable row."])
        first, last = bars.dates[0].item(), bars.dates[-1].item()
        return CachedSymbol(symbol, self.name, first, last, bars.dates.size, None, None, bars.suspects)

    def _check_folder(self) -> None:
        if not self._folder.is_dir():
            raise PriceSourceUnavailable("The folder of price files does not exist; DATA_DIR names it.")

    def version(self, symbol: str, end: date) -> Hashable | None:
        """The state of the symbol's file, or of the folder without one, as `DataProvider.version` promises."""
        if SYMBOL_PATTERN.fullmatch(symbol) is None:
            return None
        stamps = (self._stamp(symbol + suffix, stat.S_ISREG) for suffix in SUFFIXES)
        return next(filter(None, stamps), None) or self._stamp("", stat.S_ISDIR)

    def _stamp(self, name: str, is_right_kind: Callable[[int], bool]) -> Hashable | None:
        """Changes with that entry of the folder, or with what it links to; None if it is missing or of another kind."""
        try:
            status = os.stat(f"{self._folder}/{name}")  # noqa: PTH116 - a Path takes twice as long
        except OSError:
            return None
        if not is_right_kind(status.st_mode):
            return None
        return name, status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev

    def _load(self, symbol: str, adjustment: PriceAdjustment = FULL) -> SymbolBars:
        stamp = self.version(symbol, date.max)
        path = self._find(symbol)
        key = f"{adjustment} {symbol}"
        bars = self._memory.get(key, stamp)
        if bars is None:
            days, columns = read_price_columns(path, symbol, with_dividends=adjustment != FULL)
            bars = bars_of_file(symbol, days, columns, adjustment)
            self._memory.put(key, stamp, bars)
        return bars

    def _find(self, symbol: str) -> Path:
        path = self._path(symbol)
        if path is None:
            raise NoPrices([f"No prices for '{symbol}': there is no file for this symbol{self._hint(symbol)}"])
        return self._inside(path, symbol)

    def _path(self, symbol: str) -> Path | None:
        paths = (self._folder / f"{symbol}{suffix}" for suffix in SUFFIXES)
        return next((path for path in paths if path.is_file()), None)

    def _inside(self, path: Path, symbol: str) -> Path:
        resolved = path.resolve()
        if not resolved.is_relative_to(self._folder.resolve()):
            raise PriceSourceUnavailable(f"The price file of '{symbol}' is a link that leaves the data folder.")
        return resolved

    def _hint(self, symbol: str) -> str:
        entries = list(islice(self._folder.iterdir(), SMALL_FOLDER_FILES + 1))
        if len(entries) > SMALL_FOLDER_FILES:
            return "."
        known = sorted({path.stem for path in entries if path.suffix in SUFFIXES})
        near = get_close_matches(symbol, known, n=3)
        return f"; did you mean {' or '.join(near)}?" if near else "."
