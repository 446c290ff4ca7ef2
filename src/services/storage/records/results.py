"""Results as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StoredResult:
    """A result as it is stored; see src/services/results/packing.py.

    Attributes:
        document: all of it that is neither a column nor a metric, as a JSON object.
        metrics: every metric by name, and `undefined`.
        daily: the account day by day, an Arrow file.
        orders: every fill, an Arrow file.
        trades: every round trip, an Arrow file; None if stored before there were round trips.
        sha256: of all these together, hexadecimal.
        json_length: bytes of the whole result as JSON, approximately.
    """

    document: bytes
    metrics: Mapping[str, Any]
    daily: bytes
    orders: bytes
    sha256: str
    json_length: int
    trades: bytes | None = None


@dataclass(frozen=True)
class EarlierResult:
    """A whole BacktestResponse, as it was stored before results were columns.

    Attributes:
        gzip_bytes: the JSON answer, compressed.
        json_sha256: of the JSON before compression, hexadecimal.
        json_length: bytes of the JSON before compression.
    """

    gzip_bytes: bytes
    json_sha256: str
    json_length: int
