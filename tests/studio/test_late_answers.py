"""A late answer replaces nothing, undoes nothing and navigates nowhere."""

import json
import re
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.studio.acting import (
    EDITOR,
    answered,
    expect_colours,
    finished_run,
    result_of,
    run,
    run_hash,
    set_window,
    write,
)
from tests.studio.held import Held, note_answers
from tests.studio.strategies import ENDLESS, TREND

SUBMISSION = r"/api/v1/runs$"
MORE = "# written while it was on its way"
JSON = {"Content-Type": "application/json"}
VIOLATION = {"rule": "imports", "message": "No.", "line": 3, "column": 1, "end_line": 3, "end_column": 4}
REFUSED = {"detail": {"analysis_errors": ["No. (line 3)"], "violations": [VIOLATION]}}

OpenStudio = Callable[..., Page]


@pytest.fixture(scope="module")
def known(service: str) -> str:
    """A finished run with a few orders."""
    return finished_run(service, TREND, name="the known one", end_date="2017-12-31")


@pytest.fixture
def open_studio(service: str, open_page) -> OpenStudio:
    """open_studio(query): the page, which notes what it reads."""

    def open_it(query: str = "", **options: object) -> Page:
        page = open_page("about:blank", **options)
        note_answers(page)
        page.goto(service + query)
        expect(page.locator("#reading")).to_contain_text("Ready")
        return page

    return open_it


def write_more(page: Page) -> None:
    page.get_by_role("textbox", name=EDITOR).press("ControlOrMeta+End")
    page.keyboard.insert_text(MORE)


def submit(page: Page, name: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    set_window(page, "2015-01-01", "2015-12-31")
    page.get_by_role("textbox", name=EDITOR).press("ControlOrMeta+Enter")


def test_keys_pressed_twice_run_once_and_what_is_written_meanwhile_stays(open_studio):
    page = open_studio()
    with Held(page, SUBMISSION) as held:
        submit(page, "pressed twice")
        held.wait()
        write_more(page)
        page.keyboard.press("ControlOrMeta+Enter")
        page.get_by_label("Start from").select_option(index=2)
        held.let_go()
        assert held.routes == []
    expect(page.locator(".result h2")).to_contain_text("pressed twice")
    expect(page.locator("#terms").get_by_role("button", name="Run")).to_be_enabled()
    # The example is not what ran, and what stood there before it is not lost.
    expect(page.get_by_role("textbox", name=EDITOR)).not_to_contain_text(MORE)
    page.get_by_role("button", name="Restore what I had written").click()
    expect(page.get_by_role("textbox", name=EDITOR)).to_contain_text(MORE)


def test_a_run_that_is_opened_while_another_is_submitted_stays(open_studio, service, known):
    page = open_studio(f"?run={known}")
    result_of(page)
    with Held(page, SUBMISSION) as held:
        submit(page, "submitted and left")
        held.wait()
        # What is shown is not the run of the address any more; back leads to it.
        assert run_hash(page) == ""
        page.go_back()
        result_of(page)
        expect(page.locator("#terms").get_by_role("button", name="Run")).to_be_enabled()
        held.let_go()
    expect(page.locator(".result h2")).to_contain_text("the known one")
    assert run_hash(page) == known
    expect(page.get_by_label("Name", exact=True)).to_have_value("the known one")
    expect(page.locator(".run-row")).not_to_contain_text("Changed since")
    page.get_by_role("link", name="Past runs").click()
    expect(page.locator(".run-table")).to_contain_text("submitted and left")


def test_a_refusal_interrupts_nobody_who_writes_on_and_waits_in_the_studio(open_studio):
    page = open_studio(allowed=["400 (Bad Request)"])
    with Held(page, SUBMISSION) as held:
        submit(page, "to be refused")
        held.wait()
        write_more(page)
        held.let_go(status=400, headers=JSON, body=json.dumps(REFUSED))
        expect(page.get_by_role("alert")).to_contain_text("No. (line 3)")
        # The line is one of the code that was sent.
        expect(page.locator(".cm-lintRange-error")).to_have_count(0)
        expect(page.get_by_role("textbox", name=EDITOR)).to_be_focused()
        run(page)
        held.wait()
        page.get_by_role("link", name="Past runs").click()
        held.let_go(status=400, headers=JSON, body=json.dumps(REFUSED))
        page.get_by_role("link", name="Studio").click()
    expect(page.get_by_role("alert")).to_contain_text("No. (line 3)")


def test_a_list_that_comes_late_does_not_replace_a_refusal(open_studio):
    page = open_studio(allowed=["503 ("])
    page.route(
        re.compile(SUBMISSION), lambda route: route.fulfill(status=503, headers=JSON, body='{"detail": "Full."}')
    )
    with Held(page, r"/runs\?limit=5$") as held:
        page.reload()
        held.wait()
        run(page)
        expect(page.get_by_role("alert")).to_contain_text("Full.")
        held.let_go()
    expect(page.get_by_role("alert")).to_contain_text("Full.")


def test_what_reading_former_code_told_does_not_stop_a_run(open_studio):
    page = open_studio()
    with Held(page, "/validate$", n_reads=0) as held:
        write(page, TREND.replace("import config", "import os"))
        held.wait()
        write(page, TREND)
        held.let_go()
        submit(page, "mended in time")
    expect(page.locator(".result h2")).to_contain_text("mended in time")


def test_a_run_that_is_deleted_while_one_looks_elsewhere_takes_nobody_back(open_studio, service):
    gone = finished_run(service, TREND, name="to be deleted", seed=4)
    page = open_studio(f"?run={gone}")
    result_of(page)
    with Held(page, gone + "$", n_reads=1) as held:
        page.get_by_role("button", name="Delete").click()
        page.get_by_role("button", name="Really delete?").click()
        held.wait()
        page.get_by_role("link", name="Past runs").click()
        expect(page.locator(".run-table")).to_contain_text("to be deleted")
        held.let_go()
    expect(page.locator(".run-table")).not_to_contain_text("to be deleted")
    assert page.url == f"{service}?runs"
    page.get_by_role("link", name="Studio").click()
    expect(page.locator(".welcome")).to_be_visible()
    assert page.url == service


def test_a_cancel_that_comes_too_late_deletes_nothing(open_studio, service):
    page = open_studio()
    write(page, ENDLESS + "# cancelled by two\n")
    submit(page, "cancelled by two")
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    run_ = f"{service}api/v1/runs/{run_hash(page)}"
    with Held(page, "/cancel$", n_reads=1) as held:
        cancel.click()
        held.wait()
        ended = urllib.request.Request(run_, method="DELETE")  # noqa: S310 - our own
        urllib.request.urlopen(ended, timeout=30).close()  # noqa: S310 - our own
        held.let_go()
    assert answered(run_)["status"] == "cancelled"


def test_a_run_that_is_asked_for_again_does_not_replace_the_one_that_is_opened_then(open_studio, service, known):
    other = finished_run(service, TREND, name="the other one", seed=5)
    page = open_studio(f"?run={known}")
    result_of(page)
    page.get_by_role("link", name="Past runs").click()
    page.get_by_role("link", name="the other one").click()
    expect(page.locator(".result h2")).to_contain_text("the other one")
    with Held(page, f"{other}/request$") as held:
        page.get_by_role("button", name="Rerun").click()
        held.wait()
        page.go_back()
        page.go_back()
        expect(page.locator(".result h2")).to_contain_text("the known one")
        held.let_go()
    expect(page.locator(".headlines")).to_be_visible()
    assert run_hash(page) == known


def test_who_writes_while_the_run_is_opened_again_keeps_the_place_in_the_code(open_studio, known):
    page = open_studio(f"?run={known}")
    result_of(page)
    write_more(page)
    expect(page.locator(".run-row")).to_contain_text("Edited since this run.")
    with Held(page, f"{known}/request$") as held:
        page.reload()
        held.wait()
        page.get_by_role("textbox", name=EDITOR).press("ControlOrMeta+End")
        page.keyboard.type(" and")
        held.let_go()
        page.keyboard.type(" more")
    expect(page.get_by_role("textbox", name=EDITOR)).to_contain_text(f"{MORE} and more")
    result_of(page)


def test_the_address_says_how_the_run_is_looked_at_wherever_one_was_meanwhile(open_studio, known):
    page = open_studio(f"?run={known}&tab=months&order=3")
    result_of(page)
    months = page.get_by_role("tab", name="Months")
    expect(page.locator(".legend-order")).to_contain_text("Order 3: ")
    expect(months).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile(r"tab=months&order=3&range="))
    before = page.url
    page.get_by_role("link", name="Past runs").click()
    page.get_by_role("link", name="Studio").click()
    expect(page).to_have_url(before)
    page.get_by_role("tab", name="Drawdowns").click()
    expect(page).to_have_url(re.compile("tab=drawdowns"))
    page.go_back()
    page.go_back()
    expect(page).to_have_url(before)
    expect(months).to_have_attribute("aria-selected", "true")


def test_a_run_that_ends_while_one_looks_elsewhere_is_shown_whole(open_studio, service):
    page = open_studio()
    write(page, TREND + "# ends unseen\n")
    with Held(page, SUBMISSION) as held:
        submit(page, "ended unseen")
        held.wait()
        page.get_by_role("link", name="Past runs").click()
        held.let_go()
    expect(page.locator(".run-table")).to_contain_text("ended unseen")
    assert page.url == f"{service}?runs"
    expect(page.locator(".result .headlines")).to_be_attached()
    page.get_by_role("link", name="Studio").click()
    result_of(page)
    expect_colours(page, "--buy", "--sell")
    page.locator(".chart").focus()
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile(r"range=2015-0[234]-\d\d\.\.2015-(09|10|11)-\d\d"))


@pytest.mark.parametrize("part", [r"/result\?", r"/runs/[0-9a-f]{64}$"])
def test_an_answer_that_is_cut_off_is_said_to_be_and_asked_for_again(open_page, service, known, part):
    page = open_page("about:blank")
    page.route(re.compile(part), lambda route: route.fulfill(status=200, headers=JSON, body='{"run_hash": "0'))
    page.goto(f"{service}?run={known}")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("was cut off|could not be read"))
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    result_of(page)
