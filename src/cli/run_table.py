"""Runs as lines of a table, and one run as a block of lines."""

from hqg_backtester import Run
from hqg_backtester.client.text import on_one_line
from src.cli import outcome

SYMBOLS_CHARACTERS = 20
_FORM = "{:<12}  {:<19}  {:<9}  {:<24}  {:>9}  {:>7}  {:<20}  {}"

HEADER = _FORM.format("RUN", "SUBMITTED (UTC)", "STATUS", "WINDOW", "RETURN", "SHARPE", "SYMBOLS", "NAME")


def run_line(run: Run) -> str:
    """The run as a line below HEADER; a missing metric is a dash."""
    summary = run.summary
    return _FORM.format(
        on_one_line(run.run_hash)[: outcome.SHORT_HASH_CHARACTERS],
        _submitted(run),
        outcome.spelled(run.status),
        f"{on_one_line(str(summary['start_date']))} to {on_one_line(str(summary['end_date']))}",
        _metric(run, "total_return", "{:.2%}"),
        _metric(run, "sharpe_ratio", "{:.2f}"),
        _few_symbols([on_one_line(str(symbol)) for symbol in summary.get("symbols") or ()]),
        on_one_line(run.name or ""),
    ).rstrip()


def run_block(run: Run) -> str:
    """Everything about a run except its result, one fact per line."""
    summary = run.summary
    facts = [
        ("status", _progress(run)),
        ("window", f"{summary['start_date']} to {summary['end_date']}"),
        ("symbols", ", ".join(map(str, summary.get("symbols") or ()))),
        ("sent", f"{_submitted(run)} UTC"),
    ]
    if run.name:
        facts.insert(1, ("name", run.name))
    return "\n".join([outcome.addresses(run), *(f"{label:<7} {on_one_line(text)}" for label, text in facts)])


def _progress(run: Run) -> str:
    progress = run.summary.get("progress")
    if run.status != "running" or not progress:
        return outcome.spelled(run.status)
    return f"running, {progress['share']:.0%}, at {progress['day']}"


def _metric(run: Run, name: str, form: str) -> str:
    value = (run.metrics or {}).get(name)
    return "-" if value is None else form.format(value)


def _submitted(run: Run) -> str:
    return on_one_line(str(run.summary["submitted_at"]))[:19].replace("T", " ")


def _few_symbols(symbols: list[str]) -> str:
    """As many symbols as fit, and the number of the rest."""
    whole = ",".join(symbols)
    if len(whole) <= SYMBOLS_CHARACTERS:
        return whole
    shown = list(symbols)
    while shown and len(",".join(shown)) > SYMBOLS_CHARACTERS - len(f" +{len(symbols)}"):
        shown.pop()
    return f"{','.join(shown)} +{len(symbols) - len(shown)}".strip()
