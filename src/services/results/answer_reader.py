"""Reads a stored answer of any size piece by piece, never holding it whole in memory."""

import codecs
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain
from json import JSONDecodeError
from typing import Any

import orjson

COMPRESSED_BYTES = 64 * 1024
PIECE_BYTES = 256 * 1024
"""Bytes unpacked at a time; parsing them holds the interpreter for about two milliseconds."""

LONGEST_CUT_NUMBER = 3
"""A number that ends this close to the end of the text read ("1.", "2e-") may continue in the next piece."""

WHITE_SPACE = " \t\n\r"

Sink = Callable[[Any], None]

BOUNDARIES: tuple[tuple[Callable[..., int], str], ...] = ((str.rfind, "},{"), (str.find, "}]"))
"""How the last boundary between two objects is found in text that holds nothing but one array, and the end of the
first array in text that holds more."""

_DECODER = json.JSONDecoder()


class AnswerDamaged(ValueError):
    """The bytes are not the JSON object they should be."""


def unpacked(gzip_bytes: bytes) -> Iterator[bytes]:
    """Decompress the bytes into pieces of at most PIECE_BYTES.

    Raises:
        AnswerDamaged
    """
    decompressor = zlib.decompressobj(wbits=31)
    packed = memoryview(gzip_bytes)
    try:
        for start in range(0, len(packed), COMPRESSED_BYTES):
            waiting: Any = packed[start : start + COMPRESSED_BYTES]
            while len(waiting):
                yield decompressor.decompress(waiting, PIECE_BYTES)
                waiting = decompressor.unconsumed_tail
        yield decompressor.flush()
    except zlib.error as error:
        raise AnswerDamaged(f"the stored result cannot be unpacked: {error}") from error
    if not decompressor.eof:
        raise AnswerDamaged("the stored result ends too early")


def answer_members(pieces: Iterator[bytes]) -> Iterator[tuple[str, Any]]:
    """Yield names and values of the JSON object formed by the pieces, in order.

    The value of an array is an iterator of non-empty lists that together hold its elements; consume it before the
    next member. No other value is an iterator.

    Args:
        pieces: UTF-8, split anywhere.

    Raises:
        AnswerDamaged
    """
    reader = _Reader(pieces)
    with _raising_damaged():
        for _ in reader.items("{", "}"):
            name = reader.value()
            reader.expect(":")
            if reader.peek() == "[":
                elements = reader.elements()
                yield name, elements
                for _unwanted in elements:
                    continue
            else:
                yield name, reader.value()
        reader.expect_end()


@contextmanager
def _raising_damaged() -> Iterator[None]:
    try:
        yield
    except (JSONDecodeError, UnicodeDecodeError) as error:
        raise AnswerDamaged(f"the stored result is not JSON: {error}") from error


def read_answer(pieces: Iterator[bytes], sinks: Mapping[str, Sink]) -> dict[str, Any]:
    """Parse the JSON object formed by the pieces.

    Args:
        pieces: UTF-8, split anywhere.
        sinks: by name of an array member: receives its elements one by one, in order, instead of including
            them in the returned object.

    Raises:
        AnswerDamaged
    """
    answer: dict[str, Any] = {}
    for name, value in answer_members(pieces):
        if not isinstance(value, Iterator):
            answer[name] = value
            continue
        kept: list[Any] = []
        sink = sinks.get(name, kept.append)
        for element in chain.from_iterable(value):
            sink(element)
        answer |= {} if name in sinks else {name: kept}
    return answer


class _Reader:
    """A moving window over the text."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._boundaries = BOUNDARIES
        """The boundaries worth searching for in this window."""

    def peek(self) -> str:
        """The next character that is not white space, "" at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in WHITE_SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._read_on():
                return ""

    def expect(self, character: str) -> None:
        if self.peek() != character:
            raise JSONDecodeError(f"expected {character!r}", self._text, self._at)
        self._at += 1

    def expect_end(self) -> None:
        if self.peek():
            raise JSONDecodeError("something follows", self._text, self._at)

    def value(self) -> Any:
        """The whole next value."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                if end + LONGEST_CUT_NUMBER <= len(self._text) or not self._read_on():
                    self._at = end
                    return value
            except JSONDecodeError:
                if not self._read_on():
                    raise

    def elements(self) -> Iterator[list[Any]]:
        """The elements of the next array, several at a time."""
        with _raising_damaged():
            for _ in self.items("[", "]"):
                yield self._several() or [self.value()]

    def items(self, opening: str, closing: str) -> Iterator[None]:
        """Yield at each item between the two characters, for the caller to read it."""
        self.expect(opening)
        is_more = self.peek() != closing
        while is_more:
            yield
            is_more = self.peek() != closing
            if is_more:
                self.expect(",")
        self.expect(closing)

    def _several(self) -> list[Any]:
        """The elements up to the apparent last boundary between two objects, or the apparent end of an array of
        objects; none if there is neither.

        JSON that is cut within a string or an inner object, and closed there, does not parse. So text that parses
        was cut between two elements of this array, or at its end.
        """
        while self._boundaries:
            find, characters = self._boundaries[0]
            end = find(self._text, characters, self._at) + 1
            with suppress(orjson.JSONDecodeError):
                if end > self._at:
                    parsed: list[Any] = orjson.loads(f"[{self._text[self._at : end]}]")
                    self._at = end
                    # After the end of an array, the rest of the window may hold nothing but the next one.
                    self._boundaries = BOUNDARIES if find is str.find else self._boundaries
                    return parsed
            self._boundaries = self._boundaries[1:]
        return []

    def _read_on(self) -> bool:
        """Add the next piece to the window and drop the text already read; False at the end."""
        for piece in self._pieces:
            self._text = self._text[self._at :] + self._decoder.decode(piece)
            self._at = 0
            self._boundaries = BOUNDARIES
            return True
        return False
