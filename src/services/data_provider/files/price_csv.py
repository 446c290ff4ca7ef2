"""A CSV file of prices as a table of text, with any common delimiter."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.csv as pa_csv

from src.services.data_provider.files.problem import PriceFileProblem

DELIMITERS = (",", ";", "\t", "|")
HEADER_WITHIN = 10
"""Number of lines searched for the header: some programs write a title or "sep=;" above it."""

BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
UNKNOWN = "ticker"
"""First cell of the second header row that yfinance writes; a third one follows."""


@dataclass(frozen=True)
class TextTable:
    """The fields of a CSV file.

    Attributes:
        names: column names as the file spells them.
        columns: (n_columns,) text, null where a field is empty. Blank lines are left out.
        delimiter: separator of the fields.
        text: content of the file.
        n_header_lines: lines before the first row.
    """

    names: list[str]
    columns: "list[pa.ChunkedArray[pa.StringScalar]]"
    delimiter: str
    text: str
    n_header_lines: int

    def line_of(self, row: int) -> int:
        """The line number of a row; the first line of the file is 1."""
        rows = (number for number, fields in _numbered(self.text, self.delimiter, self.n_header_lines) if fields)
        return next(islice(rows, row, None))


def read_csv(content: bytes, recognised: Callable[[Sequence[str]], int]) -> TextTable:
    """The table in a CSV file.

    Args:
        recognised: counts the names that a header may have; decides delimiter and header.

    Raises:
        PriceFileProblem: it is not a table.
    """
    text = _decoded(content)
    if not text.strip():
        raise PriceFileProblem("it is empty")
    delimiter, line, names = _header(text, recognised)
    second = next(islice(_numbered(text, delimiter, line), 1), (0, [""]))[1]
    n_header_lines = line + (2 if second[:1] and second[0].strip().lower() == UNKNOWN else 0)
    return TextTable(names, _fields(text, delimiter, n_header_lines, len(names)), delimiter, text, n_header_lines)


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PriceFileProblem(f"row {line} is not text in UTF-8; save the file as UTF-8") from error


def _header(text: str, recognised: Callable[[Sequence[str]], int]) -> tuple[str, int, list[str]]:
    """The delimiter, the number of lines up to and including the header, and its names."""
    best: tuple[int, str, int, list[str]] | None = None
    for delimiter in DELIMITERS:
        for line, fields in islice(_numbered(text, delimiter, 0), HEADER_WITHIN):
            count = recognised(fields)
            if fields and (best is None or count > best[0]):
                best = (count, delimiter, line, fields)
    if best is None:
        raise PriceFileProblem("it is empty")
    return best[1:]


def _numbered(text: str, delimiter: str, after: int) -> Iterator[tuple[int, list[str]]]:
    """Each line's number and fields; blank lines have none."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for fields in reader:
            if reader.line_num > after:
                yield reader.line_num, fields
    except csv.Error as error:
        raise PriceFileProblem(f"row {reader.line_num} is not CSV: {error}") from error


def _fields(text: str, delimiter: str, n_header_lines: int, n_columns: int) -> "list[pa.ChunkedArray[pa.StringScalar]]":
    names = [str(position) for position in range(n_columns)]
    options = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    if not any(fields for _, fields in _numbered(text, delimiter, n_header_lines)):
        return [pa.chunked_array([pa.array([], pa.string())]) for _ in names]
    try:
        table = pa_csv.read_csv(
            io.BytesIO(text.encode()),
            read_options=pa_csv.ReadOptions(use_threads=False, skip_rows=n_header_lines, column_names=names),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter),
            convert_options=options,
        )
    except pa.ArrowException as error:
        raise _torn(text, delimiter, n_header_lines, n_columns) from error
    return list(table.columns)


def _torn(text: str, delimiter: str, n_header_lines: int, n_columns: int) -> PriceFileProblem:
    for line, fields in _numbered(text, delimiter, n_header_lines):
        if fields and len(fields) != n_columns:
            return PriceFileProblem(f"row {line} has {len(fields)} fields, but the header has {n_columns}")
    return PriceFileProblem("it is not a readable csv file")
