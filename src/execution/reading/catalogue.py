"""The strategy API as data, for the reference, for completion and for hover texts: every name with what it means.

Names, signatures and texts are those of the classes that a strategy receives. Only what has no docstring of its own is
written here.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import hqg_algorithms
from hqg_algorithms import BarSize, ExecutionTiming

from hqg_backtester import signals
from src.execution.runner.annotations import Annotations
from src.execution.runner.views import FramePortfolioView, FrameSlice

_READ = "The symbol's {} of this bar, in {}; None if it has no bar."
_TEXTS = {
    "Strategy.universe": "Symbols to trade, at most 200: a list, or a method that returns one.",
    "Strategy.cadence": "How often on_data is called and when orders fill; daily and close to close by default.",
    "Strategy.warmup_bars": "Bars before start_date on which on_data is called too; a request's warmup_bars wins.",
    "Strategy.declared_parameters": "Names and defaults of parameters; a request's parameters replace the defaults.",
    "Strategy.parameters": "The request's parameters over the declared defaults; only where some are declared.",
    "Strategy.on_data": "Called at the close of each bar of the cadence; returns a signal.",
    "Strategy.log": "Adds a line to the result's logs, as print does.",
    "config": 'The module of the request\'s parameters: config.fast, config["fast"], config.get("fast", 10).',
    **{f"data.{name}": _READ.format(name, "account currency per share") for name in ("open", "high", "low", "close")},
    "data.volume": "The symbol's volume of this bar, in shares; None if it has no bar or the volume is unknown.",
    "data.bar": "The symbol's whole bar; None if it has none.",
    "data.has": "Whether the symbol has a bar at this moment.",
    "data.symbols": "The symbols that have a bar at this moment, in the universe's order.",
    **{f"bar.{name}": f"The {name}, in account currency per share." for name in ("open", "high", "low", "close")},
    "bar.volume": "The volume in shares; None where it is unknown.",
    "Cadence": "How often on_data is called, and when the orders of its signal fill.",
    "BarSize.DAILY": "Called on every day of the timeline.",
    "BarSize.WEEKLY": "Called on the last day of each week, which ends on Friday.",
    "BarSize.MONTHLY": "Called on the last day of each month.",
    "BarSize.QUARTERLY": "Called on the last day of each quarter.",
    "ExecutionTiming.CLOSE_TO_CLOSE": "Orders fill at the close that the strategy has just seen.",
    "ExecutionTiming.CLOSE_TO_NEXT_OPEN": "Orders fill at the open of the next day of the timeline.",
    "TargetWeights": "Holds these fractions of equity and the rest in cash; symbols left out are sold.",
    "Hold": "Changes nothing, including orders that wait.",
    "Liquidate": "Sells everything.",
}
_ATTRIBUTES = {
    "Strategy.universe": "list[str]",
    "Strategy.cadence": "Cadence",
    "Strategy.warmup_bars": "int",
    "Strategy.declared_parameters": "dict[str, Any]",
    "Strategy.parameters": "dict[str, Any]",
    "config": "module",
    **{f"bar.{name}": "float" for name in ("open", "high", "low", "close")},
    "bar.volume": "float | None",
    **{f"BarSize.{size.name}": "BarSize" for size in BarSize},
    **{f"ExecutionTiming.{timing.name}": "ExecutionTiming" for timing in ExecutionTiming},
}
_RECEIVED: Mapping[str, type] = {"data": FrameSlice, "portfolio": FramePortfolioView}
_OF_MAPPINGS = {"get", "items", "keys", "values"}
_CALLED = (*(getattr(hqg_algorithms, name) for name in ("TargetWeights", "Hold", "Liquidate", "Cadence")),)
_OURS = (signals.Weights, signals.Protected)
_TYPES = {"data.history": "list[float] | list[Bar]", "data.frame": "pandas.DataFrame"}
_FOREIGN = ("hqg_algorithms.types.", "hqg_backtester.signals.", "collections.abc.", "typing.", "datetime.")


@dataclass(frozen=True)
class Entry:
    """One name of the strategy API.

    Attributes:
        name: as it is written after its owner: "data.history", "Strategy.universe", "TargetWeights".
        signature: of a method or class: "(symbol: str, n: int)"; None for an attribute.
        type: what the attribute is or the call returns, as Python writes it.
        summary: one sentence, with the unit.
        details: further sentences, arguments and errors as in the docstring; may be empty.
    """

    name: str
    signature: str | None
    type: str
    summary: str
    details: str = ""


def catalogue() -> tuple[Entry, ...]:
    """Every name, ordered by its owner."""
    return tuple(_entries())


def _entries() -> Iterator[Entry]:
    for name, kind in _ATTRIBUTES.items():
        yield Entry(name, None, kind, _TEXTS[name])
    for name in ("on_data", "log"):
        yield _callable(f"Strategy.{name}", getattr(hqg_algorithms.Strategy, name))
    yield _callable("Strategy.plot", Annotations.plot)
    for owner, received in _RECEIVED.items():
        for name in public_names(received):
            member = inspect.getattr_static(received, name)
            yield _callable(f"{owner}.{name}", member) if inspect.isfunction(member) else _property(owner, name, member)
    for made in (*_CALLED, *_OURS):
        name = made.__name__
        yield Entry(name, _signature(made), name, *((_TEXTS[name],) if name in _TEXTS else _text(made)))


def public_names(received: type) -> list[str]:
    """What a strategy may use of an argument, apart from what every mapping has."""
    return [name for name in dir(received) if not name.startswith("_") and name not in _OF_MAPPINGS]


def _property(owner: str, name: str, member: Any) -> Entry:
    reads = getattr(member, "fget", None) or member.func
    return Entry(f"{owner}.{name}", None, _written(inspect.signature(reads).return_annotation), *_text(reads))


def _callable(name: str, function: Any) -> Entry:
    returned = inspect.signature(function).return_annotation
    texts = (_TEXTS[name],) if name in _TEXTS else _text(function)
    return Entry(name, _signature(function), _TYPES.get(name) or _written(returned), *texts)


def _signature(called: Any) -> str:
    written, is_keyword_only = [], False
    for parameter in inspect.signature(called).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not is_keyword_only:
            written.append("*")
            is_keyword_only = True
        default = "" if parameter.default is parameter.empty else f" = {_default(parameter.default)}"
        if parameter.name != "self":
            written.append(f"{parameter.name}: {_written(parameter.annotation)}{default}")
    return f"({', '.join(written)})"


def _default(value: Any) -> str:
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _written(annotation: Any) -> str:
    text = inspect.formatannotation(annotation).replace("'", "")
    for module in _FOREIGN:
        text = text.replace(module, "")
    return text


def _text(documented: Any) -> tuple[str, str]:
    summary, _, details = (inspect.getdoc(documented) or "").partition("\n\n")
    return " ".join(summary.split()), details
