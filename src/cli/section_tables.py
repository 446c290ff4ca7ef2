"""The further parts of an answer as text for a terminal."""

import difflib
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hqg_backtester.client.text import on_one_line
from src.cli.answer_table import year_line, year_table

MOST_TRADES = 50
"""The last ones are printed; JSON has all of them."""


def sections(text: str) -> tuple[str, ...]:
    """Names separated by commas.

    Raises:
        ArgumentTypeError: one of them is unknown.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in SECTION_TABLES:
            nearest = difflib.get_close_matches(name, SECTION_TABLES, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            raise ArgumentTypeError(f"{name!r} is none of {', '.join(SECTION_TABLES)}{hint}")
    return names


def section_tables(answer: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """A table for each part; a part that the service did not send is named."""
    return ["\n".join(map(on_one_line, _lines(answer, name))) for name in names]


def _lines(answer: Mapping[str, Any], name: str) -> Iterator[str]:
    if answer.get(name) is None:
        yield f"{name}: none"
    else:
        yield from SECTION_TABLES[name](answer)


def _trades(answer: Mapping[str, Any]) -> Iterator[str]:
    for group, statistics in (answer.get("trade_statistics") or {}).items():
        if statistics is not None:
            counted = {label: value for label, value in statistics.items() if label != "undefined"}
            yield f"{group.replace('_', ' ')}: " + ", ".join(f"{label} {_short(of)}" for label, of in counted.items())
    form = "{:<8}{:<6}{:<12}{:<12}{:>14}{:>12}{:>12}{:>12}{:>9}{:>6}  {}"
    yield form.format("symbol", "side", "entry", "exit", "shares", "entered", "left", "pnl", "return", "bars", "reason")
    trades = answer["trades"]
    if len(trades) > MOST_TRADES:
        yield f"… {len(trades) - MOST_TRADES:,} earlier ones: --json has them"
    for trade in trades[-MOST_TRADES:]:
        numbers = [f"{trade['shares']:,.4f}", *(f"{trade[of]:,.2f}" for of in ("entry_price", "exit_price", "pnl"))]
        share = "-" if trade["return"] is None else f"{trade['return']:.2%}"
        days = (trade["entry_time"][:10], trade["exit_time"][:10])
        yield form.format(
            trade["symbol"], trade["side"], *days, *numbers, share, trade["bars_held"], trade["exit_reason"]
        )


def _benchmark_metrics(answer: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {'':<24}{'strategy':>14}{'benchmark':>14}"
    theirs = answer["benchmark_metrics"]
    for name, value in theirs.items():
        if name != "undefined" and value is not None:
            yield f"  {name:<24}{_short(answer['metrics'].get(name)):>14}{_short(value):>14}"


def _rolling(answer: Mapping[str, Any]) -> Iterator[str]:
    for window in answer["rolling"]["windows"]:
        latest = {name: values[-1] for name, values in window.items() if name != "days" and values}
        yield f"last {window['days']} days: " + ", ".join(f"{name} {_short(value)}" for name, value in latest.items())
    yield f"{'month':<9}{'exposure':>10}{'gross':>10}{'turnover':>10}"
    for month in answer["rolling"]["months"]:
        values = (month["exposure"], month["gross_exposure"], month["turnover"])
        yield f"{month['month']:<9}" + "".join(f"{_short(value):>10}" for value in values)


def _periods(answer: Mapping[str, Any]) -> Iterator[str]:
    yield from year_table(answer["periods"]["years"])
    if answer["periods"]["benchmark_years"] is not None:
        yield "benchmark"
        yield from map(year_line, answer["periods"]["benchmark_years"])


def _metrics_lean(answer: Mapping[str, Any]) -> Iterator[str]:
    for name, value in answer["metrics_lean"].items():
        if isinstance(value, Mapping):
            yield f"  {name}"
            yield from (f"    {inner:<34}{_short(of):>14}" for inner, of in value.items())
        else:
            yield f"  {name:<36}{_short(value):>14}"


def _short(value: Any) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"


SECTION_TABLES: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "trades": _trades,
    "benchmark_metrics": _benchmark_metrics,
    "rolling": _rolling,
    "periods": _periods,
    "metrics_lean": _metrics_lean,
}
"""How each part is printed."""
