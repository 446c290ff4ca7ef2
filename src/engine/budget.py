"""The largest amount whose spending stays within a budget."""

from collections.abc import Callable

ROUNDING = 1e-12
"""Relative size of what floating point alone may add or lose in one rebalance."""

_PRECISION = ROUNDING / 10
_MOST_STEPS = 150
"""More than any cost model was seen to take (83); the answer is affordable after any number of steps."""


def largest_affordable(spend: Callable[[float], float], budget: float, top: float) -> float:
    """The largest x from 0 to `top` with spend(x) ≤ budget, to a ten-trillionth of the budget or of `top`.

    Secant steps, because costs are nearly always piecewise linear in what is traded and one step then
    lands on the answer; halving where such a step leaves the bracket, because minimum fees and skipped
    small orders make jumps. At a jump the answer is on the affordable side.

    Args:
        spend: what x costs in all, rising with x apart from jumps.

    Returns:
        `top` when it is affordable; 0.0 when nothing is, or when there is no budget.
    """
    if budget <= 0:
        return 0.0
    excess = spend(top) - budget
    if excess <= _PRECISION * budget:
        return top
    affordable, too_much = 0.0, top
    earlier, earlier_excess = top, excess
    x = top * budget / (budget + excess)
    for _ in range(_MOST_STEPS):
        if not affordable < x < too_much:
            x = (affordable + too_much) / 2
        if not affordable < x < too_much or too_much - affordable <= _PRECISION * top:
            break
        excess = spend(x) - budget
        if abs(excess) <= _PRECISION * budget:
            return x
        if excess > 0:
            too_much = x
        else:
            affordable = x
        slope = (excess - earlier_excess) / (x - earlier)
        earlier, earlier_excess = x, excess
        x = x - excess / slope if slope > 0 else too_much
    return affordable
