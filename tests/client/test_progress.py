"""The bar moves on a terminal and is silent elsewhere."""

import io
import sys

import pytest

from hqg_backtester.client.events import Event
from hqg_backtester.client.progress import Bar
from tests.fakes.scripted_service import PLAN

EVENTS = [Event(number, kind, data) for number, (kind, data) in enumerate(PLAN, start=1)]


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal():
    return Terminal()


def show(bar):
    with bar:
        for event in EVENTS:
            bar.see(event)


def test_the_bar_shows_the_day_reached_and_the_equity(terminal):
    show(Bar("trend", stream=terminal))
    shown = terminal.getvalue()
    assert "trend:  50%" in shown
    assert "2015-06-30, 10,050.00" in shown
    assert "succeeded" in shown


def test_the_position_in_the_queue_is_shown(terminal):
    with Bar("trend", stream=terminal) as bar:
        bar.see(Event(1, "queued", {"position": 3}))
    assert "queued, 3 ahead of it" in terminal.getvalue()


def test_a_repeated_attempt_starts_from_the_beginning(terminal):
    with Bar("trend", stream=terminal) as bar:
        for event in (EVENTS[2], Event(9, "started", {"attempt": 2})):
            bar.see(event)
    assert terminal.getvalue().rindex("  0%") > terminal.getvalue().rindex(" 50%")


def test_the_reason_for_a_retry_is_shown(terminal):
    with Bar("trend", stream=terminal) as bar:
        bar.trouble(RuntimeError("the queue is full"))
    assert "retrying: the queue is full" in terminal.getvalue()


def test_lines_are_shown_above_the_bar_if_asked_for(terminal):
    bar = Bar("trend", shows_logs=True, stream=terminal)
    show(bar)
    assert "bought\n" in terminal.getvalue()
    assert bar.n_lines_shown == 1


def test_lines_are_not_shown_otherwise(terminal):
    show(Bar("trend", stream=terminal))
    assert "bought" not in terminal.getvalue()


def test_nothing_is_written_without_a_terminal(capfd):
    show(Bar("trend", shows_logs=True))
    assert capfd.readouterr() == ("", "")


def test_progress_false_shows_no_bar(terminal):
    show(Bar("trend", is_shown=False, stream=terminal))
    assert terminal.getvalue() == ""


def test_without_tqdm_there_is_no_bar(terminal, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    show(Bar("trend", stream=terminal))
    assert terminal.getvalue() == ""
