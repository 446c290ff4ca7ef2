"""Column types return what was stored and preserve its order."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite import dialect

from src.services.storage.sql.columns import EscapedText, Moment, microseconds, moment

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text("\\u0d8f\x00\ud800\udc00x")
MOMENTS = st.datetimes(timezones=st.just(UTC))
DIALECT = dialect()


def stored(text: str) -> str:
    value = EscapedText().process_bind_param(text, DIALECT)
    assert value is not None
    return value


@given(ANY_TEXT)
def test_any_text_can_be_stored_in_any_database_and_read_back(text: str) -> None:
    value = stored(text)
    assert "\x00" not in value
    value.encode("utf-8")
    assert EscapedText().process_result_value(value, DIALECT) == text


@given(ANY_TEXT, ANY_TEXT)
def test_different_texts_are_stored_differently(one: str, other: str) -> None:
    assert (stored(one) == stored(other)) == (one == other)


@given(MOMENTS, MOMENTS)
def test_moments_come_back_to_the_microsecond_and_in_order(one: datetime, other: datetime) -> None:
    assert moment(microseconds(one)) == one
    assert (microseconds(one) < microseconds(other)) == (one < other)


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    east = datetime(2026, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))
    kept = Moment().process_bind_param(east, DIALECT)
    assert Moment().process_result_value(kept, DIALECT) == datetime(2026, 1, 1, tzinfo=UTC)
