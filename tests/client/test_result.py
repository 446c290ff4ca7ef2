"""A result as tables and as a page."""

import json
import sys
import xml.etree.ElementTree as ET

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hqg_backtester.client.errors import PackageMissing
from hqg_backtester.client.result import Result
from hqg_backtester.client.run import Run
from hqg_backtester.client.sparkline import HEIGHT, MAX_POINTS, WIDTH, sparkline
from hqg_backtester.client.transport import Transport
from tests.fakes.scripted_service import METRICS, RUN_HASH, SECTIONS, STATISTICS, TRADE, an_answer

PARTS = {"artifacts/report.html": b"<!doctype html>", "statistics": json.dumps(STATISTICS).encode()}


def result(**changes):
    return Result(an_answer(**changes), PARTS.__getitem__)


def test_equity_is_a_table_of_candles_by_day_without_a_time_zone():
    equity = result().equity
    assert list(equity.columns) == ["open", "high", "low", "close"]
    assert (equity.index.name, str(equity.index.dtype)) == ("date", "datetime64[s]")
    assert equity.index[0] == pd.Timestamp("2015-01-02")
    assert equity["close"].tolist() == [10_010.0, 10_100.0]


def test_orders_weights_and_benchmark_have_the_same_index():
    it = result()
    assert it.orders.index[0] == it.weights.index[0] == it.benchmark.index[0] == it.equity.index[0]
    assert it.orders.iloc[0].to_dict() == {
        "id": "1",
        "symbol": "SPY",
        "action": "Buy",
        "price": 200.0,
        "shares": 25.0,
        "fee": 1.5,
        "slippage_cost": 0.0,
    }
    assert it.weights.loc["2015-01-02", "SPY"].item() == 0.5
    assert it.benchmark.tolist() == [10_000.0, 9_990.0]


def test_a_run_without_orders_has_empty_tables_of_the_same_kind():
    it = result(orders=[], holding_weights=[], benchmark=None, candles=[])
    for frame in (it.orders, it.weights, it.equity, it.returns):
        assert len(frame) == 0
        assert (frame.index.name, str(frame.index.dtype)) == ("date", "datetime64[s]")
    assert it.orders["price"].dtype == "float64"
    assert it.benchmark is None


def test_plots_and_lines_become_tables_by_day():
    it = result(**SECTIONS)
    assert it.plots.loc["2015-01-05"].to_dict() == {"fast": 2.5, "slow": -1.0}
    assert it.plots.loc["2015-01-02"].isna().to_dict() == {"fast": False, "slow": True}
    assert it.log_lines["line"].tolist() == ["loading", "a day"]
    assert (str(it.log_lines["date"][1].date()), bool(it.log_lines["date"].isna()[0])) == ("2015-01-02", True)
    bare = result()
    assert (len(bare.plots), len(bare.log_lines), str(bare.plots.index.dtype)) == (0, 0, "datetime64[s]")


def test_what_an_answer_has_when_asked_becomes_tables():
    it = result(**SECTIONS)
    assert it.trades.iloc[0].to_dict() == TRADE | {
        "entry_time": pd.Timestamp("2015-01-02"),
        "exit_time": pd.Timestamp("2015-01-05"),
    }
    assert it.trade_statistics["per_round_trip"]["win_rate"] == 1.0
    assert it.rolling[63]["sharpe_ratio"].dropna().to_dict() == {pd.Timestamp("2015-01-05"): 1.5}
    assert it.exposure.loc["2015-01", "gross_exposure"].item() == 0.75
    assert it.benchmark_monthly_returns.loc[2015, "total"] == 0.5
    assert it.benchmark_metrics["total_return"] == -0.001
    assert it.metrics_lean["sharpe_ratio"] == 1.125


def test_a_run_stored_before_round_trips_has_no_table_of_them_and_an_older_service_sends_no_parts():
    assert result(trades=None).trades is None
    it = result()
    assert (it.trades, it.benchmark_metrics, it.benchmark_monthly_returns) == (None, None, None)
    assert (dict(it.rolling), len(it.exposure), dict(it.metrics_lean), dict(it.trade_statistics)) == ({}, 0, {}, {})
    assert len(result(trades=[]).trades) == 0


def test_tables_join_with_prices_from_elsewhere():
    prices = pd.DataFrame({"SPY": [200.0, 201.0]}, index=pd.DatetimeIndex(["2015-01-02", "2015-01-05"], name="Date"))
    for table in (result().equity, result().returns, result().benchmark):
        assert prices.join(table).notna().all(axis=None)


def candles(*closes):
    first = 1_420_156_800
    return [
        {"time": first + 86_400 * number, **dict.fromkeys(("open", "high", "low", "close"), close)}
        for number, close in enumerate(closes)
    ]


def test_returns_are_counted_from_the_starting_equity():
    it = result(candles=candles(11_000.0, 9_900.0, 9_900.0))
    assert it.returns.tolist() == pytest.approx([0.1, -0.1, 0.0], abs=1e-15)
    assert it.returns.name == "returns"


def test_nothing_can_be_earned_after_everything_is_lost():
    returns = result(candles=candles(5_000.0, 0.0, 0.0)).returns
    assert returns[:2].tolist() == [-0.5, -1.0]
    assert returns.isna().tolist() == [False, False, True]


def test_drawdowns_and_monthly_returns_are_the_services():
    it = result()
    assert it.drawdown.to_dict() == {pd.Timestamp("2015-01-02"): 0.25, pd.Timestamp("2015-01-05"): 0.0}
    periods = it.drawdown_periods
    assert periods.columns.tolist() == ["depth", "peak", "trough", "recovery", "n_days"]
    assert periods.loc[0].tolist() == [0.25, *map(pd.Timestamp, ("2015-01-02", "2015-02-02", "2015-03-02")), 1_234]
    assert periods.isna().loc[1].tolist() == [False, True, False, True, False]
    months = it.monthly_returns
    assert (months.index.tolist(), months.columns.tolist()) == ([2015], [*range(1, 13), "total"])
    assert months.loc[2015, [1, 2, "total"]].tolist() == [0.2, -0.25, -0.1]
    assert months.isna().sum(axis=None) == 10


def test_a_run_that_never_fell_has_an_empty_table_of_falls():
    it = Result(an_answer(), lambda _: json.dumps(STATISTICS | {"drawdown_periods": []}).encode())
    assert (len(it.drawdown_periods), str(it.drawdown_periods["recovery"].dtype)) == (0, "datetime64[s]")


def test_statistics_are_fetched_once_and_only_if_they_are_wanted():
    asked = []
    it = Result(an_answer(), lambda part: asked.append(part) or PARTS[part])
    assert len(it.equity) == 2
    assert asked == []
    assert len(it.drawdown) == len(it.statistics["drawdown"]) == 2
    assert asked == ["statistics"]


def test_the_parameters_are_read_only():
    it = result()
    assert it.parameters["starting_equity"] == 10_000.0
    with pytest.raises(TypeError):
        it.parameters["starting_equity"] = 1.0


def test_a_symbol_that_was_not_held_has_weight_zero():
    holdings = [
        {"time": 0, "weights": {"SPY": 1.0}},
        {"time": 86_400, "weights": {"BND": 0.25}},
        {"time": 172_800, "weights": {}},
    ]
    assert result(holding_weights=holdings).weights.values.tolist() == [[0, 1], [0.25, 0], [0, 0]]


def test_a_field_added_by_a_newer_service_becomes_a_column():
    orders = [{**an_answer()["orders"][0], "venue": "X"}]
    assert result(orders=orders).orders["venue"].tolist() == ["X"]
    exits = [an_answer()["orders"][0], {**an_answer()["orders"][0], "reason": "stop_loss"}]
    assert result(orders=exits).orders["reason"].dropna().tolist() == ["stop_loss"]


def test_changing_a_table_changes_nothing_else():
    it = result()
    equity = it.equity
    equity.loc[:, "close"] = 0.0
    assert it.equity["close"].tolist() == [10_010.0, 10_100.0]
    with pytest.raises(TypeError):
        it.metrics["sharpe_ratio"] = 9.9


def test_without_pandas_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(PackageMissing, match=r'pip install "hqg-backtester\[pandas\]"'):
        _ = result().equity
    assert result().metrics["sharpe_ratio"] == 1.25


def test_the_report_is_saved_at_the_given_path(tmp_path):
    file = result().report(tmp_path / "mine.html")
    assert file.read_bytes() == b"<!doctype html>"


def test_its_repr_is_one_line():
    assert repr(result()) == (
        "<Result 5f1c5f1c5f1c: 'n', 2015-01-01 to 2015-12-31, total_return=0.01, sharpe_ratio=1.25, 1 orders>"
    )


SYNTHETIC = "These prices are synthetic (made up by this service): they say nothing about any market."


def test_a_notebook_shows_warnings_numbers_and_reasons():
    page = result(warnings=[SYNTHETIC])._repr_html_()
    assert SYNTHETIC in page
    assert "10,100.00" in page
    assert "undefined (no benchmark)" in page
    assert RUN_HASH in page


def test_many_warnings_are_counted():
    page = result(warnings=[f"warning {number}." for number in range(25)])._repr_html_()
    assert "warning 19." in page
    assert "warning 20." not in page
    assert "5 more" in page


HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&"


def test_text_from_outside_is_never_markup():
    answer = an_answer(run_hash=HOSTILE, warnings=[HOSTILE])
    answer["parameters"] = {**answer["parameters"], "name": HOSTILE, "benchmark": HOSTILE, "start_date": HOSTILE}
    answer["metrics"] = {**answer["metrics"], "undefined": {"beta": HOSTILE}}
    answer["provenance"] = {**answer["provenance"], "data_source": HOSTILE}
    page = Result(answer, bytes)._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    tree = ET.fromstring(page)  # noqa: S314 - our own page: it must be well-formed
    assert {node.tag for node in tree.iter()} <= {
        *{"div", "b", "code", "svg", "title", "polyline", "small", "table", "tr", "th", "td"}
    }


def summary(**changes):
    return {
        "run_hash": RUN_HASH,
        "name": "trend",
        "status": "succeeded",
        "symbols": ["SPY", "BND"],
        "start_date": "2015-01-01",
        "end_date": "2015-12-31",
        "progress": None,
        "metrics": None,
        "error": None,
        **changes,
    }


def run_page(**changes):
    return Run(Transport("http://127.0.0.1:1"), summary(**changes))._repr_html_()


def test_a_notebook_shows_a_runs_progress():
    page = run_page(status="running", progress={"share": 0.5, "day": "2015-06-30", "equity": 10_050.0})
    assert "running, 50%, 2015-06-30 · 2015-01-01 to 2015-12-31, SPY, BND" in page
    assert "timed out" in run_page(status="timed_out")


def test_a_notebook_shows_the_numbers_of_a_finished_run():
    page = run_page(metrics=METRICS)
    assert "Sharpe ratio" in page
    assert "1.250" in page


def test_a_notebook_shows_why_a_run_failed_and_the_last_lines_it_printed():
    error = {"code": "strategy_failed", "errors": ["ZeroDivisionError"], "traceback": "line 3", "logs": ["a<b"] * 50}
    page = run_page(status="failed", error=error)
    for text in ("ZeroDivisionError", "line 3", "a&lt;b"):
        assert text in page
    assert page.count("a&lt;b") == 20


def test_many_symbols_still_take_one_line():
    assert "S9, and 190 more" in run_page(symbols=[f"S{number}" for number in range(200)])


def test_text_of_a_run_is_never_markup():
    error = {"code": HOSTILE, "errors": [HOSTILE], "traceback": HOSTILE, "logs": [HOSTILE]}
    metrics = {**METRICS, "undefined": {"beta": HOSTILE}}
    fields = dict.fromkeys(("run_hash", "name", "status", "start_date", "end_date"), HOSTILE)
    page = run_page(**fields, symbols=[HOSTILE], error=error, metrics=metrics)
    tree = ET.fromstring(page)  # noqa: S314 - our own page: it must be well-formed
    assert {node.tag for node in tree.iter()} == {"div", "b", "code", "small", "pre", "table", "tr", "th", "td"}


def test_a_page_without_candles_has_no_drawing():
    assert "<svg" not in result(candles=[], benchmark=None)._repr_html_()


numbers = st.floats(-1e15, 1e15)


@given(st.lists(numbers, min_size=1, max_size=3000), st.none() | st.lists(numbers, min_size=1, max_size=50))
def test_every_drawing_stays_in_its_frame_and_small(values, other):
    tree = ET.fromstring(sparkline(values, other))  # noqa: S314 - our own drawing
    for line in tree.iter("polyline"):
        points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        assert len(points) <= MAX_POINTS + 2
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
        assert points == sorted(points, key=lambda point: point[0])


def test_a_partial_benchmark_is_drawn_on_its_days_only():
    line = next(ET.fromstring(sparkline([1, 2, 3, 4, 5], [None, None, 3, 4, None])).iter("polyline"))  # noqa: S314 - ours
    assert [float(point.split(",")[0]) for point in line.attrib["points"].split()] == [WIDTH / 2, WIDTH * 3 / 4]


def test_a_page_shows_a_benchmark_that_begins_later():
    whole = result()._repr_html_()
    late = result(benchmark=result().raw["benchmark"][1:])._repr_html_()
    assert "(grey)" in late
    assert late != whole


def test_of_ten_thousand_days_the_one_peak_is_drawn():
    values = [1.0] * 10_000
    values[5_432] = 2.0
    assert "2.0 " in sparkline(values).split('points="')[1]
    assert ",2.0 " in sparkline(values)
