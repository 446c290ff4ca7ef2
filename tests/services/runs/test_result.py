import gzip
import hashlib
import json

from src.services.runs.packing import unpacked_json
from src.services.runs.result import differences, stored_result
from tests.fakes.backtests import real_shaped_answer


def test_what_is_stored_is_the_answer_byte_for_byte_and_says_so():
    stored, body = stored_result(real_shaped_answer())
    assert json.loads(body) == real_shaped_answer()
    assert unpacked_json(stored) == gzip.decompress(stored.gzip_bytes) == body
    assert (stored.json_length, stored.json_sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert stored_result(real_shaped_answer())[0] == stored, "compressing it puts no time into it"


def test_the_digest_knows_nothing_of_names_times_and_boxes():
    answer = real_shaped_answer()
    answer["parameters"]["name"] = "another"
    answer["warnings"] = ["'sead' is not a field"]
    answer["provenance"] |= {"timings_ms": {"total": 7.0}, "sandbox": "bubblewrap", "data": [{"fetched_at": "now"}]}
    stored, other = stored_result(real_shaped_answer())[0], stored_result(answer)[0]
    assert stored.digest == other.digest
    assert stored.json_sha256 != other.json_sha256
    assert differences(stored, other) == ()


def test_what_differs_is_named_by_its_path():
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


def test_of_very_many_differences_the_first_hundred_are_named():
    answers = [real_shaped_answer() | {"logs": [f"{n} {number}" for n in range(500)]} for number in range(2)]
    found = differences(*(stored_result(answer)[0] for answer in answers))
    assert (len(found), found[0], found[-1]) == (101, "logs[0]", "…")
