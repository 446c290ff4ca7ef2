"""The page where log-in is on: a token in a field, or the dashboard's cookie."""

import time
from collections.abc import Iterator

import pytest
from jose import jwt
from playwright.sync_api import expect

from tests.studio.acting import result_of, run, run_code, run_hash
from tests.studio.conftest import running_service
from tests.studio.strategies import TREND

SECRET = "a-secret-of-the-tests-that-is-long-enough"  # noqa: S105 - of these tests only
REFUSED = ["401 (Unauthorized)"]


def token_of(subject: str) -> str:
    claims = {"sub": subject, "aud": "authenticated", "exp": int(time.time()) + 600}
    return jwt.encode(claims, SECRET, algorithm="HS256")


@pytest.fixture(scope="module")
def guarded(browser, tmp_path_factory) -> Iterator[str]:
    """A service that wants tokens."""
    with running_service(tmp_path_factory.mktemp("guarded"), SUPABASE_JWT_SECRET=SECRET) as address:
        yield address


def test_without_a_token_the_page_says_so_and_shows_the_field(guarded, open_page):
    page = open_page(guarded, allowed=REFUSED)
    run(page)
    expect(page.get_by_role("alert")).to_contain_text("This service needs an access token.")
    expect(page.get_by_label("Access token")).to_be_focused()


def test_with_a_token_in_the_field_everything_works_and_the_tab_forgets_it(guarded, open_page):
    page = open_page(guarded, allowed=REFUSED)
    # The service has refused the first question: the field is there without being asked for.
    page.get_by_label("Access token").fill(token_of("ann"))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#reading")).to_contain_text("Ready")
    run_code(page, TREND)
    result_of(page)
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Report").click()
    assert download.value.path().stat().st_size > 1_000
    kept = page.evaluate("[JSON.stringify(localStorage), document.cookie]")
    assert not any(token_of("ann")[:20] in place for place in kept), "the token outlives the tab"
    # Another tab knows nothing of it.
    other = open_page(guarded + f"?run={run_hash(page)}", allowed=REFUSED)
    expect(other.get_by_role("alert")).to_contain_text("needs an access token")


def test_the_dashboards_cookie_is_enough(guarded, open_page):
    page = open_page(guarded, allowed=REFUSED)
    page.context.add_cookies([{"name": "hqg_auth_token", "value": token_of("bob"), "url": guarded}])
    page.reload()
    expect(page.locator("#reading")).to_contain_text("Ready")
    run_code(page, TREND)
    result_of(page)
