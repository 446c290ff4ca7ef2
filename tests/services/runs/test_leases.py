"""Leases stay alive for as long as a run takes, and not longer."""

import threading
import time

from src.services.runs.leases import Ending, Leases
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records import HeartbeatAnswer, Lease, NewRun, RunKey
from tests.fakes.run_store import FakeRunStore

KEY = RunKey("local", "a" * 64)
NEW = NewRun(
    key=KEY,
    name=None,
    request={},
    ingredients={"start_date": "2015-01-01", "end_date": "2015-12-31"},
    symbols=("SPY",),
)


def leased(store: FakeRunStore, seconds: float = 0.3) -> Lease:
    lease = store.submit(NEW, lease_seconds=seconds).lease
    assert lease is not None
    return lease


def test_a_held_lease_outlasts_its_seconds_and_one_let_go_does_not():
    store = FakeRunStore()
    leases = Leases(store, lease_seconds=0.3, beat_seconds=0.05)
    leases.start()
    with leases.hold(leased(store), threading.Event(), is_dispatched=True):
        time.sleep(0.6)
        assert store.recover(3) == []
        assert leases.n_held == 1
    time.sleep(0.4)
    assert store.recover(3) == [KEY]
    leases.close()
    assert leases.n_held == 0


def test_a_beat_that_fails_is_followed_by_one_that_works(caplog):
    class Shaky(FakeRunStore):
        n_beats = 0

        def heartbeat(self, *arguments) -> HeartbeatAnswer:
            self.n_beats += 1
            if self.n_beats < 4:
                raise StorageUnavailable("busy") if self.n_beats % 2 else RuntimeError("odd")
            return super().heartbeat(*arguments)

    store = Shaky()
    leases = Leases(store, lease_seconds=0.4, beat_seconds=0.03)
    leases.start()
    cancel = threading.Event()
    with leases.hold(leased(store, 0.4), cancel, is_dispatched=True):
        time.sleep(0.8)
        assert store.recover(3) == []
        assert not cancel.is_set(), "a database that was busy for a moment ended a run"
    leases.close()
    assert "leases were not renewed" in caplog.text


def test_a_run_learns_why_it_shall_end_and_the_first_reason_stays():
    store = FakeRunStore()
    leases = Leases(store, lease_seconds=30.0)
    cancel = threading.Event()
    with leases.hold(leased(store, 30.0), cancel, is_dispatched=True) as held:
        store.request_cancel(KEY)
        leases.beat()
        leases.stop_dispatched()
        assert (held.ending, cancel.is_set()) == (Ending.CANCELLED, True)


def test_when_the_service_stops_only_runs_out_of_the_queue_are_stopped():
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
