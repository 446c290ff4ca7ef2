import asyncio
import inspect
from pathlib import Path

import pytest

from src.api.lifespan import open_real_services
from src.config.settings import Settings
from src.services.backtests import Backtests
from src.services.data_provider.files import FilesProvider
from src.services.data_provider.mock import MockProvider
from tests.fakes.backtests import FakeBacktests


def settings(**values: object) -> Settings:
    """Settings whose sandbox cannot work: nothing of it is needed here."""
    return Settings(_env_file=None, sandbox="bubblewrap", sandbox_python="/nowhere/python", **values)


def test_the_fake_is_called_like_the_real_one():
    assert inspect.signature(FakeBacktests.run).parameters == inspect.signature(Backtests.run).parameters


def test_without_a_working_sandbox_the_services_open_all_the_same(caplog):
    async def story() -> None:
        async with open_real_services(settings(max_execution_time=7)) as services:
            assert isinstance(services.backtests, Backtests)
            assert services.sandbox.name == "bubblewrap"
            assert services.sandbox.unavailable_reason()
            assert await services.run_gate.run(lambda cancel: 42) == 42

    asyncio.run(story())
    assert "no sandbox works, runs are refused" in caplog.text


@pytest.mark.parametrize(("name", "kind"), [("mock", MockProvider), ("files", FilesProvider)])
def test_prices_come_from_the_provider_of_the_settings(tmp_path: Path, name: str, kind: type):
    async def story() -> str:
        async with open_real_services(settings(data_provider=name, data_dir=tmp_path)) as services:
            assert isinstance(services.backtests._provider, kind)
            return services.backtests._provider.name

    assert asyncio.run(story()) == name
