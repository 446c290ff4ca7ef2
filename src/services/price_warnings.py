"""What a careful reader should know of the prices themselves: jumps that are probably errors."""

from collections.abc import Iterator

import numpy as np

from src.services.data_provider.arrays import CLOSE, OPEN
from src.services.data_provider.base import PriceTable

LARGEST_STEP = 10.0
"""From one close to the next open or close. Adjusted prices of what is really traded move less; a split that is not
taken out, a slipped decimal point or another security under the same ticker do not."""

MOST_NAMED = 10


def jump_warnings(prices: PriceTable) -> list[str]:
    """One sentence for each open or close that is more than ten times, or less than a tenth of, the close before."""
    warnings = list(_jumps(prices))
    if len(warnings) > MOST_NAMED:
        warnings[MOST_NAMED:] = [f"{len(warnings) - MOST_NAMED} more prices move more than tenfold overnight."]
    return warnings


def _jumps(prices: PriceTable) -> Iterator[str]:
    for column, symbol in enumerate(prices.symbols):
        bars = prices.bars[:, column]
        days = np.flatnonzero(~np.isnan(bars[:, CLOSE]))
        before, after = bars[days[:-1], CLOSE, np.newaxis], bars[days[1:]][:, [CLOSE, OPEN]]
        is_jump = (after > LARGEST_STEP * before) | (before > LARGEST_STEP * after)
        for row in np.flatnonzero(is_jump.any(axis=1)).tolist():
            # The close where both have jumped: what follows is counted from it.
            field = int(np.argmax(is_jump[row]))
            yield (
                f"{symbol} moves more than tenfold overnight: it closes at {before[row, 0]:.10g} on "
                f"{prices.dates[days[row]]} and {('closes', 'opens')[field]} at {after[row, field]:.10g} on "
                f"{prices.dates[days[row + 1]]}. If that is an error, so is this result."
            )
