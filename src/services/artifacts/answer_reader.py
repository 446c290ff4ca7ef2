"""Reads a stored answer of any size piece by piece: whole in no moment in memory."""

import codecs
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from json import JSONDecodeError
from typing import Any

import orjson

COMPRESSED_BYTES = 64 * 1024
PIECE_BYTES = 256 * 1024
"""How much is unpacked at a time; parsing that holds the interpreter for about two milliseconds."""

LONGEST_CUT_NUMBER = 3
"""A number that ends so near the end of what was read ("1.", "2e-") may go on in the next piece."""

WHITE_SPACE = " \t\n\r"

Sink = Callable[[Any], None]

_DECODER = json.JSONDecoder()


class AnswerDamaged(ValueError):
    """The bytes are not the JSON object they should be."""


def unpacked(gzip_bytes: bytes) -> Iterator[bytes]:
    """The bytes that were compressed, in pieces of at most PIECE_BYTES.

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


def read_answer(pieces: Iterator[bytes], sinks: Mapping[str, Sink]) -> dict[str, Any]:
    """The JSON object that the pieces make up.

    Args:
        pieces: UTF-8, cut anywhere.
        sinks: for members of the object that are arrays: takes the elements one by one, in their order, instead
            of having them in the object that is returned.

    Raises:
        AnswerDamaged
    """
    reader = _Reader(pieces)
    answer: dict[str, Any] = {}
    try:
        for _ in reader.items("{", "}"):
            name = reader.value()
            reader.expect(":")
            if reader.peek() == "[":
                elements: list[Any] = []
                reader.elements(sinks.get(name, elements.append))
                answer |= {} if name in sinks else {name: elements}
            else:
                answer[name] = reader.value()
        reader.expect_end()
    except (JSONDecodeError, UnicodeDecodeError) as error:
        raise AnswerDamaged(f"the stored result is not JSON: {error}") from error
    return answer


class _Reader:
    """A window that moves over the text."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._has_other_parts = False
        """Whether the window is known to reach beyond the present array."""

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
        """The next value, whole."""
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

    def elements(self, sink: Sink) -> None:
        """Give each element of the array that comes next to `sink`."""
        for _ in self.items("[", "]"):
            for element in self._several() or [self.value()]:
                sink(element)

    def items(self, opening: str, closing: str) -> Iterator[None]:
        """Stops at each item between the two characters, for the caller to read it."""
        self.expect(opening)
        is_more = self.peek() != closing
        while is_more:
            yield
            is_more = self.peek() != closing
            if is_more:
                self.expect(",")
        self.expect(closing)

    def _several(self) -> list[Any]:
        """The elements up to what looks like the last boundary between two objects; none when it is not one.

        JSON that is cut within a string or an inner object, and closed there, does not parse. So what parses was
        cut between two elements of this array.
        """
        end = self._text.rfind("},{", self._at) + 1
        if end <= self._at or self._has_other_parts:
            return []
        try:
            parsed: list[Any] = orjson.loads(f"[{self._text[self._at : end]}]")
        except orjson.JSONDecodeError:
            self._has_other_parts = True
            return []
        self._at = end
        return parsed

    def _read_on(self) -> bool:
        """Add the next piece to the window and drop what was read; False at the end."""
        for piece in self._pieces:
            self._text = self._text[self._at :] + self._decoder.decode(piece)
            self._at = 0
            self._has_other_parts = False
            return True
        return False
