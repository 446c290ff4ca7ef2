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
    targets = reply.targets
    if reply.decisions == 0:
        return f"on_data was never called: the window holds no complete {_PERIODS[cadence.bar_size]}"
    if targets is not None and targets.signals == 0:
        return f"the strategy gave no signal: each of the {reply.decisions} calls of on_data returned a hold"
    reasons = list(dict.fromkeys(entry.reason for entry in reply.unfilled))
    if targets is None or targets.most_requested is None:
        return f"no order could fill: {_listed(reasons) or 'no symbol that a signal named had a price'}"
    if targets.most_requested <= 0:
        return "every signal was for cash only"
    if targets.most_requested < request.min_trade_value:
        return (
            f"every order was too small: the largest position in a signal was worth "
            f"{targets.most_requested:.10g}, and min_trade_value is {request.min_trade_value:.10g}"
        )
    also = f" ({_listed(reasons)})" if reasons else ""
    return (
        f"costs left too little to invest: a signal targeted a position worth {targets.most_requested:.10g}, "
        f"but with a commission of {answer.cost_wire(request.commission)} "
        f"and a slippage of {answer.cost_wire(request.slippage)} "
        f"only an order of {targets.most_affordable or 0.0:.10g} was affordable, "
        f"and min_trade_value is {request.min_trade_value:.10g}{also}"
    )


def _listed(reasons: Sequence[str]) -> str:
    return "; ".join(reasons[:5])
