"""What the page computes by itself, run by Node.js and held to the service's own numbers."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np

from scripts.web_assets import find_node
from src.utils.drawdown import drawdowns
from src.utils.drawdown_periods import worst_drawdowns
from src.utils.monthly_returns import yearly_table
from tests.prerequisites import missing

PAGE_TESTS = Path(__file__).parent / "page"
INITIAL = 10_000.0


def dates_from(first: str, n_days: int) -> np.ndarray:
    """Working days."""
    return np.busday_offset(np.datetime64(first, "D"), np.arange(n_days), roll="forward")


def walk(seed: int, n_days: int) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0.0004, 0.011, n_days)
    return INITIAL * np.cumprod(1 + steps)


CASES = {
    "ten years": (dates_from("2010-01-04", 2_600), walk(1, 2_600)),
    "part of a month": (dates_from("2015-06-10", 9), walk(2, 9)),
    "a loss on the first day that never comes back": (dates_from("2015-01-02", 300), np.linspace(9_900, 5_000, 300)),
    "only gains": (dates_from("2015-12-30", 40), np.linspace(10_000, 11_000, 40)),
    "never invested": (dates_from("2016-01-01", 60), np.full(60, INITIAL)),
    "a year without days": (
        np.concatenate([dates_from("2015-11-02", 30), dates_from("2017-02-01", 30)]),
        walk(3, 60),
    ),
}


def expected(name: str) -> dict:
    dates, equity = CASES[name]
    return {
        "name": name,
        "times": dates.astype("datetime64[s]").astype(np.int64).tolist(),
        "equity": equity.tolist(),
        "initial": INITIAL,
        "depths": drawdowns(equity, INITIAL).tolist(),
        "worst": [
            {"depth": p.depth, "from": p.peak, "lowest": p.trough, "until": p.recovery, "days": p.n_days}
            for p in worst_drawdowns(equity, INITIAL, 1_000)
        ],
        "years": [
            {"year": entry.year, "months": list(entry.months), "total": entry.total}
            for entry in yearly_table(equity, INITIAL, dates)
        ],
    }


def test_the_page_computes_what_the_service_computes(tmp_path):
    node = find_node()
    if node is None:
        missing("STUDIO", "NO NODE.JS: the page's functions are not tested")
    numbers = tmp_path / "numbers.json"
    numbers.write_text(json.dumps([expected(name) for name in CASES]))
    files = sorted(str(path) for path in PAGE_TESTS.glob("*.test.js"))
    assert len(files) >= 4
    done = subprocess.run(
        [*node.node, "--test", *files],
        check=False,
        env={**os.environ, "NUMBERS": str(numbers)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "# fail 0" in done.stdout
