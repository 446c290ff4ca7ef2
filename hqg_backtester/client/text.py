"""Makes text from a service safe for a terminal: names, logs and messages may hold control sequences."""


def printable(text: str) -> str:
    """The same text with control characters, lone surrogates and invisible marks escaped; line ends and tabs stay.

    Otherwise an escape sequence in the name of a run could recolour a terminal, overwrite its contents, or set its
    title; a mark for right-to-left text could show a number backwards.
    """
    return "".join(letter if letter.isprintable() or letter in "\n\t" else _escaped(letter) for letter in text)


def on_one_line(text: str) -> str:
    """`printable` text with line ends and tabs escaped too, so that it cannot imitate a line of our output."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
