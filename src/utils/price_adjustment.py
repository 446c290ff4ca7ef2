"""How prices are adjusted so that they can be compared over time."""

from typing import Literal

PriceAdjustment = Literal["dividends_and_splits", "splits"]
"""With "dividends_and_splits" a price is per today's share with dividends reinvested. With "splits" it is the price
that was paid, in today's shares, and dividends are cash."""

FULL: PriceAdjustment = "dividends_and_splits"
