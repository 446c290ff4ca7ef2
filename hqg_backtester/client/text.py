"""Text from a service, made safe for a terminal: names, logs and messages may hold what moves its cursor."""


def printable(text: str) -> str:
    """The same text with control characters, half characters and invisible marks escaped; lines and tabs stay.

    An escape sequence in the name of a run could otherwise recolour a terminal, overwrite what it shows, or set its
    title; a mark for right-to-left text could show a number backwards.
    """
    return "".join(letter if letter.isprintable() or letter in "\n\t" else _escaped(letter) for letter in text)


def on_one_line(text: str) -> str:
    """`printable` text in which a line end or a tab is escaped too, so that no part of it looks like a line of ours."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
