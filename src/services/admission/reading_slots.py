"""Passes sources to a few helper processes, one source per helper at a time, with clients taking turns."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from src.execution.reading.reading import Reading
from src.services.admission.client_line import ClientLine, LineFull, LineLimits

MAX_WAITING = 128
MAX_WAITING_OF_CLIENT = 32


class ReadsSources(Protocol):
    """See src.execution.reading.reading_process.ReadingProcess."""

    def __call__(self, source: str) -> Reading:
        """Analyse the source; blocks."""
        ...

    def warm_up(self) -> None:
        """Start the helper, if it is not running."""
        ...

    def close(self) -> None:
        """Stop the helper."""
        ...


class _Asked:
    """A waiting source, compared by identity."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.answer: Future[Reading] = Future()


class ReadingSlots:
    """Analyses sources in its own threads. Safe to call from several threads.

    A source may occupy a helper for seconds. If there are several helpers, one client can never occupy all of them: one
    is left to the others.

    Args:
        helpers: each analyses one source at a time.
        max_waiting: maximum number of waiting sources, over all clients.
        max_waiting_of_client: maximum number of waiting sources of one client.
    """

    def __init__(
        self,
        helpers: Sequence[ReadsSources],
        *,
        max_waiting: int = MAX_WAITING,
        max_waiting_of_client: int = MAX_WAITING_OF_CLIENT,
    ) -> None:
        limits = LineLimits(max_waiting, max_waiting_of_client, started_of_client=max(1, len(helpers) - 1))
        self._line: ClientLine[_Asked] = ClientLine(limits)
        self._changed = threading.Condition()
        self._is_closed = False
        self._helpers = helpers
        self._threads = [
            threading.Thread(target=self._serve, args=(helper,), name=f"reading-{number}", daemon=True)
            for number, helper in enumerate(helpers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, source: str, client: str) -> "Future[Reading]":
        """A future of the reading; cancelling it removes it from the queue.

        Raises:
            LineFull, ClientLineFull: the queue has no room for it. If another client displaces it later, the future
                ends with LineFull.
        """
        asked = _Asked(source)
        with self._changed:
            displaced = self._line.join(client, asked)
            self._changed.notify()
        self._watch(client, asked)
        self._cancel_if_closed(asked)
        if displaced is not None and displaced.answer.set_running_or_notify_cancel():
            displaced.answer.set_exception(LineFull(len(self._line)))
        return asked.answer

    def read(self, source: str, client: str) -> Reading:
        """The reading; blocks until it is done, and is never refused."""
        asked = _Asked(source)
        with self._changed:
            self._line.admit(client, asked)
            self._changed.notify()
        self._cancel_if_closed(asked)
        return asked.answer.result()

    @property
    def n_waiting(self) -> int:
        """Number of waiting sources."""
        with self._changed:
            return len(self._line)

    def warm_up(self) -> None:
        """Start the helpers now, so that the first readings need not wait for them."""
        for helper in self._helpers:
            helper.warm_up()

    def close(self) -> None:
        """Refuse waiting sources, let each helper finish its source, and stop the helpers."""
        with self._changed:
            self._is_closed = True
            left = list(self._line)
            self._changed.notify_all()
        for asked in left:
            asked.answer.cancel()
        for thread in self._threads:
            thread.join()
        for helper in self._helpers:
            helper.close()

    def _cancel_if_closed(self, asked: _Asked) -> None:
        if self._is_closed:
            asked.answer.cancel()

    def _watch(self, client: str, asked: _Asked) -> None:
        def leave(answer: "Future[Reading]") -> None:
            if answer.cancelled():
                with self._changed:
                    self._line.leave(client, asked)

        asked.answer.add_done_callback(leave)

    def _serve(self, helper: ReadsSources) -> None:
        while (turn := self._next_turn()) is not None:
            client, asked = turn
            try:
                _answer(asked, helper)
                # A source that took too long has killed the helper: the next source gets a new one.
                helper.warm_up()
            finally:
                with self._changed:
                    self._line.end(client)
                    self._changed.notify_all()

    def _next_turn(self) -> tuple[str, _Asked] | None:
        """The next source and its client; None once this is closed."""
        with self._changed:
            while not self._is_closed:
                turn = self._line.start()
                if turn is not None:
                    return turn
                self._changed.wait()
            return None


def _answer(asked: _Asked, helper: ReadsSources) -> None:
    if not asked.answer.set_running_or_notify_cancel():
        return
    try:
        asked.answer.set_result(helper(asked.source))
    except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
        asked.answer.set_exception(error)
