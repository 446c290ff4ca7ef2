"""What a person does with the chart: ranges, marks, the benchmark, colours, labels."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.application import wait_until
from tests.studio.acting import answered, colours_in_chart, expect_colours, finished_run, result_of
from tests.studio.strategies import TREND

LEFT_EDGE = """() => {
  const probe = document.body.appendChild(document.createElement("span"));
  probe.style.color = "var(--ink-soft)";
  const ink = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  // The scale of time is the lowest canvas.
  const canvases = [...document.querySelectorAll(".chart canvas")].filter(({ width, height }) => width && height);
  const low = Math.max(...canvases.map((canvas) => canvas.getBoundingClientRect().top));
  const axis = canvases.filter((canvas) => canvas.getBoundingClientRect().top === low && canvas.width > 200);
  return axis.map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, 1, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] > 100 && ink.every((part, place) => Math.abs(part - data[at + place]) < 60)) count += 1;
    }
    return count;
  }).reduce((sum, count) => sum + count, 0);
}"""
"""How many pixels of writing touch the left edge below the chart: of a label that is cut off, some do."""


@pytest.fixture(scope="module")
def run(service: str) -> str:
    """Eight years of many orders."""
    return finished_run(service, TREND, start_date="2008-01-01", end_date="2015-12-31", parameters={"days": 3})


@pytest.fixture
def page(service: str, run: str, open_page) -> Page:
    opened = open_page(f"{service}?run={run}")
    result_of(opened)
    return opened


def pressed(page: Page) -> list[str]:
    return page.locator(".ranges [aria-pressed=true]").all_inner_texts()


def test_the_button_of_the_shown_range_is_pressed(page):
    ranges = page.get_by_role("group", name="Range")
    assert pressed(page) == ["All"]
    for name in ("1M", "6M", "1Y", "5Y", "All"):
        ranges.get_by_role("button", name=name, exact=True).click()
        expect(ranges.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
        assert pressed(page) == [name]
    ranges.get_by_role("button", name="1Y", exact=True).click()
    page.locator(".chart").press("ArrowLeft")
    expect(page.locator(".ranges [aria-pressed=true]")).to_have_count(0)
    page.locator(".chart").press("Home")
    expect(ranges.get_by_role("button", name="All")).to_have_attribute("aria-pressed", "true")


def test_ranges_as_long_as_the_run_are_not_offered(service, open_page):
    page = open_page(f"{service}?run={finished_run(service, TREND)}")
    result_of(page)
    expect(page.locator(".ranges button:visible")).to_have_text(["1M", "6M", "All"])


def test_a_shared_range_presses_its_button_again(page, open_page):
    page.get_by_role("button", name="6M", exact=True).click()
    expect(page).to_have_url(re.compile("range="))
    other = open_page(page.url)
    result_of(other)
    expect(other.get_by_role("button", name="6M", exact=True)).to_have_attribute("aria-pressed", "true")


def test_order_marks_are_hidden_and_shown_by_a_switch(page):
    expect_colours(page, "--buy", "--sell", least=5)
    page.get_by_label("Order marks").uncheck()
    wait_until(lambda: colours_in_chart(page, "--buy", "--sell") == {"--buy": 0, "--sell": 0}, seconds=60)
    # An order that is selected is shown all the same.
    page.get_by_role("tab", name=re.compile("Orders")).click()
    page.locator("[data-order='3']").click()
    expect(page.locator(".legend-order")).to_be_visible()
    expect_colours(page, "--focus", least=5)
    page.get_by_label("Order marks").check()
    expect_colours(page, "--buy", "--sell", least=5)


def test_the_benchmark_starts_where_the_equity_starts_in_the_shown_range(service, page, run):
    result = answered(f"{service}api/v1/runs/{run}/result")
    closes = [candle["close"] for candle in result["candles"]]
    benchmark = [point["value"] for point in result["benchmark"]]
    days = [datetime.fromtimestamp(candle["time"], UTC).date().isoformat() for candle in result["candles"]]
    value = page.locator(".legend strong.benchmark")
    expect(value).to_have_text(f"{benchmark[-1]:,.2f}")
    page.get_by_role("button", name="1Y", exact=True).click()
    expect(page).to_have_url(re.compile("range="))
    before = days.index(page.url.partition("range=")[2][:10]) - 1
    expect(value).to_have_text(f"{benchmark[-1] * closes[before] / benchmark[before]:,.2f}")
    expect(page.locator(".legend")).to_contain_text("SPY, rebased")
    page.get_by_role("button", name="All", exact=True).click()
    expect(value).to_have_text(f"{benchmark[-1]:,.2f}")
    expect(page.locator(".legend")).not_to_contain_text("rebased")


@pytest.mark.parametrize("name", ["All", "1Y", "1M"])
def test_no_label_of_the_time_axis_is_cut_off_at_its_edge(page, name):
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
    colours_in_chart(page, "--gain")  # two frames later it is drawn
    assert page.evaluate(LEFT_EDGE) == 0


def test_a_symbol_keeps_its_colour_whatever_else_is_held(service, page, open_page):
    other = finished_run(service, TREND.replace("SPY", "TLT"), universe=["BND", "TLT"], name="another")
    beside = open_page(f"{service}?run={other}")
    result_of(beside)
    colour = "element => getComputedStyle(element, '::before').backgroundColor"

    def of_legend(opened: Page, symbol: str) -> str:
        return opened.locator(".holdings-legend li", has_text=symbol).evaluate(colour)

    assert of_legend(page, "BND") == of_legend(beside, "BND") != of_legend(page, "SPY")
    for opened in (page, beside):
        opened.get_by_role("tab", name=re.compile("Orders")).click()
        row = opened.locator("#panel-orders .virtual-layer [role=row]", has_text="BND").first
        swatch = row.locator(".swatch").evaluate("element => getComputedStyle(element).backgroundColor")
        assert swatch == of_legend(opened, "BND")
