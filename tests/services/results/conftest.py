"""A database in a file, and a folder of artifacts beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from src.services.results.artifacts import Artifacts
from src.services.storage.base import Storage
from src.services.storage.sql.opening import open_storage
from tests.databases import database


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return database("sqlite", request, tmp_path)


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    opened = open_storage(database_url)
    yield opened
    opened.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


@pytest.fixture
def artifacts(root: Path, storage: Storage) -> Artifacts:
    return Artifacts(root, storage)
