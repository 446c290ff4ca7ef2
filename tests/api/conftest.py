"""Clients of the application, closed when the test ends."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from src.services.storage.base import Storage
from src.services.storage.sql.opening import open_storage
from tests.api.real_service import Service, service_on
from tests.conftest import open_sandbox
from tests.databases import database
from tests.fakes.application import make_app, served


@pytest.fixture
def until_the_end() -> Iterator[contextlib.ExitStack]:
    """Everything a test has opened, closed in reverse: the application before its stores."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, until_the_end: contextlib.ExitStack) -> Storage:
    """Stores of this test alone, in each database in turn."""
    return until_the_end.enter_context(contextlib.closing(open_storage(database(request.param, request, tmp_path))))


@pytest.fixture
def connect(until_the_end: contextlib.ExitStack) -> Callable[..., TestClient]:
    """connect(backtests, **settings): a client of the started application, in memory."""
    return lambda *fakes, **values: until_the_end.enter_context(TestClient(make_app(*fakes, **values)))


@pytest.fixture
def serve(until_the_end: contextlib.ExitStack) -> Callable[..., int]:
    """serve(backtests, **settings): the port of a real uvicorn with the application."""
    return lambda *fakes, **values: until_the_end.enter_context(served(make_app(*fakes, **values)))


@pytest.fixture(
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
    ]
)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of each real sandbox in turn."""
    open_sandbox(request.param).close()
    return str(request.param)


@pytest.fixture
def service(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """The service on each real sandbox in turn; a test may give settings as its parameter."""
    with service_on(backend, tmp_path, **getattr(request, "param", {})) as opened:
        yield opened
