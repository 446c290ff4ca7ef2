"""The bars of a history, adjusted as requested."""

from dataclasses import replace

import numpy as np

from src.services.data_provider.arrays import CLOSE, Float64Array
from src.services.data_provider.cleaning import SymbolBars, clean
from src.services.data_provider.dividends import distributions, on_days
from src.services.data_provider.history import History
from src.utils.price_adjustment import FULL, PriceAdjustment


def bars_of(history: History, adjustment: PriceAdjustment = FULL) -> SymbolBars:
    """The usable bars; with "splits" including their dividends."""
    if adjustment == FULL:
        bars = clean(history.symbol, history.dates, history.adjusted())
        return replace(bars, dividend_factors=_factors(history, bars))
    bars = clean(history.symbol, history.dates, history.split_adjusted())
    paid, notes = distributions(history)
    return replace(bars, suspects=(*bars.suspects, *notes), dividends=on_days(bars.dates, history.dates, paid))


def _factors(history: History, bars: SymbolBars) -> Float64Array:
    rows = np.searchsorted(history.dates, bars.dates)
    factors: Float64Array = bars.bars[:, CLOSE] / history.rows[rows, CLOSE]
    return factors
