"""Yields are not prices: they may be negative, and such values count."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from src.errors import NoPrices
from src.services.data_provider.alignment import usable_yields, yields_in_window
from src.services.data_provider.files.provider import FilesProvider

START, END = date(2020, 3, 19), date(2020, 3, 27)


def test_a_negative_yield_counts(market_folder: Path) -> None:
    yields = FilesProvider(market_folder).fetch_yields("^IRX", START, END)
    assert yields.dates.size == 7
    assert yields.percent.max() < 0


def test_the_last_row_of_a_day_counts_and_gaps_do_not() -> None:
    dates = np.array(["2020-03-20", "2020-03-19", "2020-03-20", "2020-03-23"], "datetime64[D]")
    values = np.array([9.0, -0.1, -0.2, np.nan])
    yields = yields_in_window("^IRX", usable_yields(dates, values), START, END)
    assert yields.percent.tolist() == [-0.1, -0.2]
    assert yields.dates.tolist() == [date(2020, 3, 19), date(2020, 3, 20)]


def test_a_window_without_yields_is_reported() -> None:
    with pytest.raises(NoPrices, match="IRX"):
        yields_in_window("^IRX", usable_yields(np.array([], "datetime64[D]"), np.array([])), START, END)
