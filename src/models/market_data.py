"""The shape of what is cached of one symbol."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class CachedPrices(BaseModel):
    """Daily prices of one symbol, kept by this service."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

    symbol: str
    """Whose prices."""
    source: str
    """Where they are from: yahoo."""
    first_day: date
    """Day of the first bar."""
    last_day: date
    """Day of the last bar."""
    rows: int
    """How many days."""
    fetched_at: datetime
    """When the source was last asked, in UTC."""
    covered_to: date
    """Up to this day the source need not be asked again."""
