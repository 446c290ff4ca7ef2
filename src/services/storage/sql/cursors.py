"""Where a page of a list starts, as text that is opaque to callers."""

import base64
import binascii
import re
from dataclasses import dataclass

from src.services.storage.errors import CursorInvalid

LARGEST = 2**63 - 1
SHAPE = re.compile(r"([0-9]{1,19})\.([0-9]{1,19})", re.ASCII)


@dataclass(frozen=True)
class Cursor:
    """The last run of the previous page.

    Attributes:
        submitted_at: microseconds since 1970.
        id: distinguishes runs submitted in the same microsecond.
    """

    submitted_at: int
    id: int

    def as_text(self) -> str:
        """The cursor as callers see it."""
        return base64.urlsafe_b64encode(f"{self.submitted_at}.{self.id}".encode()).decode().rstrip("=")


def cursor_from_text(text: str) -> Cursor:
    """Parse a cursor from untrusted text.

    Raises:
        CursorInvalid
    """
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise _invalid() from error
    found = SHAPE.fullmatch(decoded)
    if found is None:
        raise _invalid()
    cursor = Cursor(int(found[1]), int(found[2]))
    if max(cursor.submitted_at, cursor.id) > LARGEST:
        raise _invalid()
    return cursor


def _invalid() -> CursorInvalid:
    return CursorInvalid("the cursor is invalid: start again without one")
