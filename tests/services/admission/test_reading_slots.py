"""Slots with helpers that read when the test lets them: orders and counts, never times."""

import contextlib
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future

import pytest

from src.execution.reading.reading import Reading
from src.services.admission.client_line import ClientLineFull, LineFull
from src.services.admission.reading_slots import ReadingSlots

SECONDS = 60.0
"""Time limit for the slowest machine to do what broken slots never do."""


class HeldHelper:
    """Reads a source once the test lets it; the reading has the source as its only mark."""

    def __init__(self, begun: "queue.Queue[tuple[HeldHelper, str]]") -> None:
        self._begun = begun
        self._let_go: queue.Queue[Exception | None] = queue.Queue()
        self.n_warmed_up = 0
        self.is_closed = False

    def __call__(self, source: str) -> Reading:
        self._begun.put((self, source))
        error = self._let_go.get(timeout=SECONDS)
        if error is not None:
            raise error
        return reading_of(source)

    def warm_up(self) -> None:
        self.n_warmed_up += 1

    def close(self) -> None:
        self.is_closed = True

    def let_go(self, error: Exception | None = None) -> None:
        """Let it answer, or raise that."""
        self._let_go.put(error)


def reading_of(source: str) -> Reading:
    return Reading(None, (source,))  # type: ignore[arg-type] # a mark, compared only


class Slots:
    """Slots, and the sources that their helpers have begun to read."""

    def __init__(self, n_helpers: int, **limits: int) -> None:
        self.begun: queue.Queue[tuple[HeldHelper, str]] = queue.Queue()
        self.helpers = [HeldHelper(self.begun) for _ in range(n_helpers)]
        self.slots = ReadingSlots(self.helpers, **limits)

    def next_begun(self) -> tuple[HeldHelper, str]:
        return self.begun.get(timeout=SECONDS)

    def read_all(self) -> list[str]:
        """Let all queued sources be read, one after the other; returns them in that order."""
        order = []
        with contextlib.suppress(queue.Empty):
            while True:
                helper, source = self.begun.get(timeout=1.0)
                order.append(source)
                helper.let_go()
        return order

    def close(self) -> None:
        for helper in self.helpers:
            helper.let_go()
        self.slots.close()


@pytest.fixture
def one() -> Iterator[Slots]:
    """Slots with one helper, which reads the source "first" of another client."""
    slots = Slots(1)
    slots.slots.submit("first", "someone")
    assert slots.next_begun()[1] == "first"
    with contextlib.closing(slots):
        yield slots


def test_another_clients_source_goes_before_thirty_of_one_client(one):
    for number in range(30):
        one.slots.submit(f"hostile {number}", "attacker")
    answer = one.slots.submit("honest", "honest")
    one.helpers[0].let_go()
    assert one.read_all()[:2] == ["hostile 0", "honest"]
    assert answer.result(SECONDS) == reading_of("honest")


def test_one_client_never_occupies_all_helpers():
    slots = Slots(3)
    with contextlib.closing(slots):
        for number in range(10):
            slots.slots.submit(f"hostile {number}", "attacker")
        assert [slots.next_begun()[1] for _ in range(2)] == ["hostile 0", "hostile 1"]
        with pytest.raises(queue.Empty):
            slots.begun.get(timeout=0.2)
        answer = slots.slots.submit("honest", "honest")
        helper, source = slots.next_begun()
        assert source == "honest"
        helper.let_go()
        assert answer.result(SECONDS) == reading_of("honest")
        for helper in slots.helpers:
            helper.let_go()


def test_a_client_with_too_many_sources_and_a_full_queue_are_refused_at_once():
    slots = Slots(1, max_waiting=3, max_waiting_of_client=2)
    with contextlib.closing(slots):
        slots.slots.submit("first", "a")
        slots.next_begun()
        slots.slots.submit("a1", "a")
        slots.slots.submit("a2", "a")
        with pytest.raises(ClientLineFull):
            slots.slots.submit("a3", "a")
        slots.slots.submit("b1", "b")
        with pytest.raises(LineFull):
            slots.slots.submit("b2", "b")


def test_a_client_displaced_from_a_full_queue_gets_an_error():
    slots = Slots(1, max_waiting=3)
    with contextlib.closing(slots):
        slots.slots.submit("first", "a")
        slots.next_begun()
        answers = [slots.slots.submit(f"a{number}", "a") for number in range(3)]
        slots.slots.submit("honest", "b")
        with pytest.raises(LineFull):
            answers[2].result(SECONDS)
        assert not answers[1].done()


def test_a_source_that_leaves_the_queue_is_not_read_and_frees_its_place(one):
    gone = one.slots.submit("gone", "a")
    after = one.slots.submit("after", "a")
    assert gone.cancel()
    one.helpers[0].let_go()
    assert one.read_all() == ["after"]
    assert after.result(SECONDS) == reading_of("after")


def test_an_error_of_a_helper_reaches_the_caller_and_the_next_source_is_read(one):
    bad, good = one.slots.submit("bad", "a"), one.slots.submit("good", "b")
    one.helpers[0].let_go()
    one.next_begun()[0].let_go(ValueError("broken"))
    with pytest.raises(ValueError, match="broken"):
        bad.result(SECONDS)
    assert one.read_all() == ["good"]
    assert good.result(SECONDS) == reading_of("good")


def test_a_helper_is_restarted_after_each_source_before_the_next_needs_it(one):
    one.slots.submit("second", "a")
    one.helpers[0].let_go()
    one.next_begun()
    assert one.helpers[0].n_warmed_up == 1


def test_a_source_read_before_is_never_refused():
    slots = Slots(1, max_waiting=1, max_waiting_of_client=1)
    with contextlib.closing(slots):
        slots.slots.submit("first", "a")
        slots.next_begun()
        slots.slots.submit("waiting", "a")
        answers: list[Reading] = []
        thread = threading.Thread(target=lambda: answers.append(slots.slots.read("known", "a")))
        thread.start()
        slots.helpers[0].let_go()
        assert slots.read_all() == ["waiting", "known"]
        thread.join(SECONDS)
        assert answers == [reading_of("known")]


def test_closing_the_gate_cancels_queued_sources_and_stops_all_helpers():
    slots = Slots(2)
    slots.slots.submit("first", "a")
    slots.next_begun()
    waiting: Future[Reading] = slots.slots.submit("second", "a")
    slots.close()
    with pytest.raises(CancelledError):
        waiting.result(SECONDS)
    with pytest.raises(CancelledError):
        slots.slots.submit("too late", "a").result(SECONDS)
    assert [helper.is_closed for helper in slots.helpers] == [True, True]
