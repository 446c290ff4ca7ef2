"""Answers stay in memory up to a size, the most recently asked for longest."""

import gzip

from src.services.results import answers
from src.services.results.answers import RecentAnswers, gzip_pieces


def test_pieces_are_compressed() -> None:
    pieces = [b"a" * 1000, b"", b"b" * 100_000]
    packed = b"".join(gzip_pieces(pieces))
    assert gzip.decompress(packed) == b"".join(pieces)
    assert b"".join(gzip_pieces(pieces)) == packed, "no time is in it"


def test_the_least_recently_used_go_first_and_sizes_are_counted() -> None:
    recent = RecentAnswers(100)
    for key in "abc":
        recent.put(key, bytes(30))
    assert recent.get("a") is not None
    recent.put("c", bytes(40))
    recent.put("d", bytes(10))
    assert [key for key in "abcd" if recent.get(key) is not None] == ["a", "c", "d"]
    recent.put("e", bytes(101))
    assert [key for key in "acde" if recent.get(key) is not None] == []


def test_a_large_answer_displaces_no_others(monkeypatch) -> None:
    monkeypatch.setattr(answers, "LARGEST_BYTES", 50)
    recent = RecentAnswers(100)
    recent.put("small", bytes(50))
    recent.put("large", bytes(51))
    assert recent.get("small") is not None and recent.get("large") is None
