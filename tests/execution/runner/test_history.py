"""What a strategy reads of the past: data.time, data.history and data.frame, of the bars sent so far and no others."""

import copy
import math
from array import array
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hqg_algorithms import Bar, Slice

from src.execution.runner.views import NOTHING, Asked, asked, frame_packer, frame_reader

SYMBOLS = ("SPY", "BND")
NAN = math.nan
FIELDS = ("open", "high", "low", "close", "volume")
ALL = Asked(history=True, pandas=True)
DAYS = [
    # 2020-01-01, a Wednesday; BND lacks the second bar and the volume of the third.
    (18262, [1, 3, 0.5, 2, 100], [10, 30, 5, 20, 1000]),
    (18263, [2, 4, 1.5, 3, 200], [NAN] * 5),
    (18264, [3, 5, 2.5, 4, 300], [40, 60, 35, 50, NAN]),
]


def received(days: Any = DAYS, offered: Asked = ALL) -> list[Any]:
    """The slice of each day, as on_data receives them one after another."""
    pack, read = frame_packer(len(SYMBOLS), offered), frame_reader(SYMBOLS, offered)
    slices = []
    for day, *bars in days:
        numbers = memoryview(array("d", [float(number) for bar in bars for number in bar]))
        slices.append(read(pack(day * 86_400.0, False, numbers, 1.0, 1.0, [0.0] * 2, [1.0] * 2, list))[0])
    return slices


def test_history_is_the_last_n_values_oldest_first_and_fewer_at_the_start() -> None:
    first, second, third = received()
    assert third.history("SPY", 2) == [3.0, 4.0]
    assert third.history("SPY", 3, "open") == third.history("SPY", 99, field="open") == [1.0, 2.0, 3.0]
    assert (first.history("SPY", 5), second.history("SPY", 5)) == ([2.0], [2.0, 3.0])
    assert third.history("SPY", np.int64(1)) == [4.0]


def test_a_bar_that_the_symbol_lacks_is_absent_from_its_history() -> None:
    first, second, third = received()
    assert second.history("BND", 2) == first.history("BND", 2) == [20.0]
    assert third.history("BND", 2) == [20.0, 50.0]
    volumes = third.history("BND", 2, "volume")
    assert volumes[0] == 1000.0
    assert math.isnan(volumes[1])


def test_history_gives_bars_as_a_slice_does() -> None:
    third = received()[2]
    bars = third.history("BND", 5, field="bar")
    assert bars == [Bar(10.0, 30.0, 5.0, 20.0, 1000.0), third["BND"]]
    assert bars[1].volume is None


def test_a_kept_slice_knows_no_later_bar() -> None:
    """Asked when two more days have come."""
    first, second, _ = received()
    for field, value in zip(FIELDS, DAYS[0][1], strict=True):
        assert first.history("SPY", 9, field) == [value]
    assert second.history("SPY", 9, "bar") == [Bar(1, 3, 0.5, 2, 100), Bar(2, 4, 1.5, 3, 200)]
    assert list(second.frame("SPY", 9)["close"]) == [2.0, 3.0]


def test_changing_a_returned_list_changes_no_other() -> None:
    third = received()[2]
    third.history("SPY", 3).clear()
    assert third.history("SPY", 3) == [2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("QQQ", 5), r"'QQQ' is not in the universe \(SPY, BND\)"),
        (("spy", 5), "did you mean 'SPY'"),
        ((["SPY"], 5), r"\['SPY'\] \(list\) is not in the universe"),
        (("SPY", 0), "n is 0; it must be a whole number of at least 1"),
        (("SPY", -3), "n is -3;"),
        (("SPY", 2.0), r"n is 2.0;"),
        (("SPY", True), "n is True;"),
        (("SPY", "5"), "n is '5';"),
        (("SPY", 5, "adj_close"), "'adj_close' is not a field of history; it has open, high, low, close, volume, bar"),
        (("SPY", 5, "time"), "'time' is not a field"),
        (("SPY", 5, None), "None .* is not a field"),
        (("SPY", 5, ["close"]), r"\['close'\] .* is not a field"),
    ],
)
def test_a_mistaken_question_is_answered_with_what_is_allowed(arguments: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        received()[2].history(*arguments)


def test_a_frame_holds_the_same_bars_by_their_time_in_utc() -> None:
    table = received()[2].frame("BND", 5)
    index = pd.DatetimeIndex(["2020-01-01", "2020-01-03"], tz="UTC", name="time")
    expected = pd.DataFrame([DAYS[0][2], DAYS[2][2]], index=index, columns=list(FIELDS), dtype=float)
    pd.testing.assert_frame_equal(table, expected, check_index_type=False, check_freq=False)


def test_a_frame_without_pandas_says_what_to_import() -> None:
    with pytest.raises(RuntimeError, match="write `import pandas` at the top"):
        received(offered=Asked(history=True))[2].frame("SPY", 5)


def test_time_is_midnight_utc_of_the_sessions_date() -> None:
    first, *_, third = received()
    assert first.time == datetime(2020, 1, 1, tzinfo=UTC)
    assert third.date == date(2020, 1, 3)
    assert first.is_warming_up is False
    assert received([(-365, *DAYS[0][1:])])[0].date == date(1969, 1, 1)


def test_a_strategy_may_still_give_a_slice_a_time_of_its_own() -> None:
    first = received()[0]
    first.time, first.date = "10:00", 7
    assert (first.time, first.date) == ("10:00", 7)


def test_nothing_is_kept_for_a_source_that_never_asks() -> None:
    assert asked("data.close('SPY')") == NOTHING
    assert asked("h = data.history") == asked("data.frame('SPY', 3)") == Asked(history=True)
    assert asked("portfolio.average_cost('SPY')") == Asked(average_costs=True)
    silent = received(offered=NOTHING)[2]
    assert silent._layout.history.frames == []
    with pytest.raises(RuntimeError, match=r"write `data\.history`"):
        silent.history("SPY", 1)


def test_a_slice_that_was_asked_is_copied_as_before() -> None:
    third = received()[2]
    third.history("SPY", 2), third.time
    assert type(copy.deepcopy(third)) is Slice
    assert copy.copy(third) == third
