"""Without scripts, or without the built assets, there is still a form, and a report drawn by the service."""

from playwright.sync_api import expect

from tests.studio.strategies import BROKEN, TREND


def test_without_javascript_a_form_leads_to_a_report_with_its_charts(service, open_page):
    page = open_page(service, java_script_enabled=False)
    page.get_by_role("link", name="The plain page").click()
    page.get_by_label("Strategy in Python").fill(TREND)
    page.get_by_label("Name").fill("by form")
    page.get_by_label("From").fill("2015-02-03")
    page.get_by_label("To", exact=True).fill("2016-12-31")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="by form")).to_be_visible()
    assert page.locator("svg").count() >= 2
    expect(page.locator("svg").first).to_be_visible()
    expect(page.get_by_text("Synthetic prices.")).to_be_visible()
    page.goto(service + "plain")
    expect(page.get_by_role("link", name="by form")).to_be_visible()


def test_the_form_keeps_what_was_written_when_it_is_refused(service, open_page):
    page = open_page(service + "plain", java_script_enabled=False, allowed=["400 (Bad Request)"])
    page.get_by_label("Strategy in Python").fill(BROKEN)
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert")).to_contain_text("Import of 'os' is not allowed (line 3)")
    assert page.get_by_label("Strategy in Python").input_value() == BROKEN
