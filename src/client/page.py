"""A result as a notebook shows it. Whatever comes from outside is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from src.client.curve import curve

RATES = (
    ("Total return", "total_return"),
    ("Annualized return", "annualized_return"),
    ("Annual volatility", "annual_volatility"),
    ("Max drawdown", "max_drawdown"),
)
NUMBERS = (("Sharpe ratio", "sharpe_ratio"), ("Sortino ratio", "sortino"), ("Calmar ratio", "calmar"), ("Beta", "beta"))
MAX_WARNINGS = 20
_CELL = "text-align:left;padding:2px 16px 2px 0"
_NOTE = "margin:4px 0;padding:4px 8px;border-left:3px solid #d97706"


def result_page(answer: Mapping[str, Any]) -> str:
    """HTML of the answer's headline, its warnings, its equity and its main numbers; no scripts, nothing to load."""
    body = "".join([_headline(answer), _notices(answer["warnings"]), _drawing(answer), _numbers(answer)])
    return f'<div style="max-width:760px">{body}</div>'


def _headline(answer: Mapping[str, Any]) -> str:
    parameters, provenance = answer["parameters"], answer["provenance"]
    name = escape(str(parameters.get("name") or "Backtest"))
    window = f"{parameters['start_date']} to {parameters['end_date']}, {provenance['data_source']} prices"
    run_hash = str(answer["run_hash"])
    return (
        f'<div><b>{name}</b> · {escape(window)} · <code title="{escape(run_hash)}">{escape(run_hash[:12])}</code></div>'
    )


def _notices(warnings: Sequence[str]) -> str:
    shown = "".join(f'<div style="{_NOTE}">{escape(str(text))}</div>' for text in warnings[:MAX_WARNINGS])
    hidden = len(warnings) - MAX_WARNINGS
    return shown + (f'<div style="{_NOTE}">… and {hidden} more in result.warnings</div>' if hidden > 0 else "")


def _drawing(answer: Mapping[str, Any]) -> str:
    closes = [float(candle["close"]) for candle in answer["candles"]]
    benchmark = answer.get("benchmark")
    other = None if benchmark is None else [float(point["value"]) for point in benchmark]
    legend = "" if other is None else f" and {escape(str(answer['parameters'].get('benchmark')))} (grey)"
    return f"{curve(closes, other)}<div><small>Equity{legend}</small></div>" if closes else ""


def _numbers(answer: Mapping[str, Any]) -> str:
    metrics, stats = answer["metrics"], answer["equity_stats"]
    cells = [("Final equity", f"{stats['equity']:,.2f}")]
    cells += [(label, _shown(metrics, name, "{:.2%}")) for label, name in RATES if name in metrics]
    cells += [(label, _shown(metrics, name, "{:.3f}")) for label, name in NUMBERS if name in metrics]
    cells += [("Orders", str(len(answer["orders"]))), ("Fees", f"{stats['fees']:,.2f}")]
    pairs = [f'<th style="{_CELL}">{escape(a)}</th><td style="{_CELL}">{escape(b)}</td>' for a, b in cells]
    rows = "".join(f"<tr>{''.join(pairs[start : start + 2])}</tr>" for start in range(0, len(pairs), 2))
    return f"<table>{rows}</table>"


def _shown(metrics: Mapping[str, Any], name: str, form: str) -> str:
    value = metrics[name]
    if value is None:
        return f"undefined ({(metrics.get('undefined') or {}).get(name, 'no reason given')})"
    return form.format(value)
