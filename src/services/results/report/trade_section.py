"""The round trips of a run: statistics per trip and per fill, and the trips that gained and lost the most."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from src.services.results.report.markup import Markup, element, joined
from src.services.results.report.number_format import NOTHING, counted, day, exact, money, number, percent
from src.services.results.report.tables import row, table
from src.services.results.result import Result
from src.services.results.statistics import trade_statistics
from src.utils.round_trips import EXITS, RoundTrips

HEAD = (
    "Entry",
    "Exit",
    "Symbol",
    "Side",
    "Shares",
    "In at",
    "Out at",
    "Profit",
    "Return",
    "Days",
    "Worst",
    "Best",
    "Why",
)

SHOWN = 10
"""Trips at either end."""

STATISTICS: dict[str, tuple[str, Callable[[float], str]]] = {
    "closed_trades": ("Closed", lambda value: number(value, 0)),
    "win_rate": ("Win rate", percent),
    "avg_win": ("Average win", percent),
    "avg_loss": ("Average loss", percent),
    "profit_factor": ("Profit factor", number),
    "expectancy": ("Expectancy", percent),
    "avg_bars_held": ("Days held", lambda value: number(value, 1)),
    "avg_mae": ("Average worst", percent),
    "avg_mfe": ("Average best", percent),
}
"""Label and form of each statistic that is shown."""


def trade_section(result: Result) -> Markup:
    """The tables, or why there are none."""
    trades = result.trades
    if trades is None:
        return element("p", "This run was stored before round trips were recorded.", class_="note")
    if not len(trades):
        return element("p", "Nothing was bought or sold.", class_="note")
    text = (
        f"{counted(len(trades), 'round trip')}, first in, first out; trades.csv has them all. Profits are after fees, "
        "in account currency. Worst and best are the largest moves against and for the position while it was held."
    )
    return joined([element("p", text, class_="note"), _statistics(result), _extremes(result, trades)])


def _statistics(result: Result) -> Markup:
    found = trade_statistics(result)
    groups = (("Per round trip", found["per_round_trip"]), ("Per fill", found["per_fill"]))
    rows = [row(name, *(_value(group, label) for label in STATISTICS)) for name, group in groups]
    return table(("", *(label for label, _ in STATISTICS.values())), rows, "numbers compact")


def _value(group: Mapping[str, Any], name: str) -> str:
    value = group.get(name)
    return NOTHING if value is None else STATISTICS[name][1](value)


def _extremes(result: Result, trades: RoundTrips) -> Markup:
    """All trips by profit, or the most and the least profitable."""
    order = np.argsort(-trades.pnl, kind="stable").tolist()
    n_left_out = max(0, len(order) - 2 * SHOWN)
    n_first = SHOWN if n_left_out else len(order)
    rows = [_trip(result, trades, index) for index in order[:n_first]]
    if n_left_out:
        gap = element("td", f"{n_left_out:,} more between them: trades.csv", colspan=str(len(HEAD)))
        rows += [element("tr", gap, class_="gap"), *(_trip(result, trades, index) for index in order[-SHOWN:])]
    return table(HEAD, rows, "numbers orders")


def _trip(result: Result, trades: RoundTrips, index: int) -> Markup:
    dates, shares = result.daily.dates, abs(float(trades.shares[index]))
    prices = (float(trades.entry_price[index]), float(trades.exit_price[index]))
    is_long = trades.shares[index] > 0
    gain = float(trades.returns[index])
    return row(
        day(dates[trades.entry_day[index]]),
        day(dates[trades.exit_day[index]]),
        result.symbols[trades.symbol[index]],
        element("span", "Long" if is_long else "Short", class_="buy" if is_long else "sell"),
        element("span", number(shares, 0 if shares >= 1e6 else 4), title=exact(shares)),
        *(element("span", number(price, 6 if price < 1 else 2), title=exact(price)) for price in prices),
        money(float(trades.pnl[index])),
        NOTHING if np.isnan(gain) else percent(gain, signed=True),
        number(trades.bars_held[index], 0),
        percent(float(trades.mae[index])),
        percent(float(trades.mfe[index]), signed=True),
        EXITS[trades.reason[index]].replace("_", " "),
    )
