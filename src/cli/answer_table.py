"""The answer to a backtest as text for a terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from hqg_backtester.client.text import on_one_line, printable

RATES = (
    ("total return", "total_return"),
    ("annualized return", "annualized_return"),
    ("annual volatility", "annual_volatility"),
    ("max drawdown", "max_drawdown"),
    ("alpha", "alpha"),
    ("win rate", "win_rate"),
    ("average win", "avg_win"),
    ("average loss", "avg_loss"),
)
"""Label and name of each metric shown as a percentage."""

NUMBERS = (
    ("Sharpe ratio", "sharpe_ratio"),
    ("Sortino ratio", "sortino"),
    ("beta", "beta"),
    ("probabilistic Sharpe", "psr"),
)

MONEY = (
    ("starting equity", "parameters", "starting_equity"),
    ("final equity", "equity_stats", "equity"),
    ("fees", "equity_stats", "fees"),
    ("slippage", "equity_stats", "slippage_cost"),
    ("volume traded", "equity_stats", "volume"),
)

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def answer_table(answer: dict[str, Any]) -> str:
    """The main numbers of a backtest, one per line.

    Args:
        answer: the JSON object of a 200 answer. A metric that is null shows its reason, from
            `metrics.undefined`; one that is missing is left out.
    """
    metrics = answer["metrics"]
    lines = [_headline(answer), ""]
    lines += [_line(label, f"{answer[part][name]:,.2f}") for label, part, name in MONEY]
    lines += [_line(label, _shown(metrics, name, "{:.2%}")) for label, name in RATES if name in metrics]
    lines += [_line(label, _shown(metrics, name, "{:.3f}")) for label, name in NUMBERS if name in metrics]
    lines.append(_line("orders", str(metrics["total_orders"])))
    lines += [f"  warning: {on_one_line(text)}" for text in answer["warnings"]]
    return "\n".join(lines)


def statistics_tables(statistics: Mapping[str, Any]) -> str:
    """Returns by month and year, and the deepest drawdowns, in percent.

    Args:
        statistics: the JSON object of GET …/statistics.
    """
    years = [on_one_line(line) for line in year_table(statistics["years"])]
    periods = [on_one_line(_period(period)) for period in statistics["drawdown_periods"]]
    drawdowns = [f"{'drawdown':>9}  {'peak':<12}{'trough':<12}{'recovery':<12}{'days':>6}", *periods]
    return "\n".join([*years, "", *(drawdowns if periods else ["No drawdowns."])])


def refusal(status: int, answer: dict[str, Any]) -> str:
    """Why there is no backtest, from any answer that is not 200."""
    detail = answer.get("detail", answer)
    if not isinstance(detail, dict):
        return printable(f"The service answered {status}: {detail}")
    sentences = [text for kind, texts in detail.items() if kind.endswith("_errors") for text in texts]
    indented = [f"  {printable(text)}" for text in sentences or [str(detail)]]
    return "\n".join([f"The service answered {status}:", *indented])


def _headline(answer: dict[str, Any]) -> str:
    parameters, provenance = answer["parameters"], answer["provenance"]
    seconds = provenance["timings_ms"]["total"] / 1000
    return on_one_line(
        f"{parameters['name'] or 'The strategy'}, {parameters['start_date']} to {parameters['end_date']}"
        f" on {provenance['data_source']} prices, in a {provenance['sandbox']} box, {seconds:.2f} s"
    )


def year_table(years: Iterable[Mapping[str, Any]]) -> list[str]:
    """Returns by month and year in percent, below a head."""
    return ["".join(f"{head:>7}" for head in ("year", *MONTHS, "total")), *map(year_line, years)]


def year_line(entry: Mapping[str, Any]) -> str:
    """One year of the table."""
    values = (*entry["months"], entry["total"])
    return f"{entry['year']:>7}" + "".join(f"{'':>7}" if value is None else f"{value * 100:>7.1f}" for value in values)


def _period(period: Mapping[str, Any]) -> str:
    peak, recovery = period["peak"] or "the start", period["recovery"] or "not yet"
    days = f"{peak:<12}{period['trough']:<12}{recovery:<12}{period['n_days']:>6,}"
    return f"{-period['depth']:>9.2%}  {days}"


def _shown(metrics: dict[str, Any], name: str, form: str) -> str:
    value = metrics[name]
    if value is None:
        return on_one_line(f"undefined ({metrics.get('undefined', {}).get(name, 'no reason given')})")
    return form.format(value)


def _line(label: str, value: str) -> str:
    return f"  {label:<22}{value:>16}"
