"""Two results of one run are equal but for names, times and sandboxes, or the paths of their differences are named."""

from typing import Any

from src.services.results.comparison import differences
from tests.fakes.backtests import real_shaped_answer
from tests.services.results.samples import result_of


def compared(answer: dict[str, Any]) -> tuple[str, ...]:
    return differences(result_of(real_shaped_answer()), result_of(answer))


def test_names_times_and_sandboxes_are_no_difference() -> None:
    answer = real_shaped_answer()
    answer["parameters"]["name"] = "another"
    answer["warnings"] = ["'sead' is not a field"]
    answer["provenance"] |= {"timings_ms": {"total": 7.0}, "sandbox": "bubblewrap", "data": [{"fetched_at": "now"}]}
    assert compared(answer) == ()


def test_differences_are_named_by_their_paths() -> None:
    answer = real_shaped_answer()
    answer["metrics"] |= {"sharpe_ratio": 1.5, "new_one": 1}
    answer["candles"][1]["close"] += 1e-9
    answer["orders"] = []
    answer["benchmark"] = None
    answer["parameters"]["seed"] = False
    assert compared(answer) == (
        "benchmark",
        "candles[1].close",
        "metrics.new_one",
        "metrics.sharpe_ratio",
        "orders.length",
        "parameters.seed",
    )


def test_at_most_a_hundred_differences_are_named() -> None:
    answers = [real_shaped_answer() | {"logs": [f"{n} {number}" for n in range(500)]} for number in range(2)]
    found = differences(*map(result_of, answers))
    assert (len(found), found[0], found[-1]) == (101, "logs[0]", "…")
