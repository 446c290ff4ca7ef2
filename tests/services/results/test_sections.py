"""The further parts of an answer: computed from the stored columns, and absent unless asked for."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest

from src.models.sections import SectionsAnswer
from src.services.results.answer_json import answer_pieces
from src.services.results.artifacts import Artifacts
from src.services.results.chain.verification import check_chain
from src.services.results.errors import ArtifactNotFound
from src.services.results.packing import packed, unpacked
from src.services.results.result import LINE_DAYS, Orders, Result
from src.services.results.sections import NOTHING, SAME_CLOSE, SECTIONS, Asked
from src.services.storage.records.attempts import Outcome
from src.services.storage.records.runs import RunStatus
from src.utils.metrics import measure
from tests.services.results.samples import answer, result_of, submitted, succeeded

ALL = Asked(frozenset(SECTIONS), is_lean=True)


def shown(result: Result, asked: Asked = ALL) -> dict[str, Any]:
    return json.loads(b"".join(answer_pieces(result, asked)))


def priced(content: dict[str, Any] | None = None) -> Result:
    """A result whose metrics say how many days make a year."""
    content = answer() if content is None else content
    content["metrics"] |= {"periods_per_year": 252, "risk_free_rate": 0.01, "closed_trades": 7}
    return result_of(content)


def test_without_being_asked_for_there_is_none_of_them():
    content = answer()
    assert b"".join(answer_pieces(result_of(content), NOTHING)) == orjson.dumps(content)


def test_they_follow_the_rest_of_the_answer_in_a_fixed_order_and_fit_the_model():
    content = shown(priced())
    names = ["trades", "trade_statistics", *SECTIONS[1:], "metrics_lean"]
    assert list(content)[-len(names) :] == names
    SectionsAnswer.model_validate({name: content[name] for name in names})
    assert set(shown(priced(), Asked(frozenset({"periods"})))) - set(answer()) == {"periods"}


def test_plots_survive_storing_and_are_shown_only_when_asked_for():
    result = priced()
    n_days = len(result.daily.dates)
    fast, never = np.full((2, n_days), np.nan)
    fast[[0, -1]] = 1 / 3, -0.0
    result = unpacked(packed(replace(result, daily=replace(result.daily, plots={"é fast": fast, "never": never}))))
    times = [candle["time"] for candle in shown(result)["candles"]]
    first = {"name": "é fast", "points": [[times[0], 1 / 3], [times[-1], -0.0]]}
    assert shown(result)["plots"] == [first, {"name": "never", "points": []}]
    assert "plots" not in shown(result, NOTHING)


def test_lines_have_their_day_only_when_asked_for():
    result = priced()
    runs = [[None, 1], [86_400, 1]]
    document = {**result.document, "logs": ["a", "b", "c"], LINE_DAYS: runs}
    result = unpacked(packed(replace(result, document=document)))
    lines = [(line["time"], line["line"]) for line in shown(result)["log_lines"]]
    assert lines == [(None, "a"), (86_400, "b"), (None, "c")]
    assert not {"log_lines", LINE_DAYS} & shown(result, NOTHING).keys()


def test_trades_survive_storing_to_the_last_digit():
    result = priced()
    again = unpacked(packed(result))
    assert shown(again) == shown(result)
    trade = shown(again)["trades"][0]
    move = trade["exit_price"] - trade["entry_price"]
    direction = 1 if trade["side"] == "long" else -1
    assert trade["pnl"] == pytest.approx(direction * trade["shares"] * move - trade["fees"])
    assert trade["return"] == pytest.approx(trade["pnl"] / trade["shares"] / trade["entry_price"])


def test_a_result_stored_before_round_trips_says_that_there_are_none(artifacts: Artifacts, storage, root):
    earlier = replace(priced(), trades=None)
    content = shown(unpacked(packed(earlier)))
    assert (content["trades"], content["trade_statistics"]["per_round_trip"]) == (None, None)
    assert content["metrics_lean"]["trade_statistics"] is None
    key = submitted(storage)
    lease = storage.runs.claim(60)
    assert storage.runs.finish(lease, Outcome(RunStatus.SUCCEEDED, packed(earlier)))
    assert (artifacts.manifest(key)["format"], len(artifacts.manifest(key)["files"])) == (2, 5)
    with pytest.raises(ArtifactNotFound, match="did not record round trips"):
        artifacts.rendered(key, "trades.csv").pieces()
    artifacts.seal(succeeded(storage, 2))
    assert [link.n_files for link in check_chain(root, "local", storage.chain)] == [5, 6]


def test_a_changed_byte_of_stored_trades_is_found():
    stored = packed(priced())
    assert stored.trades is not None
    with pytest.raises(Exception, match="hash"):
        unpacked(replace(stored, trades=stored.trades[:-1] + b"?"))


def test_trades_are_files_too(artifacts: Artifacts, storage):
    key = succeeded(storage)
    rows = list(csv.DictReader(io.StringIO(b"".join(artifacts.rendered(key, "trades.csv").pieces()).decode())))
    table = pq.read_table(io.BytesIO(b"".join(artifacts.rendered(key, "trades.parquet").pieces())))
    trades = shown(priced())["trades"]
    assert [float(row["pnl"]) for row in rows] == table.column("pnl").to_pylist() == [of["pnl"] for of in trades]
    assert [row["exit_time"] + "T00:00:00Z" for row in rows] == [of["exit_time"] for of in trades]
    assert [row["exit_reason"] for row in rows] == [of["exit_reason"] for of in trades]


def test_statistics_per_round_trip_leave_out_what_is_still_open_and_per_fill_are_the_metrics():
    content = shown(priced())
    per_trip, per_fill = (content["trade_statistics"][name] for name in ("per_round_trip", "per_fill"))
    closed = [trade for trade in content["trades"] if trade["exit_reason"] != "end"]
    assert (per_trip["closed_trades"], per_trip["open_trades"]) == (len(closed), len(content["trades"]) - len(closed))
    wins = [trade["return"] for trade in closed if trade["pnl"] > 0]
    assert per_trip["win_rate"] == pytest.approx(len(wins) / len(closed))
    assert per_trip["avg_win"] == pytest.approx(sum(wins) / len(wins)) if wins else per_trip["avg_win"] is None
    assert per_trip["avg_bars_held"] == pytest.approx(sum(trade["bars_held"] for trade in closed) / len(closed))
    assert {per_fill[name] for name in per_fill if name != "undefined"} == {0.125, 7}


def test_a_run_without_trades_has_reasons_instead_of_numbers():
    found = shown(priced(answer(n_orders=0)))["trade_statistics"]["per_round_trip"]
    assert (found["win_rate"], found["undefined"]["win_rate"]) == (None, "no closed trades")
    assert found["undefined"]["avg_mae"] == "no closed trades"


def test_benchmark_metrics_are_the_metrics_of_its_own_curve():
    result = priced()
    found = shown(result)["benchmark_metrics"]
    series = result.daily.benchmark
    expected = measure(series, 10_000.0, result.daily.dates, periods_per_year=252, annual_risk_free_rate=0.01)
    assert found["sharpe_ratio"] == expected.values["sharpe_ratio"]
    assert (found["beta"], found["undefined"]["beta"]) == (None, "it is the benchmark")
    assert found["undefined"]["turnover"] == "a benchmark has no orders"


def test_a_benchmark_that_begins_late_is_measured_from_then_on():
    content = answer()
    content["benchmark"] = [{**point, "value": point["value"] - 100} for point in content["benchmark"][100:]]
    found = shown(priced(content))
    assert found["benchmark_metrics"]["total_return"] == pytest.approx(199 / 10_000)
    assert found["periods"]["benchmark_years"][0]["months"][:3] == [None] * 3
    assert found["rolling"]["windows"][0]["beta"][162:164] == [None, pytest.approx(0, abs=1e4)]


def test_without_a_benchmark_its_parts_are_null():
    found = shown(priced(answer(benchmark=None)))
    assert (found["benchmark_metrics"], found["periods"]["benchmark_years"]) == (None, None)
    assert set(found["rolling"]["windows"][1]["beta"]) == {None}


def held(**daily: Any) -> Result:
    """10,000 of cash: half of it in one symbol on the second day, all sold on the third; closes never move."""
    result = priced(answer(n_days=3, n_orders=0))
    closes = np.full((3, 4), 10_000.0)
    orders = Orders(
        np.array([1, 2], np.int32),
        np.array([0, 0], np.int32),
        np.array([50.0, -50.0]),
        np.array([100.0, 100.0]),
        *(np.zeros(2) for _ in range(2)),
        np.zeros(2, np.bool_),
    )
    return replace(result, daily=replace(result.daily, candles=closes, **daily), orders=orders)


def test_exposure_and_turnover_of_a_month():
    # Invested 0, 0.5 and 0 at the three closes; twice half of equity was traded.
    month = shown(held())["rolling"]["months"]
    assert month == [{"month": "2015-01", "exposure": 0.5 / 3, "gross_exposure": 0.5 / 3, "turnover": 0.5}]


def test_exposure_knows_of_income_and_of_shorts():
    # 1,000 of dividends on the last day are cash: equity that stays the same has 1,000 less in positions.
    income = shown(held(income=np.array([0.0, 0.0, 1_000.0])))["rolling"]["months"][0]
    assert income["exposure"] == pytest.approx((0.5 - 0.1) / 3)
    gross = shown(unpacked(packed(held(gross_value=np.array([0.0, 8_000.0, 0.0])))))["rolling"]["months"][0]
    assert (gross["exposure"], gross["gross_exposure"]) == pytest.approx((0.5 / 3, 0.8 / 3))


def test_only_an_answer_with_sections_says_that_fills_are_at_the_close_that_was_seen():
    content = answer()
    content["parameters"]["execution"] = "close_to_close"
    assert shown(priced(content))["warnings"] == [*content["warnings"], SAME_CLOSE]
    assert shown(priced(content), NOTHING)["warnings"] == content["warnings"]
    assert shown(priced())["warnings"] == content["warnings"], "the sample fills at the next open"
