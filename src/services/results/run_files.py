"""Writes the files of one run into a folder, from its database records."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from src.services.results.answer_reader import AnswerDamaged, read_answer, unpacked
from src.services.results.chain.manifest import FILE_NAMES, SealedFile, describe
from src.services.results.exports.equity_table import EquityCurve, equity_curve, write_equity
from src.services.results.exports.order_table import OrderTable
from src.services.results.report.page import ORDERS_SHOWN, report_page
from src.services.storage.records import StoredResult


def write_run_files(folder: Path, title: str, request: Mapping[str, Any], result: StoredResult) -> list[SealedFile]:
    """Write every file except the manifest.

    The answer is unpacked, checked, written and parsed in one pass, so memory is bounded for any number of orders.

    Args:
        folder: an empty folder.
        title: the report's title.
        request: the request as JSON.

    Returns:
        One description per file, in the order of FILE_NAMES; each file would survive a power failure.

    Raises:
        OSError: for example no space left.
        AnswerDamaged: the stored result was corrupted.
    """
    source = request["strategy_code"]
    (folder / "request.json").write_bytes(_readable_json(request))
    (folder / "strategy.py").write_bytes(source.encode("utf-8"))
    with (
        (folder / "result.json").open("wb") as result_file,
        (folder / "orders.csv").open("w", encoding="utf-8", newline="") as orders_file,
    ):
        orders = OrderTable(orders_file, ORDERS_SHOWN // 2)
        pieces = _written(unpacked(result.gzip_bytes), result_file)
        answer = read_answer(pieces, {"orders": orders.add, "holding_weights": _forget})
    curve = equity_curve(answer)
    write_equity(curve, folder / "equity.parquet")
    (folder / "report.html").write_bytes(report_page(title, answer, curve, orders, source).encode("utf-8"))
    files = [describe(folder / name, durably=True) for name in FILE_NAMES]
    _check(files, result)
    return files


def curve_of(result: StoredResult) -> EquityCurve:
    """The account of a stored result, whose orders are passed over.

    Raises:
        AnswerDamaged: the stored result was corrupted.
    """
    skipped = {"orders": _forget, "holding_weights": _forget}
    return equity_curve(read_answer(unpacked(result.gzip_bytes), skipped))


def _readable_json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def _written(pieces: Iterator[bytes], file: BinaryIO) -> Iterator[bytes]:
    for piece in pieces:
        file.write(piece)
        yield piece


def _forget(_element: Any) -> None:
    """Discard holding weights: the largest part of result.json, used in no other file."""


def _check(files: list[SealedFile], result: StoredResult) -> None:
    (written,) = [file for file in files if file.name == "result.json"]
    if (written.size, written.sha256) != (result.json_length, result.json_sha256):
        raise AnswerDamaged("the stored result does not have the hash that was stored with it")
