import gzip
import hashlib
import json

import pytest

from src.errors import StrategyFailed
from src.services.results.packing import unpacked_json
from src.services.results.result import differences, stored_result
from src.utils.json_bytes import Rows
from tests.fakes.backtests import real_shaped_answer


def test_the_stored_answer_is_byte_for_byte_the_answer():
    stored, body = stored_result(real_shaped_answer())
    assert json.loads(body) == real_shaped_answer()
    assert unpacked_json(stored) == gzip.decompress(stored.gzip_bytes) == body
    assert (stored.json_length, stored.json_sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert stored_result(real_shaped_answer())[0] == stored, "compressing it puts no time into it"


def test_the_digest_ignores_names_times_and_sandboxes():
    answer = real_shaped_answer()
    answer["parameters"]["name"] = "another"
    answer["warnings"] = ["'sead' is not a field"]
    answer["provenance"] |= {"timings_ms": {"total": 7.0}, "sandbox": "bubblewrap", "data": [{"fetched_at": "now"}]}
    stored, other = stored_result(real_shaped_answer())[0], stored_result(answer)[0]
    assert stored.digest == other.digest
    assert stored.json_sha256 != other.json_sha256
    assert differences(stored, other) == ()


def test_a_too_large_answer_fails_its_run_and_names_the_limit():
    length = len(stored_result(real_shaped_answer())[1])
    assert stored_result(real_shaped_answer(), length)[0] == stored_result(real_shaped_answer())[0]
    with pytest.raises(StrategyFailed) as caught:
        stored_result(real_shaped_answer(), length - 1)
    (error,) = caught.value.errors
    assert error.startswith("limit of 0.0 MB for the answer of a run exceeded: trade less often")
    assert caught.value.is_repeatable


def test_a_too_large_answer_is_not_serialized_to_its_end():
    made = []
    orders = Rows(1_000_000, lambda first, last: made.append(last) or [{"price": 1.0}] * (last - first))
    with pytest.raises(StrategyFailed):
        stored_result(real_shaped_answer() | {"orders": orders}, 100_000)
    assert max(made) < 20_000


def test_differences_are_named_by_their_paths():
    answer = real_shaped_answer()
    answer["metrics"] |= {"sharpe_ratio": 1.5, "new_one": 1}
    answer["candles"][1]["close"] += 1e-9
    answer["orders"] = []
    answer["benchmark"] = None
    answer["parameters"]["seed"] = False
    found = differences(stored_result(real_shaped_answer())[0], stored_result(answer)[0])
    assert found == (
        "benchmark",
        "candles[1].close",
        "metrics.new_one",
        "metrics.sharpe_ratio",
        "orders.length",
        "parameters.seed",
    )


def test_at_most_a_hundred_differences_are_named():
    answers = [real_shaped_answer() | {"logs": [f"{n} {number}" for n in range(500)]} for number in range(2)]
    found = differences(*(stored_result(answer)[0] for answer in answers))
    assert (len(found), found[0], found[-1]) == (101, "logs[0]", "…")
