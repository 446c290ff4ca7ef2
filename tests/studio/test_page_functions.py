"""What the page computes by itself, run by Node.js."""

import subprocess
from pathlib import Path

import pytest

from scripts.web_assets import find_node
from tests.prerequisites import missing

PAGE_TESTS = Path(__file__).parent / "page"


@pytest.mark.slow
def test_the_pages_functions_do_what_their_tests_say():
    node = find_node()
    if node is None:
        missing("STUDIO", "NO NODE.JS: the page's functions are not tested")
    files = sorted(str(path) for path in PAGE_TESTS.glob("*.test.js"))
    assert len(files) >= 4
    done = subprocess.run([*node.node, "--test", *files], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "# fail 0" in done.stdout
