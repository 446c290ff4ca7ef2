"""Figures and days as the page must write them."""

import re
from datetime import UTC, datetime

MINUS = "\u2212"


def figure(value: float, digits: int) -> str:
    """With thousands apart and a minus that is one."""
    text = f"{abs(value):,.{digits}f}"
    return f"{MINUS}{text}" if value < 0 and re.search("[1-9]", text) else text


def percent(value: float, digits: int = 2) -> str:
    """A fraction as a percentage."""
    return f"{figure(100 * value, digits)}%"


def day(unix_seconds: int) -> str:
    """The ISO date, UTC."""
    return datetime.fromtimestamp(unix_seconds, UTC).date().isoformat()
