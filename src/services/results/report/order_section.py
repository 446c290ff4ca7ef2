"""The orders of a run: all of them while they are few, else the first and the last."""

from collections.abc import Mapping
from typing import Any

from src.services.results.answer_json import ORDER_MEMBERS, order_rows
from src.services.results.report.markup import Markup, element, joined
from src.services.results.report.number_format import counted, exact, money, number
from src.services.results.report.tables import row, table
from src.services.results.result import EXIT_REASONS, Result

MEMBERS = (*ORDER_MEMBERS, "reason")
HEAD = ("#", "Day", "Symbol", "Side", "Shares", "Price", "Value", "Fee", "Slippage")


ORDERS_SHOWN = 500


def order_section(result: Result) -> Markup:
    """The table, and a note on what it leaves out."""
    n_orders = len(result.orders)
    if not n_orders:
        return element("p", "Nothing was bought or sold.", class_="note")
    n_left_out = max(0, n_orders - ORDERS_SHOWN)
    n_first = ORDERS_SHOWN // 2 if n_left_out else n_orders
    rows = _orders(result, 0, n_first)
    if n_left_out:
        gap = element("td", f"{n_left_out:,} orders are left out here: orders.csv has them all", colspan=str(len(HEAD)))
        rows.append(element("tr", gap, class_="gap"))
    rows += _orders(result, n_first + n_left_out, n_orders)
    text = f"{counted(n_orders, 'order')} as they filled. Money is in account currency; prices include slippage."
    note = element("p", text, class_="note")
    return joined([note, table(HEAD, rows, "numbers orders")])


def _orders(result: Result, first: int, last: int) -> list[Markup]:
    return [_order(dict(zip(MEMBERS, values, strict=True))) for values in order_rows(result, first, last)]


def _order(order: Mapping[str, Any]) -> Markup:
    return row(
        str(order["id"]),
        str(order["timestamp"])[:10],
        str(order["symbol"]),
        element("span", _side(order), class_="buy" if order["action"] == "Buy" else "sell"),
        element("span", number(order["shares"], 0 if order["shares"] >= 1e6 else 4), title=exact(order["shares"])),
        element("span", number(order["price"], 6 if order["price"] < 1 else 2), title=exact(order["price"])),
        money(order["shares"] * order["price"]),
        money(order["fee"]),
        money(order["slippage_cost"]),
    )


def _side(order: Mapping[str, Any]) -> str:
    action, reason = str(order["action"]), order["reason"]
    return f"{action} ({reason.replace('_', ' ')})" if reason in EXIT_REASONS else action
