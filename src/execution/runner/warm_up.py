"""Shows a strategy the bars before its books begin. Its signals are ignored."""

from math import isnan, nan

from src.engine.market import FIELDS, Doubles, Market, Rules
from src.engine.timeline import decisions
from src.execution.runner.child import StrategyChild

_CLOSE = 3


def warm_up(child: StrategyChild, market: Market, rules: Rules, days: list[int], bars: Doubles) -> dict[int, Doubles]:
    """Call the strategy on each period that ends before the market begins.

    Args:
        market: what the books cover: the last days of the timeline.
        days: (n_days,) the whole timeline, as days since 1970-01-01.
        bars: (n_days × n_symbols × 5) doubles of the whole timeline.

    Returns:
        The market's own calls: see src.engine.timeline.decisions. A period that began before the market has all of its
        days.

    Raises:
        RunFailed: user code raised or ended.
    """
    count, n_earlier = len(market.symbols), len(days) - len(market.days)
    calls = decisions(days, count, bars, rules.bar_size, market.last_period_complete)
    marks = [nan] * count
    for day in range(n_earlier):
        closes = bars[day * count * FIELDS + _CLOSE : (day + 1) * count * FIELDS : FIELDS].tolist()
        marks = [known if isnan(close) else close for close, known in zip(closes, marks, strict=True)]
        if day in calls:
            child.warm_up(day, days[day], calls[day], rules.initial_capital, marks)
    return {day - n_earlier: period for day, period in calls.items() if day >= n_earlier}
