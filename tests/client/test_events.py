"""A run's events arrive whole, once and in order over any connection."""

import json
from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hqg_backtester.client.backoff import Backoff
from hqg_backtester.client.errors import RunNotFound, ServiceUnavailable, Unauthorized
from hqg_backtester.client.events import Event, EventReader, follow
from hqg_backtester.client.transport import Transport
from tests.fakes.scripted_service import PLAN, RUN_HASH, Refuse, ScriptedService

PATH = f"/api/v1/runs/{RUN_HASH}/events"
EXPECTED = [(number, kind) for number, (kind, _) in enumerate(PLAN, start=1)]


def wire(event: Event, end: str) -> str:
    lines = [
        f"id: {event.id}",
        f"event: {event.kind}",
        *(f"data: {part}" for part in json.dumps(event.data).split("\n")),
    ]
    return end.join([*lines, "", ""])


events = st.lists(
    st.builds(
        Event, st.integers(1, 10**9), st.sampled_from(["log", "progress"]), st.dictionaries(st.text(), st.text())
    ),
    max_size=5,
)


@given(events, st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(0, 400), max_size=10))
def test_events_are_the_same_however_the_bytes_are_split(sent, end, cuts):
    data = f": heartbeat{end}{end}".join(["", *(wire(event, end) for event in sent)]).encode() + b": end\n\n"
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    reader = EventReader()
    pieces = (data[a:b] for a, b in pairwise(bounds))
    assert [event for piece in pieces for event in reader.feed(piece)] == sent


def test_an_incomplete_event_is_ignored():
    reader = EventReader()
    assert list(reader.feed(b'id: 1\nevent: log\ndata: {"lines": []}\n')) == []
    assert [event.id for event in reader.feed(b"\n")] == [1]


def test_several_data_lines_are_one_value():
    (event,) = EventReader().feed(b'id: 1\nevent: log\ndata: {"lines":\ndata:  ["x"]}\n\n')
    assert event.data == {"lines": ["x"]}


@pytest.mark.parametrize(
    "data",
    [
        b"id: 1\ndata: no json\n\n",
        b"id: 1\ndata: []\n\n",
        b"id: x\ndata: {}\n\n",
        b"data: {}\n\n",
        b"\xff\xff",
        b"x" * 17_000_000,
    ],
)
def test_an_invalid_event_is_reported(data):
    with pytest.raises(ServiceUnavailable, match="event"):
        list(EventReader().feed(data))


def following(service, after=None, patience_seconds=60.0):
    pauses = []
    transport = Transport(service.url, backoff=lambda: Backoff(patience_seconds, pauses.append, lambda: 0.0))
    return [(event.id, event.kind) for event in follow(transport, PATH, after)]


def test_a_connection_cut_anywhere_loses_nothing_and_repeats_nothing():
    whole = sum(len(ScriptedService().tell(number)) for number, _ in EXPECTED)
    for cut in range(0, whole, 7):
        with ScriptedService(cuts=deque([cut, cut // 2, 0, None])).serving() as service:
            assert following(service) == EXPECTED, cut


def test_a_reconnection_resumes_at_the_last_event():
    first = len(ScriptedService().tell(1))
    with ScriptedService(cuts=deque([first + 5, None])).serving() as service:
        following(service)
        assert [seen.headers.get("last-event-id") for seen in service.seen] == [None, "1"]


def test_a_repeated_event_is_seen_once():
    class Forgetful(ScriptedService):
        def tell(self, event_id):
            return super().tell(event_id) * 2

    with Forgetful().serving() as service:
        assert following(service) == EXPECTED


def test_events_already_seen_are_skipped():
    with ScriptedService().serving() as service:
        assert following(service, after=3) == EXPECTED[3:]


def test_after_the_last_event_there_is_nothing():
    with ScriptedService().serving() as service:
        assert following(service, after=len(PLAN)) == []


def test_a_busy_service_is_retried():
    faults = deque([None, Refuse(503, headers=(("Retry-After", "1"),)), Refuse(429)])
    with ScriptedService(cuts=deque([150, None]), faults=faults).serving() as service:
        assert following(service) == EXPECTED


def test_streams_that_keep_breaking_without_an_event_are_given_up():
    with ScriptedService(cuts=deque([0] * 1000)).serving() as service:
        transport = Transport(service.url, backoff=lambda: Backoff(0.3))
        with pytest.raises(ServiceUnavailable):
            list(follow(transport, PATH))
        assert 1 < len(service.seen) < 20


@pytest.mark.parametrize(("status", "error"), [(404, RunNotFound), (401, Unauthorized)])
def test_a_refusal_is_not_retried(status, error):
    with ScriptedService(faults=deque([Refuse(status)])).serving() as service:
        with pytest.raises(error):
            following(service)
        assert len(service.seen) == 1


def test_an_answer_that_is_not_an_event_stream_is_reported():
    page = Refuse(200, b"<html>", (("Content-Type", "text/html"),))
    with ScriptedService(faults=deque([page])).serving() as service:  # noqa: SIM117 - the service is there throughout
        with pytest.raises(ServiceUnavailable, match="not an event stream"):
            following(service, patience_seconds=0.0)


def test_each_event_renews_patience():
    lengths = [len(ScriptedService().tell(number)) for number, _ in EXPECTED]
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    # Each stream carries one event and breaks off in the next; one pause fits into patience, two do not.
    with ScriptedService(cuts=deque([length + 5 for length in lengths[:-1]])).serving() as service:
        backoff = Backoff(0.06, sleep, lambda: 0.0, lambda: now[0])
        events = list(follow(Transport(service.url, backoff=lambda: backoff), PATH))
    assert [(event.id, event.kind) for event in events] == EXPECTED
    assert now[0] > 0.15
