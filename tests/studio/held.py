"""Answers that arrive when a test says so, so that other things can happen first."""

import re
from types import TracebackType
from typing import Self

from playwright.sync_api import Page, Route

from tests.fakes.application import wait_until

NOTE_WHAT_IS_READ = """
window.answersRead = [];
// The page goes on as soon as the answer is there; a timer fires after that.
const noted = (original, addressOf) => async function (...details) {
  try { return await original.apply(this, details); }
  finally { setTimeout(() => answersRead.push(addressOf(this, details))); }
};
const whole = (address) => new URL(address, document.baseURI).href;
window.fetch = noted(window.fetch, (_, [address]) => whole(address));
Response.prototype.json = noted(Response.prototype.json, (answer) => answer.url);
"""
COUNT = "address => answersRead.filter((read) => new RegExp(address).test(read)).length"


def note_answers(page: Page) -> None:
    """Tell `Held` when the page has read an answer; call it before the page is opened."""
    page.add_init_script(NOTE_WHAT_IS_READ)


class Held:
    """Requests that a page makes while the block lasts: each waits until it is let go.

    Args:
        page: one of `note_answers`.
        address: what a request's address must match.
        n_reads: what the page does with an answer: 2 for one with JSON, 1 where it only looks at the status.
    """

    def __init__(self, page: Page, address: str, *, n_reads: int = 2) -> None:
        self._page, self._address, self._n_reads = page, re.compile(address), n_reads
        self.routes: list[Route] = []

    def __enter__(self) -> Self:
        self._page.route(self._address, self._hold)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._page.unroute(self._address)

    def _hold(self, route: Route) -> None:
        self.routes.append(route)

    def wait(self) -> None:
        """Wait until a request is held."""
        # What the browser tells is only heard while one asks it something.
        wait_until(lambda: self._page.evaluate("true") and bool(self.routes), seconds=60)

    def let_go(self, **answer: object) -> None:
        """Pass the first one to the service, or answer it; returns when the page has read the answer."""
        before = self._page.evaluate(COUNT, self._address.pattern)
        route = self.routes.pop(0)
        if answer:
            route.fulfill(**answer)
        else:
            route.continue_()
        wait_until(lambda: self._page.evaluate(COUNT, self._address.pattern) >= before + self._n_reads, seconds=60)
