"""Explains why a run has no orders: the first reason that applies, in the order in which signals are processed."""

from collections.abc import Sequence

from hqg_algorithms import BarSize, Cadence

from src.execution.session.reply import Reply
from src.models.request import BacktestRequest
from src.services.results import document as answer

_PERIODS = {BarSize.DAILY: "day", BarSize.WEEKLY: "week", BarSize.MONTHLY: "month", BarSize.QUARTERLY: "quarter"}


def idle_warning(reply: Reply, request: BacktestRequest, cadence: Cadence, n_orders: int) -> list[str]:
    """One sentence if nothing was traded.

    What the box reports about its signals is trusted here, since it only affects this sentence.

    Args:
        n_orders: number of orders in the audited books.
    """
    if n_orders:
        return []
    return [f"Nothing was traded because {_reason(reply, request, cadence)}."]


def _reason(reply: Reply, request: BacktestRequest, cadence: Cadence) -> str:
    wishes = reply.wishes
    if reply.decisions == 0:
        return f"on_data was never called: the window holds no complete {_PERIODS[cadence.bar_size]}"
    if wishes is not None and wishes.signals == 0:
        return f"the strategy gave no signal: each of the {reply.decisions} calls of on_data returned a hold"
    reasons = list(dict.fromkeys(entry.reason for entry in reply.unfilled))
    if wishes is None or wishes.most_wanted is None:
        return f"no order could fill: {_listed(reasons) or 'no symbol that a signal named had a price'}"
    if wishes.most_wanted <= 0:
        return "every signal was for cash only"
    if wishes.most_wanted < request.min_trade_value:
        return (
            f"every order was too small: the largest position in a signal was worth "
            f"{wishes.most_wanted:.10g}, and min_trade_value is {request.min_trade_value:.10g}"
        )
    also = f" ({_listed(reasons)})" if reasons else ""
    return (
        f"costs left too little to invest: a signal targeted a position worth {wishes.most_wanted:.10g}, but with a "
        f"commission of {answer.cost_wire(request.commission)} and a slippage of {answer.cost_wire(request.slippage)} "
        f"only an order of {wishes.most_affordable or 0.0:.10g} was affordable, and min_trade_value is "
        f"{request.min_trade_value:.10g}{also}"
    )


def _listed(reasons: Sequence[str]) -> str:
    return "; ".join(reasons[:5])
