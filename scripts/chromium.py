"""Finds the Chromium for the studio's tests, benchmarks and screenshot."""

import os
import shutil


def find_chromium() -> str | None:
    """The path in CHROMIUM, or the first one on this machine; None if there is none.

    The headless shell has the same engine without a window's own pages, which take more processor time than ours.
    """
    names = ("chromium-headless-shell", "chromium", "chromium-browser")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
