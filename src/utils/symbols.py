"""What a ticker symbol looks like, wherever one comes from."""

import re

SYMBOL_PATTERN = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,19}")
"""Use with fullmatch. Narrow on purpose: symbols become parts of paths and addresses."""

MAX_UNIVERSE_SYMBOLS = 200
MAX_SYMBOL_CHARACTERS = 12
"""What hqg_algorithms itself allows in a universe."""
