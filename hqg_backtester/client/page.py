"""A result and a run as a notebook shows them. All text from the service is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from hqg_backtester.client.sparkline import sparkline

RATES = (
    ("Total return", "total_return"),
    ("Annualized return", "annualized_return"),
    ("Annual volatility", "annual_volatility"),
    ("Max drawdown", "max_drawdown"),
)
NUMBERS = (("Sharpe ratio", "sharpe_ratio"), ("Sortino ratio", "sortino"), ("Calmar ratio", "calmar"), ("Beta", "beta"))
MAX_WARNINGS = 20
MAX_LOG_LINES = 20
MAX_SYMBOLS = 10
_CELL = "text-align:left;padding:2px 16px 2px 0"
_NOTE = "margin:4px 0;padding:4px 8px;border-left:3px solid #d97706"


def result_page(answer: Mapping[str, Any]) -> str:
    """HTML of the answer's headline, its warnings, equity and main numbers; no scripts or external resources."""
    body = "".join(
        [_headline(answer), _notices(answer["warnings"], "result.warnings"), _drawing(answer), _numbers(answer)]
    )
    return f'<div style="max-width:760px">{body}</div>'


def run_page(summary: Mapping[str, Any]) -> str:
    """HTML of a run's state, progress and main numbers, or why it failed; no external resources."""
    metrics, error = summary.get("metrics"), summary.get("error")
    window = f"{summary.get('start_date', '?')} to {summary.get('end_date', '?')}"
    facts = ", ".join([window, *_symbols(summary.get("symbols") or ())])
    parts = [_title(summary.get("name"), f"{_state(summary)} · {facts}", summary["run_hash"])]
    if metrics is not None:
        parts.append(_table(_cells(metrics)))
    if error is not None:
        parts.append(_failure(error))
    return f'<div style="max-width:760px">{"".join(parts)}</div>'


def _state(summary: Mapping[str, Any]) -> str:
    status, progress = str(summary["status"]).replace("_", " "), summary.get("progress")
    if summary["status"] != "running" or not progress:
        return status
    return f"{status}, {progress['share']:.0%}, {progress['day']}"


def _symbols(symbols: Sequence[Any]) -> list[str]:
    hidden = len(symbols) - MAX_SYMBOLS
    return [str(symbol) for symbol in symbols[:MAX_SYMBOLS]] + ([f"and {hidden} more"] if hidden > 0 else [])


def _failure(error: Mapping[str, Any]) -> str:
    shown = _notices(error.get("errors") or (), "run.summary")
    logs = [str(line) for line in error.get("logs") or ()]
    for title, text in (("Traceback", str(error.get("traceback") or "")), ("Logs", "\n".join(logs[-MAX_LOG_LINES:]))):
        if text:
            shown += f"<div><small>{title}</small><pre>{escape(text)}</pre></div>"
    return shown


def _headline(answer: Mapping[str, Any]) -> str:
    parameters, provenance = answer["parameters"], answer["provenance"]
    window = f"{parameters['start_date']} to {parameters['end_date']}, {provenance['data_source']} prices"
    return _title(parameters.get("name"), window, answer["run_hash"])


def _title(name: Any, facts: str, run_hash: Any) -> str:
    whole = escape(str(run_hash))
    code = f'<code title="{whole}">{escape(str(run_hash)[:12])}</code>'
    return f"<div><b>{escape(str(name or 'Backtest'))}</b> · {escape(facts)} · {code}</div>"


def _notices(warnings: Sequence[Any], rest: str) -> str:
    shown = "".join(f'<div style="{_NOTE}">{escape(str(text))}</div>' for text in warnings[:MAX_WARNINGS])
    hidden = len(warnings) - MAX_WARNINGS
    return shown + (f'<div style="{_NOTE}">… and {hidden} more in {rest}</div>' if hidden > 0 else "")


def _drawing(answer: Mapping[str, Any]) -> str:
    closes = [float(candle["close"]) for candle in answer["candles"]]
    benchmark = answer.get("benchmark")
    value_at = {point["time"]: float(point["value"]) for point in benchmark or ()}
    other = None if benchmark is None else [value_at.get(candle["time"]) for candle in answer["candles"]]
    legend = "" if other is None else f" and {escape(str(answer['parameters'].get('benchmark')))} (grey)"
    return f"{sparkline(closes, other)}<div><small>Equity{legend}</small></div>" if closes else ""


def _numbers(answer: Mapping[str, Any]) -> str:
    metrics, stats = answer["metrics"], answer["equity_stats"]
    first = [("Final equity", f"{stats['equity']:,.2f}")]
    last = [("Orders", str(len(answer["orders"]))), ("Fees", f"{stats['fees']:,.2f}")]
    return _table([*first, *_cells(metrics), *last])


def _cells(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    rates = [(label, _shown(metrics, name, "{:.2%}")) for label, name in RATES if name in metrics]
    return rates + [(label, _shown(metrics, name, "{:.3f}")) for label, name in NUMBERS if name in metrics]


def _table(cells: Sequence[tuple[str, str]]) -> str:
    pairs = [f'<th style="{_CELL}">{escape(a)}</th><td style="{_CELL}">{escape(b)}</td>' for a, b in cells]
    rows = "".join(f"<tr>{''.join(pairs[start : start + 2])}</tr>" for start in range(0, len(pairs), 2))
    return f"<table>{rows}</table>"


def _shown(metrics: Mapping[str, Any], name: str, form: str) -> str:
    value = metrics[name]
    if value is None:
        return f"undefined ({(metrics.get('undefined') or {}).get(name, 'no reason given')})"
    return form.format(value)
