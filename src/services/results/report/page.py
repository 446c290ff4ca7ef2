"""The report: one page that stands alone, with nothing in it that a browser would run or fetch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from src.services.results.exports.equity_table import EquityCurve, equity_curve
from src.services.results.report.charts import drawdown_chart, equity_chart, rolling_chart
from src.services.results.report.markup import Content, Markup, element, joined
from src.services.results.report.metric_tables import headline_cards, metric_groups
from src.services.results.report.number_format import counted, day
from src.services.results.report.order_section import order_section
from src.services.results.report.origin import inputs, origin_line
from src.services.results.report.return_tables import drawdown_table, monthly_table
from src.services.results.report.trade_section import trade_section
from src.services.results.result import Result
from src.services.results.sections import rendered_warnings
from src.services.results.statistics import benchmark_metrics, rolling

LINES_SHOWN = 500
"""Lines of the strategy's output, and warnings."""

SYMBOLS_NAMED = 12
WARNINGS_IN_HEAD = 8

STYLE = (Path(__file__).parent / "report.css").read_text("utf-8")

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser loads and runs nothing that the page may contain."""


def report_page(title: str, result: Result, source: str) -> str:
    """The whole report as HTML.

    Args:
        title: what the run is called.
        source: the strategy's source.
    """
    curve = equity_curve(result)
    answer = {**result.document, "warnings": [*result.document["warnings"], *rendered_warnings(result.document)]}
    body = element(
        "main",
        _head(answer, curve, title),
        _section("Equity and drawdown", equity_chart(curve, answer["parameters"]["benchmark"]), drawdown_chart(curve)),
        _section("Metrics", metric_groups(answer["metrics"], benchmark_metrics(result))),
        _section("Rolling", rolling_chart(curve, rolling(result)["windows"])),
        _section("Months", monthly_table(curve), class_="months"),
        _section("Drawdowns", drawdown_table(curve)),
        _section("Round trips", trade_section(result)),
        _section("Orders", order_section(result)),
        _section("Log", _log(answer["logs"]), class_="source"),
        _section("Inputs", inputs(answer)),
        _section("Strategy", element("pre", element("code", source)), class_="source"),
        _all_warnings(answer["warnings"]),
        element(
            "footer", "A backtest shows what would have happened on the prices it names, and nothing about tomorrow."
        ),
    )
    return f"<!doctype html>\n{element('html', _document_head(title), element('body', body), lang='en')}\n"


def _document_head(title: str) -> Markup:
    return element(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        element("title", f"{title}: backtest report"),
        element("style", Markup(STYLE)),
    )


def _head(answer: Mapping[str, Any], curve: EquityCurve, title: str) -> Markup:
    parameters = answer["parameters"]
    window = f"{parameters['start_date']} to {parameters['end_date']}"
    traded = f"{counted(len(curve.dates), 'day')}, {day(curve.dates[0])} to {day(curve.dates[-1])}"
    return element(
        "header",
        element("h1", title),
        element("p", joined([element("b", _universe(parameters["universe"])), f" · {window} · {traded}"])),
        element("p", origin_line(answer), class_="note"),
        _synthetic(answer["provenance"]["is_synthetic"]),
        _warnings(answer["warnings"], answer["provenance"]["is_synthetic"]),
        headline_cards(answer, curve),
    )


def _universe(symbols: Sequence[str]) -> str:
    named = ", ".join(symbols[:SYMBOLS_NAMED])
    return named if len(symbols) <= SYMBOLS_NAMED else f"{named} and {len(symbols) - SYMBOLS_NAMED} more"


def _synthetic(is_synthetic: bool) -> Markup:
    if not is_synthetic:
        return Markup("")
    text = " This service made them up, so the result says nothing about a real market."
    return element("p", element("b", "Synthetic prices."), text, class_="synthetic", role="note")


def _warnings(warnings: Sequence[str], is_synthetic: bool) -> Markup:
    """The first warnings, where they cannot be missed."""
    if is_synthetic:  # said above, and larger
        warnings = [text for text in warnings if not text.startswith("These prices are synthetic")]
    if not warnings:
        return Markup("")
    heading = element("h2", counted(len(warnings), "warning"))
    left_out = len(warnings) - WARNINGS_IN_HEAD
    more = [f"and {left_out:,} more, listed at the end"] if left_out > 0 else []
    listed = element("ul", [element("li", text) for text in [*warnings[:WARNINGS_IN_HEAD], *more]])
    return element("section", heading, listed, class_="warnings")


def _all_warnings(warnings: Sequence[str]) -> Markup:
    if len(warnings) <= WARNINGS_IN_HEAD:
        return Markup("")
    return _section("All warnings", element("ul", [element("li", text) for text in _bounded(warnings)]))


def _log(lines: Sequence[str]) -> Markup:
    if not lines:
        return element("p", "The strategy printed nothing.", class_="note")
    return element("pre", "\n".join(_bounded(lines)))


def _bounded(lines: Sequence[str]) -> list[str]:
    left_out = len(lines) - LINES_SHOWN
    return [*lines] if left_out <= 0 else [*lines[:LINES_SHOWN], f"… {left_out:,} more in result.json"]


def _section(heading: str, *content: Content, class_: str | None = None) -> Markup:
    return element("section", element("h2", heading), content, class_=class_)
