"""The report and the studio show one run in the same words, in the same order, with the same digits."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.studio.acting import finished_run, result_of
from tests.studio.conftest import opened_pages
from tests.studio.strategies import TREND

TEXTS = """(rows, [row, ...cells]) => rows.map((element) => cells.map((cell) => {
  const found = [...element.querySelectorAll(cell)];
  // The label alone: what explains it stands in an element of its own.
  const text = (node) => node.matches("th, td") && node.children.length && node.firstChild.nodeType === 3
    ? node.firstChild.textContent : node.textContent;
  // What only a screen reader says is left out.
  const hidden = (node) => [...node.querySelectorAll(".visually-hidden")].map(({ textContent }) => textContent);
  return found.map((node) => hidden(node).reduce((all, part) => all.replace(part, ""), text(node)).trim()).join(" | ");
}))"""

ORDERS = "section:has(> h2:text-is('Orders')) .orders"
"""The report's table of orders."""

COSTS: dict[str, Any] = {
    "commission": {"model": "per_share", "amount": 0.005, "minimum": 1.5},
    "slippage": 0.00025,
    "risk_free_rate": 0.01,
    "parameters": {"days": 5, "words": ["é", 0.1]},
    "seed": 3,
}
PLAIN: dict[str, Any] = {"benchmark": None, "end_date": "2015-03-31"}


def texts(page: Page, rows: str, *cells: str) -> list[list[str]]:
    """What stands in the cells of each row."""
    return page.locator(rows).evaluate_all(TEXTS, [rows, *cells])


@pytest.fixture(scope="module", params=[COSTS, PLAIN], ids=["costs", "short and plain"])
def pages(request: pytest.FixtureRequest, service: str, browser: Browser) -> Iterator[tuple[Page, Page]]:
    """One run in the studio, and its report."""
    run = finished_run(service, TREND, start_date="2013-06-03", **{"end_date": "2016-02-29"} | request.param)
    with opened_pages(browser) as open_page:
        studio = open_page(f"{service}?run={run}")
        result_of(studio)
        yield studio, open_page(f"{service}api/v1/runs/{run}/artifacts/report.html")


def test_title_and_headline_numbers_are_the_same(pages):
    studio, report = pages
    assert report.locator("h1").inner_text() == "Trend"
    expect(studio.locator(".result h2").first).to_have_text(re.compile("^Trend succeeded$"))
    in_studio = texts(studio, ".headline", "dt", ".headline-value", ".headline-note")
    assert len(in_studio) == 6
    assert texts(report, ".cards div", "dt", "dd:not(.note)", "dd.note") == in_studio


def test_parts_come_in_the_same_order(pages):
    studio, report = pages
    tabs = [re.sub(r" \([\d,]+\)", "", text) for text in studio.get_by_role("tab").all_inner_texts()]
    tabs.remove("Trades")  # the report has none
    assert tabs == ["Metrics", "Months", "Drawdowns", "Orders", "Log", "Inputs"]
    headings = report.locator("main > section > h2").all_inner_texts()
    assert [heading for heading in headings if heading in tabs] == tabs


def test_every_metric_month_and_drawdown_has_the_same_words_and_digits(pages):
    studio, report = pages
    assert texts(report, ".groups section", "h3") == texts(studio, ".metric-group", "h3")
    metrics = texts(studio, ".metric", "dt", ".metric-value, .metric-benchmark")
    assert len(metrics) > 30
    assert texts(report, ".metrics tbody tr", "th", "td") == metrics
    reasons = texts(studio, ".metric-reason", "*, :scope") or []
    assert len(reasons) == report.locator(".metrics td .note").count()
    assert texts(report, ".heat tr", "th", "td") == texts(studio, ".heat tr", "th", "td")
    in_report = texts(report, "section:has(> h2:text-is('Drawdowns')) tr", "th, td")
    in_studio = texts(studio, "[aria-label='Worst drawdowns'] tr", "th, td:not(:last-child)")
    assert len(in_studio) > 2
    assert in_report == in_studio


def test_orders_and_inputs_have_the_same_words_and_digits(pages):
    studio, report = pages
    studio.get_by_role("tab", name=re.compile("Orders")).click()
    heads = [
        text.rstrip("↑ \n")
        for text in studio.locator("#panel-orders .order-head [role=columnheader]").all_inner_texts()
    ]
    assert report.locator(f"{ORDERS} thead th").all_inner_texts() == heads
    expect(studio.locator("[data-order='8']")).to_be_visible()
    shown = texts(studio, "#panel-orders .virtual-layer [role=row]", "[role=gridcell]")[:8]
    assert texts(report, f"{ORDERS} tbody tr", "th, td")[:8] == shown
    studio.get_by_role("tab", name="Inputs").click()
    names, values = "[aria-label='{}'] dt", "[aria-label='{}'] dd"
    for part, place in (("Settings", 0), ("Provenance", 1)):
        labels = studio.locator(names.format(part)).all_inner_texts()
        facts = dict(zip(labels, studio.locator(values.format(part)).all_inner_texts(), strict=True))
        facts.pop("Submitted", None)
        table = report.locator(".pairs").nth(place)
        told = dict(zip(table.locator("th").all_inner_texts(), table.locator("td").all_inner_texts(), strict=True))
        assert list(told.items()) == list(facts.items())
    prices = texts(studio, "[aria-label='Prices by symbol'] tr", "th, td")
    assert texts(report, "section:has(> h2:text-is('Inputs')) .compact tr", "th, td") == prices
