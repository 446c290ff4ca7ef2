"""Frames are read as written, and malformed ones are rejected."""

import hashlib
import io
from array import array
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.execution import protocol

doubles = st.floats(allow_nan=False)


def read(data: bytes, limits: dict[bytes, int]) -> tuple[bytes, bytes]:
    stream = io.BytesIO(data)

    def exactly(length: int) -> bytes:
        part = stream.read(length)
        if len(part) < length:
            raise EOFError
        return part

    return protocol.read_frame(exactly, limits)


@given(st.binary(max_size=200))
def test_a_frame_is_read_as_it_was_written(payload: bytes) -> None:
    assert read(protocol.frame(protocol.LEDGER, payload), {protocol.LEDGER: 200}) == (
        protocol.LEDGER,
        payload,
    )


def test_a_length_over_the_limit_is_rejected_before_the_payload_is_read() -> None:
    header_alone = protocol.HEADER.pack(protocol.LEDGER, 0xFFFFFFFF)
    with pytest.raises(protocol.ProtocolError, match="over its limit of 10"):
        read(header_alone, {protocol.LEDGER: 10})


def test_a_frame_out_of_turn_is_rejected() -> None:
    with pytest.raises(protocol.ProtocolError, match="unexpected frame"):
        read(protocol.frame(protocol.FINISHED, b"{}"), {protocol.DESCRIBED: 10})


@pytest.mark.parametrize(
    "text",
    [
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"a": ' * 100_000,
        "[1]",
        "1",
        "",
        "{",
        '{"a": 1} {"b": 2}',
    ],
)
def test_json_that_is_not_strict_is_rejected(text: str) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.parse_json(text.encode())


def test_json_in_another_encoding_is_rejected() -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.parse_json('{"a": 1}'.encode("utf-16"))


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_raise_a_protocol_error(payload: bytes) -> None:
    with suppress(protocol.ProtocolError):
        assert isinstance(protocol.parse_json(payload), dict)


def test_json_frames_cannot_carry_a_nan() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        protocol.json_frame(protocol.JOB, {"a": float("nan")})


@given(
    st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5),
    st.integers(1, 3),
    st.data(),
)
def test_prices_arrive_exactly_as_sent(days: list[int], n_symbols: int, data: st.DataObject) -> None:
    size = len(days) * n_symbols * protocol.FIELDS_PER_BAR
    bars = data.draw(st.lists(doubles, min_size=size, max_size=size))
    payload = protocol.pack_prices(days, n_symbols, array("d", bars).tobytes())
    assert protocol.unpack_prices(payload)[:2] == (days, n_symbols)
    assert protocol.unpack_prices(payload)[2].tolist() == bars


@given(st.binary(max_size=100))
def test_prices_of_the_wrong_length_are_rejected(payload: bytes) -> None:
    try:
        days, n_symbols, bars = protocol.unpack_prices(payload)
    except protocol.ProtocolError:
        return
    assert len(bars) == len(days) * n_symbols * protocol.FIELDS_PER_BAR


@given(st.binary(max_size=200))
def test_a_ledger_of_the_wrong_length_is_rejected(payload: bytes) -> None:
    try:
        n_orders, n_days, n_levels, _ = protocol.ledger_shape(payload)
    except protocol.ProtocolError:
        return
    assert len(payload) == protocol.ledger_bytes(n_orders, n_days, n_levels)


def test_a_ledger_contains_its_shape() -> None:
    orders = ([0, 1], [0, 0], [1.0, -1.0], [2.0, 3.0], [0.0, 0.0], [0, 2])
    payload = protocol.pack_ledger(orders, ([8.0] * 3, [9.0] * 3), 3, ([0], [1], [0.1], [0.0], [0.2]))
    assert protocol.ledger_shape(payload) == (2, 3, 1, 3)


@pytest.mark.parametrize("length", [0, 1, 7, 1 << 16, (1 << 16) + 1, 200_000])
def test_a_payload_is_decrypted_only_with_the_same_key(length: int) -> None:
    key, other, clear = bytes(32), bytes(31) + b"\x01", bytes(range(256)) * (length // 256) + bytes(length % 256)
    hidden = protocol.cipher(key, b"P", clear)
    assert len(hidden) == length
    assert protocol.cipher(key, b"P", hidden) == clear
    if length > 16:
        assert hidden != clear
        assert protocol.cipher(other, b"P", hidden) != clear
        assert protocol.cipher(key, b"U", hidden) != clear


def test_the_cipher_is_shake_128s_stream_for_key_kind_and_chunk_number() -> None:
    key = bytes(range(32))
    first, second = (hashlib.shake_128(key + b"P" + n.to_bytes(8, "little")).digest(1 << 16) for n in (0, 1))
    assert protocol.cipher(key, b"P", bytes(1 << 17)) == first + second


def test_equal_chunks_are_encrypted_differently() -> None:
    hidden = protocol.cipher(bytes(32), b"P", bytes(1 << 17))
    assert hidden[: 1 << 16] != hidden[1 << 16 :]
