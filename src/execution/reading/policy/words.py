"""Shorthand in which the policy's tables are written."""


def words(text: str) -> frozenset[str]:
    """Split text at white space into a set of words."""
    return frozenset(text.split())
