"""Warns about the prices themselves: jumps that are probably errors."""

from collections.abc import Iterator

import numpy as np

from src.models.costs import PerShareCommission
from src.models.request import BacktestRequest
from src.services.data_provider.arrays import CLOSE, OPEN
from src.services.data_provider.base import PriceTable
from src.utils.price_adjustment import FULL

LARGEST_STEP = 10.0
"""From one close to the next open or close. Correct adjusted prices move less; an unadjusted split, a misplaced
decimal point or another security under the same ticker moves more."""

MOST_NAMED = 10

LARGEST_SHARE_FACTOR = 1.05
"""A fee per share may count this many times the shares really traded before a warning is due."""


def jump_warnings(prices: PriceTable) -> list[str]:
    """One sentence for each open or close that is more than ten times, or less than a tenth of, the close before."""
    warnings = list(_jumps(prices))
    if len(warnings) > MOST_NAMED:
        warnings[MOST_NAMED:] = [f"{len(warnings) - MOST_NAMED} more prices move more than tenfold overnight."]
    return warnings


def share_warnings(prices: PriceTable, request: BacktestRequest) -> list[str]:
    """One sentence when fees per share count more shares than were really traded: dividends make past prices lower."""
    if not isinstance(request.commission, PerShareCommission) or request.price_adjustment != FULL:
        return []
    factors = {symbol: 1.0 / least for symbol, least in prices.dividend_factors.items() if least > 0.0}
    many = [(symbol, factor) for symbol, factor in factors.items() if factor > LARGEST_SHARE_FACTOR]
    if not many:
        return []
    named = ", ".join(f"{factor:.3g} times as many of {symbol}" for symbol, factor in many[:MOST_NAMED])
    rest = f" and {len(many) - MOST_NAMED} more symbols" if len(many) > MOST_NAMED else ""
    return [
        f"Fees per share count shares at prices from which dividends are taken out: at the beginning up to {named}"
        f"{rest} as were really traded. price_adjustment 'splits' counts real shares, after later splits."
    ]


def _jumps(prices: PriceTable) -> Iterator[str]:
    for column, symbol in enumerate(prices.symbols):
        bars = prices.bars[:, column]
        days = np.flatnonzero(~np.isnan(bars[:, CLOSE]))
        before, after = bars[days[:-1], CLOSE, np.newaxis], bars[days[1:]][:, [CLOSE, OPEN]]
        is_jump = (after > LARGEST_STEP * before) | (before > LARGEST_STEP * after)
        for row in np.flatnonzero(is_jump.any(axis=1)).tolist():
            # The close where both have jumped: later moves are measured from it.
            field = int(np.argmax(is_jump[row]))
            yield (
                f"{symbol} moves more than tenfold overnight: it closes at {before[row, 0]:.10g} on "
                f"{prices.dates[days[row]]} and {('closes', 'opens')[field]} at {after[row, field]:.10g} on "
                f"{prices.dates[days[row + 1]]}. If that is an error, so is this result."
            )
