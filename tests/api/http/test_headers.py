"""RFC 7240: a client's preferences for an answer."""

import time

import pytest

from src.api.http.headers import prefers


@pytest.mark.parametrize(
    "headers",
    [
        ["respond-async"],
        ["Respond-Async"],
        [" respond-async "],
        ["respond-async; wait=10"],
        ["wait=10, respond-async"],
        ["return=minimal", "respond-async"],
        ['foo="a, b", respond-async'],
        ['foo="a \\" , b", respond-async'],
        ['respond-async=""'],
        ["respond-async, wait=10, handling=lenient"],
        [", ,respond-async,"],
    ],
)
def test_a_preference_is_found_in(headers):
    assert prefers(headers, "respond-async")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["respond-asynchronously"],
        ["wait=10"],
        ['foo="respond-async"'],
        ['foo="a, respond-async"'],
        ["foo; respond-async"],
        ["respond-async=no"],
        ["respond async"],
        ['"respond-async"'],
        ["x" * 2_000 + ", respond-async"],
    ],
)
def test_a_preference_is_not_found_in(headers):
    assert not prefers(headers, "respond-async")


@pytest.mark.parametrize("hostile", ['"\\', '"', ",", "a=", '"\\"'])
def test_the_time_for_a_hostile_header_grows_linearly(hostile):
    short, long = (cpu_seconds(hostile * n) for n in (2_500, 50_000))
    # Twenty times the length; by its square it would be four hundred times.
    assert long < 100 * max(short, 0.001)


def cpu_seconds(header: str) -> float:
    """Processor time of this thread, the minimum of three runs."""
    spent = []
    for _ in range(3):
        started = time.thread_time()
        prefers([header], "respond-async")
        spent.append(time.thread_time() - started)
    return min(spent)
