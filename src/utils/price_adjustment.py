"""What is taken out of prices so that they can be compared over time."""

from typing import Literal

PriceAdjustment = Literal["dividends_and_splits", "splits"]
"""With "dividends_and_splits" a price is what the holder of today's share would have had with dividends put back into
it. With "splits" it is what was paid, in today's shares, and dividends are cash."""

FULL: PriceAdjustment = "dividends_and_splits"
