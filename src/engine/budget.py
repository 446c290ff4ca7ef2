"""Find the largest amount whose spending stays within a budget."""

from collections.abc import Callable, Iterator, Sequence

ROUNDING = 1e-12
"""Relative size of the rounding error of one rebalance."""

_PRECISION = ROUNDING / 10
_MAX_STEPS = 150
"""More than any cost model has needed (83); the answer is affordable after any number of steps."""

Drop = tuple[float, float]
"""An x at which spending falls, and an upper bound on the fall."""


def largest_affordable(
    spend: Callable[[float], float],
    budget: float,
    top: float,
    drops_above: Callable[[float], Sequence[Drop]] = lambda x: (),
    least_slope: Callable[[], float] = lambda: 0.0,
) -> float:
    """The largest x from 0 to `top` with spend(x) ≤ budget, to a ten-trillionth of the budget or of `top`.

    Spending rises with x, possibly in jumps, except where it drops. A search from 0 to `top` finds some x beyond which
    the budget is exceeded; a larger x can be affordable only above a drop, and one search suffices between two drops.

    Args:
        spend: the total cost of x.
        drops_above: the drops between an x and `top`, in any order.
        least_slope: returns the minimum rise in spending per unit of x, apart from the drops. Zero is always right; a
            larger value skips drops that are too small to bring spending back within the budget.

    Returns:
        `top` when it is affordable; 0.0 when nothing is, or when there is no budget.
    """
    if budget <= 0:
        return 0.0
    excess = spend(top) - budget
    if excess <= _PRECISION * budget:
        return top
    found = _search(spend, budget, 0.0, top, excess)
    too_much = top
    drops = drops_above(found)
    if not drops:
        return found
    for drop in reversed(list(_relevant(found, top, drops, least_slope()))):
        above = drop + _PRECISION * top
        if above < too_much and spend(above) <= budget * (1 + _PRECISION):
            return _search(spend, budget, above, too_much, spend(too_much) - budget)
        too_much = drop
    return found


def _relevant(found: float, top: float, drops: Sequence[Drop], least_slope: float) -> Iterator[float]:
    """The drops, ascending, that could bring spending back to its value at the amount found."""
    fallen = 0.0
    for drop, size in sorted(drops):
        fallen += size
        if least_slope * (drop - found) <= fallen * (1 + ROUNDING) + ROUNDING * top:
            yield drop


def _search(spend: Callable[[float], float], budget: float, affordable: float, too_much: float, excess: float) -> float:
    """The largest affordable x between two amounts, where spending only rises.

    Uses secant steps, because costs are nearly always piecewise linear in the amount traded and one step then lands on
    the answer. Halves the bracket when such a step leaves it, because minimum fees and skipped small orders make jumps.
    At a jump the answer is on the affordable side.

    Args:
        affordable: lower end of the bracket; returned when nothing above it is affordable.
        excess: the cost of `too_much` beyond the budget.
    """
    if excess <= _PRECISION * budget:
        return too_much
    top, earlier, earlier_excess = too_much, too_much, excess
    x = too_much * budget / (budget + excess)
    for _ in range(_MAX_STEPS):
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
