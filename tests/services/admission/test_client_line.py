"""The order of turns, by hand: clients are letters, items are numbered within their client."""

import pytest

from src.services.admission.client_line import ClientLine, ClientLineFull, LineFull, LineLimits


def line_of(items: str, *, waiting: int = 100, of_client: int = 100, started: int = 100) -> ClientLine[str]:
    """A queue that these items have joined in this order; the first letter of each names its client."""
    line: ClientLine[str] = ClientLine(LineLimits(waiting, of_client, started))
    for item in items.split():
        line.join(item[0], item)
    return line


def started(line: ClientLine[str], at_once: int = 1) -> str:
    """The items in order of starting when that many may run at a time."""
    order, under_way = [], []
    while True:
        while len(under_way) < at_once and (turn := line.start()) is not None:
            order.append(turn[1])
            under_way.append(turn[0])
        if not under_way:
            return " ".join(order)
        line.end(under_way.pop(0))


def test_a_client_with_many_items_waits_behind_every_other_clients_first_item():
    assert started(line_of("a1 a2 a3 a4 b1 c1 b2")) == "a1 b1 c1 a2 b2 a3 a4"


def test_a_late_client_goes_before_the_remaining_items_of_a_client_with_many():
    line = line_of("a1 a2 a3")
    assert line.start() == ("a", "a1")
    line.join("b", "b1")
    line.end("a")
    assert started(line) == "b1 a2 a3"


def test_a_client_that_has_just_had_a_turn_does_not_get_the_next_one_by_leaving_the_queue():
    line = line_of("a1 b1")
    assert line.start() == ("a", "a1")
    line.end("a")
    line.join("a", "a2")
    line.join("c", "c1")
    assert started(line) == "b1 c1 a2"


def test_the_client_with_the_fewest_started_items_goes_first():
    line = line_of("a1 a2 a3 b1")
    assert [line.start(), line.start(), line.start()] == [("a", "a1"), ("b", "b1"), ("a", "a2")]
    line.end("b")
    line.join("b", "b2")
    assert line.start() == ("b", "b2")


def test_the_started_items_of_a_client_are_limited():
    line = line_of("a1 a2 a3", started=2)
    assert [line.start(), line.start(), line.start()] == [("a", "a1"), ("a", "a2"), None]
    line.join("b", "b1")
    assert line.start() == ("b", "b1")
    line.end("a")
    assert line.start() == ("a", "a3")


def test_an_endless_stream_of_new_clients_starves_no_client():
    line = line_of("a1 a2")
    assert line.start() == ("a", "a1")
    line.end("a")
    for number in range(3):
        line.join(f"new {number}", f"new {number}")
    order = []
    for number in range(3, 8):
        client, item = line.start() or ("", "")
        order.append(item)
        line.end(client)
        line.join(f"new {number}", f"new {number}")
    assert order == ["new 0", "new 1", "new 2", "a2", "new 3"]


def test_the_queued_items_of_a_client_are_limited():
    line = line_of("a1 a2", of_client=2)
    with pytest.raises(ClientLineFull) as refused:
        line.join("a", "a3")
    assert (refused.value.http_status, refused.value.n_waiting, len(line)) == (429, 2, 2)
    line.join("b", "b1")
    assert started(line) == "a1 b1 a2"


def test_in_a_full_queue_the_newest_item_of_the_client_with_the_most_is_displaced():
    line = line_of("a1 b1 a2 a3", waiting=4)
    assert line.join("c", "c1") == "a3"
    assert started(line) == "a1 b1 c1 a2"


def test_in_a_full_queue_of_equals_a_further_item_is_refused():
    line = line_of("a1 b1 a2 b2", waiting=4)
    with pytest.raises(LineFull) as refused:
        line.join("a", "a3")
    assert (refused.value.http_status, refused.value.retry_after_seconds) == (503, 5)
    assert started(line) == "a1 b1 a2 b2"


def test_an_item_that_must_not_be_refused_joins_a_full_queue():
    line = line_of("a1", waiting=1, of_client=1)
    line.admit("a", "a2")
    assert started(line) == "a1 a2"


def test_an_item_that_leaves_gives_up_its_place_and_may_leave_twice():
    line = line_of("a1 a2 b1")
    for _ in range(2):
        line.leave("a", "a1")
        line.leave("b", "b1")
    assert (len(line), started(line)) == (1, "a2")


def test_with_several_slots_no_client_waits_for_all_items_of_another():
    attack = " ".join(f"a{number}" for number in range(30))
    assert started(line_of(f"{attack} h1", started=1), at_once=2).split().index("h1") == 1
