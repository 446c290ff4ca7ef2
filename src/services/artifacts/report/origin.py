"""Where a result comes from: terms, prices, code and engine, so that it can be had again."""

import json
from collections.abc import Mapping
from typing import Any

from src.services.artifacts.report.markup import Content, Markup, element, joined
from src.services.artifacts.report.number_format import NOTHING, exact, number
from src.services.artifacts.report.tables import row, table

SYMBOLS_SHOWN = 200

CADENCES = {"1d": "every day", "1w": "every week", "1m": "every month", "1q": "every quarter"}
FILLS = {"close_to_close": "at the close of that day", "close_to_next_open": "at the open of the next day"}


def terms(answer: Mapping[str, Any]) -> Markup:
    """What was run."""
    parameters = answer["parameters"]
    rate = parameters["risk_free_rate"]
    rows: list[tuple[str, Content]] = [
        ("Starting equity", f"{number(parameters['starting_equity'])} in account currency"),
        ("Universe", ", ".join(parameters["universe"])),
        ("Decides", _named(CADENCES, parameters["bar_size"])),
        ("Orders fill", _named(FILLS, parameters["execution"])),
        ("Commission", _cost(parameters["commission"], "per order, in account currency")),
        ("Slippage", _cost(parameters["slippage"], "of price, a fraction")),
        ("Smallest trade", f"{number(parameters['min_trade_value'])} in account currency"),
        ("Benchmark", parameters["benchmark"] or "none"),
        ("Risk-free rate", "from the price source" if rate is None else f"{exact(rate)} a year, a fraction"),
        ("Seed", str(parameters["seed"])),
        ("Parameters", _code(json.dumps(parameters["parameters"], ensure_ascii=False))),
    ]
    return _pairs(rows)


def provenance(answer: Mapping[str, Any]) -> Markup:
    """What it was made from."""
    origin = answer["provenance"]
    rows: list[tuple[str, Content]] = [
        ("Run", _code(answer["run_hash"])),
        ("Prices from", str(origin["data_source"])),
        ("Hash of the prices", _code(origin["data_hash"])),
        ("Hash of the code", _code(origin["code_hash"])),
        ("Engine", f"version {origin['engine_version']}"),
        ("Contained by", str(origin["sandbox"])),
        ("Computed in", f"{number(origin['timings_ms']['total'], 0)} ms"),
    ]
    return joined([_pairs(rows), *_prices(origin.get("data", []))])


def _prices(symbols: list[Mapping[str, Any]]) -> list[Markup]:
    if not symbols:
        return []
    rows = [
        row(
            entry["symbol"],
            entry["first_day"] or NOTHING,
            entry["last_day"] or NOTHING,
            f"{entry['rows']:,}",
            entry["fetched_at"] or NOTHING,
        )
        for entry in symbols[:SYMBOLS_SHOWN]
    ]
    return [table(("Symbol", "First bar", "Last bar", "Bars", "Fetched"), rows, "numbers compact")]


def _pairs(rows: list[tuple[str, Content]]) -> Markup:
    return element("table", element("tbody", [row(name, value) for name, value in rows]), class_="pairs")


def _named(names: Mapping[str, str], value: str) -> str:
    return f"{names[value]} ({value})" if value in names else value


def _cost(cost: Any, unit: str) -> Content:
    if isinstance(cost, Mapping):
        return ", ".join(f"{name} {value}" for name, value in cost.items())
    return f"{exact(float(cost))} {unit}" if cost else "none"


def _code(text: str) -> Markup:
    return element("code", text)
