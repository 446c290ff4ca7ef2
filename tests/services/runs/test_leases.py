"""Leases are renewed exactly as long as a run takes."""

import threading
import time
from datetime import UTC, datetime, timedelta

from src.services.runs.leases import Ending, Leases
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records.attempts import HeartbeatAnswer, Lease
from tests.fakes.application import wait_until
from tests.fakes.run_store import FakeRunStore
from tests.services.storage.samples import new_run

NEW = new_run()
KEY = NEW.key


class Watched(FakeRunStore):
    """A store whose clock only tests advance, and that counts heartbeats."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.n_beats = 0
        super().__init__(clock=lambda: self.now)

    def heartbeat(self, *arguments) -> HeartbeatAnswer:
        try:
            return super().heartbeat(*arguments)
        finally:
            self.n_beats += 1

    def let_pass(self, seconds: float) -> None:
        """Advance the clock, then wait for whole heartbeats at the new time."""
        self.now += timedelta(seconds=seconds)
        enough = self.n_beats + 3
        wait_until(lambda: self.n_beats >= enough, 60)


def leased(store: FakeRunStore, seconds: float = 30.0) -> Lease:
    lease = store.submit(NEW, lease_seconds=seconds).lease
    assert lease is not None
    return lease


def test_a_held_lease_outlasts_its_seconds_and_a_released_one_does_not():
    store = Watched()
    leases = Leases(store, lease_seconds=30.0, beat_seconds=0.01)
    leases.start()
    with leases.hold(leased(store), threading.Event(), is_dispatched=True):
        for _ in range(3):
            store.let_pass(20)
            assert store.recover(3) == []
        assert leases.n_held == 1
    leases.close()
    store.now += timedelta(seconds=31)
    assert store.recover(3) == [KEY]
    assert leases.n_held == 0


def test_leases_are_due_one_interval_after_the_first_run_and_never_without_one():
    store = Watched()
    leases = Leases(store, lease_seconds=30.0, beat_seconds=3600.0)
    assert leases.seconds_until_due() is None
    with leases.hold(leased(store), threading.Event(), is_dispatched=True):
        first = leases.seconds_until_due()
        assert first is not None and 0.0 < first <= 3600.0
        with leases.hold(Lease(KEY, "another", 1), threading.Event(), is_dispatched=True):
            second = leases.seconds_until_due()
            assert second is not None and second <= first, "a later run does not delay the first one's renewal"
    assert leases.seconds_until_due() is None


def test_a_failed_heartbeat_is_followed_by_a_successful_one(caplog):
    class Shaky(Watched):
        def heartbeat(self, *arguments) -> HeartbeatAnswer:
            answer = super().heartbeat(*arguments)
            if self.n_beats < 4:
                raise StorageUnavailable("busy") if self.n_beats % 2 else RuntimeError("odd")
            return answer

    store = Shaky()
    leases = Leases(store, lease_seconds=30.0, beat_seconds=0.01)
    leases.start()
    cancel = threading.Event()
    with leases.hold(leased(store), cancel, is_dispatched=True):
        wait_until(lambda: store.n_beats > 4, 60)
        store.let_pass(20)
        store.let_pass(20)
        assert store.recover(3) == []
        assert not cancel.is_set(), "a database that was busy for a moment ended a run"
    leases.close()
    assert "leases were not renewed" in caplog.text


def test_a_run_learns_why_it_must_end_and_the_first_reason_stays():
    store = FakeRunStore()
    leases = Leases(store, lease_seconds=30.0)
    cancel = threading.Event()
    with leases.hold(leased(store, 30.0), cancel, is_dispatched=True) as held:
        store.request_cancel(KEY)
        leases.beat()
        leases.stop_dispatched()
        assert (held.ending, cancel.is_set()) == (Ending.CANCELLED, True)


def test_stopping_the_service_stops_only_queued_runs():
    store = FakeRunStore()
    leases = Leases(store, lease_seconds=30.0)
    with leases.hold(leased(store), threading.Event(), is_dispatched=False) as held:
        leases.stop_dispatched()
        assert held.ending is None


def test_a_lease_that_another_process_took_over_is_lost():
    store = FakeRunStore()
    leases = Leases(store, lease_seconds=30.0)
    with leases.hold(leased(store, 0.0), threading.Event(), is_dispatched=True) as held:
        time.sleep(0.01)
        store.recover(3)
        leases.beat()
        assert held.ending is Ending.LOST
        leases.beat()
