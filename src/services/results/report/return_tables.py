"""Months, years and drawdowns of a run as tables."""

from collections.abc import Mapping

from src.services.results.exports.equity_table import EquityCurve
from src.services.results.report.markup import Markup, element, joined
from src.services.results.report.number_format import NOTHING, day, percent
from src.services.results.report.tables import row, table
from src.utils.benchmark_stats import known_days
from src.utils.drawdown import DrawdownPeriod, worst_drawdowns
from src.utils.monthly_returns import YearOfReturns, yearly_table

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

SHADES = (0.0, 0.01, 0.03, 0.06, 0.10)
"""Sizes of a monthly return above which its cell is shaded one step darker, fractions."""


def monthly_table(curve: EquityCurve) -> Markup:
    """One row a calendar year, the earliest first."""
    years = yearly_table(curve.close, curve.starting_equity, curve.dates)
    note = element("p", "Monthly returns in percent; the stronger the colour, the larger the move.", class_="note")
    head, totals = ["Year", *MONTHS, "Total"], None
    if curve.benchmark is not None:
        days = known_days(curve.benchmark)
        theirs = yearly_table(curve.benchmark[days], curve.starting_equity, curve.dates[days])
        head, totals = [*head, "Benchmark"], {entry.year: entry.total for entry in theirs}
    return joined([note, table(head, [_year(entry, totals) for entry in years], "numbers heat")])


def _year(entry: YearOfReturns, benchmark: Mapping[int, float | None] | None) -> Markup:
    months = [_shaded(value) for value in entry.months]
    totals = [entry.total] if benchmark is None else [entry.total, benchmark.get(entry.year)]
    cells = [element("td", NOTHING if total is None else percent(total, 1), class_="total") for total in totals]
    return element("tr", element("th", str(entry.year), scope="row"), months, cells)


def _shaded(value: float | None) -> Markup:
    if value is None:
        return element("td", "")
    # The section says that these are percentages: the sign would only cost room.
    return element("td", percent(value, 1).rstrip("%"), class_=shade(value))


def shade(value: float) -> str | None:
    """The class of a return's cell: its sign and one of five steps; none for no return at all."""
    step = sum(abs(value) > size for size in SHADES)
    return f"{'gain' if value > 0 else 'loss'}{step}" if step else None


def drawdown_table(curve: EquityCurve) -> Markup:
    """The deepest drawdowns, deepest first."""
    periods = worst_drawdowns(curve.close, curve.starting_equity)
    if not periods:
        return element("p", "Equity never closed below an earlier close.", class_="note")
    head = ("#", "Depth", "Peak", "Trough", "Recovered", "Trading days")
    note = "From each peak to the first day at or above it again, deepest first."
    rows = [_period(curve, rank, period) for rank, period in enumerate(periods, start=1)]
    return joined([element("p", note, class_="note"), table(head, rows, "numbers compact")])


def _period(curve: EquityCurve, rank: int, period: DrawdownPeriod) -> Markup:
    peak = "before the first day" if period.peak < 0 else day(curve.dates[period.peak])
    recovered = "not yet" if period.recovery is None else day(curve.dates[period.recovery])
    trough = day(curve.dates[period.trough])
    return row(str(rank), percent(-period.depth), peak, trough, recovered, f"{period.n_days:,}")
