"""Finds the Chromium for the studio's tests, benchmarks and screenshot."""

import os
import shutil


def find_chromium() -> str | None:
    """The path in CHROMIUM, or the first one on this machine; None if there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
