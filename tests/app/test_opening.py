import inspect
from pathlib import Path

import pytest

from src.app.opening import open_services
from src.config.settings import Settings
from src.services.backtests.execute import Prepared
from src.services.backtests.prepare import Backtests
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.mock.provider import MockProvider
from tests.fakes.backtests import FakeBacktests, FakePrepared


def settings(folder: Path, **values: object) -> Settings:
    """Settings whose sandbox cannot work: nothing of it is needed here."""
    folders = {"artifact_dir": folder / "artifacts", "blob_dir": folder / "blobs"}
    stored = {"database_url": f"sqlite:///{folder}/runs.db", **folders}
    given = {"data_provider": "mock", "data_cache_dir": folder / "cache"} | values
    return Settings(_env_file=None, sandbox="bubblewrap", sandbox_python="/nowhere/python", **stored, **given)


@pytest.mark.parametrize(("fake", "real"), [(FakeBacktests, Backtests), (FakePrepared, Prepared)])
def test_the_fake_is_called_like_the_real_one(fake: type, real: type):
    for name in ("prepare", "execute"):
        if hasattr(real, name):
            assert inspect.signature(getattr(fake, name)).parameters.keys() == (
                inspect.signature(getattr(real, name)).parameters.keys()
            )


async def test_without_a_working_sandbox_the_services_open_all_the_same(caplog, tmp_path: Path):
    async with open_services(settings(tmp_path, max_execution_time=7)) as services:
        assert isinstance(services.runs._backtests, Backtests)
        assert services.sandbox.name == "bubblewrap"
        assert services.sandbox.unavailable_reason()
        assert await services.run_slots.run(lambda cancel: 42) == 42
    assert "no sandbox works, refusing runs" in caplog.text


@pytest.mark.parametrize(
    ("name", "kind"), [("mock", MockProvider), ("files", FilesProvider), ("yahoo", CachedProvider)]
)
async def test_prices_come_from_the_provider_of_the_settings(tmp_path: Path, name: str, kind: type):
    async with open_services(settings(tmp_path, data_provider=name, data_dir=tmp_path)) as services:
        assert isinstance(services.runs._backtests._datasets._provider, kind)
        assert services.data_source == name
