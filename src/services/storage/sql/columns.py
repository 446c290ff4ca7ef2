"""Column types that store any Python value losslessly in any database."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# PostgreSQL's text has no NUL and UTF-8 no lone surrogates; strategies print both.
UNSTORABLE = re.compile("[\\\\\x00\ud800-\udfff]")
ESCAPED = re.compile(r"\\u([0-9a-f]{4})")


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exactly. The moment must have a time zone."""
    return (moment - EPOCH) // MICROSECOND


def moment(microseconds_since_1970: int) -> datetime:
    """The reverse of `microseconds`, in UTC."""
    return EPOCH + microseconds_since_1970 * MICROSECOND


class Moment(TypeDecorator[datetime]):
    """A time as whole microseconds: exact, and ordered the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)


class EscapedText(TypeDecorator[str]):
    """Any string, unchanged unless it holds a backslash or characters a database refuses; equal strings stay equal."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else UNSTORABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)


class JsonText(TypeDecorator[Any]):
    """Any JSON value as ASCII text: escapes what jsonb refuses (NUL, lone surrogates), keeps order and size."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)
