"""The two pictures of a run: what it was worth, and how far below its best it stood."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from src.services.results.exports.equity_table import EquityCurve
from src.services.results.report.lines import UNITS, area_below, line
from src.services.results.report.markup import Content, Markup, element, joined
from src.services.results.report.number_format import money, number, percent
from src.services.results.report.scales import day_ticks, linear_ticks, positions, value_scale
from src.utils.return_stats import Float64Array

EQUITY_HEIGHT = 320
DRAWDOWN_HEIGHT = 170
AXIS_HEIGHT = 26
"""Pixels below the drawing, for the days."""


def equity_chart(curve: EquityCurve, benchmark_name: str | None) -> Markup:
    """Equity and the benchmark at each close."""
    series = [curve.close] if curve.benchmark is None else [curve.close, curve.benchmark]
    scale = value_scale(min(float(np.nanmin(s)) for s in series), max(float(np.nanmax(s)) for s in series))
    x = positions(curve.dates)
    drawn = [_grid(scale.heights(np.array(scale.ticks)))]
    if curve.benchmark is not None:
        known = np.isfinite(curve.benchmark)
        drawn.append(line(x[known], scale.heights(curve.benchmark[known]), "benchmark"))
    drawn.append(line(x, scale.heights(curve.close), "equity"))
    labels = zip(scale.heights(np.array(scale.ticks)).tolist(), [_axis_money(t) for t in scale.ticks], strict=True)
    caption = [_key("equity", "Strategy", _end(curve.close, curve))]
    if curve.benchmark is not None:
        caption.append(_key("benchmark", benchmark_name or "Benchmark", _end(curve.benchmark, curve)))
    caption.append(element("span", _scale_note(scale.is_logarithmic), class_="note"))
    described = f"Equity from {money(curve.starting_equity)} to {money(float(curve.close[-1]))}"
    return _figure(caption, _plot(described, EQUITY_HEIGHT, drawn, list(labels), day_ticks(curve.dates)))


def drawdown_chart(curve: EquityCurve) -> Markup:
    """How far equity stood below its highest close, each day."""
    deepest = float(curve.drawdown.max())
    bottom = deepest * 1.06 or 0.01
    ticks = [tick for tick in linear_ticks(0.0, bottom, 3) if tick > 0.0]
    x = positions(curve.dates)
    grid = _grid(1.0 - np.array([0.0, *ticks]) / bottom)
    drawn = [area_below(x, curve.drawdown / bottom, "below"), grid, line(x, 1.0 - curve.drawdown / bottom, "drawdown")]
    labels = [(1.0 - tick / bottom, percent(-tick, 0 if bottom >= 0.05 else 2)) for tick in [0.0, *ticks]]
    caption = [_key("drawdown", "Drawdown", f"maximum {percent(-deepest)}")]
    described = f"Drawdown, at most {percent(deepest)}"
    return _figure(caption, _plot(described, DRAWDOWN_HEIGHT, drawn, labels, day_ticks(curve.dates)))


def rolling_chart(curve: EquityCurve, windows: Sequence[Mapping[str, Any]]) -> Markup:
    """The Sharpe ratio of the last 252 and of the last 63 days, each day; nothing for a run shorter than that."""
    series = [(f"{window['days']} days", np.array(window["sharpe_ratio"])) for window in reversed(windows)]
    known = [(class_, *named) for class_, named in zip(("equity", "benchmark"), series, strict=True)]
    known = [(class_, name, np.where(np.isfinite(values), values, np.nan)) for class_, name, values in known]
    known = [(class_, name, values) for class_, name, values in known if np.isfinite(values).any()]
    if not known:
        return element("p", "The run is shorter than the windows of rolling statistics.", class_="note")
    ends = [(float(np.nanmin(values)), float(np.nanmax(values))) for _, _, values in known]
    scale, x = (
        value_scale(min(0.0, *(low for low, _ in ends)), max(0.0, *(high for _, high in ends))),
        positions(curve.dates),
    )
    drawn, caption = [_grid(scale.heights(np.array(scale.ticks)))], []
    for class_, name, values in known:
        is_known = np.isfinite(values)
        drawn.append(line(x[is_known], scale.heights(values[is_known]), class_))
        caption.append(_key(class_, name, number(float(values[is_known][-1]))))
    caption.append(element("span", "Sharpe ratio of the last so many days", class_="note"))
    labels = zip(scale.heights(np.array(scale.ticks)).tolist(), [number(tick, 1) for tick in scale.ticks], strict=True)
    described = "Rolling Sharpe ratio"
    return _figure(caption, _plot(described, DRAWDOWN_HEIGHT, drawn, list(labels), day_ticks(curve.dates)))


def _plot(
    described: str,
    height: int,
    drawn: list[Markup],
    values: list[tuple[float, str]],
    days: list[tuple[float, str]],
) -> Markup:
    """Lines stretch with the page, while writing keeps its size: so the lines have a picture of their own inside."""
    lines = element(
        "svg",
        drawn,
        width="100%",
        height=str(height),
        viewBox=f"0 0 {UNITS:.0f} {UNITS:.0f}",
        preserveAspectRatio="none",
    )
    value_labels = [
        element("text", label, class_="value", x="-8", y=f"{height * (1.0 - at) + 4:.1f}") for at, label in values
    ]
    day_labels = [_day_label(number, at, label, height) for number, (at, label) in enumerate(days)]
    return element(
        "svg",
        lines,
        value_labels,
        day_labels,
        class_="plot",
        role="img",
        aria_label=described,
        width="100%",
        height=str(height + AXIS_HEIGHT),
    )


def _day_label(number: int, at: float, label: str, height: int) -> Markup:
    anchor = "start" if at < 0.03 else "end" if at > 0.97 else "middle"
    # On a narrow page every second one is left out.
    class_ = "day" if number % 2 == 0 else "day spare"
    return element("text", label, class_=class_, x=f"{100 * at:.2f}%", y=str(height + 18), text_anchor=anchor)


def _grid(heights: Float64Array) -> Markup:
    path = "".join(f"M0 {UNITS * (1.0 - height):.1f}H{UNITS:.0f}" for height in heights.tolist())
    return element("path", class_="grid", d=path)


def _figure(caption: Content, plot: Markup) -> Markup:
    return element("figure", element("figcaption", caption), plot)


def _key(class_: str, name: str, value: str) -> Markup:
    swatch = element("span", class_=f"swatch {class_}", aria_hidden="true")
    return element("span", joined([swatch, name, " ", element("b", value)]), class_="key")


def _end(values: Float64Array, curve: EquityCurve) -> str:
    last = float(values[np.isfinite(values)][-1])
    return f"{money(last)} ({percent(last / curve.starting_equity - 1.0, signed=True)})"


def _axis_money(value: float) -> str:
    """Short enough for the margin."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if size <= abs(value) < 1000 * size:
            return f"{number(value / size).rstrip('0').rstrip('.')}{unit}"
    return number(value, 0) if abs(value) >= 100 or value == int(value) else number(value, 2)


def _scale_note(is_logarithmic: bool) -> str:
    return "account currency, logarithmic scale" if is_logarithmic else "account currency"
