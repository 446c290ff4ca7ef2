"""What people expect of any page: keys, menus, a layout for phones, and nothing lost on the way."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from src.models.request import BacktestRequest
from tests.studio.acting import (
    EDITOR,
    answered,
    expect_colours,
    finished_run,
    result_of,
    run,
    run_code,
    run_hash,
    set_window,
    write,
)
from tests.studio.conftest import NARROW
from tests.studio.figures import day, percent
from tests.studio.strategies import ENDLESS, FAILING, TREND

UNKNOWN_SYMBOL = TREND.replace("TargetWeights({wanted: 1.0})", 'TargetWeights({"SPYY": 1.0})')
"""Line 21 names a symbol that the universe does not have."""


@pytest.fixture
def menu(service: str, open_page) -> Locator:
    """The open menu of downloads."""
    page = open_page(f"{service}?run={finished_run(service, TREND)}")
    result_of(page)
    page.get_by_text("Download", exact=True).click()
    expect(page.locator(".menu-items")).to_be_visible()
    return page.locator("details.menu")


def test_escape_closes_a_menu_and_the_keyboard_is_where_it_opened(menu):
    menu.get_by_role("link", name="Report").focus()
    menu.page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()


def test_a_click_elsewhere_closes_a_menu_and_one_inside_does_not(menu):
    menu.locator(".menu-items").click(position={"x": 3, "y": 3})
    expect(menu).to_have_attribute("open", "")
    menu.page.get_by_role("heading", name="Strategy").click()
    expect(menu).not_to_have_attribute("open", "")


def test_a_menu_closes_when_the_keyboard_moves_on(menu):
    menu.get_by_role("link", name="Bundle").focus()
    menu.page.keyboard.press("Tab")
    expect(menu).not_to_have_attribute("open", "")


FIELDS = ("Name", "Benchmark", "Capital", "From", "To", "Commission model", "Slippage model", "fee per order")


def test_control_and_enter_run_from_every_field(service, open_page):
    page = open_page(service)
    posted = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    set_window(page, "2015-01-01", "2015-03-31")
    page.locator("details.more summary").click()
    fields = (*FIELDS, "Parameters", "Seed", "Start from")
    for field in fields:
        with page.expect_response(lambda answer: "/result?" in answer.url):
            page.get_by_label(re.compile(f"^{field}")).first.press("ControlOrMeta+Enter")
        result_of(page)
    assert len([url for url in posted if url.endswith("/runs")]) == len(fields)


def is_in_sight(page: Page, part: Locator) -> bool:
    box = part.bounding_box()
    return box is not None and 0 <= box["y"] < page.viewport_size["height"] / 2


@pytest.mark.parametrize("how", ["succeeded", "failed"])
def test_a_link_opened_on_a_phone_shows_the_result_first(service, open_page, how):
    code = TREND if how == "succeeded" else FAILING
    run_on_desk = open_page(service)
    write(run_on_desk, code)
    set_window(run_on_desk, "2015-01-01", "2015-12-31")
    run(run_on_desk)
    expect(run_on_desk.locator(".result .chip")).to_have_text(how)
    page = open_page(run_on_desk.url, viewport=NARROW)
    expect(page.locator(".result .chip")).to_have_text(how)
    # The editor underlines, too, which must not take the page there.
    expect(page.locator("#reading")).to_contain_text("Ready" if how == "succeeded" else "line 15")
    page.wait_for_timeout(300)
    assert is_in_sight(page, page.locator(".result h2").first)


def test_a_cancelled_run_keeps_what_was_seen(service, open_page):
    page = open_page(service)
    run_code(page, ENDLESS + "# kept\n", "2010-01-01", "2019-12-31")
    lines = page.locator(".log-lines li")
    expect(lines.nth(3)).to_be_visible()
    expect_colours(page, "--accent")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".result .chip")).to_have_text("cancelled")
    check_seen(page)
    # So it is for people who open it later.
    page.reload()
    expect(page.locator(".result .chip")).to_have_text("cancelled")
    check_seen(page)


def check_seen(page: Page) -> None:
    expect(page.locator(".log-lines li").nth(3)).to_have_text("day 4")
    expect(page.locator(".legend")).to_have_text("Equity until the run ended, not audited")
    expect_colours(page, "--accent")
    expect(page.get_by_role("alert")).to_contain_text("It had reached 20")


def test_a_run_that_fails_on_its_way_keeps_its_equity(service, open_page):
    page = open_page(service)
    run_code(
        page, ENDLESS.replace('print("day", self.days)', "print(1 / (60 - self.days))"), "2010-01-01", "2019-12-31"
    )
    expect(page.locator(".result .chip")).to_have_text("failed")
    expect(page.get_by_role("alert")).to_contain_text("ZeroDivisionError")
    expect_colours(page, "--accent")


def test_a_run_posted_under_a_new_name_is_called_so_everywhere(service, open_page):
    page = open_page(service)
    write(page, TREND + "# to be renamed\n")
    page.get_by_label("Name", exact=True).fill("")
    set_window(page, "2015-01-01", "2015-12-31")
    run(page)
    title = page.locator(".result h2").first
    # Without a name it is called after its class.
    expect(title).to_have_text("Trend succeeded")
    expect(page.get_by_label("Name", exact=True)).to_have_value("")
    first = run_hash(page)
    page.get_by_label("Name", exact=True).fill("second thoughts")
    run(page)
    expect(title).to_contain_text("second thoughts")
    expect(page.locator(".note-line")).to_contain_text("already exists")
    assert run_hash(page) == first
    assert page.title() == "second thoughts · HQG Backtester"
    page.get_by_role("link", name="Past runs").click()
    page.get_by_role("searchbox", name="Name contains").fill("second thoughts")
    expect(page.locator(".run-table tbody tr")).to_have_count(1)
    other = open_page(f"{service}?run={first}")
    result_of(other)
    expect(other.locator(".result h2").first).to_contain_text("second thoughts")
    expect(other.get_by_label("Name", exact=True)).to_have_value("second thoughts")


def test_a_wrong_symbol_in_target_weights_is_underlined_where_it_is(service, open_page):
    page = open_page(service)
    run_code(page, UNKNOWN_SYMBOL)
    place = "'SPYY' is not in the universe (SPY, BND) (line 21, on_data, 2015-01-02)"
    expect(page.get_by_role("alert")).to_contain_text(place)
    expect(page.locator(".cm-lintRange-error")).to_have_text('return TargetWeights({"SPYY": 1.0})')
    page.locator("#reading").get_by_role("button", name="line 21").click()
    expect(page.get_by_role("textbox", name=EDITOR)).to_be_focused()


def test_runs_of_different_windows_are_compared_over_shared_days_and_it_is_said(service, open_page):
    long = finished_run(service, TREND, start_date="2012-01-01", end_date="2015-12-31", name="long")
    short = finished_run(service, TREND, start_date="2014-01-01", end_date="2014-12-31", name="short")
    page = open_page(f"{service}?compare={long},{short}")
    note = page.get_by_role("region", name="Different windows")
    days = [row["date"] for row in rows_of(service, short)]
    expect(note).to_contain_text(f"the days they share, {days[0]} to {days[-1]}")
    growth = {run: growth_between(rows_of(service, run), days[0], days[-1]) for run in (long, short)}
    row = page.get_by_role("row", name=re.compile("^Total return, shared days"))
    expect(row.locator("td").nth(0)).to_have_text(percent(growth[long]))
    expect(row.locator("td").nth(1)).to_have_text(percent(growth[short]))
    seeded = finished_run(service, TREND, start_date="2012-01-01", end_date="2015-12-31", seed=1)
    same = open_page(f"{service}?compare={long},{seeded}")
    expect(same.get_by_role("region", name="Metrics side by side")).to_be_visible()
    expect(same.get_by_role("region", name="Different windows")).to_have_count(0)


def rows_of(service: str, run: str) -> list[dict[str, float | str]]:
    result = answered(f"{service}api/v1/runs/{run}/result")
    days = [day(candle["time"]) for candle in result["candles"]]
    return [{"date": day, "close": candle["close"]} for day, candle in zip(days, result["candles"], strict=True)]


def growth_between(rows: list[dict], first: str, last: str) -> float:
    """Over the days from first to last, from the close before."""
    closes = [10_000.0, *(row["close"] for row in rows)]
    days = [row["date"] for row in rows]
    return closes[days.index(last) + 1] / closes[days.index(first)] - 1


def test_every_setting_of_a_request_is_in_the_form_and_comes_back_into_it(service, open_page):
    page = open_page(service)
    write(page, TREND + "# with all settings\n")
    set_window(page, "2015-01-01", "2015-12-31")
    page.locator("details.more summary").click()
    page.get_by_label("Delisting return").fill("-0.3")
    page.get_by_label("Minimum trade").fill("2.5")
    page.get_by_label("Risk-free rate per year").fill("0.01")
    page.get_by_label("Short positions").select_option("allowed")
    page.get_by_label("Gross exposure at most").fill("1.5")
    page.get_by_label("Borrow rate per year").fill("")
    run(page)
    result_of(page)
    sent = answered(f"{service}api/v1/runs/{run_hash(page)}/request")
    assert (sent["delisting_return"], sent["min_trade_value"], sent["risk_free_rate"]) == (-0.3, 2.5, 0.01)
    assert (sent["allow_short"], sent["max_gross"], sent.get("borrow_rate", 0)) == (True, 1.5, 0)
    in_form = set(page.locator("#terms [id^=term-]").evaluate_all("all => all.map(({ id }) => id.slice(5))"))
    assert set(BacktestRequest.model_fields) - in_form == {"strategy_code", "commission", "slippage", "conventions"}
    page.get_by_role("tab", name="Inputs").click()
    settings = page.get_by_role("region", name="Settings", exact=True)
    expect(settings).to_contain_text("Delisting return-0.3")
    other = open_page(page.url)
    result_of(other)
    expect(other.get_by_label("Delisting return")).to_have_value("-0.3")
    expect(other.get_by_label("Short positions")).to_have_value("true")
    expect(other.get_by_label("Prices adjusted for")).to_have_value("dividends_and_splits")
