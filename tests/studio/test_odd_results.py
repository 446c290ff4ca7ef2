"""Results at the edges of their shape: nothing traded, no benchmark, one day, hostile words, words without end."""

import contextlib
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.fakes.application import served
from tests.fakes.backtests import real_shaped_answer
from tests.fakes.studio_service import RUN_HASH, studio_of

HOSTILE = "</script><img src=x onerror=\"document.title='taken'\"><b>bold</b>"
Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """serve(**parts of the result): the address of a page that shows it."""
    with contextlib.ExitStack() as stack:
        yield lambda **result: f"http://127.0.0.1:{stack.enter_context(served(studio_of(result)))}/?run={RUN_HASH}"


def test_a_run_that_never_traded_and_had_no_benchmark_is_shown(serve, open_page):
    page = open_page(serve(orders=[], holding_weights=[], benchmark=None))
    expect(page.locator(".headlines")).to_contain_text("no benchmark")
    page.get_by_role("tab", name="Orders").click()
    expect(page.locator("#panel-orders .order-filter")).to_contain_text("0 orders")
    page.get_by_role("grid", name="Orders").focus()
    for key in ("ArrowDown", "End", "Enter"):
        page.keyboard.press(key)
    page.get_by_role("tab", name="Drawdowns").click()
    expect(page.get_by_text("Equity never closed below an earlier close.")).to_be_visible()
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_text("The strategy printed nothing.")).to_be_visible()


def test_a_run_of_one_day_is_shown(serve, open_page):
    answer = real_shaped_answer()
    page = open_page(serve(candles=answer["candles"][:1], benchmark=answer["benchmark"][:1], orders=[]))
    expect(page.locator(".headlines")).to_be_visible()
    page.get_by_role("button", name="All", exact=True).click()
    page.locator(".chart").focus()
    for key in ("+", "-", "ArrowLeft", "Home"):
        page.keyboard.press(key)
    page.get_by_role("tab", name="Months").click()
    expect(page.locator(".heat tbody tr")).to_have_count(1)


def test_words_of_a_run_are_text_wherever_they_stand(serve, open_page):
    answer = real_shaped_answer()
    order = answer["orders"][0] | {"symbol": HOSTILE}
    page = open_page(
        serve(
            parameters=answer["parameters"]
            | {"name": HOSTILE, "universe": [HOSTILE], "parameters": {HOSTILE: HOSTILE}},
            orders=[order],
            holding_weights=[{"time": answer["candles"][1]["time"], "weights": {HOSTILE: 1.0}}],
            logs=[HOSTILE] * 3,
            warnings=[HOSTILE] * 5,
            metrics=answer["metrics"] | {"undefined": {"sharpe_ratio": HOSTILE}},
        )
    )
    expect(page.locator(".headlines")).to_be_visible()
    for tab in page.get_by_role("tab").all():
        tab.click()
    assert page.locator("main img, main b").count() == 0
    # The title has the name as a name: no script of it ran.
    assert page.title() == f"{HOSTILE} · HQG Backtester"
    expect(page.locator(".warnings li").first).to_have_text(HOSTILE)


def test_very_many_warnings_and_lines_stay_readable(serve, open_page):
    page = open_page(serve(warnings=[f"warning {n}" for n in range(1_000)], logs=[f"line {n}" for n in range(50_000)]))
    expect(page.locator(".warnings")).to_contain_text("998 more")
    expect(page.locator(".warnings li:visible")).to_have_count(2)
    page.get_by_role("tab", name="Log (50,000)").click()
    expect(page.locator(".log-lines li")).to_have_count(2_000)
    expect(page.get_by_text("48,000 more lines are in result.json.")).to_be_visible()


def test_candles_out_of_order_are_refused_rather_than_drawn(serve, open_page):
    page = open_page(serve(candles=real_shaped_answer()["candles"][::-1]))
    expect(page.get_by_role("alert")).to_contain_text("candles are not in the order of time")


REAL = {"data_source": "files", "is_synthetic": False}
MADE_UP = {"data_source": "mine", "is_synthetic": True}
BEFORE_IT_WAS_SAID = {"data_source": "mock", "is_synthetic": None}


@pytest.mark.parametrize(
    ("source", "n_banners", "fetched"),
    [(REAL, 0, "–"), (MADE_UP, 1, "synthetic"), (BEFORE_IT_WAS_SAID, 1, "synthetic")],
)
def test_made_up_prices_have_a_banner_and_real_ones_have_none(serve, open_page, source, n_banners, fetched):
    origin = {"symbol": "SPY", "first_day": "2015-01-02", "last_day": "2015-01-08", "rows": 5, "fetched_at": None}
    provenance = real_shaped_answer()["provenance"] | source | {"data": [origin]}
    page = open_page(serve(provenance=provenance, warnings=["look here"]))
    expect(page.locator(".warnings")).to_contain_text("look here")
    expect(page.locator(".synthetic-banner")).to_have_count(n_banners)
    page.get_by_role("tab", name="Inputs").click()
    expect(page.get_by_role("region", name="Prices by symbol").get_by_role("cell").last).to_have_text(fetched)


def test_a_run_that_is_not_there_is_said_not_to_be_there(serve, open_page):
    address = serve().replace(RUN_HASH, "0" * 64)
    page = open_page(address, allowed=["404 (Not Found)"])
    expect(page.get_by_role("alert")).to_contain_text("There is no such run.")
