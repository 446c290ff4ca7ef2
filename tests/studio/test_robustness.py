"""Trouble: two tabs, a slow or broken connection, a browser without storage, hostile text, a refusal."""

import json
import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.studio.acting import EDITOR, finished_run, result_of, run, run_code, run_hash, set_window, write
from tests.studio.conftest import NARROW
from tests.studio.strategies import ENDLESS, FAILING, TREND

NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("forbidden", "SecurityError"); } });
}
"""
FULL_STORAGE = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"
REFUSED_CLIPBOARD = "navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'));"
OVERRIDE = "\u202e"


def run_trend(page: Page, name: str, first: str) -> str:
    """A finished run of that name; its hash."""
    write(page, TREND)
    page.get_by_label("Name", exact=True).fill(name)
    set_window(page, first, "2015-12-31")
    run(page)
    expect(page.locator(".result h2")).to_contain_text(name)
    result_of(page)
    return run_hash(page)


def refusal(status: int, body: object, **headers: str) -> dict:
    return {"status": status, "body": json.dumps(body), "headers": {"Content-Type": "application/json"} | headers}


def answering(answer: dict) -> Callable[[Route], None]:
    return lambda route: route.fulfill(**answer)


def test_back_and_forward_go_through_the_runs_that_were_shown(service, open_page):
    page = open_page(service)
    first = run_trend(page, "the first one", "2015-02-02")
    second = run_trend(page, "the second one", "2015-03-02")
    page.go_back()
    expect(page.locator(".result h2")).to_contain_text("the first one")
    expect(page.get_by_label("From", exact=True)).to_have_value("2015-02-02")
    assert run_hash(page) == first
    assert page.title() == "the first one · HQG Backtester"
    page.go_forward()
    expect(page.locator(".result h2")).to_contain_text("the second one")
    assert run_hash(page) == second


def test_what_was_changed_since_the_run_outlives_a_reload_and_can_be_brought_back(service, open_page):
    page = open_page(service)
    first = run_trend(page, "kept", "2015-02-04")
    editor = page.get_by_role("textbox", name=EDITOR)
    write(page, TREND + "# an idea of mine\n")
    expect(page.locator(".run-row")).to_contain_text("Edited since this run.")
    page.reload()
    expect(page.locator(".result h2")).to_contain_text("kept")
    expect(editor).to_contain_text("# an idea of mine")
    expect(page.locator(".run-row")).to_contain_text("Edited since this run.")
    page.get_by_label("Start from").select_option(index=2)
    expect(editor).not_to_contain_text("# an idea of mine")
    page.get_by_role("button", name="Restore what I had written").click()
    expect(editor).to_contain_text("# an idea of mine")
    # The run is computed again from what made it, whatever stands in the editor.
    page.get_by_role("button", name="Rerun").click()
    expect(page.locator(".note-line")).to_contain_text("the same result, to the last digit")
    assert run_hash(page) == first


def test_two_tabs_watch_one_run_and_one_of_them_cancels_and_deletes_it(service, open_page):
    page = open_page(service)
    run_code(page, ENDLESS + "# in two tabs\n", "2010-01-01", "2019-12-31")
    expect(page.locator(".live-where")).to_contain_text("of the days")
    other = open_page(page.url, allowed=["404 (Not Found)"])
    expect(other.locator(".live-where")).to_contain_text("of the days")
    assert re.match(r"\d+% · ", other.title())
    page.get_by_role("button", name="Cancel").click()
    for tab in (page, other):
        expect(tab.locator(".result .chip")).to_have_text("cancelled")
        expect(tab.get_by_role("alert")).to_contain_text("It had reached 20")
    page.get_by_role("button", name="Delete").click()
    # The first click only asks.
    expect(page.locator(".result .chip")).to_have_text("cancelled")
    page.get_by_role("button", name="Really delete?").click()
    expect(page.locator(".welcome")).to_be_visible()
    other.get_by_role("button", name="Rerun").click()
    expect(other.get_by_role("alert").filter(has_text="There is no such run.")).to_be_visible()


def test_a_token_that_expires_while_a_run_is_watched_is_asked_for(service, open_page):
    page = open_page(service, allowed=["401 (Unauthorized)"])
    expect(page.get_by_label("Access token")).to_be_hidden()
    expect(page.get_by_role("button", name="Token")).to_be_hidden()
    part = 'id: 1\nevent: started\ndata: {"attempt": 1}\n\n'
    answers = [
        {"status": 200, "body": part, "headers": {"Content-Type": "text/event-stream"}},
        refusal(401, {"detail": "The token has expired."}),
    ]
    page.route("**/events", lambda route: route.fulfill(**answers.pop(0)))
    write(page, TREND + "# with a token that expires\n")
    run(page)
    expect(page.get_by_role("alert")).to_contain_text("The token has expired.")
    expect(page.get_by_label("Access token")).to_be_visible()
    page.unroute("**/events")
    page.get_by_role("button", name="Try again").click()
    result_of(page)


def test_a_rate_limit_while_a_run_is_watched_is_waited_for(service, open_page):
    page = open_page(service, allowed=["429 (Too Many Requests)"])
    asked: list[float] = []

    def limited(route: Route) -> None:
        asked.append(time.monotonic())
        if len(asked) > 1:
            route.continue_()
        else:
            route.fulfill(**refusal(429, {"detail": "Too many requests."}, **{"Retry-After": "1"}))

    page.route("**/events", limited)
    write(page, TREND + "# beyond the rate limit\n")
    run(page)
    result_of(page)
    assert asked[1] - asked[0] >= 1


def test_a_run_that_could_not_be_opened_is_opened_by_a_second_try(service, open_page):
    address = f"{service}?run={finished_run(service, TREND, start_date='2015-02-05')}"
    page = open_page("about:blank", allowed=["429 (Too Many Requests)"])
    limited = refusal(429, {"detail": "Too many requests."}, **{"Retry-After": "1"})
    page.route(re.compile(r"/api/v1/runs/[0-9a-f]{64}$"), lambda route: route.fulfill(**limited))
    page.goto(address)
    expect(page.get_by_role("alert")).to_contain_text("Try again in 1 s.")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    result_of(page)


def test_a_service_that_is_down_when_the_page_starts_is_tried_again(service, open_page):
    page = open_page("about:blank", allowed=["ERR_FAILED"])
    page.route("**/catalogue.json", lambda route: route.abort())
    page.goto(service)
    expect(page.get_by_role("alert")).to_contain_text("The service is not responding.")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#reading")).to_contain_text("Ready")


REFUSALS = [
    (422, [{"loc": ["body", "commission", "rate"], "msg": "too dear"}], "#fault-commission", "too dear"),
    (422, [{"loc": ["body", "strategy_code"], "msg": "too long"}], "#reading", "too long"),
    (413, "The request is larger than 1,000,000 bytes.", ".result [role=alert]", "That is too large."),
    (503, "The queue is full.", ".result [role=alert]", "The service is busy."),
]


def test_a_refusal_stands_where_it_belongs(service, open_page):
    page = open_page(service, allowed=["422 (", "413 (", "503 ("])
    for status, detail, place, words in REFUSALS:
        page.route(re.compile(r"/api/v1/runs$"), answering(refusal(status, {"detail": detail})))
        run(page)
        expect(page.locator(place)).to_contain_text(words)
        expect(page.get_by_role("alert")).to_be_visible()


def test_a_failure_is_not_underlined_in_other_code(service, open_page):
    page = open_page(service)
    run_code(page, FAILING)
    expect(page.locator(".cm-lintRange-error")).to_have_count(1)
    write(page, "# something else\n" + TREND)
    expect(page.locator("#reading")).to_contain_text("Ready")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("ZeroDivisionError")
    expect(page.locator("#reading")).to_contain_text("Ready")
    expect(page.locator(".cm-lintRange-error")).to_have_count(0)


@pytest.mark.parametrize("storage", [NO_STORAGE, FULL_STORAGE])
def test_a_browser_that_keeps_nothing_is_enough(service, open_page, storage):
    page = open_page("about:blank")
    page.add_init_script(storage)
    page.goto(service)
    page.get_by_role("button", name="Theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_role("separator", name="Editor width").press("ArrowRight")
    run_trend(page, "kept nowhere", "2015-02-06")


def test_a_refused_clipboard_is_said(service, open_page):
    page = open_page(f"{service}?run={finished_run(service, TREND, start_date='2015-02-09')}")
    page.evaluate(f"() => {{ {REFUSED_CLIPBOARD} }}")
    page.clock.install()
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copy the page's address")).to_be_visible()
    page.clock.run_for(5_000)
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()


def test_hostile_names_and_parameters_are_words_and_nothing_else(service, open_page):
    page = open_page(service)
    parameters = '{"__proto__": {"polluted": 1}, "constructor": 2, "days": 5}'
    page.get_by_label(re.compile("Parameters")).fill(parameters)
    page.get_by_label("Name", exact=True).fill(f"<img src=x>{OVERRIDE}tac")
    run_code(page, TREND, "2015-02-10")
    result_of(page)
    assert page.evaluate("({}).polluted") is None
    title = page.locator(".result h2")
    expect(title).to_contain_text("<img src=x>tac")
    assert OVERRIDE not in title.inner_text()
    page.get_by_role("tab", name="Inputs").click()
    expect(page.get_by_role("region", name="Settings", exact=True)).to_contain_text('"__proto__":{"polluted":1}')
    # What such characters do to code is seen in the editor.
    write(page, f"# {OVERRIDE}hidden\n" + TREND)
    expect(page.locator(".cm-specialChar")).to_have_count(1)


def test_a_hundred_kilobytes_of_code_are_written_and_run(service, open_page):
    page = open_page(service)
    lines = "".join(f"# line {number} of very many that say nothing at all\n" for number in range(2_000))
    assert len(lines) > 95_000
    write(page, TREND + lines)
    set_window(page, "2015-02-11", "2015-12-31")
    expect(page.locator("#reading")).to_contain_text("Ready")
    run(page)
    result_of(page)


def test_the_line_between_editor_and_result_moves_and_is_remembered(service, open_page):
    page = open_page(service)
    divider = page.get_by_role("separator", name="Editor width")
    before = page.locator("#writing").bounding_box()["width"]
    divider.press("ArrowRight")
    divider.press("ArrowRight")
    wider = page.locator("#writing").bounding_box()["width"]
    assert wider > before + 30
    box = divider.bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 108, box["y"] + 100, steps=4)
    page.mouse.up()
    dragged = page.locator("#writing").bounding_box()["width"]
    assert dragged == pytest.approx(wider + 100, abs=12)
    page.reload()
    expect(page.locator("#writing")).to_be_visible()
    assert page.locator("#writing").bounding_box()["width"] == pytest.approx(dragged, abs=2)
    divider.dblclick()
    assert page.locator("#writing").bounding_box()["width"] == pytest.approx(before, abs=2)


def test_the_comparison_of_runs_whose_inputs_are_long_fits_a_telephone(service, open_page):
    long = {"parameters": {"words": "without end " * 20}, "commission": {"model": "per_share", "amount": 0.01}}
    hashes = [finished_run(service, TREND), finished_run(service, TREND, **long)]
    page = open_page(f"{service}?compare={','.join(hashes)}")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        expect(page.get_by_role("region", name="Inputs that differ")).to_contain_text("per_share")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_comparison_with_a_run_that_is_gone_says_which(service, open_page):
    there = finished_run(service, TREND)
    page = open_page(f"{service}?compare={there},{'0' * 64}", allowed=["404 (Not Found)"])
    expect(page.get_by_role("alert")).to_contain_text("One of these runs no longer exists.")
    expect(page.get_by_role("alert")).to_contain_text("0" * 64)


@pytest.mark.parametrize(("platform", "keys"), [("macOS", "⌘ ↵"), ("Linux", "Ctrl ↵")])
def test_the_button_names_the_keys_of_the_readers_machine(service, open_page, platform, keys):
    page = open_page("about:blank")
    page.add_init_script(
        f"Object.defineProperty(navigator, 'userAgentData', {{value: {{platform: '{platform}', brands: []}}}})"
    )
    page.goto(service)
    expect(page.locator(".run-row kbd")).to_have_text(keys)


def test_who_touches_is_told_of_no_keys(service, open_page):
    page = open_page(service, viewport=NARROW, has_touch=True)
    expect(page.get_by_role("button", name="Run")).to_be_visible()
    expect(page.locator(".run-row kbd")).to_be_hidden()
    # Dates are whole, too: nothing is cut off in a narrow form.
    assert page.get_by_label("From", exact=True).bounding_box()["width"] > 140


def test_marks_that_lie_on_each_other_are_said_to(service, open_page):
    page = open_page(f"{service}?run={finished_run(service, TREND, start_date='2005-01-01')}")
    note = page.get_by_text("Nearby orders share a mark")
    expect(note).to_be_visible()
    page.get_by_role("button", name="1M", exact=True).click()
    expect(note).to_be_hidden()


def test_of_ten_thousand_lines_of_a_run_a_few_are_in_the_page(service, open_page):
    page = open_page(service)
    write(
        page,
        TREND.replace("        self.closes.append", "        print(*'abcd', sep='\\n')\n        self.closes.append"),
    )
    set_window(page, "2005-01-01", "2015-12-31")
    run(page)
    result_of(page)
    page.get_by_role("tab", name=re.compile(r"Log \(\d+,\d+\)")).click()
    expect(page.locator(".log-lines li").first).to_be_visible()
    assert page.locator(".log-lines li").count() == 2_000
