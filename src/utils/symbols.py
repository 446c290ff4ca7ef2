"""The form of a ticker symbol, from any source."""

import re

SYMBOL_PATTERN = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,19}")
"""Use with fullmatch. Narrow on purpose: symbols become parts of paths and addresses."""

MAX_UNIVERSE_SYMBOLS = 200
MAX_SYMBOL_CHARACTERS = 12
"""hqg_algorithms' own limits on a universe."""
