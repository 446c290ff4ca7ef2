"""Idempotency keys are remembered for a day."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from src.services.storage.base import Storage
from src.services.storage.errors import KeyReused
from src.services.storage.sql.opening import open_engine
from src.services.storage.sql.tables import idempotency_keys
from tests.fakes.run_store import FakeRunStore
from tests.services.storage.samples import new_run

NEARLY_A_DAY = timedelta(hours=23, minutes=59)
A_DAY = timedelta(hours=24)


def grow_older(url: str, age: timedelta) -> None:
    """Age all keys by this much."""
    engine = open_engine(url)
    with engine.begin() as connection:
        made_at = datetime.now(UTC) - age
        connection.execute(update(idempotency_keys).values(created_at=made_at))
    engine.dispose()


def test_a_key_is_remembered_for_nearly_a_day(storage_url: str, open_again: Callable[[], Storage]) -> None:
    storage = open_again()
    storage.runs.submit(new_run(1), idempotency=("k", "request"))
    grow_older(storage_url, NEARLY_A_DAY)
    with pytest.raises(KeyReused):
        storage.runs.submit(new_run(2), idempotency=("k", "other"))


def test_after_a_day_a_key_is_new_again(storage_url: str, open_again: Callable[[], Storage]) -> None:
    storage = open_again()
    storage.runs.submit(new_run(1), idempotency=("k", "request"))
    grow_older(storage_url, A_DAY)
    assert storage.runs.submit(new_run(2), idempotency=("k", "other")).is_new
    with pytest.raises(KeyReused):
        storage.runs.submit(new_run(1), idempotency=("k", "request"))


def test_the_in_memory_fake_forgets_them_too() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    runs = FakeRunStore(lambda: now)
    runs.submit(new_run(1), idempotency=("k", "request"))
    now += NEARLY_A_DAY
    with pytest.raises(KeyReused):
        runs.submit(new_run(2), idempotency=("k", "other"))
    now += timedelta(minutes=1)
    assert runs.submit(new_run(2), idempotency=("k", "other")).is_new
