"""What the studio shows of shorts, exits, trades, plots, dated logs and ruin, and of results stored without them."""

import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.application import served
from tests.fakes.backtests import real_shaped_answer
from tests.fakes.studio_service import RUN_HASH, studio_of
from tests.studio.acting import answered, expect_colours, finished_run, result_of, run_hash
from tests.studio.conftest import OpenPage, opened_pages

LONG_SHORT = """\
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Hold, Strategy
from hqg_backtester import Protected, Weights


class LongShort(Strategy):
    universe = ["SPY", "BND", "GLD"]
    cadence = Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)

    def __init__(self):
        self.days = 0

    def on_data(self, data, portfolio):
        self.days += 1
        if self.days % 15 != 1:
            return Hold()
        side = 1 if self.days % 2 else -1
        weights = Weights({"SPY": 0.7 * side, "GLD": -0.5 * side, "BND": 0.2})
        return Protected(weights, stop_loss=0.02, take_profit=0.03)
"""


@pytest.fixture(scope="module")
def page(service: str, browser: Browser) -> Iterator[Page]:
    """A long-short run with exits by level, opened once."""
    run = finished_run(service, LONG_SHORT, end_date="2016-12-31", allow_short=True, max_gross=2)
    with opened_pages(browser) as open_page:
        opened = open_page(f"{service}?run={run}")
        result_of(opened)
        yield opened


@pytest.fixture(scope="module")
def answer(service: str, page: Page) -> dict[str, Any]:
    """What the API says of it."""
    sections = "include=trades,benchmark_metrics,periods&conventions=lean"
    return answered(f"{service}api/v1/runs/{run_hash(page)}/result?{sections}")


def test_exits_are_marked_by_their_reasons_in_the_chart_and_named_in_the_orders(page, answer):
    expect(page.get_by_role("list", name="Exits without a signal")).to_have_text("SL stop lossTP take profit")
    page.get_by_role("button", name="6M", exact=True).click()
    expect_colours(page, "--hue-4", "--hue-5")
    page.get_by_role("button", name="All", exact=True).click()
    order = next(order for order in answer["orders"] if order.get("reason") == "stop_loss")
    page.get_by_role("tab", name=re.compile("Orders")).click()
    side = page.locator(f"[data-order='{order['id']}'] [role=gridcell]").nth(3)
    expect(side).to_have_text(f"{order['action']} (stop loss)")


def test_trades_are_listed_and_sorted_and_a_chosen_one_is_shown_in_the_chart(page, answer):
    trades = answer["trades"]
    page.get_by_role("tab", name=f"Trades ({len(trades)})").click()
    panel = page.get_by_role("tabpanel", name="Trades")
    page.get_by_role("columnheader", name="Profit").get_by_role("button").click()
    place = min(range(len(trades)), key=lambda index: trades[index]["pnl"])
    worst = trades[place]
    row = panel.locator(".virtual-layer [role=row]").first
    expect(row).to_have_attribute("data-trade", str(place + 1))
    expect(row).to_contain_text(f"{worst['entry_time'][:10]} at {worst['entry_price']:,.2f}")
    expect(row).to_contain_text(worst["exit_reason"].replace("_", " "))
    panel.get_by_role("grid", name="Trades").focus()
    page.keyboard.press("Enter")
    expect(row).to_have_attribute("aria-selected", "true")
    text = f"{worst['symbol']} from {worst['entry_time'][:10]} to {worst['exit_time'][:10]}"
    expect(page.locator(".legend-order")).to_contain_text(text)
    expect(page).to_have_url(re.compile("range="))
    first, last = page.url.partition("range=")[2].split("..")
    assert first <= worst["entry_time"][:10] < worst["exit_time"][:10] <= last
    panel.get_by_label("Side").select_option("Short")
    expect(panel.locator(".order-filter")).to_contain_text(f"{sum(t['side'] == 'short' for t in trades)} trades")


def test_trades_can_be_downloaded(service, page):
    page.get_by_role("tab", name=re.compile("Trades")).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download trades.csv").click()
    address = f"{service}api/v1/runs/{run_hash(page)}/artifacts/trades.csv"
    with urllib.request.urlopen(address, timeout=30) as file:  # noqa: S310 - our own
        assert download.value.path().read_bytes() == file.read()


def test_the_benchmark_has_a_column_beside_the_metrics_and_the_years(page, answer):
    page.get_by_role("tab", name="Metrics").click()
    value = page.locator("[data-metric=annual_volatility] .metric-benchmark")
    expect(value).to_have_text(f"Benchmark: {answer['benchmark_metrics']['annual_volatility']:.2%}")
    page.get_by_text("As QuantConnect's LEAN defines them").click()
    lean = page.locator("dl.lean").first
    expect(lean).to_contain_text(f"{answer['metrics_lean']['sharpe_ratio']:.4f}".replace("-", "−"))
    page.get_by_role("tab", name="Months").click()
    total = answer["periods"]["benchmark_years"][0]["total"]
    year = page.get_by_role("region", name="Monthly returns").locator("tbody tr").first
    expect(year.locator(".total").last).to_have_text(f"{total:.1%}".replace("-", "−"))


def test_a_rolling_statistic_is_drawn_below_the_holdings_when_asked_for(page):
    height = page.locator(".chart").bounding_box()["height"]
    page.get_by_label("Rolling statistic").select_option("Volatility")
    expect(page.get_by_role("list", name="Plots")).to_contain_text(re.compile(r"Volatility, 63 days 0\.\d+"))
    assert page.locator(".chart").bounding_box()["height"] == height + 96
    page.get_by_label("Rolling statistic").select_option("Rolling: none")
    expect(page.get_by_role("list", name="Plots").get_by_role("listitem")).to_have_count(0)


def test_plots_dated_lines_and_a_ruin_are_shown(open_page: OpenPage):
    hostile = "<img src=x onerror=alert(1)>"
    days = [candle["time"] for candle in real_shaped_answer()["candles"]]
    result = {
        "plots": [
            {"name": hostile, "points": [[days[0], 190.0], [days[1], 210.5]]},
            {"name": "strength", "points": [[days[0], 0.1], [days[1], 0.25]]},
        ],
        "log_lines": [{"time": None, "line": "loading"}, {"time": days[1], "line": hostile}],
        "logs": ["loading", hostile],
        "ruin": {"date": "2015-01-05", "shortfall": 12.5},
        "warnings": ["The account was ruined on 2015-01-05: …", "another"],
        "trades": [],
    }
    with served(studio_of(result)) as port:
        page = open_page(f"http://127.0.0.1:{port}/?run={RUN_HASH}")
        expect(page.locator(".ruin-banner")).to_contain_text("At the close of 2015-01-05 equity was −12.50.")
        expect(page.locator(".warnings li")).to_have_text(["another"])
        expect(page.get_by_role("list", name="Exits without a signal")).to_have_text("R ruin")
        legend = page.get_by_role("list", name="Plots").get_by_role("listitem")
        expect(legend).to_have_text([f"{hostile} 211", "strength 0.2500"])
        expect_colours(page, "--hue-1", "--hue-2")
        page.get_by_role("tab", name="Log (2)").click()
        expect(page.locator(".log-lines li")).to_have_text(["loading", f"2015-01-05{hostile}"])
        page.get_by_role("tab", name="Trades").click()
        expect(page.locator("#panel-trades .order-filter")).to_contain_text("0 trades")


def test_a_result_stored_before_trades_were_recorded_says_so(open_page: OpenPage):
    with served(studio_of({"trades": None, "log_lines": [], "logs": ["line"]})) as port:
        page = open_page(f"http://127.0.0.1:{port}/?run={RUN_HASH}&tab=trades")
        expect(page.locator("#panel-trades")).to_contain_text("stored before trades were recorded")
        expect(page.get_by_label("Rolling statistic")).to_be_hidden()
        expect(page.get_by_role("list", name="Plots").get_by_role("listitem")).to_have_count(0)
        page.get_by_role("tab", name="Log (1)").click()
        expect(page.locator(".log-lines li")).to_have_text(["line"])
