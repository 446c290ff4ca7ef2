"""Every metric in its group, with what it means and why it is missing where it is."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from src.models.metric_catalogue import METRIC_CATALOGUE, MetricEntry
from src.services.artifacts.report.markup import Markup, element
from src.services.artifacts.report.number_format import metric

HEADLINES = ("total_return", "annualized_return", "sharpe_ratio", "max_drawdown", "annual_volatility", "psr_zero")
"""What a person looks for first."""


def headline_cards(metrics: Mapping[str, Any]) -> Markup:
    """The few numbers that stand at the top."""
    entries = {entry.name: entry for entry in METRIC_CATALOGUE}
    return element("dl", [_card(entries[name], metrics) for name in HEADLINES if name in metrics], class_="cards")


def _card(entry: MetricEntry, metrics: Mapping[str, Any]) -> Markup:
    value = metrics[entry.name]
    shown = element("dd", "undefined", class_="missing") if value is None else element("dd", metric(entry, value))
    return element("div", element("dt", entry.label), shown)


def metric_groups(metrics: Mapping[str, Any]) -> Markup:
    """A small table a group; a metric that the answer does not have is left out."""
    known = [entry for entry in METRIC_CATALOGUE if entry.name in metrics]
    groups = groupby(known, key=lambda entry: entry.group)
    return element("div", [_group(name, list(entries), metrics) for name, entries in groups], class_="groups")


def _group(name: str, entries: list[MetricEntry], metrics: Mapping[str, Any]) -> Markup:
    rows = [_metric(entry, metrics) for entry in entries]
    return element("section", element("h3", name), element("table", element("tbody", rows), class_="metrics"))


def _metric(entry: MetricEntry, metrics: Mapping[str, Any]) -> Markup:
    value = metrics[entry.name]
    explained = element("span", entry.explanation, class_="note")
    named = element("th", entry.label, explained, scope="row")
    if value is not None:
        return element("tr", named, element("td", metric(entry, value)))
    reason = metrics.get("undefined", {}).get(entry.name, "no reason was given")
    missing = element("td", element("span", "undefined", class_="missing"), element("span", reason, class_="note"))
    return element("tr", named, missing)
