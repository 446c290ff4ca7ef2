"""Where a result comes from: settings, prices, code and engine, so that it can be had again.

In the words and the order of the studio, see studio/text/settings.js and studio/view/inputs.js.
"""

import json
from collections.abc import Mapping
from typing import Any

from src.services.results.report.markup import Content, Markup, element, joined
from src.services.results.report.number_format import NOTHING, duration, exact, moment, money, number
from src.services.results.report.tables import row, table

SYMBOLS_SHOWN = 200

CADENCES = {"1d": "daily", "1w": "weekly", "1m": "monthly", "1q": "quarterly"}

STEPS = ("analysis", "data", "sandbox", "audit", "metrics")


def origin_line(answer: Mapping[str, Any]) -> Content:
    """What the prices are and what the result was made from, in one line."""
    origin = answer["provenance"]
    text = f"Prices: {origin['data_source']} · engine {origin['engine_version']} · {origin['sandbox']} · run "
    return [text, element("code", answer["run_hash"])]


def inputs(answer: Mapping[str, Any]) -> Markup:
    """Everything that decides the result."""
    parts = [element("h3", "Settings"), _settings(answer["parameters"])]
    parts += [element("h3", "Provenance"), _provenance(answer)]
    synthetic = answer["provenance"]["is_synthetic"]
    prices = _prices(answer["provenance"].get("data", []), "synthetic" if synthetic else NOTHING)
    return joined([*parts, *([element("h3", "Prices"), prices] if prices else [])])


def _settings(parameters: Mapping[str, Any]) -> Markup:
    others = dict(parameters)
    others.pop("name")
    rate, benchmark = others.pop("risk_free_rate"), others.pop("benchmark")
    rows: list[tuple[str, Content]] = [
        ("Initial capital", money(others.pop("starting_equity"))),
        ("Window", f"{others.pop('start_date')} to {others.pop('end_date')}"),
        ("Symbols", ", ".join(others.pop("universe"))),
        ("Cadence", CADENCES.get(others["bar_size"], others["bar_size"])),
        ("Fills", _words(others.pop("execution"))),
        ("Commission", _cost(others.pop("commission"), "per order")),
        ("Slippage", _cost(others.pop("slippage"), "of price")),
        ("Minimum trade", money(others.pop("min_trade_value"))),
        ("Benchmark", "none" if benchmark is None else benchmark),
        ("Risk-free rate", "from the price source" if rate is None else f"{exact(rate)} per year"),
        ("Seed", exact(others.pop("seed"))),
        ("Parameters", _json(others.pop("parameters"))),
    ]
    del others["bar_size"]
    # What this page does not know comes last, under its own name.
    return _pairs([*rows, *((_words(name).capitalize(), _value(value)) for name, value in others.items())])


def _provenance(answer: Mapping[str, Any]) -> Markup:
    origin = answer["provenance"]
    return _pairs(
        [
            ("Run", _code(answer["run_hash"])),
            ("Price source", str(origin["data_source"])),
            ("Price hash", _code(origin["data_hash"])),
            ("Code hash", _code(origin["code_hash"])),
            ("Engine", f"version {origin['engine_version']}"),
            ("Sandbox", str(origin["sandbox"])),
            ("Took", _timings(origin["timings_ms"])),
        ]
    )


def _timings(milliseconds: Mapping[str, float]) -> str:
    steps = ", ".join(f"{name} {duration(milliseconds[name])}" for name in STEPS if name in milliseconds)
    return f"{duration(milliseconds['total'])}: {steps}"


def _prices(symbols: list[Mapping[str, Any]], unknown: str) -> Markup | None:
    """One row a symbol; `unknown` stands where it is not known when the prices were fetched."""
    if not symbols:
        return None
    rows = [
        row(
            entry["symbol"],
            entry["first_day"] or NOTHING,
            entry["last_day"] or NOTHING,
            number(entry["rows"], 0),
            moment(entry["fetched_at"]) if entry["fetched_at"] else unknown,
        )
        for entry in symbols[:SYMBOLS_SHOWN]
    ]
    return table(("Symbol", "First day", "Last day", "Bars", "Fetched"), rows, "numbers compact")


def _pairs(rows: list[tuple[str, Content]]) -> Markup:
    return element("table", element("tbody", [row(name, value) for name, value in rows]), class_="pairs")


def _cost(cost: Any, unit: str) -> str:
    if not isinstance(cost, Mapping):
        return f"{exact(float(cost))} {unit}" if cost else "none"
    numbers = {name: value for name, value in cost.items() if name != "model"}
    return f"{_words(cost.get('model', ''))}: {', '.join(f'{_words(n)} {_value(v)}' for n, v in numbers.items())}"


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return _words(value)
    return exact(value) if isinstance(value, int | float) and not isinstance(value, bool) else _json(value)


def _words(name: str) -> str:
    return str(name).replace("_", " ")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _code(text: str) -> Markup:
    return element("code", text)
