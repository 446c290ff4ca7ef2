"""Every metric in its group, with what it means and why it is missing where it is."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np

from src.models.metric_catalogue import METRIC_CATALOGUE, MetricEntry
from src.services.results.exports.equity_table import EquityCurve
from src.services.results.report.markup import Markup, element
from src.services.results.report.number_format import NOTHING, counted, metric, percent, round_money

ENTRIES = {entry.name: entry for entry in METRIC_CATALOGUE}


def headline_cards(answer: Mapping[str, Any], curve: EquityCurve) -> Markup:
    """The few numbers that a person looks for first: the studio's, in its order."""
    metrics, parameters, stats = answer["metrics"], answer["parameters"], answer["equity_stats"]
    final, costs = round_money(stats["equity"]), round_money(stats["fees"] + stats["slippage_cost"])
    fall, longest = metrics.get("max_drawdown"), metrics.get("max_drawdown_duration")
    volatility, sortino = _value(metrics, "annual_volatility"), _value(metrics, "sortino")
    cards = [
        (_label("total_return"), _signed(metrics.get("total_return")), _benchmark(answer, curve)),
        (_label("annualized_return"), _signed(metrics.get("annualized_return")), f"volatility {volatility}"),
        (_label("sharpe_ratio"), _value(metrics, "sharpe_ratio"), f"Sortino {sortino}"),
        (
            "Max drawdown",
            NOTHING if fall is None else percent(-fall),
            f"longest {NOTHING if longest is None else counted(longest, 'day')}",
        ),
        ("Final equity", final, f"from {round_money(parameters['starting_equity'])}"),
        (_label("total_orders"), _value(metrics, "total_orders"), f"costs {costs}"),
    ]
    return element("dl", [_card(*card) for card in cards], class_="cards")


def _card(label: str, value: str, note: str) -> Markup:
    return element("div", element("dt", label), element("dd", value), element("dd", note, class_="note"))


def _benchmark(answer: Mapping[str, Any], curve: EquityCurve) -> str:
    if curve.benchmark is None:
        return "no benchmark"
    last = curve.benchmark[np.isfinite(curve.benchmark)][-1]
    return f"{answer['parameters']['benchmark']} {percent(last / curve.starting_equity - 1, signed=True)}"


def _label(name: str) -> str:
    return ENTRIES[name].label


def _value(metrics: Mapping[str, Any], name: str) -> str:
    return metric(ENTRIES[name], metrics.get(name))


def _signed(value: float | None) -> str:
    return NOTHING if value is None else percent(value, signed=True)


def metric_groups(metrics: Mapping[str, Any], benchmark: Mapping[str, Any] | None = None) -> Markup:
    """A small table a group; a metric that the answer does not have is left out.

    Args:
        benchmark: the benchmark's metrics, a second column in the groups where it has any.
    """
    known = [entry for entry in METRIC_CATALOGUE if entry.name in metrics]
    groups = groupby(known, key=lambda entry: entry.group)
    tables = [_group(name, list(entries), metrics, benchmark or {}) for name, entries in groups]
    return element("div", tables, class_="groups")


def _group(name: str, entries: list[MetricEntry], metrics: Mapping[str, Any], benchmark: Mapping[str, Any]) -> Markup:
    has_column = any(benchmark.get(entry.name) is not None for entry in entries)
    rows = [_metric(entry, metrics, [_theirs(entry, benchmark)] if has_column else []) for entry in entries]
    heads = ("", "Strategy", "Benchmark") if has_column else ()
    head = [element("thead", element("tr", [element("th", title, scope="col") for title in heads]))] if heads else []
    return element("section", element("h3", name), element("table", head, element("tbody", rows), class_="metrics"))


def _theirs(entry: MetricEntry, benchmark: Mapping[str, Any]) -> Markup:
    return element("td", metric(entry, benchmark.get(entry.name)))


def _metric(entry: MetricEntry, metrics: Mapping[str, Any], beside: list[Markup]) -> Markup:
    value = metrics[entry.name]
    explained = element("span", entry.explanation, class_="note")
    named = element("th", entry.label, explained, scope="row")
    if value is not None:
        return element("tr", named, element("td", metric(entry, value)), beside)
    reason = metrics.get("undefined", {}).get(entry.name, "not given")
    missing = element("td", NOTHING, element("span", f"Undefined: {reason}.", class_="note"))
    return element("tr", named, missing, beside)
