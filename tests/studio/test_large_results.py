"""Eleven years are painted and can be dragged; twenty-five years of two hundred symbols are all there. How fast:
bench/studio.py."""

import math
import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from bench.long_results import eleven_years, long_result
from tests.fakes.application import served, wait_until
from tests.fakes.studio_service import RUN_HASH, studio_of
from tests.studio.acting import expect_colours

DRAGGED_PIXELS = 240
MARGIN_PIXELS = 32
"""Left of the first day in sight, so that its label is whole."""


@pytest.fixture(scope="module")
def with_600_orders() -> Iterator[str]:
    """The page on 2,772 days with 600 orders."""
    with served(studio_of(eleven_years())) as port:
        yield f"http://127.0.0.1:{port}/?run={RUN_HASH}"


@pytest.fixture(scope="module")
def with_a_million_orders() -> Iterator[str]:
    """The page on 6,300 days with 1,260,000 orders."""
    with served(studio_of(long_result(6_300, 200))) as port:
        yield f"http://127.0.0.1:{port}/?run={RUN_HASH}"


def test_eleven_years_and_600_marks_are_painted(with_600_orders, open_page):
    page = open_page(with_600_orders)
    expect(page.locator(".headlines")).to_be_visible()
    expect(page.locator(".chart")).to_have_attribute("aria-label", re.compile(r" Orders on 600 days\.$"))
    expect_colours(page, "--gain", "--loss", "--buy", "--sell")


def test_a_dragged_chart_follows_the_hand_and_comes_back_with_it(with_600_orders, open_page):
    page = open_page(with_600_orders)
    expect(page.locator(".headlines")).to_be_visible()
    page.get_by_role("button", name="5Y").click()
    wait_until(lambda: "range=" in address(page), seconds=60)
    first, last = days_in_sight(page)
    n_days = round(DRAGGED_PIXELS * (last - first) / (width_pixels(page) - MARGIN_PIXELS))
    assert n_days > 100
    drag(page, DRAGGED_PIXELS)
    wait_until(lambda: is_near(days_in_sight(page), (first - n_days, last - n_days)), seconds=60)
    expect_colours(page, "--gain", "--loss", "--buy", "--sell")
    drag(page, -DRAGGED_PIXELS)
    wait_until(lambda: is_near(days_in_sight(page), (first, last)), seconds=60)


@pytest.mark.slow
def test_more_than_a_million_orders_are_listed_sorted_and_filtered_in_few_rows(with_a_million_orders, open_page):
    page = open_page(with_a_million_orders)
    expect(page.locator(".headlines")).to_be_visible()
    expect_colours(page, "--gain")
    page.get_by_role("tab", name="Orders (1,260,000)").click()
    first = page.locator('#panel-orders .virtual-layer [aria-rowindex="2"]')
    # The cheapest symbol on the first day, and the dearest one on the last.
    for place in ("1", "1260000"):
        page.get_by_role("columnheader", name="Value").get_by_role("button").click()
        expect(first).to_have_attribute("data-order", place)
    page.get_by_role("searchbox", name="Symbol contains").fill("S19")
    expect(page.locator("#panel-orders .order-filter")).to_contain_text("63,000 orders")
    page.get_by_role("searchbox", name="Symbol contains").fill("")
    expect(page.locator("#panel-orders .order-filter")).to_contain_text("1,260,000 orders")
    page.get_by_role("columnheader", name="#").get_by_role("button").click()
    grid = page.get_by_role("grid", name="Orders")
    grid.focus()
    page.keyboard.press("End")
    expect(page.locator('[data-order="1260000"]')).to_be_visible()
    # Where one pixel of the bar is many rows, the wheel still moves by rows.
    grid.hover()
    page.mouse.wheel(0, -28 * 30)
    expect(page.locator('[data-order="1260000"]')).to_have_count(0)
    expect(page.locator('[data-order="1259960"]')).to_have_count(1)
    assert page.locator("#panel-orders .virtual-layer [role=row]").count() < 60


def drag(page: Page, pixels: int) -> None:
    """Drag the chart to the right, or to the left, as a hand does: in steps."""
    box = page.locator(".chart").bounding_box()
    x, y = box["x"] + 350, box["y"] + 150
    page.mouse.move(x, y)
    page.mouse.down()
    # A hand that trembles does not drag: it begins where it is seen to go on after it has moved a little.
    for step in (10, 1):
        x += math.copysign(step, pixels)
        page.mouse.move(x, y)
        page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
    page.mouse.move(x + pixels, y, steps=60)
    page.mouse.up()


def address(page: Page) -> str:
    """As it is now: what Playwright was told of last may be older."""
    return page.evaluate("location.href")


def days_in_sight(page: Page) -> tuple[int, int]:
    """The first and the last one, counted in working days from the first of all, as the page's address says."""
    days = address(page).partition("range=")[2].partition("&")[0].split("..")
    return tuple(int(np.busday_count("2000-01-03", day)) for day in days)


def is_near(days: tuple[int, int], wanted: tuple[int, int]) -> bool:
    """The same but for rounding."""
    return all(abs(day - other) <= 5 for day, other in zip(days, wanted, strict=True))


def width_pixels(page: Page) -> int:
    """Of the part of the chart that the days share."""
    return page.evaluate(
        "Math.max(...Array.from(document.querySelectorAll('.chart canvas'), (canvas) => canvas.clientWidth))"
    )
