"""Numbers among the arguments: what argparse takes for one and no command can use is refused with a sentence."""

import math
from argparse import ArgumentTypeError


def number(text: str) -> float:
    """A finite number.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ArgumentTypeError(f"{text!r} is not a number")
    return value


def seconds(text: str) -> float:
    """A finite number of seconds, not negative.

    Raises:
        ArgumentTypeError: it is none.
    """
    if (value := number(text)) < 0:
        raise ArgumentTypeError(f"{text!r} is negative")
    return value


def count(text: str) -> int:
    """A whole number of at least one.

    Raises:
        ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
