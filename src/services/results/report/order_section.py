"""The orders of a run: all of them while they are few, else the first and the last."""

from collections.abc import Mapping
from typing import Any

from src.services.results.exports.order_table import OrderTable
from src.services.results.report.markup import Markup, element, joined
from src.services.results.report.number_format import counted, exact, money, number
from src.services.results.report.tables import row, table

HEAD = ("#", "Day", "Symbol", "Side", "Shares", "Price", "Value", "Fee", "Slippage")


def order_section(orders: OrderTable) -> Markup:
    """The table, and a note on what it leaves out."""
    if not orders.n_orders:
        return element("p", "Nothing was bought or sold.", class_="note")
    n_left_out = orders.n_orders - len(orders.first) - len(orders.last)
    rows = [_order(order) for order in orders.first]
    if n_left_out:
        gap = element("td", f"{n_left_out:,} orders are left out here: orders.csv has them all", colspan=str(len(HEAD)))
        rows.append(element("tr", gap, class_="gap"))
    rows += [_order(order) for order in orders.last]
    text = f"{counted(orders.n_orders, 'order')} as they filled. Money is in account currency; prices include slippage."
    note = element("p", text, class_="note")
    return joined([note, table(HEAD, rows, "numbers orders")])


def _order(order: Mapping[str, Any]) -> Markup:
    return row(
        str(order["id"]),
        str(order["timestamp"])[:10],
        str(order["symbol"]),
        element("span", str(order["action"]), class_="buy" if order["action"] == "Buy" else "sell"),
        element("span", number(order["shares"], 0 if order["shares"] >= 1e6 else 4), title=exact(order["shares"])),
        element("span", number(order["price"], 6 if order["price"] < 1 else 2), title=exact(order["price"])),
        money(order["shares"] * order["price"]),
        money(order["fee"]),
        money(order["slippage_cost"]),
    )
