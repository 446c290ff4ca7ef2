"""The bars of a price file, adjusted as requested."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from src.errors import NoPrices
from src.services.data_provider.arrays import CLOSE, Dates, Float64Array
from src.services.data_provider.cleaning import SymbolBars, clean
from src.services.data_provider.dividends import implied_dividends, on_days
from src.services.data_provider.files.price_file import adjusted_rows, split_adjusted_rows
from src.utils.price_adjustment import FULL, PriceAdjustment


def bars_of_file(
    symbol: str, dates: Dates, columns: Mapping[str, Float64Array], adjustment: PriceAdjustment = FULL
) -> SymbolBars:
    """The usable bars from the columns of `read_price_columns`; with "splits" including their dividends.

    Raises:
        NoPrices: prices adjusted for splits alone were requested, and the file does not have them.
    """
    if adjustment == FULL:
        bars = clean(symbol, dates, adjusted_rows(columns))
        return replace(bars, dividend_factors=_factors(bars, dates, columns))
    if "adjusted" not in columns:
        raise NoPrices(
            [
                f"No unadjusted prices of '{symbol}': price_adjustment 'splits' needs a file with a column 'Adj Close' "
                "beside the prices that were paid; without one, prices count as already adjusted for dividends."
            ]
        )
    bars = clean(symbol, dates, split_adjusted_rows(columns))
    return replace(bars, dividends=_dividends(symbol, bars, dates, columns))


def _dividends(symbol: str, bars: SymbolBars, dates: Dates, columns: Mapping[str, Float64Array]) -> Float64Array:
    if "dividend" in columns:
        return on_days(bars.dates, dates, np.nan_to_num(columns["dividend"], posinf=0.0))
    return implied_dividends(symbol, bars.bars[:, CLOSE], _on_bars(bars, dates, columns["adjusted"]))


def _factors(bars: SymbolBars, dates: Dates, columns: Mapping[str, Float64Array]) -> Float64Array | None:
    if "adjusted" not in columns:
        return None
    return bars.bars[:, CLOSE] / _on_bars(bars, dates, columns["close"])


def _on_bars(bars: SymbolBars, dates: Dates, values: Float64Array) -> Float64Array:
    """(n_bars,) a column on the days of the bars; of several rows of a day the last one counts, as for the bars."""
    order = np.argsort(dates, kind="stable")
    days: Float64Array = values[order][np.searchsorted(dates[order], bars.dates, side="right") - 1]
    return days
