"""What keeps a price file from being understood, with the place where a person finds it."""

SHOWN_CHARACTERS = 40


class PriceFileProblem(Exception):
    """A file is not a table of daily prices, or not without doubt.

    Args:
        what: a clause that says what is wrong, and what to write instead where that helps.
        row: of the table below the header, counted from 0; None when it is about the whole file.
        column: its name as the file spells it; None when it is about the whole row.
    """

    def __init__(self, what: str, row: int | None = None, column: str | None = None) -> None:
        super().__init__(what)
        self.row = row
        self.column = column


def quoted(text: object) -> str:
    """A cell as a message shows it: quoted, and cut where it is long."""
    shown = str(text)
    return repr(shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…")
