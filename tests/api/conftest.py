"""Clients of the application, closed when the test ends."""

import contextlib
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from tests.fakes.application import make_app, served


@pytest.fixture
def connect() -> Iterator[Callable[..., TestClient]]:
    """connect(backtests, **settings): a client of the started application, in memory."""
    with contextlib.ExitStack() as stack:
        yield lambda *fakes, **values: stack.enter_context(TestClient(make_app(*fakes, **values)))


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """serve(backtests, **settings): the port of a real uvicorn with the application."""
    with contextlib.ExitStack() as stack:
        yield lambda *fakes, **values: stack.enter_context(served(make_app(*fakes, **values)))
