"""The page works without a mouse or good eyesight: axe-core in each state, and a story by keyboard."""

import json
import re
from typing import Literal

from playwright.sync_api import Page, expect

from tests.studio.acting import EDITOR, result_of, run, run_code, set_window, write
from tests.studio.conftest import AXE, NARROW
from tests.studio.strategies import BROKEN, ENDLESS, FAILING, TREND


def problems(page: Page) -> list[str]:
    """What axe-core finds serious or critical, in light and in dark."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    # Only colours differ between the two.
    return problems_in(page, "light") + problems_in(page, "dark", runOnly=["color-contrast"])


def problems_in(page: Page, scheme: Literal["light", "dark"], **options: object) -> list[str]:
    page.emulate_media(color_scheme=scheme)
    found = page.evaluate("options => axe.run(document, options)", {"resultTypes": ["violations"]} | options)
    serious = [rule for rule in found["violations"] if rule["impact"] in ("serious", "critical")]
    places = {rule["id"]: [node["html"][:160] for node in rule["nodes"][:4]] for rule in serious}
    return [f"{scheme}: {rule}: {json.dumps(found_at)}" for rule, found_at in places.items()]


def test_the_empty_page_has_no_serious_problem(service, open_page):
    page = open_page(service)
    expect(page.locator("#reading")).to_contain_text("Ready")
    assert problems(page) == []


def test_a_violation_has_no_serious_problem(service, open_page):
    page = open_page(service)
    write(page, BROKEN)
    expect(page.locator("#reading")).to_contain_text("not allowed")
    assert problems(page) == []


def test_a_result_has_no_serious_problem_in_any_of_its_parts(service, open_page):
    page = open_page(service)
    run_code(page, TREND, "2015-01-01", "2016-12-31")
    result_of(page)
    for tab in ("Metrics", "Months", "Drawdowns", "Orders", "Log", "Inputs"):
        page.get_by_role("tab", name=re.compile(tab)).click()
        assert (tab, problems(page)) == (tab, [])
    page.get_by_text("Download", exact=True).click()
    assert problems(page) == []


def test_a_running_and_a_cancelled_run_have_no_serious_problem(service, open_page):
    page = open_page(service)
    run_code(page, ENDLESS, "2010-01-01", "2018-12-31")
    expect(page.locator(".live-where")).to_contain_text("of the days")
    assert problems(page) == []
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".result .chip")).to_have_text("cancelled")
    assert problems(page) == []


def test_a_failure_has_no_serious_problem(service, open_page):
    page = open_page(service)
    write(page, FAILING)
    run(page)
    expect(page.get_by_role("alert")).to_contain_text("ZeroDivisionError")
    assert problems(page) == []


def test_list_and_comparison_have_no_serious_problem(service, open_page):
    page = open_page(service)
    write(page, TREND)
    for first in ("2012-01-01", "2013-01-01"):
        set_window(page, first, "2014-12-31")
        page.get_by_label("Name", exact=True).fill(f"from {first}")
        run(page)
        result_of(page)
        expect(page.locator(".result h2").first).to_contain_text(first)
    page.get_by_role("link", name="Past runs").click()
    boxes = page.get_by_role("checkbox", name=re.compile("Compare from 201"))
    expect(boxes).to_have_count(2)
    for box in boxes.all():
        box.check()
    assert problems(page) == []
    page.get_by_role("button", name=re.compile(r"Compare \d")).click()
    expect(page.get_by_role("region", name="Metrics side by side")).to_be_visible()
    assert problems(page) == []


def test_the_narrow_page_has_no_serious_problem_and_nothing_sticks_out(service, open_page):
    page = open_page(service, viewport=NARROW, has_touch=True)
    run_code(page, TREND, "2015-01-01", "2016-12-31")
    result_of(page)
    for tab in ("Metrics", "Months", "Drawdowns", "Orders", "Log", "Inputs"):
        page.get_by_role("tab", name=re.compile(tab)).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], tab
    assert problems(page) == []
    page.get_by_role("link", name="Past runs").click()
    expect(page.locator(".run-table tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_everything_is_reached_by_keyboard_alone(service, open_page):
    page = open_page(service)
    expect(page.locator("#reading")).to_contain_text("Ready")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the result")).to_be_focused()
    tab_to(page, page.get_by_role("textbox", name=EDITOR))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(TREND)
    # Tab leaves the editor: nobody is caught in it.
    tab_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    result_of(page)
    tab_to(page, page.locator(".chart"))
    before = page.url
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    expect(page).not_to_have_url(before)
    tab_to(page, page.get_by_role("tab", name="Metrics"))
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    orders = page.get_by_role("tab", name=re.compile("Orders"))
    expect(orders).to_be_focused()
    tab_to(page, page.get_by_role("grid", name="Orders"))
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator('[data-order="3"]')).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("order=3"))
    page.keyboard.press("End")
    expect(page.locator("#panel-orders .virtual-layer .active")).to_be_in_viewport()


def tab_to(page: Page, target: object) -> None:
    """Press Tab until it is there."""
    for _ in range(60):
        if target.evaluate("element => element === (element.getRootNode().activeElement)"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("Tab never came there")
