"""equity.parquet as other programs read it."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from src.services.results.exports.equity_table import FIELDS, equity_csv, equity_curve, equity_parquet
from tests.services.results.samples import answer, result_of


def test_pandas_reads_it_exactly(tmp_path: Path) -> None:
    content = answer(n_days=50)
    (tmp_path / "equity.parquet").write_bytes(equity_parquet(equity_curve(result_of(content))))
    frame = pd.read_parquet(tmp_path / "equity.parquet").set_index("time")
    assert list(frame.columns) == ["open", "high", "low", "close", "benchmark", "drawdown"]
    assert str(frame.index[0]) == "2015-01-02 00:00:00+00:00"
    for name in ("open", "high", "low", "close"):
        assert frame[name].tolist() == [row[name] for row in content["candles"]]
    assert frame["benchmark"].tolist() == [point["value"] for point in content["benchmark"]]
    peak = frame["close"].cummax().clip(lower=10_000.0)
    assert frame["drawdown"].tolist() == pytest.approx((1 - frame["close"] / peak).tolist(), abs=1e-12)


def test_each_column_states_its_unit(tmp_path: Path) -> None:
    (tmp_path / "equity.parquet").write_bytes(equity_parquet(equity_curve(result_of(answer(n_days=5)))))
    schema = pq.read_schema(tmp_path / "equity.parquet")
    units = {field.name: field.metadata[b"unit"].decode() for field in schema}
    assert units == {name: unit for name, unit, _ in FIELDS}
    assert all(field.metadata[b"description"] for field in schema)


def test_a_partial_benchmark_is_on_its_days_only(tmp_path: Path) -> None:
    content = answer(n_days=5)
    content["benchmark"] = content["benchmark"][2:4]
    (tmp_path / "equity.parquet").write_bytes(equity_parquet(equity_curve(result_of(content))))
    column = pq.read_table(tmp_path / "equity.parquet").column("benchmark")
    assert column.to_pylist() == [None, None, 10_002.0, 10_003.0, None]


def test_without_a_benchmark_its_column_is_empty(tmp_path: Path) -> None:
    (tmp_path / "equity.parquet").write_bytes(equity_parquet(equity_curve(result_of(answer(n_days=5, benchmark=None)))))
    column = pq.read_table(tmp_path / "equity.parquet").column("benchmark")
    assert column.null_count == 5


def test_the_csv_has_the_same_numbers_and_leaves_empty_what_is_not_there() -> None:
    content = answer(n_days=5)
    content["benchmark"] = content["benchmark"][2:4]
    curve = equity_curve(result_of(content))
    rows = [line.split(",") for line in equity_csv(curve).decode("ascii").split("\r\n")]
    assert rows[0] == ["date", *(name for name, _, _ in FIELDS[1:])] and rows[-1] == [""]
    assert [row[0] for row in rows[1:-1]] == [str(day) for day in curve.dates]
    assert [[float(cell) for cell in row[1:5]] for row in rows[1:-1]] == curve.candles.tolist()
    assert [row[5] for row in rows[1:-1]] == ["", "", "10002.0", "10003.0", ""]
    assert [float(row[6]) for row in rows[1:-1]] == curve.drawdown.tolist()
