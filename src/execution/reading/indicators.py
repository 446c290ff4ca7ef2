"""TA-Lib's functions as entries of the strategy API's catalogue; the service itself does not have TA-Lib."""

import re
from collections.abc import Iterator
from pathlib import Path

from src.execution.reading.catalogue import Entry

_TABLE = Path(__file__).with_name("indicators.txt")
_LINE = re.compile(r"(\w+)(\(.*?\)) -> ([\w, ]+): (.+)")
_ARRAYS = "Inputs are float64 arrays of one length, oldest first; outputs have that length."


def indicators() -> tuple[Entry, ...]:
    """Every function of TA-Lib, ordered by its group; the type names the arrays that a call returns."""
    return tuple(_entries())


def _entries() -> Iterator[Entry]:
    group = ""
    for line in _TABLE.read_text("utf-8").splitlines():
        if line.startswith("["):
            group = line.strip("[]")
        elif called := _LINE.fullmatch(line):
            name, signature, outputs, words = called.groups()
            yield Entry(f"talib.{name}", signature, outputs, f"{words} ({group}).", _ARRAYS)
