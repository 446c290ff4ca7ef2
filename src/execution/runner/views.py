"""The arguments of on_data: hqg_algorithms' own types over one frame of doubles, built lazily.

A frame is one bytes object: equity, cash, n share counts, n marks, then n bars of five doubles (open,
high, low, close, volume). Bytes are immutable, so a strategy may keep every slice that it receives.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from math import isnan
from types import MappingProxyType
from typing import Any

from hqg_algorithms import Bar, PortfolioView, Slice

from src.engine.market import FIELDS, Doubles

FIELD_NAMES = ("open", "high", "low", "close", "volume")
_OPEN, _HIGH, _LOW, _CLOSE, _VOLUME = range(FIELDS)


class Layout:
    """The offset of each number in a universe's frame, in doubles."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.shares = slice(2, 2 + len(symbols))
        self.marks = slice(self.shares.stop, self.shares.stop + len(symbols))
        self.closes = slice(self.marks.stop + _CLOSE, None, FIELDS)
        self.bars = {symbol: self.marks.stop + FIELDS * index for index, symbol in enumerate(symbols)}


def frame_bytes(symbols_count: int) -> int:
    """The size of a frame for that many symbols."""
    return 8 * (2 + (2 + FIELDS) * symbols_count)


def frame_packer(symbols_count: int) -> Callable[..., bytes]:
    """The function that packs bars, equity, cash, shares and marks into a frame, with a copy of the bars."""
    pack_account = struct.Struct(f"={2 + 2 * symbols_count}d").pack

    def pack(bars: Doubles, equity: float, cash: float, shares: Sequence[float], marks: Sequence[float]) -> bytes:
        return pack_account(equity, cash, *shares, *marks) + bars

    return pack


def frame_reader(symbols: tuple[str, ...]) -> Callable[[bytes], tuple[Slice, PortfolioView]]:
    """The function that makes the two arguments of on_data from a frame.

    Args:
        symbols: the universe, in the frame's order. A NaN close means that a symbol has no bar, a NaN volume that
            the volume is unknown.
    """
    layout = Layout(symbols)
    new, set_slice = object.__new__, vars(FramePortfolioView)["_slice"].__set__

    def read(frame: bytes) -> tuple[Slice, PortfolioView]:
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
        offset = self._layout.bars[symbol]
        *prices, volume = self._numbers[offset : offset + FIELDS]
        return FieldBar(*prices, None if isnan(volume) else volume)

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
        return self._slice._numbers[0]

    @property
    def cash(self) -> float:
        """Account currency."""
        return self._slice._numbers[1]

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
