"""A result is stored as Arrow files and a document; damage does not go unnoticed."""

import gzip
import io
from dataclasses import replace

import orjson
import pandas as pd
import pytest

from src.errors import StrategyFailed
from src.services.results import earlier as reader
from src.services.results.answer_json import answer_pieces
from src.services.results.packing import ResultDamaged, packed, sealed_parts, unpacked
from src.services.storage.records.results import EarlierResult
from tests.services.results.samples import answer, result_of


def test_pandas_reads_the_sealed_columns() -> None:
    content = answer(n_days=50, n_orders=9)
    parts = sealed_parts(packed(result_of(content)))
    daily = pd.read_feather(io.BytesIO(parts["daily.arrow"]))
    assert daily["close"].tolist() == [candle["close"] for candle in content["candles"]]
    assert daily["weights"][0].tolist() == [0.5, 0.5] and daily["weights"][49] is None
    orders = pd.read_feather(io.BytesIO(parts["orders.arrow"]))
    assert orders["symbol"].tolist() == [order["symbol"] for order in content["orders"]]
    assert orders["shares"].abs().tolist() == [order["shares"] for order in content["orders"]]
    columns = ("candles", "orders", "holding_weights", "benchmark")
    small = {name: value for name, value in content.items() if name not in columns}
    assert orjson.loads(parts["document.json"]) == small
    assert list(orjson.loads(parts["document.json"])) == list(small)


def test_the_same_result_is_stored_as_the_same_bytes() -> None:
    assert packed(result_of(answer())) == packed(result_of(answer()))


def test_a_too_long_result_fails_its_run_and_names_the_limit() -> None:
    result = result_of(answer(n_orders=2_000))
    length = len(b"".join(answer_pieces(result)))
    assert 0.75 < packed(result).json_length / length < 1.25
    with pytest.raises(StrategyFailed) as caught:
        packed(result, packed(result).json_length - 1)
    assert caught.value.errors[0].startswith("limit of 0.5 MB for the answer of a run exceeded: trade less often")
    assert caught.value.is_repeatable


@pytest.mark.parametrize("part", ["document", "daily", "orders"])
def test_a_changed_byte_of_a_stored_result_is_found(part: str) -> None:
    stored = packed(result_of(answer(n_days=20)))
    content = bytearray(getattr(stored, part))
    content[len(content) // 2] ^= 1
    for damaged in (replace(stored, **{part: bytes(content)}), replace(stored, metrics={})):
        with pytest.raises(ResultDamaged):
            unpacked(damaged)
        with pytest.raises(ResultDamaged):
            sealed_parts(damaged)


def earlier(raw: bytes) -> EarlierResult:
    return EarlierResult(gzip.compress(raw), "", len(raw))


def test_a_damaged_result_of_an_earlier_version_is_found() -> None:
    raw = orjson.dumps(answer(n_days=20))
    assert len(unpacked(earlier(raw)).daily.dates) == 20
    cut = EarlierResult(earlier(raw).gzip_bytes[:-9], "", len(raw))
    odd = [raw.replace(b'"SPY"', b'"XXX"', 1), raw.replace(b'"candles":', b'"candle":'), raw[:-1], b"", b"[]"]
    for damaged in (cut, *map(earlier, odd)):
        with pytest.raises(ResultDamaged):
            unpacked(damaged)


def test_a_long_result_of_an_earlier_version_is_parsed_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    content = answer(n_days=3_000, n_orders=3_000)
    raw, seen = orjson.dumps(content), []
    monkeypatch.setattr(reader, "PIECE_BYTES", 20_000)
    monkeypatch.setattr(reader, "orjson", _Noting(seen))
    assert b"".join(answer_pieces(unpacked(earlier(raw)))) == raw
    assert max(seen) <= 20_000 and len(seen) > 50


class _Noting:
    """orjson, noting how much it parses at a time."""

    def __init__(self, seen: list[int]) -> None:
        self._seen = seen

    def loads(self, raw: bytes) -> object:
        self._seen.append(len(raw))
        return orjson.loads(raw)
