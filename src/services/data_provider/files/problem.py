"""Why a price file cannot be understood, and where in the file."""

SHOWN_CHARACTERS = 40


class PriceFileProblem(Exception):
    """A file is not a table of daily prices, or is ambiguous.

    Args:
        what: a clause that says what is wrong, and what to write instead if that helps.
        row: row of the table below the header, from 0; None if the whole file is concerned.
        column: name as the file spells it; None if the whole row is concerned.
    """

    def __init__(self, what: str, row: int | None = None, column: str | None = None) -> None:
        super().__init__(what)
        self.row = row
        self.column = column


def quoted(text: object) -> str:
    """A cell for a message: quoted, and shortened if long."""
    shown = str(text)
    return repr(shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…")
