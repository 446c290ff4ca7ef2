"""A page that watches a run while its service is killed and comes back."""

import pytest
from playwright.sync_api import expect

from tests.conftest import open_sandbox
from tests.fakes.application import wait_until
from tests.servers import servers
from tests.studio.acting import run_code, run_hash
from tests.studio.strategies import ENDLESS

ATTEMPT = "async (address) => (await (await fetch(address)).json()).attempt"


@pytest.mark.slow
def test_a_run_whose_service_is_killed_goes_on_before_the_same_eyes(browser, open_page, tmp_path):
    open_sandbox("bubblewrap").close()
    with servers(1, tmp_path, RUN_LEASE_SECONDS="3") as [server]:
        page = open_page(f"{server.url}/", allowed=["ERR_"])
        run_code(page, ENDLESS, "2010-01-01", "2019-12-31")
        lines = page.locator(".log-lines li")
        expect(lines.nth(4)).to_have_text("day 5")
        server.kill()
        expect(page.locator(".live-head")).to_contain_text("Connection lost")
        server.start()
        expect(page.locator(".live-head")).not_to_contain_text("Connection lost")
        address = f"api/v1/runs/{run_hash(page)}"
        wait_until(lambda: page.evaluate(ATTEMPT, address) == 2, seconds=60)
        # It begins anew, and so does what it tells.
        expect(lines.nth(4)).to_have_text("day 5")
        told = lines.all_inner_texts()
        assert told == [f"day {number}" for number in range(1, len(told) + 1)]
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".result .chip")).to_have_text("cancelled")
