"""Which encoding of a stored result a client gets, and when it gets 304."""

import pytest

from src.api.responses.result_response import accepts_gzip, names_etag


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
