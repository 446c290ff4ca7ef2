"""How soon long results appear on the studio's page and how smoothly they move, compared with a bare page.

The bare page has nothing but lightweight-charts in the same size, and is given the same candles and orders at once,
as markers; of orders by the hundred thousand it only parses the JSON, on its main thread. One Chromium (CHROMIUM, or
the first on the path) shows both in turns, each time in a context of its own; one real server answers both.

    python -m bench.studio [--times 5] [--days 6300] [--symbols 200]
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.long_results import eleven_years, long_result
from bench.run_stores import LEASE_SECONDS, new_run, seal_all
from bench.serving import serving
from scripts.chromium import find_chromium
from src.services.results.earlier import result_from_json
from src.services.results.packing import packed
from src.services.storage.records.attempts import Outcome
from src.services.storage.records.runs import RunStatus
from src.services.storage.sql.opening import open_storage
from src.utils.json_bytes import json_bytes

SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
MOVES, MOVED_PIXELS = 60, 4
FIVE_YEARS_DAYS = 1_305
HANG_MILLISECONDS = 300_000
WATCH_FOR_STALLS = """
window.longestMilliseconds = 0;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  window.longestMilliseconds = Math.max(window.longestMilliseconds, now - last - 10);
  last = now;
}, 10);
"""
"""How long the page once did nothing else; a timer that should fire every 10 ms tells."""
NOTE_FRAMES = """() => {
  window.frames_ = [];
  let last = performance.now();
  const note = (now) => { frames_.push(now - last); last = now; requestAnimationFrame(note); };
  requestAnimationFrame(note);
}"""
BARE = """<!doctype html>
<meta charset="utf-8"><title>Bare</title><link rel="icon" href="data:,"><div class="chart"></div>
<script type="module">
import { CandlestickSeries, createChart, createSeriesMarkers } from "/studio/vendor/lightweight-charts.js";
const { address, size, isDrawn, days } = SETTINGS;
const text = await (await fetch(address)).text();
const start = performance.now();
const { candles, orders } = JSON.parse(text);
window.parseMilliseconds = performance.now() - start;
if (isDrawn) {
  const chart = createChart(document.querySelector(".chart"), size);
  const series = chart.addSeries(CandlestickSeries);
  series.setData(candles);
  createSeriesMarkers(series, orders.map(({ timestamp, action }) => action === "Buy"
    ? { time: Date.parse(timestamp) / 1000, position: "belowBar", shape: "arrowUp", color: "blue" }
    : { time: Date.parse(timestamp) / 1000, position: "aboveBar", shape: "arrowDown", color: "orange" }));
  const last = candles.length - 1;
  chart.timeScale().setVisibleLogicalRange({ from: -0.5, to: last + 0.5 });
  window.showLast = () => chart.timeScale().setVisibleLogicalRange({ from: last - days, to: last });
  requestAnimationFrame(() => requestAnimationFrame(() => performance.measure("painted", { start })));
} else performance.measure("painted", { start });
</script>"""


@dataclass
class Seen:
    """Milliseconds from the last byte to the picture, one a page, and between the frames of all drags."""

    paints: list[float] = field(default_factory=list)
    frames: list[float] = field(default_factory=list)


@contextlib.contextmanager
def serving_result(result: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """A real server that has this result stored: its address, the run's hash, bytes of the JSON."""
    with tempfile.TemporaryDirectory() as folder:
        url, new = f"sqlite:///{folder}/runs.db", new_run(1)
        stored = packed(result_from_json(json_bytes({"run_hash": new.key.run_hash, **result})))
        with contextlib.closing(open_storage(url)) as storage:
            lease = storage.runs.submit(new, lease_seconds=LEASE_SECONDS).lease
            storage.runs.finish(lease, Outcome(RunStatus.SUCCEEDED, stored))
            seal_all(storage)
        settings = {"DATABASE_URL": url, "DATA_PROVIDER": "mock", "SANDBOX": "bubblewrap", "SANDBOX_POOL_SIZE": "0"}
        with serving(settings) as server:
            yield server.address, new.key.run_hash, stored.json_length


@contextlib.contextmanager
def fresh_page(browser: Browser) -> Iterator[Page]:
    """A page in its own context, which reports stalls."""
    with contextlib.closing(browser.new_context(viewport={"width": 1280, "height": 900})) as context:
        context.set_default_timeout(HANG_MILLISECONDS)
        page = context.new_page()
        page.add_init_script(WATCH_FOR_STALLS)
        yield page


def painted(page: Page, name: str) -> float:
    """Milliseconds of that measure, once it exists."""
    page.wait_for_function("(name) => performance.getEntriesByName(name).length", arg=name)
    return float(page.evaluate("(name) => performance.getEntriesByName(name)[0].duration", name))


def open_studio(page: Page, address: str, run_hash: str) -> float:
    """The result on the studio's page; how long it took to paint."""
    page.goto(f"{address}/?run={run_hash}")
    return painted(page, "studio-painted")


def open_bare(page: Page, address: str, run_hash: str, size: dict[str, float], *, is_drawn: bool) -> float:
    """The same on the bare page."""
    settings = {
        "address": f"/api/v1/runs/{run_hash}/result",
        "size": size,
        "isDrawn": is_drawn,
        "days": FIVE_YEARS_DAYS,
    }
    body = BARE.replace("SETTINGS", json.dumps(settings))
    page.route("**/bare", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(f"{address}/bare")
    return painted(page, "painted")


def drag(page: Page) -> list[float]:
    """Drag the chart; returns the milliseconds between frames."""
    box = page.locator(".chart").bounding_box()
    page.evaluate(NOTE_FRAMES)
    page.mouse.move(box["x"] + 300, box["y"] + 150)
    page.mouse.down()
    for step in range(MOVES):
        page.mouse.move(box["x"] + 300 + MOVED_PIXELS * step, box["y"] + 150)
    page.mouse.up()
    frames: list[float] = page.evaluate("frames_")
    return frames


def print_chart_table(browser: Browser, times: int) -> None:
    """Paint and pan eleven years with 600 marks."""
    ours, bare = Seen(), Seen()
    with serving_result(eleven_years()) as (address, run_hash, _):
        for _ in range(times):
            with fresh_page(browser) as page:
                ours.paints.append(open_studio(page, address, run_hash))
                size = page.locator(".chart").bounding_box()
                assert size is not None
                page.get_by_role("button", name="5Y").click()
                ours.frames += drag(page)
            with fresh_page(browser) as page:
                shape = {"width": size["width"], "height": size["height"]}
                bare.paints.append(open_bare(page, address, run_hash, shape, is_drawn=True))
                page.evaluate("showLast()")
                bare.frames += drag(page)
    print(f"2,772 days with 600 marks, {times} times in turns; load {os.getloadavg()[0]:.1f}")
    print(f"{'ms':<58}{'studio':>9}{'bare':>9}{'times':>9}")
    _line("from the last byte to the picture, median", statistics.median(ours.paints), statistics.median(bare.paints))
    _line("from the last byte to the picture, longest", max(ours.paints), max(bare.paints))
    for share in (0.5, 0.9):
        name = f"between frames while it is dragged, {share:.0%} are below"
        _line(name, _quantile(ours.frames, share), _quantile(bare.frames, share))
    _line("between frames while it is dragged, longest", max(ours.frames), max(bare.frames))


def print_orders_table(browser: Browser, times: int, n_days: int, n_symbols: int) -> None:
    """Load a result with very many orders, and browse them."""
    reading, looking, painting, parsing = ([] for _ in range(4))
    with serving_result(long_result(n_days, n_symbols)) as (address, run_hash, n_bytes):
        for _ in range(times):
            with fresh_page(browser) as page:
                painting.append(open_studio(page, address, run_hash))
                reading.append(_longest_stall(page))
                look_at_orders(page, n_days * n_symbols)
                looking.append(_longest_stall(page))
            with fresh_page(browser) as page:
                open_bare(page, address, run_hash, {}, is_drawn=False)
                parsing.append(float(page.evaluate("parseMilliseconds")))
    title = f"{n_days:,} days x {n_symbols} symbols, {n_days * n_symbols:,} orders, {n_bytes / 1e6:.0f} MB of JSON"
    print(f"\n{title}, {times} times in turns; load {os.getloadavg()[0]:.1f}")
    print(f"{'ms, median':<58}{'studio':>9}{'parse':>9}{'times':>9}")
    parse = statistics.median(parsing)
    _line("longest stall while it is read and painted", statistics.median(reading), parse)
    _line("longest stall while orders are sorted and filtered", statistics.median(looking), parse)
    _line("from the last byte to the picture, beside the page", statistics.median(painting), parse)
    print("parse: JSON.parse of the same answer on the bare page's main thread, which stalls for as long")


def look_at_orders(page: Page, n_orders: int) -> None:
    """Sort the table by value, filter it, and go to its end."""
    page.evaluate("window.longestMilliseconds = 0")
    page.get_by_role("tab", name=re.compile("^Orders")).click()
    page.get_by_role("columnheader", name="Value").get_by_role("button").click()
    count = page.locator("#panel-orders .order-filter")
    for text in ("S00", ""):
        page.get_by_role("searchbox", name="Symbol contains").fill(text)
        expect(count).to_contain_text(re.compile(rf"(?<![\d,]){n_orders:,} orders") if not text else " orders")
    page.get_by_role("columnheader", name="#").get_by_role("button").click()
    page.get_by_role("grid", name="Orders").focus()
    page.keyboard.press("End")
    expect(page.locator(f'[data-order="{n_orders}"]')).to_be_visible()


def _longest_stall(page: Page) -> float:
    return float(page.evaluate("longestMilliseconds"))


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


def _line(name: str, ours: float, theirs: float) -> None:
    print(f"{name:<58}{ours:>9.0f}{theirs:>9.0f}{ours / theirs:>9.2f}", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="pages of each kind")
    parser.add_argument("--days", type=int, default=6_300, help="of the result with very many orders")
    parser.add_argument("--symbols", type=int, default=200, help="that trade on each of these days")
    arguments = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        sys.exit("there is no Chromium (set CHROMIUM to its path)")
    expect.set_options(timeout=HANG_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        print_chart_table(browser, arguments.times)
        print_orders_table(browser, arguments.times, arguments.days, arguments.symbols)
        browser.close()


if __name__ == "__main__":
    main()
