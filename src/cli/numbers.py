"""Numeric arguments: numbers that argparse accepts but no command can use are refused with a sentence."""

import math
from argparse import ArgumentTypeError


def number(text: str) -> float:
    """A finite number.

    Raises:
        ArgumentTypeError: it is not.
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
        ArgumentTypeError: it is not.
    """
    if (value := number(text)) < 0:
        raise ArgumentTypeError(f"{text!r} is negative")
    return value


def count(text: str) -> int:
    """A whole number of at least one.

    Raises:
        ArgumentTypeError: it is not.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
