"""A box's claims about its run. This module checks types and lengths; the audit checks the books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from src.execution import protocol
from src.execution.text import printable

_DTYPES = {code: np.dtype(name) for code, name in (("b", "i1"), ("i", "<i4"), ("d", "<f8"))}
MAX_UNFILLED = 100_000
MAX_REASON_CHARACTERS = 200


@dataclass(frozen=True)
class Unfilled:
    """A checked period in which a symbol could not fill: see src.engine.ledger.Unfilled."""

    symbol: str
    reason: str
    first_day: int
    last_day: int
    count: int


@dataclass(frozen=True)
class Targets:
    """What a strategy requested and could afford, checked for its form: see src.engine.ledger.Ledger."""

    signals: int
    most_requested: float | None
    most_affordable: float | None


@dataclass(frozen=True)
class Reply:
    """The box's claims. Only types and lengths have been checked.

    Attributes:
        day, symbol: (n_orders,) int32 indexes. shares, price, fee: (n_orders,) float64. reason: (n_orders,) int8.
        cash, equity: (n_days,) float64.
        levels: a column for each of protocol.LEDGER_LEVELS, by name.
        decisions: the number of calls to the strategy.
        logs: printed lines, bounded. lost_output_bytes: bytes printed beyond the bound.
        unfilled: orders that waited or never filled.
        plots: (n_days,) the strategy's own series by name, NaN on days without a point.
        line_days: for runs of lines of logs, their day and their number, at most as many as there are lines. The day
            is an index into all days that were sent, a warm-up's too; None before the first.
        targets: the amounts requested and affordable until the first fill; None if the box does not report them.
    """

    day: npt.NDArray[np.int32]
    symbol: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float64]
    price: npt.NDArray[np.float64]
    fee: npt.NDArray[np.float64]
    cash: npt.NDArray[np.float64]
    equity: npt.NDArray[np.float64]
    reason: npt.NDArray[np.int8]
    levels: Mapping[str, npt.NDArray[Any]]
    decisions: int
    logs: tuple[str, ...] = ()
    lost_output_bytes: int = 0
    unfilled: tuple[Unfilled, ...] = ()
    targets: Targets | None = None
    plots: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    line_days: tuple[tuple[int | None, int], ...] = ()


def read_reply(ledger: bytes, finished: dict[str, Any], symbols: Sequence[str], n_days: int, max_orders: int) -> Reply:
    """Read the reply from a run's last two frames.

    Args:
        ledger: payload of LEDGER.
        finished: value of FINISHED, with its logs already checked.
        symbols: the universe.
        n_days: the number of days sent.
        max_orders: the run's limit.

    Raises:
        ProtocolError: a part has the wrong form, or there are too many orders.
    """
    n_orders, days, n_levels, decisions = protocol.ledger_shape(ledger)
    if days != n_days or decisions > n_days:
        raise protocol.ProtocolError("its books and the prices differ in length")
    if n_orders > max_orders:
        raise protocol.ProtocolError(f"it has {n_orders} orders, more than the {max_orders} allowed")
    lost = finished.get("lost_output_bytes")
    return Reply(
        **_columns(ledger, n_orders, n_days, n_levels),
        decisions=decisions,
        logs=finished["logs"],
        lost_output_bytes=lost if type(lost) is int and lost > 0 else 0,
        unfilled=tuple(_unfilled(finished.get("unfilled"), symbols, n_days)),
        targets=_targets(finished.get("targets"), n_days),
    )


def _columns(ledger: bytes, n_orders: int, n_days: int, n_levels: int) -> dict[str, Any]:
    columns: dict[str, Any] = {"levels": {}}
    offset = protocol.ledger_offset()
    shapes = [(columns, name, code, n_orders) for name, code in protocol.LEDGER_COLUMNS]
    shapes += [(columns, name, "d", n_days) for name in protocol.LEDGER_MARKS]
    shapes += [(columns["levels"], name, code, n_levels) for name, code in protocol.LEDGER_LEVELS]
    for group, name, code, count in shapes:
        dtype = _DTYPES[code]
        group[name] = np.frombuffer(ledger, dtype, count, offset)
        offset += count * dtype.itemsize
    return columns


def read_plots(payload: bytes, n_days: int) -> dict[str, npt.NDArray[np.float64]]:
    """The series of PLOTS: (n_days,) values by name.

    Raises:
        ProtocolError: it has the wrong form, or a value is infinite.
    """
    plots = {}
    for name, doubles in protocol.unpack_plots(payload, n_days).items():
        values = np.frombuffer(doubles, "<f8")
        if np.isinf(values).any():
            raise protocol.ProtocolError("a point of its plots is infinite")
        plots[printable(name, protocol.MAX_SERIES_CHARACTERS)] = values
    return plots


def read_line_days(value: Any, n_lines: int, n_days: int) -> tuple[tuple[int | None, int], ...]:
    """See Reply.line_days; the box counts lines that are not kept, too.

    Raises:
        ProtocolError: it has the wrong form.
    """
    if not isinstance(value, list) and value is not None:
        raise protocol.ProtocolError("the days of its lines are not a list")
    left, runs = n_lines, []
    for entry in value or ():
        if left <= 0:
            break
        match entry:
            case [None | int() as day, int(count)] if count > 0 and (day is None or 0 <= day < n_days):
                runs.append((day, min(count, left)))
                left -= count
            case _:
                raise protocol.ProtocolError("the days of its lines are malformed")
    return tuple(runs)


def _targets(value: Any, n_days: int) -> Targets | None:
    match value:
        case None:
            return None
        case [int(signals), (None | float() | int()) as requested, (None | float() | int()) as affordable] if (
            0 <= signals <= n_days
        ):
            return Targets(signals, requested, affordable)
    raise protocol.ProtocolError("its report of signals is malformed")


def _unfilled(entries: Any, symbols: Sequence[str], n_days: int) -> list[Unfilled]:
    if not isinstance(entries, list) or len(entries) > MAX_UNFILLED:
        raise protocol.ProtocolError("its unfilled orders are not a list, or too long")
    return [_one_unfilled(entry, symbols, n_days) for entry in entries]


def _one_unfilled(entry: Any, symbols: Sequence[str], n_days: int) -> Unfilled:
    match entry:
        case [int(symbol), str(reason), int(first), int(last), int(count)] if (
            0 <= symbol < len(symbols) and 0 <= first <= last < n_days and count > 0
        ):
            return Unfilled(symbols[symbol], printable(reason, MAX_REASON_CHARACTERS), first, last, count)
    raise protocol.ProtocolError("its list of unfilled orders is malformed")
