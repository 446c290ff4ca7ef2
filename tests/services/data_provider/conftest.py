"""Where the tests of the data providers find real prices."""

import os
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.services.data_provider.contract")

MARKET_DATA = Path(os.environ.get("MARKET_DATA_DIR", Path(__file__).parents[4] / "shared" / "market"))


def _folder(name: str) -> Path:
    folder = MARKET_DATA / name
    if not folder.is_dir():
        pytest.skip(f"no real prices here: {name}/ below MARKET_DATA_DIR is absent")
    return folder


@pytest.fixture(scope="session")
def daily_prices() -> Path:
    """Adjusted prices, one parquet file a symbol."""
    return _folder("daily")


@pytest.fixture(scope="session")
def raw_prices() -> Path:
    """The same prices as Yahoo gives them: unadjusted, with an adjusted close."""
    return _folder("raw")
