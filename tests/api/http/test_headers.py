"""What a client asks for: preferences (RFC 7240), an encoding, and 304 for a representation that it has."""

import time

import pytest

from src.api.http.headers import accepts_gzip, names_etag, prefers


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


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0, gzip", True),
        ("identity", False),
        ("identity, gzip;q=0.5", False),
        ("identity;q=0.5, gzip", True),
        ("identity;q=0", False),
        ("br", False),
        ("gzip;q=nonsense", False),
        ("gzip;q=2", False),
        ("gzip;q=nan", False),
        ("gzip;q=-1", False),
        (";;,,gzip", True),
    ],
)
def test_gzip_is_for_clients_that_accept_it(header, expected):
    assert accepts_gzip(header) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], False),
        (['"a"'], True),
        (['"b", "a"'], True),
        (['"b"', '"a"'], True),
        (['W/"a"'], True),
        (["*"], True),
        (['"A"'], False),
        (["a"], False),
        (['"a'], False),
        ([""], False),
    ],
)
def test_an_entity_tag_is_named_or_not(headers, expected):
    assert names_etag(headers, '"a"') is expected
