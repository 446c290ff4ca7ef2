"""Every figure and day on the page is the answer's own, in every time zone and language of the browser."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.studio.acting import answered, finished_run, result_of
from tests.studio.figures import day, figure, percent

CHURNING = """\
from hqg_algorithms import BarSize, Cadence, Strategy, TargetWeights


class Churning(Strategy):
    universe = ["SPY", "TLT"]
    cadence = Cadence(bar_size=BarSize.DAILY)

    def __init__(self):
        self.days = 0

    def on_data(self, data, portfolio):
        self.days += 1
        return TargetWeights({self.universe[self.days % 2]: 0.9})
"""
"""Pays a fee every day until little is left."""

READERS = [("Pacific/Auckland", "de-DE"), ("America/Los_Angeles", "en-US")]


def shown(metric: dict[str, Any], value: float | None) -> str:
    """A metric as the page writes it."""
    if value is None:
        return "–"
    match metric["unit"]:
        case "fraction":
            return percent(value)
        case "days":
            return f"{figure(value, 0)} days"
        case "count":
            return figure(value, 0)
        case "basis points":
            return f"{figure(value, 1)} bps"
    return figure(value, 1 if abs(value) >= 100 else 2)


@pytest.fixture(scope="module")
def losing(service: str) -> str:
    """A run that loses nearly everything to its fees."""
    return finished_run(service, CHURNING, start_date="2012-01-01", end_date="2016-12-30", commission=5.0)


@pytest.fixture(params=READERS, ids=lambda reader: reader[0])
def page(request: pytest.FixtureRequest, service: str, losing: str, open_page) -> Page:
    """The losing run before a reader far away."""
    time_zone, locale = request.param
    opened = open_page(f"{service}?run={losing}", timezone_id=time_zone, locale=locale)
    result_of(opened)
    return opened


def test_every_figure_and_day_of_a_losing_run_is_the_answers(page, service, losing):
    result = answered(f"{service}api/v1/runs/{losing}/result")
    metrics, candles = result["metrics"], result["candles"]
    assert metrics["total_return"] < -0.5
    for metric in answered(f"{service}studio/catalogue.json"):
        cell = page.locator(f'[data-metric="{metric["name"]}"] .metric-value')
        expect(cell, metric["name"]).to_have_text(shown(metric, metrics[metric["name"]]))
    tiles = page.locator(".headline")
    expect(tiles.first.locator(".headline-value")).to_have_text(percent(metrics["total_return"]))
    expect(tiles.first.locator(".headline-value")).to_have_class(re.compile("loss"))
    growth = result["benchmark"][-1]["value"] / result["parameters"]["starting_equity"] - 1
    sign = "+" if growth > 0 else ""
    expect(tiles.first.locator(".headline-note")).to_have_text(f"SPY {sign}{percent(growth)}")
    costs = result["equity_stats"]["fees"] + result["equity_stats"]["slippage_cost"]
    expect(tiles.last.locator(".headline-note")).to_have_text(f"costs {figure(costs, 0)}")
    expect(page.locator(".legend-day")).to_have_text(day(candles[-1]["time"]))
    expect(page.locator(".legend")).to_contain_text(f"Equity {figure(candles[-1]['close'], 2)}")
    check_days(page, service, losing, result)


def check_days(page: Page, service: str, losing: str, result: dict[str, Any]) -> None:
    """The same days for all readers."""
    equity = result["parameters"]["starting_equity"]
    page.get_by_role("tab", name="Months").click()
    totals = {day(candle["time"])[:4]: candle["close"] for candle in result["candles"]}
    rows = page.locator(".heat tbody tr").all()
    for row, (year, close) in zip(rows, totals.items(), strict=True):
        expect(row.locator("th")).to_have_text(year)
        expect(row.locator(".total").first).to_have_text(percent(close / equity - 1, 1))
        equity = close
    page.get_by_role("tab", name="Drawdowns").click()
    lowest = min(result["candles"], key=lambda candle: candle["close"])
    expect(page.get_by_role("region", name="Worst drawdowns").locator("tbody tr").first).to_contain_text(
        day(lowest["time"])
    )
    page.get_by_role("tab", name=re.compile("Orders")).click()
    for order in result["orders"][:8]:
        cells = page.locator(f'[data-order="{order["id"]}"] > *')
        value = figure(order["price"] * order["shares"], 2)
        wanted = [order["id"], order["timestamp"][:10], order["symbol"], order["action"], figure(order["shares"], 4)]
        wanted += [figure(order["price"], 2), value, figure(order["fee"], 2), figure(order["slippage_cost"], 2)]
        expect(cells).to_have_text(wanted)
    page.get_by_role("tab", name="Inputs").click()
    submitted = answered(f"{service}api/v1/runs/{losing}")["submitted_at"]
    expected = datetime.fromisoformat(submitted).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    expect(page.get_by_role("region", name="Provenance")).to_contain_text(expected)
