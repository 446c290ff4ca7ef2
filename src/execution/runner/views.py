"""The arguments of on_data: hqg_algorithms' own types over one frame of doubles, built lazily.

A frame is one bytes object: equity, cash, n share counts, n marks, then n bars of five doubles (open,
high, low, close, volume). Bytes are immutable, so a strategy may keep every slice that it receives.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
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
        self.bars = {symbol: self.marks.stop + FIELDS * index for index, symbol in enumerate(symbols)}
        self.pack_head: Callable[..., bytes] = struct.Struct(f"={self.marks.stop}d").pack


@lru_cache(maxsize=16)
def _layout_of(symbols: tuple[str, ...]) -> Layout:
    return Layout(symbols)


def views_from_frame(frame: bytes, symbols: tuple[str, ...]) -> tuple[Slice, PortfolioView]:
    """The two arguments of on_data.

    Args:
        frame: as described above; a NaN close means that the symbol has no bar, a NaN volume that the volume
            is unknown.
        symbols: the universe, in the frame's order.
    """
    layout = _layout_of(symbols)
    numbers: Doubles = memoryview(frame).cast("d")
    return FrameSlice(numbers, layout), FramePortfolioView(numbers, layout)


def pack_frame(
    symbols: tuple[str, ...],
    bars: Doubles,
    equity: float,
    cash: float,
    shares: Sequence[float],
    marks: Sequence[float],
) -> bytes:
    """The frame that `views_from_frame` reads, with a copy of the bars."""
    return _layout_of(symbols).pack_head(equity, cash, *shares, *marks) + bars


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
        offset = self._offsets.get(symbol)
        if offset is None:
            return None
        value = self._numbers[offset + field]
        return None if isnan(value) else value

    return read


class FrameSlice(Slice):  # type: ignore[misc]
    """The bars of one moment, read from a frame; a symbol without a bar is absent."""

    def __init__(self, numbers: Doubles, layout: Layout) -> None:
        self._numbers = numbers
        self._offsets = layout.bars

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
        return list(iter(self))  # list(self) would compute the length first, which doubles the work

    def __getitem__(self, symbol: str) -> Bar:
        if symbol not in self:
            raise KeyError(symbol)
        offset = self._offsets[symbol]
        *prices, volume = self._numbers[offset : offset + FIELDS]
        return FieldBar(*prices, None if isnan(volume) else volume)

    def __contains__(self, symbol: object) -> bool:
        offset = self._offsets.get(symbol)  # type: ignore[call-overload]
        return offset is not None and not isnan(self._numbers[offset + _CLOSE])

    def __iter__(self) -> Iterator[str]:
        numbers = self._numbers
        return (symbol for symbol, offset in self._offsets.items() if not isnan(numbers[offset + _CLOSE]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"Slice({dict(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles become a plain Slice: a memoryview cannot be copied or pickled.
        return Slice, (dict(self),)


class FramePortfolioView(PortfolioView):  # type: ignore[misc]
    """The portfolio at one moment, read from a frame; mappings name every symbol of the universe."""

    def __init__(self, numbers: Doubles, layout: Layout) -> None:
        # Bypasses a frozen dataclass's __setattr__, which is slow.
        self.__dict__["_numbers"] = numbers
        self.__dict__["_layout"] = layout

    @property
    def equity(self) -> float:
        """Cash plus positions at the last known closes, in account currency."""
        return self._numbers[0]  # type: ignore[no-any-return]

    @property
    def cash(self) -> float:
        """Account currency."""
        return self._numbers[1]  # type: ignore[no-any-return]

    @cached_property
    def positions(self) -> Mapping[str, float]:
        """Shares of each symbol, 0.0 if none are held."""
        shares = self._numbers[self._layout.shares].tolist()
        return MappingProxyType(dict(zip(self._layout.symbols, shares, strict=True)))

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """Shares × last known close ÷ equity of each symbol, 0.0 if none are held."""
        equity, marks = self.equity, self._numbers[self._layout.marks]
        held = zip(self.positions.items(), marks, strict=True)
        return MappingProxyType({symbol: shares * mark / equity if shares else 0.0 for (symbol, shares), mark in held})

    def __reduce__(self) -> tuple[Any, ...]:
        return PortfolioView, (self.equity, self.cash, dict(self.positions), dict(self.weights))
