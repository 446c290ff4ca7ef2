"""Where the tests of the data providers find real prices, and a stand-in for Yahoo."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.yahoo import Clock, StandInYahoo, standing_in
from tests.prerequisites import market

pytest.register_assert_rewrite("tests.services.data_provider.contract")


@pytest.fixture(scope="session")
def daily_prices() -> Path:
    """Adjusted prices, one parquet file a symbol."""
    return market("daily")


@pytest.fixture(scope="session")
def raw_prices() -> Path:
    """The same prices as Yahoo gives them: unadjusted, with an adjusted close."""
    return market("raw")


@pytest.fixture
def yahoo() -> Iterator[StandInYahoo]:
    """A stand-in for Yahoo without any symbol, on Wednesday 2021-03-03 at noon in London."""
    with standing_in(Clock(datetime(2021, 3, 3, 12, tzinfo=UTC))) as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def yahoo_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where yfinance keeps its cookies: one folder a process, as it holds on to the first one."""
    return tmp_path_factory.mktemp("yfinance")
