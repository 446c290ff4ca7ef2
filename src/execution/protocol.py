"""The frames that host and box exchange, and the limits checked before any content is read.

Both ends use this file: the host imports it, and the sandbox image contains it. A frame is one kind byte,
a little-endian unsigned 32-bit payload length, and the payload. Structured payloads are JSON; prices
and books are packed binary, so that a float64 arrives exactly as it left.

Order of a run::

    box  → host   READY      {"version"}                         the runner is loaded, nothing read yet
    host → box    JOB        {source, class_name, price_key, …}      no price in it; read before user code is
    box  → host   DESCRIBED  {universe, bar_size, execution, warmup_bars}   the strategy loaded and is now stopped
    host → box    RULES      {symbols, bar_size, capital, …, delistings, dividends, warm_up_days, is_observed},
                                                                     in cipher
    host → box    PRICES     days and bars, warm-up first, packed, in cipher
    box  → host   PROGRESS   {day, equity, lines}                    any number, only when RULES asked for it
    box  → host   LEDGER     orders, daily marks, levels, packed     only when the run succeeded
    box  → host   PLOTS      names and daily values of series        only when the strategy plotted
    box  → host   FINISHED   {nonce, logs, unfilled, targets, error}         always the last frame
"""

import hashlib
import json
import struct
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from src.engine.market import Doubles

VERSION = 6

READY = b"R"
JOB = b"J"
DESCRIBED = b"D"
RULES = b"U"
PRICES = b"P"
PROGRESS = b"G"
LEDGER = b"L"
PLOTS = b"T"
FINISHED = b"F"

HEADER = struct.Struct("<cI")
_PRICES_HEAD = struct.Struct("<II")
_LEDGER_HEAD = struct.Struct("<IIII")

MAX_JSON_BYTES = 4_000_000
"""Upper bound of a JSON payload in either direction: the source is at most 1 MB and JSON escaping can
make six bytes of one."""

MAX_PROGRESS_BYTES = 65_536
"""Upper bound of a PROGRESS payload."""

PROGRESS_SECONDS = 0.1
"""Minimum time between two PROGRESS frames, by the box's clock."""

MAX_SERIES = 20
MAX_SERIES_CHARACTERS = 60
"""Limits on what a strategy plots: the number of series, and the length of their names."""

MAX_LINE_CHARACTERS = 2_000
"""The length up to which a printed line is shown."""

FIELDS_PER_BAR = 5

PRICE_KEY_BYTES = 32
_CIPHER_CHUNK_BYTES = 1 << 16


class ProtocolError(Exception):
    """The other end violated the protocol."""


def frame(kind: bytes, payload: bytes) -> bytes:
    """One frame, ready to write."""
    return HEADER.pack(kind, len(payload)) + payload


def json_frame(kind: bytes, value: Any) -> bytes:
    """One frame whose payload is compact ASCII JSON.

    Raises:
        ValueError: the value holds NaN or Infinity.
    """
    return frame(kind, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """Compact ASCII JSON.

    Raises:
        ValueError: the value holds NaN or Infinity.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def cut(line: str) -> str:
    """The part of a printed line that the host needs to show it and to know that it was longer."""
    return line[: MAX_LINE_CHARACTERS + 1]


def read_frame(read_exactly: Callable[[int], bytes], limits: dict[bytes, int]) -> tuple[bytes, bytes]:
    """Read the next frame, checking its length against the limit before reading the payload.

    Args:
        read_exactly: returns exactly that many bytes or raises.
        limits: the kinds allowed now, each with its largest payload in bytes.

    Raises:
        ProtocolError: a kind that is not allowed now, or a payload over its limit.
    """
    kind, length = HEADER.unpack(read_exactly(HEADER.size))
    if kind not in limits:
        raise ProtocolError(f"unexpected frame {kind!r}")
    if length > limits[kind]:
        raise ProtocolError(f"frame {kind!r} of {length} bytes is over its limit of {limits[kind]}")
    return kind, read_exactly(length)


def parse_json(payload: bytes) -> dict[str, Any]:
    """A JSON object, strictly: UTF-8, no duplicate keys, no NaN or Infinity, no endless integers.

    Raises:
        ProtocolError: anything else.
    """
    try:
        text = payload.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_bounded_int,
        )
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"malformed JSON: {type(error).__name__}") from error
    if not isinstance(value, dict):
        raise ProtocolError("a JSON object was expected")
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _finite_float(text: str) -> float:
    value = float(text)
    if value - value != 0.0:
        raise ValueError("not finite")
    return value


def _bounded_int(text: str) -> int:
    if len(text) > 20:
        raise ValueError("integer too long")
    return int(text)


def pack_prices(days: Sequence[int], symbols_count: int, bars: bytes) -> bytes:
    """Payload of PRICES.

    Args:
        days: timeline days as days since 1970-01-01, ascending.
        symbols_count: number of symbols.
        bars: little-endian float64 in C order (n_days, n_symbols, 5): open, high, low, close, volume.
    """
    return _PRICES_HEAD.pack(len(days), symbols_count) + _little(array("i", days)) + bars


def cipher(key: bytes, kind: bytes, payload: bytes) -> bytes:
    """Encrypt or decrypt a payload, by XOR with SHAKE-128's stream for key and kind.

    RULES and PRICES are encrypted because both reveal the future. The runner receives the key before user code is
    loaded and in a separate process, so a strategy that intercepts the bytes, as some kernels allow, gets only noise.

    Args:
        key: PRICE_KEY_BYTES random bytes, for one run only: using a stream twice would reveal both payloads.
        kind: the frame's kind; each kind is sent once per run.
    """
    parts = []
    for number, start in enumerate(range(0, len(payload), _CIPHER_CHUNK_BYTES)):
        chunk = payload[start : start + _CIPHER_CHUNK_BYTES]
        stream = hashlib.shake_128(key + kind + number.to_bytes(8, "little")).digest(len(chunk))
        # Python XORs two long integers a hundred times faster than their bytes.
        mixed = int.from_bytes(chunk, "little") ^ int.from_bytes(stream, "little")
        parts.append(mixed.to_bytes(len(chunk), "little"))
    return b"".join(parts)


def unpack_prices(payload: bytes) -> tuple[list[int], int, Doubles]:
    """Days, number of symbols and bars (memoryview of doubles) of a PRICES payload.

    Raises:
        ProtocolError: the lengths disagree.
    """
    if len(payload) < _PRICES_HEAD.size:
        raise ProtocolError("PRICES is too short")
    n_days, n_symbols = _PRICES_HEAD.unpack_from(payload)
    days_end = _PRICES_HEAD.size + 4 * n_days
    if len(payload) != days_end + 8 * FIELDS_PER_BAR * n_days * n_symbols:
        raise ProtocolError("PRICES has the wrong length")
    days = _from_little(array("i"), payload[_PRICES_HEAD.size : days_end])
    bars = _from_little(array("d"), payload[days_end:])
    # A view of an array of doubles, which memoryview's constructor does not declare.
    return days.tolist(), n_symbols, cast(Doubles, memoryview(bars))


def dividends_by_day(rows: Sequence[Sequence[Any]]) -> dict[int, list[tuple[int, float]]]:
    """The dividends of RULES in the engine's form.

    Args:
        rows: each [timeline index of the ex-date, index of the symbol, cash per share].
    """
    by_day: dict[int, list[tuple[int, float]]] = {}
    for day, symbol, amount in rows:
        by_day.setdefault(day, []).append((symbol, amount))
    return by_day


LEDGER_COLUMNS = (("day", "i"), ("symbol", "i"), ("shares", "d"), ("price", "d"), ("fee", "d"), ("reason", "b"))
"""Order columns of LEDGER with their array type codes, in packing order."""

LEDGER_LEVELS = (("day", "i"), ("symbol", "i"), ("stop_loss", "d"), ("take_profit", "d"), ("trailing_stop", "d"))
"""Columns of the changes of protective levels, which follow the marks: see src.engine.ledger.Ledger.levels."""

LEDGER_MARKS = ("cash", "equity")
"""Daily float64 columns that follow the orders."""


def pack_ledger(
    columns: Sequence[Sequence[float]],
    marks: Sequence[Sequence[float]],
    decisions: int,
    levels: Sequence[Sequence[float]] = (),
) -> bytes:
    """Payload of LEDGER.

    Args:
        columns: one sequence for each of LEDGER_COLUMNS, all of one length.
        marks: one sequence for each of LEDGER_MARKS, with one value per timeline day.
        decisions: the number of calls to the strategy.
        levels: one sequence for each of LEDGER_LEVELS, all of one length; none for no change of a protective level.
    """
    parts = [_LEDGER_HEAD.pack(len(columns[0]), len(marks[0]), len(levels[0]) if levels else 0, decisions)]
    # The codes are the constants above: "d" columns hold floats, the others ints.
    parts += [_little(array(code, values)) for (_, code), values in zip(LEDGER_COLUMNS, columns, strict=True)]
    parts += [_little(array("d", values)) for values in marks]
    if levels:
        parts += [_little(array(code, values)) for (_, code), values in zip(LEDGER_LEVELS, levels, strict=True)]
    return b"".join(parts)


def ledger_shape(payload: bytes) -> tuple[int, int, int, int]:
    """The numbers of orders, days, changes of levels and decisions in a LEDGER payload, checked against its length.

    Raises:
        ProtocolError: the length disagrees.
    """
    if len(payload) < _LEDGER_HEAD.size:
        raise ProtocolError("LEDGER is too short")
    n_orders, n_days, n_levels, decisions = _LEDGER_HEAD.unpack_from(payload)
    if len(payload) != ledger_bytes(n_orders, n_days, n_levels):
        raise ProtocolError("LEDGER has the wrong length")
    return n_orders, n_days, n_levels, decisions


def ledger_offset() -> int:
    """Where the first order column starts in a LEDGER payload, in bytes."""
    return _LEDGER_HEAD.size


def ledger_bytes(n_orders: int, n_days: int, n_levels: int = 0) -> int:
    """Length of a LEDGER payload with that many orders, days and changes of levels, which is the host's limit."""
    a_day, an_order, a_level = 8 * len(LEDGER_MARKS), 4 + 4 + 8 + 8 + 8 + 1, 4 + 4 + 8 + 8 + 8
    return _LEDGER_HEAD.size + n_orders * an_order + n_days * a_day + n_levels * a_level


def pack_plots(plots: Mapping[str, "array[float]"]) -> bytes:
    """Payload of PLOTS.

    Args:
        plots: (n_days,) values of each series by its name, NaN on days without one.
    """
    names = json_bytes(list(plots))
    return b"".join([len(names).to_bytes(4, "little"), names, *map(_little, plots.values())])


def unpack_plots(payload: bytes, n_days: int) -> dict[str, bytes]:
    """The little-endian doubles of each series by its name.

    Raises:
        ProtocolError: the lengths disagree, or a name is too long or there twice.
    """
    start = 4 + int.from_bytes(payload[:4], "little")
    try:
        names = json.loads(payload[4:start])
    except (ValueError, RecursionError) as error:
        raise ProtocolError("the names of its plots are malformed") from error
    if not isinstance(names, list) or not 0 < len(names) <= MAX_SERIES:
        raise ProtocolError("the names of its plots are not a list, or too many")
    if not all(isinstance(name, str) and 0 < len(name) <= MAX_SERIES_CHARACTERS for name in names):
        raise ProtocolError("the name of a plot is no text, or too long")
    if len(set(names)) != len(names) or len(payload) != start + 8 * n_days * len(names):
        raise ProtocolError("its plots have the wrong length")
    return {name: payload[start + 8 * n_days * at :][: 8 * n_days] for at, name in enumerate(names)}


def plots_bytes(n_days: int) -> int:
    """The largest PLOTS payload of that many days."""
    return 4 + MAX_SERIES * (12 * MAX_SERIES_CHARACTERS + 3 + 8 * n_days) + 2


_IS_BIG_ENDIAN = struct.pack("=H", 1) == b"\x00\x01"


def _little(values: "array[Any]") -> bytes:
    if _IS_BIG_ENDIAN:
        values.byteswap()
    return values.tobytes()


def _from_little(values: "array[Any]", payload: bytes) -> "array[Any]":
    values.frombytes(payload)
    if _IS_BIG_ENDIAN:
        values.byteswap()
    return values
