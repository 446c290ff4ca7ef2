"""The studio without any script: a form, what is wrong with it, and the latest runs as links to their reports."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from src.services.results.report.number_format import percent
from src.services.storage.records.runs import RunRecord

FORM_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

FIELDS: Mapping[str, tuple[str, str]] = {
    "name": ("Name", "text"),
    "start_date": ("From", "date"),
    "end_date": ("To", "date"),
    "initial_capital": ("Capital", "text"),
    "commission": ("Commission: a fee per order, or a model as JSON", "text"),
    "slippage": ("Slippage: a fraction of price, or a model as JSON", "text"),
    "benchmark": ("Benchmark (leave empty for none)", "text"),
    "seed": ("Seed", "text"),
    "parameters": ("Parameters (JSON), read in code with import config", "text"),
}
"""Label and kind of each input, by the request's field."""

DEFAULTS: Mapping[str, str] = {
    "initial_capital": "10000",
    "commission": "0",
    "slippage": "0",
    "benchmark": "SPY",
    "seed": "0",
    "parameters": "{}",
}

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>HQG Backtester</title>
<link rel="icon" href="studio/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="studio/style/plain.css">
</head>
<body>
<main>
<h1>HQG Backtester</h1>
<p>Post a strategy, get an honest backtest back. This page works without scripts,
and so does the report it leads to. <a href="docs">API</a></p>
{problems}
<form method="post" action="plain">
<label for="strategy_code">Strategy in Python</label>
<textarea id="strategy_code" name="strategy_code" rows="26" spellcheck="false" required>
{code}</textarea>
<div class="fields">
{inputs}
</div>
<button type="submit">Run and wait for the report</button>
</form>
{runs}
</main>
</body>
</html>
"""


def plain_form(values: Mapping[str, str], runs: Sequence[RunRecord], problems: Sequence[str] = ()) -> str:
    """The page as HTML.

    Args:
        values: what stands in the form, by field; the code is `strategy_code`.
        runs: the latest, newest first.
        problems: sentences about what was posted.
    """
    return _PAGE.format(
        problems=_problems(problems),
        code=escape(values.get("strategy_code", "")),
        inputs="\n".join(_input(name, values.get(name, DEFAULTS.get(name, ""))) for name in FIELDS),
        runs=_runs(runs),
    )


def _problems(problems: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(problem)}</li>" for problem in problems)
    if not items:
        return ""
    return f'<section class="problems" role="alert"><h2>This did not run</h2><ul>{items}</ul></section>'


def _input(name: str, value: str) -> str:
    label, kind = FIELDS[name]
    attributes = f'id="{name}" name="{name}" type="{kind}" value="{escape(value)}"'
    return f'<p><label for="{name}">{escape(label)}</label><input {attributes}></p>'


def _runs(runs: Sequence[RunRecord]) -> str:
    if not runs:
        return ""
    heads = "".join(f'<th scope="col">{text}</th>' for text in ("Run", "Status", "Window", "Total return"))
    rows = "".join(_row(run) for run in runs)
    return f"<h2>Latest runs</h2><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _row(run: RunRecord) -> str:
    name = escape(run.name or "Unnamed run")
    report = f"api/v1/runs/{run.key.run_hash}/artifacts/report.html"
    title = f'<a href="{report}">{name}</a>' if run.has_result else name
    window = f"{run.start_date} to {run.end_date}"
    status = run.status.value.replace("_", " ")
    return f"<tr><td>{title}</td><td>{status}</td><td>{window}</td><td>{_percent(run.metrics)}</td></tr>"


def _percent(metrics: Mapping[str, Any] | None) -> str:
    value = (metrics or {}).get("total_return")
    return "" if value is None else percent(value, signed=True)
