"""Eleven years paint at once and pan smoothly; twenty-five years of two hundred symbols do not freeze the page."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.fakes.application import served
from tests.fakes.backtests import real_shaped_answer
from tests.fakes.studio_service import RUN_HASH, studio_of
from tests.studio.acting import expect_colours

WATCH_FOR_FREEZES = """
window.longestMilliseconds = 0;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  window.longestMilliseconds = Math.max(window.longestMilliseconds, now - last - 10);
  last = now;
}, 10);
"""
"""How long the page once did nothing else; a timer that should fire every 10 ms tells."""


def long_result(n_days: int, n_symbols: int, trades_every: int) -> dict[str, Any]:
    """Parts of an answer in which every symbol trades on each of so many days."""
    days = np.busday_offset(np.datetime64("2000-01-03"), np.arange(n_days), roll="forward")
    times = days.astype("datetime64[s]").astype(int).tolist()
    equity = (10_000 * np.cumprod(1 + np.random.default_rng(7).normal(0.0004, 0.01, n_days))).tolist()
    symbols = [f"S{number:03d}" for number in range(n_symbols)]
    trading = range(0, n_days, trades_every)
    orders = [
        {
            "timestamp": f"{days[day]}T00:00:00Z",
            "symbol": symbol,
            "action": "Buy" if (day // trades_every + place) % 2 == 0 else "Sell",
            "price": 10.0 + place + day * 0.01234567,
            "shares": 0.123456789 + place / 7,
            "fee": 0.0,
            "slippage_cost": 0.0012345,
        }
        for day in trading
        for place, symbol in enumerate(symbols)
    ]
    for number, order in enumerate(orders, start=1):
        order["id"] = str(number)
    return {
        "parameters": real_shaped_answer()["parameters"] | {"universe": symbols[:40], "name": "large"},
        "candles": [
            {"time": time, "open": value * 0.999, "high": value * 1.004, "low": value * 0.995, "close": value}
            for time, value in zip(times, equity, strict=True)
        ],
        "orders": orders,
        "holding_weights": [
            {"time": times[day], "weights": dict.fromkeys(symbols, 0.9 / n_symbols)} for day in trading
        ],
        "benchmark": [{"time": time, "value": value * 0.9} for time, value in zip(times, equity, strict=True)],
    }


@pytest.fixture(scope="module")
def eleven_years() -> Iterator[str]:
    """A service with 2,772 days and 600 orders on 600 days."""
    result = long_result(2_772, 1, 1)
    for number, order in enumerate(chosen := result["orders"][::4][:600]):
        order["action"] = "Sell" if number % 2 else "Buy"
    result["orders"] = chosen
    with served(studio_of(result)) as port:
        yield f"http://127.0.0.1:{port}/?run={RUN_HASH}"


@pytest.fixture(scope="module")
def quarter_of_a_century() -> Iterator[str]:
    """A service with 6,300 days and 1,260,000 orders."""
    with served(studio_of(long_result(6_300, 200, 1))) as port:
        yield f"http://127.0.0.1:{port}/?run={RUN_HASH}"


def test_eleven_years_with_600_marks_paint_within_a_second_of_their_arrival(eleven_years, open_page):
    page = open_page("about:blank")
    page.goto(eleven_years)
    expect(page.locator(".headlines")).to_be_visible()
    expect_colours(page, "--gain", "--buy", "--sell")
    milliseconds = page.evaluate("performance.getEntriesByName('studio-painted')[0].duration")
    assert milliseconds < 1_000, f"{milliseconds:.0f} ms"


def test_eleven_years_pan_smoothly(eleven_years, open_page):
    page = open_page(eleven_years)
    expect(page.locator(".headlines")).to_be_visible()
    page.get_by_role("button", name="5Y").click()
    frames = pan(page, moves=60)
    frames.sort()
    # On the two busy cores of a test machine, without a graphics card: nine of ten frames within a tenth of a second.
    assert len(frames) > 20
    assert frames[int(len(frames) * 0.9)] < 100, frames[-10:]


@pytest.mark.slow
def test_a_quarter_of_a_century_of_200_symbols_does_not_freeze_the_page(quarter_of_a_century, open_page):
    page = open_page("about:blank")
    page.add_init_script(WATCH_FOR_FREEZES)
    page.goto(quarter_of_a_century)
    expect(page.locator(".headlines")).to_be_visible()
    expect_colours(page, "--gain")
    assert page.evaluate("longestMilliseconds") < 1_500
    page.evaluate("window.longestMilliseconds = 0")
    page.get_by_role("tab", name="Orders (1,260,000)").click()
    page.get_by_role("columnheader", name="Value").get_by_role("button").click()
    expect(page.locator(".virtual-layer [role=row]").first).to_have_attribute("aria-rowindex", "2")
    page.get_by_role("searchbox", name="Symbol contains").fill("S19")
    expect(page.locator(".order-filter")).to_contain_text("63,000 orders")
    page.get_by_role("searchbox", name="Symbol contains").fill("")
    expect(page.locator(".order-filter")).to_contain_text("1,260,000 orders")
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
    assert page.evaluate("longestMilliseconds") < 500
    assert page.locator(".virtual-layer [role=row]").count() < 60


def pan(page: Page, moves: int) -> list[float]:
    """Drag the chart; milliseconds between the frames meanwhile."""
    page.evaluate(
        """() => {
          window.frames_ = [];
          let last = performance.now();
          const note = (now) => { frames_.push(now - last); last = now; requestAnimationFrame(note); };
          requestAnimationFrame(note);
        }"""
    )
    box = page.locator(".chart").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 150)
    page.mouse.down()
    for step in range(moves):
        page.mouse.move(box["x"] + 300 + 4 * step, box["y"] + 150)
    page.mouse.up()
    return page.evaluate("frames_")
