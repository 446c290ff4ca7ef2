"""The arguments of on_data: hqg_algorithms' own types over one frame of doubles, built lazily.

A frame is one bytes object: the moment in seconds since 1970, whether it precedes the books (1.0 or 0.0), equity, cash,
n share counts, n marks, n average costs if the source asks for them, then n bars of five doubles (open, high, low,
close, volume). Bytes are immutable, so a strategy may keep every slice that it receives.
"""

import struct
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from math import isnan
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from hqg_algorithms import Bar, PortfolioView, Slice

from src.engine.market import FIELDS, Doubles
from src.execution.runner.history import History
from src.execution.runner.signals import unknown_symbol

if TYPE_CHECKING:
    from datetime import date, datetime

FIELD_NAMES = ("open", "high", "low", "close", "volume")
_OPEN, _HIGH, _LOW, _CLOSE, _VOLUME = range(FIELDS)
_SECONDS, _IS_WARMING_UP, _EQUITY, _CASH, _HEAD = range(5)


class Asked(NamedTuple):
    """What a strategy may ask for that costs time or memory even where it does not, and whether it imports pandas."""

    history: bool = False
    average_costs: bool = False
    pandas: bool = False


NOTHING = Asked()


def asked(source: str) -> Asked:
    """What this source may ask for, apart from pandas: what it mentions, which runner and strategy process both see."""
    return Asked("history" in source or "frame" in source, "average_cost" in source)


class Layout:
    """The offset of each number in a universe's frame, in doubles."""

    def __init__(self, symbols: tuple[str, ...], offered: Asked) -> None:
        self.symbols, self.offered = symbols, offered
        self.shares = slice(_HEAD, _HEAD + len(symbols))
        self.marks = slice(self.shares.stop, self.shares.stop + len(symbols))
        first_bar = self.marks.stop + (len(symbols) if offered.average_costs else 0)
        self.closes = slice(first_bar + _CLOSE, None, FIELDS)
        self.bars = {symbol: first_bar + FIELDS * index for index, symbol in enumerate(symbols)}
        self.history = History({symbol: _offsets(start) for symbol, start in self.bars.items()}, _bar_at)

    def index(self, symbol: str) -> int:
        """The symbol's position in the universe.

        Raises:
            ValueError: it is not in the universe.
        """
        if symbol not in self.symbols:
            raise ValueError(unknown_symbol(symbol, self.symbols))
        return self.symbols.index(symbol)


def _offsets(first_double: int) -> dict[str, int]:
    """Where a frame holds the fields that history has, in bytes."""
    fields = {name: 8 * (first_double + field) for field, name in enumerate(FIELD_NAMES)}
    return {**fields, "bar": 8 * first_double}


def frame_bytes(symbols_count: int, offered: Asked) -> int:
    """The size of a frame for that many symbols."""
    return 8 * (_HEAD + (2 + offered.average_costs + FIELDS) * symbols_count)


def frame_packer(symbols_count: int, offered: Asked = NOTHING) -> Callable[..., bytes]:
    """The function that packs a frame: its time, whether it precedes the books, then the arguments of Decide."""
    asks_for_costs = offered.average_costs
    pack_account = struct.Struct(f"={_HEAD + (2 + asks_for_costs) * symbols_count}d").pack

    def pack(
        seconds: float,
        is_warming_up: bool,
        bars: Doubles,
        equity: float,
        cash: float,
        shares: Sequence[float],
        marks: Sequence[float],
        average_costs: Callable[[], Sequence[float]],
    ) -> bytes:
        if asks_for_costs:
            return pack_account(seconds, is_warming_up, equity, cash, *shares, *marks, *average_costs()) + bars
        return pack_account(seconds, is_warming_up, equity, cash, *shares, *marks) + bars

    return pack


def frame_reader(symbols: tuple[str, ...], offered: Asked = NOTHING) -> Callable[[bytes], tuple[Slice, PortfolioView]]:
    """The function that makes the two arguments of on_data from a frame.

    Args:
        symbols: the universe, in the frame's order. A NaN close means that a symbol has no bar, a NaN volume that
            the volume is unknown.
        offered: what the frames hold and the slices keep.
    """
    layout = Layout(symbols, offered)
    new, set_slice = object.__new__, vars(FramePortfolioView)["_slice"].__set__
    keep = layout.history.frames.append if offered.history else None

    def read(frame: bytes) -> tuple[Slice, PortfolioView]:
        if keep is not None:
            keep(frame)
        # Without calls of __init__, which would take as long as the rest.
        data, portfolio = new(FrameSlice), new(FramePortfolioView)
        data._numbers = memoryview(frame).cast("d")
        data._layout = layout
        set_slice(portfolio, data)
        return data, portfolio

    return read


class FieldBar(Bar, Mapping[str, float | None]):  # type: ignore[misc]
    """A bar whose fields are attributes and, as in hqg_algorithms 0.1.x, keys: bar.close, bar["close"]."""

    def __getitem__(self, name: str) -> float | None:
        if name not in FIELD_NAMES:
            raise KeyError(name)
        value: float | None = getattr(self, name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(FIELD_NAMES)

    def __len__(self) -> int:
        return FIELDS

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Bar):
            return all(getattr(self, name) == getattr(other, name) for name in FIELD_NAMES)
        return Mapping.__eq__(self, other)

    def __hash__(self) -> int:
        return hash(tuple(self.values()))

    def __repr__(self) -> str:
        return f"Bar({', '.join(f'{name}={value!r}' for name, value in self.items())})"


def _bar_at(frame: bytes, offset: int) -> FieldBar:
    *prices, volume = struct.unpack_from("=5d", frame, offset)
    return FieldBar(*prices, None if isnan(volume) else volume)


def _reader(field: int) -> Callable[["FrameSlice", str], float | None]:
    """The method that reads one field: a plain function, because strategies call it on every bar."""

    def read(self: "FrameSlice", symbol: str) -> float | None:
        offset = self._layout.bars.get(symbol)
        if offset is None:
            return None
        value = self._numbers[offset + field]
        return None if isnan(value) else value

    return read


class FrameSlice(Slice):  # type: ignore[misc]
    """The bars of one moment, read from a frame; a symbol without a bar is absent."""

    _numbers: Doubles
    _layout: Layout

    open = _reader(_OPEN)
    high = _reader(_HIGH)
    low = _reader(_LOW)
    close = _reader(_CLOSE)
    volume = _reader(_VOLUME)

    # Not data descriptors: a strategy that keeps its own `data.time` or `data.date` may go on to set it.
    @cached_property
    def time(self) -> "datetime":
        """The close of this bar, in UTC; for daily and longer bars midnight of the last session's date."""
        from datetime import UTC, datetime  # noqa: PLC0415 - a box that needs no dates starts without them

        return datetime.fromtimestamp(self._numbers[_SECONDS], UTC)

    @cached_property
    def date(self) -> "date":
        """The date of this bar's close; for daily and longer bars the last session's."""
        return self.time.date()

    @property
    def is_warming_up(self) -> bool:
        """True before start_date, while signals are ignored."""
        return self._numbers[_IS_WARMING_UP] != 0.0

    def history(self, symbol: str, n: int, field: str = "close") -> list[Any]:
        """The symbol's last n bars of the strategy's cadence up to this one, oldest first; fewer at the start.

        Bars that the symbol lacks are absent: the list holds the n bars that it has, this moment's only if it has one.

        Args:
            symbol: of the universe.
            n: at least 1, in bars.
            field: "open", "high", "low", "close" (account currency per share), "volume" (shares, NaN where unknown),
                each of which gives a list of floats, or "bar", which gives bars.

        Raises:
            ValueError: no such symbol, n or field.
        """
        return self._kept().last(self._frame, symbol, n, field)

    def frame(self, symbol: str, n: int) -> Any:
        """The symbol's last n bars up to this one as a pandas DataFrame, indexed by their time in UTC.

        Its columns are open, high, low, close and volume, in the units of `history`.

        Raises:
            RuntimeError: the strategy has not imported pandas.
            ValueError: no such symbol or n.
        """
        # The strategy's own import: another box may have it in advance, and importing it here would take a second in
        # the middle of a run and leave its randomness without the seed.
        pandas = sys.modules.get("pandas") if self._layout.offered.pandas else None
        if pandas is None:
            raise RuntimeError("data.frame needs pandas: write `import pandas` at the top of the strategy")
        return self._kept().table(pandas, self._frame, symbol, n, FIELD_NAMES)

    @property
    def _frame(self) -> bytes:
        return self._numbers.obj  # type: ignore[return-value]

    def _kept(self) -> History:
        if not self._layout.offered.history:
            raise RuntimeError("no bars were kept: write `data.history` or `data.frame` with that name in the source")
        return self._layout.history

    def bar(self, symbol: str) -> Bar | None:
        return self.get(symbol)

    def has(self, symbol: str) -> bool:
        return symbol in self

    def symbols(self) -> list[str]:
        symbols, closes = self._layout.symbols, self._numbers[self._layout.closes].tolist()
        if not isnan(sum(closes)):
            return list(symbols)
        return [symbol for symbol, close in zip(symbols, closes, strict=True) if not isnan(close)]

    def __getitem__(self, symbol: str) -> Bar:
        if symbol not in self:
            raise KeyError(symbol)
        return _bar_at(self._frame, 8 * self._layout.bars[symbol])

    def __contains__(self, symbol: object) -> bool:
        offset = self._layout.bars.get(symbol)  # type: ignore[call-overload]
        return offset is not None and not isnan(self._numbers[offset + _CLOSE])

    def __iter__(self) -> Iterator[str]:
        return iter(self.symbols())

    def __len__(self) -> int:
        return len(self.symbols())

    def __repr__(self) -> str:
        return f"Slice({dict(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles become a plain Slice: a memoryview cannot be copied or pickled.
        return Slice, (dict(self),)


class FramePortfolioView(PortfolioView):  # type: ignore[misc]
    """The portfolio at one moment, read from a frame; mappings name every symbol of the universe."""

    __slots__ = ("_slice",)
    _slice: FrameSlice

    @property
    def equity(self) -> float:
        """Cash plus positions at the last known closes, in account currency."""
        return self._slice._numbers[_EQUITY]

    @property
    def cash(self) -> float:
        """Cash, in account currency."""
        return self._slice._numbers[_CASH]

    def shares(self, symbol: str) -> float:
        """Shares held of a symbol of the universe, fractional; 0.0 without a position, below zero for a short one.

        Raises:
            ValueError: no such symbol.
        """
        layout = self._slice._layout
        return self._slice._numbers[layout.shares.start + layout.index(symbol)]

    def average_cost(self, symbol: str) -> float | None:
        """The average price paid for the shares now held, in account currency per share; None without a position.

        Slippage is part of it and fees are not. Buying more moves it, selling a part does not; a short position's
        likewise.

        Raises:
            ValueError: no such symbol.
        """
        layout = self._slice._layout
        if not layout.offered.average_costs:
            raise RuntimeError("no costs were sent: write `portfolio.average_cost` with that name in the source")
        cost = self._slice._numbers[layout.marks.stop + layout.index(symbol)]
        return None if isnan(cost) else cost

    @cached_property
    def positions(self) -> Mapping[str, float]:
        """Shares of each symbol, 0.0 if none are held."""
        layout = self._slice._layout
        shares = self._slice._numbers[layout.shares].tolist()
        return MappingProxyType(dict(zip(layout.symbols, shares, strict=True)))

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """Shares × last known close ÷ equity of each symbol, 0.0 if none are held."""
        equity, marks = self.equity, self._slice._numbers[self._slice._layout.marks]
        held = zip(self.positions.items(), marks, strict=True)
        return MappingProxyType({symbol: shares * mark / equity if shares else 0.0 for (symbol, shares), mark in held})

    def __reduce__(self) -> tuple[Any, ...]:
        return PortfolioView, (self.equity, self.cash, dict(self.positions), dict(self.weights))
