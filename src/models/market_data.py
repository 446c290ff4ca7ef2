"""Models of the stored prices of one symbol, and of the list of all symbols."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class CachedPrices(BaseModel):
    """Daily prices of one symbol, stored by this service."""

    model_config = ConfigDict(use_attribute_docstrings=True, from_attributes=True)

    symbol: str
    """The ticker."""
    source: str
    """Where they came from: yahoo or files."""
    first_day: date
    """Day of the first bar."""
    last_day: date
    """Day of the last bar."""
    rows: int
    """Number of days."""
    fetched_at: datetime | None
    """When they were last fetched from the source, in UTC; null for files."""
    covered_to: date | None
    """Last day that need not be fetched again; null for files."""
    suspect_rows: int
    """Number of rows that are not a plausible bar."""
    warnings: list[str]
    """What is wrong with the first of those rows."""


class PriceCoverage(BaseModel):
    """Summary of the stored prices of one symbol."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    symbol: str
    """The ticker."""
    first_day: date | None
    """Day of the first bar; null when the file cannot be used."""
    last_day: date | None
    """Day of the last bar; null when the file cannot be used."""
    rows: int
    """Number of days."""
    suspect_rows: int
    """Number of rows that are not a plausible bar."""
    problem: str | None
    """Why the file cannot be used, with row and column where known; null when it can."""


class PriceCoverageList(BaseModel):
    """One page of the symbols that have stored prices."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    source: str
    """Where prices come from: yahoo (these are the cached symbols), files, or mock (which stores none)."""
    symbols: list[PriceCoverage]
    """Sorted by symbol."""
    next_cursor: str | None
    """Send it as `cursor` to get the next page; null on the last page."""
