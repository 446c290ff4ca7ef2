"""What a person does on the page, and what they see."""

import json
import urllib.request
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.fakes.application import wait_until

EDITOR = "Strategy code in Python"


def write(page: Page, code: str) -> None:
    """Replace the editor's code, typing line by line."""
    editor = page.get_by_role("textbox", name=EDITOR)
    editor.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(code)


def set_window(page: Page, first: str, last: str) -> None:
    """Choose the dates."""
    page.get_by_label("From", exact=True).fill(first)
    page.get_by_label("To", exact=True).fill(last)


def run(page: Page) -> None:
    """Press the button."""
    page.locator("#terms").get_by_role("button", name="Run").click()


def run_code(page: Page, code: str, first: str = "2015-01-01", last: str = "2015-12-31") -> None:
    """Replace the code, choose the dates and press the button."""
    write(page, code)
    set_window(page, first, last)
    run(page)


def result_of(page: Page) -> Locator:
    """The result, once it is there."""
    result = page.get_by_role("region", name="Result")
    expect(result.locator(".headlines")).to_be_visible()
    expect(result.locator(".chart canvas").first).to_be_visible()
    return result


def colours_in_chart(page: Page, *names: str, share: float = 1.0) -> dict[str, int]:
    """How many pixels of the chart's canvases have each of the style sheet's colours.

    Args:
        names: custom properties such as --gain.
        share: how much of the panes is looked at, from the left; below 1 the scales are left out.
    """
    return page.evaluate(
        """async ([share, ...names]) => {
          await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
          const probe = document.body.appendChild(document.createElement("span"));
          const counts = {};
          const wanted = names.map((name) => {
            probe.style.color = `var(${name})`;
            counts[name] = 0;
            return [name, getComputedStyle(probe).color.match(/\\d+/g).map(Number)];
          });
          probe.remove();
          for (const canvas of document.querySelectorAll(".chart canvas")) {
            if (!canvas.width || !canvas.height || (share < 1 && canvas.width < 200)) continue;
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width * share, canvas.height);
            for (let at = 0; at < data.length; at += 4) {
              if (data[at + 3] < 200) continue;
              for (const [name, rgb] of wanted) {
                if (rgb.every((part, place) => Math.abs(part - data[at + place]) <= 6)) counts[name] += 1;
              }
            }
          }
          return counts;
        }""",
        [share, *names],
    )


def expect_colours(page: Page, *names: str, least: int = 20) -> None:
    """Wait until more than that many pixels of the chart have each of these colours."""
    wait_until(lambda: min(colours_in_chart(page, *names).values()) > least, seconds=60)


def run_hash(page: Page) -> str:
    """The shown run, from the address."""
    return page.url.partition("run=")[2].partition("&")[0]


def finished_run(service: str, code: str, **fields: Any) -> str:
    """The hash of a finished run that was submitted without the page.

    Args:
        fields: the request's others.
    """
    body = {"strategy_code": code, "start_date": "2015-01-01", "end_date": "2015-12-31"} | fields
    run = answered(f"{service}api/v1/runs", body)
    address = f"{service}api/v1/runs/{run['run_hash']}"
    wait_until(lambda: answered(address)["status"] == "succeeded", seconds=60)
    return run["run_hash"]


def answered(address: str, body: dict[str, Any] | None = None) -> Any:
    """The service's own JSON; a body is posted."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own
        return json.loads(answer.read())
