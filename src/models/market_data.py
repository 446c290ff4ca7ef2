"""The shapes of what is kept of one symbol, and of all."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class CachedPrices(BaseModel):
    """Daily prices of one symbol, kept by this service."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

    symbol: str
    """Whose prices."""
    source: str
    """Where they are from: yahoo or files."""
    first_day: date
    """Day of the first bar."""
    last_day: date
    """Day of the last bar."""
    rows: int
    """How many days."""
    fetched_at: datetime | None
    """When the source was last asked, in UTC; null for files."""
    covered_to: date | None
    """Up to this day the source need not be asked again; null for files."""
    suspect_rows: int
    """How many rows are not as a bar should be."""
    warnings: list[str]
    """What is wrong with the first of these rows."""


class PriceCoverage(BaseModel):
    """What is kept of one symbol, in short."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    symbol: str
    """Whose prices."""
    first_day: date | None
    """Day of the first bar; null when the file cannot be used."""
    last_day: date | None
    """Day of the last bar; null when the file cannot be used."""
    rows: int
    """How many days."""
    suspect_rows: int
    """How many rows are not as a bar should be."""
    problem: str | None
    """Why the file cannot be used, with row and column where known; null when it can."""


class PriceCoverageList(BaseModel):
    """One page of the symbols of which prices are kept."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    source: str
    """Where prices come from: yahoo (then these are the cached ones), files or mock (which keeps none)."""
    symbols: list[PriceCoverage]
    """By name."""
    next_cursor: str | None
    """Send it as `cursor` for the next page; null when this was the last."""
