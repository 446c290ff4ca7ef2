"""Finds the Chromium in which the studio is tested, timed and pictured."""

import os
import shutil


def find_chromium() -> str | None:
    """The path that CHROMIUM names, or the first on this machine; None without any."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
