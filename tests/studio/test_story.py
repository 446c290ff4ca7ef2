"""A newcomer writes, runs, watches, judges, compares and shares, in a real browser."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.fakes.application import wait_until
from tests.fakes.proxies import DroppingProxy
from tests.studio.acting import (
    EDITOR,
    colours_in_chart,
    expect_colours,
    finished_run,
    result_of,
    run,
    run_code,
    run_hash,
    set_window,
    write,
)
from tests.studio.strategies import BROKEN, ENDLESS, FAILING, TREND


def test_an_example_runs_with_one_key(service, open_page):
    page = open_page(service)
    expect(page.locator("#reading")).to_contain_text("Ready · SPY, BND · called daily")
    page.get_by_role("textbox", name=EDITOR).click()
    page.keyboard.press("ControlOrMeta+Enter")
    result = result_of(page)
    expect(result.get_by_role("heading", level=2)).to_contain_text("21-day trend on SPY and BND")
    expect(result.locator(".chip")).to_have_text("succeeded")


def test_a_violation_is_underlined_at_its_place_and_goes_when_it_is_mended(service, open_page):
    page = open_page(service)
    write(page, BROKEN)
    reading = page.locator("#reading")
    expect(reading).to_contain_text("Import of 'os' is not allowed")
    expect(page.locator(".cm-lintRange-error")).to_have_text("os")
    reading.get_by_role("button", name="line 3").click()
    expect(page.locator(".cm-activeLine")).to_contain_text("import os")
    write(page, TREND)
    expect(reading).to_contain_text("Ready")
    expect(page.locator(".cm-lintRange-error")).to_have_count(0)


def test_symbols_of_the_form_are_read_and_traded_in_place_of_the_strategys_own(service, open_page):
    page = open_page(service)
    write(page, TREND)
    set_window(page, "2015-01-01", "2015-12-31")
    page.get_by_text("Symbols, seed").click()
    page.get_by_label("Symbols", exact=True).fill("spy bnd, gld")
    expect(page.locator("#reading")).to_contain_text("Ready · SPY, BND, GLD")
    run(page)
    result_of(page)
    page.reload()
    result_of(page)
    expect(page.get_by_label("Symbols", exact=True)).to_have_value("SPY,BND,GLD")
    page.get_by_role("tab", name="Inputs").click()
    expect(page.get_by_role("region", name="Settings", exact=True)).to_contain_text("GLD")


def test_a_result_shows_pixels_numbers_and_what_they_rest_on(service, open_page):
    page = open_page(service)
    run_code(page, TREND, "2015-01-01", "2019-12-31")
    result = result_of(page)
    expect_colours(page, "--gain", "--loss", "--benchmark", "--symbol-10", "--symbol-16", "--buy", "--sell")
    expect(result.get_by_role("note")).to_contain_text("Synthetic prices.")
    expect(result.locator(".provenance")).to_contain_text("Prices: mock")
    sharpe = result.locator('[data-metric="sharpe_ratio"]')
    expect(sharpe.locator(".metric-value")).to_have_text(re.compile(r"^−?\d+\.\d\d$"))
    expect(sharpe).to_contain_text("Mean over standard deviation")
    page.get_by_role("tab", name="Months").click()
    assert page.locator(".heat td:not(.total):not(.no-month)").count() == 60
    page.get_by_role("tab", name="Drawdowns").click()
    page.get_by_role("button", name="Show drawdown 1 in the chart").click()
    expect(page).to_have_url(re.compile("range="))
    page.get_by_role("tab", name="Inputs").click()
    expect(page.get_by_role("region", name="Provenance")).to_contain_text(run_hash(page))


def test_an_undefined_metric_tells_its_reason(service, open_page):
    page = open_page(f"{service}?run={finished_run(service, TREND, end_date='2015-01-06')}")
    result_of(page)
    reason = page.locator('[data-metric="annualized_return"] .metric-reason')
    expect(reason).to_contain_text("Undefined: ")


def test_an_order_that_is_chosen_moves_the_chart_and_a_mark_finds_its_order(service, open_page):
    page = open_page(f"{service}?run={finished_run(service, TREND, end_date='2018-12-31')}")
    result_of(page)
    page.get_by_role("tab", name=re.compile("Orders")).click()
    page.get_by_role("searchbox", name="Symbol contains").fill("BND")
    row = page.locator("#panel-orders .virtual-layer [role=row]").nth(5)
    number = row.get_attribute("data-order")
    row.click()
    expect(page).to_have_url(re.compile(rf"tab=orders&order={number}&range="))
    expect(page.locator(".legend-order")).to_contain_text(f"Order {number}: ")
    expect(page.locator(f'[data-order="{number}"]')).to_have_attribute("aria-selected", "true")
    expect_colours(page, "--focus", least=30)
    # And back: the marks stand where the equity does; one of them is under this row of pixels.
    page.get_by_role("button", name="All", exact=True).click()
    expect(page).not_to_have_url(re.compile("range="))
    box = page.locator(".chart").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.2, box["y"] + 120)
    expect(page).not_to_have_url(re.compile(rf"order={number}\b"))
    chosen = page.locator('#panel-orders .virtual-layer [aria-selected="true"]')
    expect(chosen).to_have_count(1)
    expect(chosen).not_to_have_attribute("data-order", number)


def test_orders_are_sorted_and_filtered(service, open_page):
    page = open_page(f"{service}?run={finished_run(service, TREND, end_date='2018-12-31')}")
    result_of(page)
    page.get_by_role("tab", name=re.compile("Orders")).click()
    head = page.get_by_role("columnheader", name="Value")
    head.get_by_role("button").click()
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    shown = page.locator("#panel-orders .virtual-layer [role=row] > :nth-child(7)")

    def falls() -> bool:
        values = [float(text.replace(",", "")) for text in shown.all_inner_texts()]
        return len(values) > 5 and values == sorted(values, reverse=True)

    wait_until(falls, seconds=60)
    page.get_by_role("combobox", name="Side").select_option("Sells")
    expect(page.locator("#panel-orders .virtual-layer .buy")).to_have_count(0)
    assert page.locator("#panel-orders .virtual-layer .sell").count() > 5


def test_a_shared_address_shows_the_same_in_a_new_tab(service, open_page):
    page = open_page(service)
    write(page, TREND)
    page.get_by_label("Name", exact=True).fill("to be shared")
    set_window(page, "2016-01-01", "2018-12-31")
    run(page)
    result_of(page)
    page.get_by_role("tab", name=re.compile("Orders")).click()
    page.locator('#panel-orders .virtual-layer [data-order="3"]').click()
    expect(page).to_have_url(re.compile("order=3&range="))
    other = open_page(page.url)
    result_of(other)
    expect(other.get_by_role("tab", name=re.compile("Orders"))).to_have_attribute("aria-selected", "true")
    expect(other.locator('[data-order="3"]')).to_have_attribute("aria-selected", "true")
    expect(other.locator(".headlines")).to_have_text(page.locator(".headlines").inner_text(), use_inner_text=True)
    expect(other.get_by_label("Name", exact=True)).to_have_value("to be shared")
    expect(other.get_by_label("From", exact=True)).to_have_value("2016-01-01")
    expect(other.get_by_role("textbox", name=EDITOR)).to_contain_text("class Trend(Strategy)")


def test_a_long_run_is_watched_reloaded_and_cancelled(service, open_page):
    page = open_page(service)
    run_code(page, ENDLESS, "2010-01-01", "2019-12-31")
    live = page.locator(".live-where")
    expect(live).to_contain_text("of the days")
    expect(page.locator(".log-lines li").first).to_have_text("day 1")
    expect(page.locator("progress")).to_have_attribute("value", re.compile(r"0\.\d+"))
    # The line grows from the left: the chart has room for all days from the beginning.
    wait_until(lambda: colours_in_chart(page, "--accent", share=0.5)["--accent"] > 20, seconds=60)
    page.reload()
    expect(live).to_contain_text("of the days")
    # Every line once, those of before the reload too.
    expect(page.locator(".log-lines li").nth(1)).to_have_text("day 2")
    lines = page.locator(".log-lines li").all_inner_texts()
    assert lines == [f"day {number}" for number in range(1, len(lines) + 1)]
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".result .chip")).to_have_text("cancelled")


def test_a_connection_that_drops_is_taken_up_where_it_was(service, open_page):
    proxy = DroppingProxy(urlsplit(service).port)
    with proxy.serving() as port:
        page = open_page(f"http://127.0.0.1:{port}/", allowed=["ERR_"])
        run_code(page, ENDLESS + "# with a connection that drops\n", "2010-01-01", "2019-12-31")
        lines = page.locator(".log-lines li")
        expect(lines.first).to_have_text("day 1")
        for _ in range(2):
            with proxy.tunnel():
                expect(page.locator(".live-head")).to_contain_text("Connection lost")
            seen = lines.count()
            expect(lines.nth(seen + 2)).to_be_visible()
            expect(page.locator(".live-head")).not_to_contain_text("Connection lost")
        told = lines.all_inner_texts()
        assert told == [f"day {number}" for number in range(1, len(told) + 1)]
        assert proxy.n_dropped >= 2
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".result .chip")).to_have_text("cancelled")


def test_a_failure_is_shown_at_its_line_with_its_day(service, open_page):
    page = open_page(service)
    run_code(page, FAILING, "2015-01-01", "2016-12-31")
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("ZeroDivisionError: division by zero (line 15, on_data, 2015-01-02)")
    expect(page.locator(".cm-lintRange-error")).to_have_text("1 / (len(self.closes) - 0)")
    expect(page.locator("#reading")).to_contain_text("line 15")


def test_two_runs_are_compared_and_their_difference_is_named(service, open_page):
    page = open_page(service)
    write(page, TREND)
    set_window(page, "2014-01-01", "2018-12-31")
    for days in (10, 60):
        page.get_by_label("Name", exact=True).fill(f"trend of {days} days")
        page.get_by_label(re.compile("Parameters")).fill(f'{{"days": {days}}}')
        run(page)
        result_of(page)
        expect(page.locator(".result h2").first).to_contain_text(f"trend of {days} days")
    page.get_by_role("link", name="Past runs").click()
    page.get_by_role("searchbox", name="Name contains").fill("TREND OF")
    expect(page.locator(".run-table tbody tr")).to_have_count(2)
    for box in page.get_by_role("checkbox", name=re.compile("Compare trend of")).all():
        box.check()
    page.get_by_role("button", name="Compare 2 runs").click()
    comparison = page.get_by_role("region", name="Comparison")
    expect(comparison.get_by_role("region", name="Metrics side by side")).to_contain_text("Sharpe ratio")
    differing = comparison.get_by_role("region", name="Inputs that differ")
    expect(differing).to_contain_text("parameters")
    expect_colours(page, "--hue-1", "--hue-2", least=200)
    # The comparison has an address of its own too.
    other = open_page(page.url)
    expect(other.get_by_role("region", name="Metrics side by side")).to_contain_text("Sharpe ratio")


def test_a_run_that_exists_is_said_to_exist_and_can_be_computed_again(service, open_page):
    page = open_page(service)
    run_code(page, TREND, "2017-01-01", "2018-12-31")
    result_of(page)
    run(page)
    expect(page.locator(".note-line")).to_contain_text("already exists")
    page.get_by_role("button", name="Rerun").click()
    expect(page.locator(".note-line")).to_contain_text("the same result, to the last digit")


def test_the_files_of_a_run_are_downloaded(service, open_page):
    page = open_page(f"{service}?run={finished_run(service, TREND)}")
    result_of(page)
    for title, name in (
        ("Report", "report.html"),
        ("Equity CSV", "equity.csv"),
        ("Equity Parquet", "equity.parquet"),
        ("Bundle", ".zip"),
    ):
        page.get_by_text("Download", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("link", name=title).click()
        assert download.value.suggested_filename.endswith(name)
        assert download.value.path().stat().st_size > 1_000


def test_a_wrong_form_is_told_beside_its_field(service, open_page):
    page = open_page(service)
    set_window(page, "2016-01-01", "2015-01-01")
    page.get_by_label(re.compile("Parameters")).fill("{days: 3}")
    run(page)
    expect(page.locator("#fault-end_date")).to_contain_text("after the start date")
    expect(page.locator("#fault-parameters")).to_contain_text("not valid JSON")
    expect(page.get_by_label("To", exact=True)).to_be_focused()


def test_an_unknown_symbol_is_told(service, open_page):
    page = open_page(service, allowed=["400 (Bad Request)"])
    write(page, TREND.replace('"BND"]', '"NOPE"]'))
    run(page)
    expect(page.get_by_role("alert")).to_contain_text("No prices for 'NOPE'")


def test_code_that_is_known_to_break_a_rule_is_not_sent(service, open_page):
    page = open_page(service)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    write(page, BROKEN)
    expect(page.locator("#reading")).to_contain_text("not allowed")
    run(page)
    expect(page.get_by_role("alert")).to_contain_text("Import of 'os' is not allowed (line 3)")
    assert [url for url in sent if url.endswith("/runs")] == []
