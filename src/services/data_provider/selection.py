"""Opens the provider that the operator chose."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from src.services.data_provider import calendar
from src.services.data_provider.base import DataProvider
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.mock.provider import MockProvider
from src.services.data_provider.yahoo.provider import YFDataProvider

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time of this machine."""
    return datetime.now(UTC)


def open_provider(
    choice: str, *, data_dir: Path, cache_dir: Path, timeout_seconds: float, attempts: int
) -> DataProvider:
    """The chosen provider of prices.

    Args:
        choice: "mock", "files" or "yahoo".
        data_dir: the folder of files.
        cache_dir: folder for the cache of Yahoo's answers.
        timeout_seconds: time limit for one answer of Yahoo.
        attempts: number of attempts before giving up on Yahoo.

    Raises:
        ValueError: no provider has that name.
    """
    if choice == "files":
        return FilesProvider(data_dir)
    if choice == "mock":
        return MockProvider(utc_now)
    if choice == "yahoo":
        return cached_yahoo(cache_dir, timeout_seconds=timeout_seconds, attempts=attempts)
    raise ValueError(f"there is no price source called {choice!r}")


def prepare(provider: DataProvider) -> None:
    """Load now everything that the first request would otherwise wait for."""
    calendar.prepare()
    if isinstance(provider, CachedProvider):
        provider.prepare()


def cached_yahoo(cache_dir: Path, *, timeout_seconds: float, attempts: int) -> CachedProvider:
    """Yahoo through the cache in that folder."""
    yahoo = YFDataProvider(utc_now, cache_dir / "yfinance", timeout_seconds=timeout_seconds, attempts=attempts)
    return CachedProvider(yahoo, cache_dir / "yahoo", utc_now)
