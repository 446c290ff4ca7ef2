"""A cache file is written atomically, and trusted only when intact."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from src.services.data_provider.base import SuspectBar
from src.services.data_provider.cache import history_file
from src.services.data_provider.cache.history_file import NotIntact, Record, encode, read, write
from src.services.data_provider.calendar import sessions
from src.services.data_provider.history import COLUMNS, History
from src.services.data_provider.trading_hours import TradingHours
from tests.fakes.histories import NEW_YORK_MARKET, history

ROOT = Path(__file__).resolve().parents[4]
RECORD = Record("yahoo", datetime(2021, 3, 3, 12, 0, 5, tzinfo=UTC), datetime(2021, 2, 1, tzinfo=UTC), date(2021, 3, 2))
SPY = history("SPY", sessions(date(2020, 1, 2), date(2020, 12, 31)))


@settings(max_examples=60)
@given(
    numbers=st.sets(st.integers(-40_000, 40_000), max_size=30),
    data=st.data(),
    zone=st.sampled_from(["UTC", "Asia/Tokyo"]),
    first=st.none() | st.dates(),
    notes=st.lists(st.tuples(st.dates(), st.text(max_size=30)), max_size=3),
)
def test_a_written_history_is_read_to_the_last_bit(numbers, data, zone, first, notes, tmp_path_factory):
    dates = np.array(sorted(numbers), "datetime64[D]")
    rows = data.draw(arrays(np.float64, (dates.size, len(COLUMNS)), elements=st.floats(width=64)))
    suspects = tuple(SuspectBar("^X", day, what) for day, what in notes)
    written = History("^X", dates, rows, TradingHours(zone, False, True), first, suspects)
    path = tmp_path_factory.mktemp("history") / "^X.parquet"
    write(path, written, RECORD)
    found, record = read(path, "^X")
    assert record == RECORD
    assert (found.market, found.first_trade_day, found.notes) == (written.market, first, suspects)
    assert found.dates.tolist() == dates.tolist()
    assert np.array_equal(found.rows, rows, equal_nan=True)


def test_other_programs_can_read_the_parquet_file(tmp_path):
    write(tmp_path / "SPY.parquet", SPY, RECORD)
    table = pq.read_table(tmp_path / "SPY.parquet")
    assert table.column_names == ["day", *COLUMNS]
    assert table.column("close").to_numpy().tolist() == SPY.rows[:, 3].tolist()


def test_a_changed_byte_is_detected_at_every_position_that_matters(tmp_path):
    content, path = encode(SPY, RECORD), tmp_path / "SPY.parquet"
    chosen, n_noticed = random.Random(7), 0  # noqa: S311 - the same places each time
    for _ in range(400):
        place = chosen.randrange(len(content))
        path.write_bytes(content[:place] + bytes([content[place] ^ (1 << chosen.randrange(8))]) + content[place + 1 :])
        try:
            found, record = read(path, "SPY")
        except NotIntact:
            n_noticed += 1
            continue
        assert record == RECORD  # a byte without meaning for us, such as the name of the writer
        assert np.array_equal(found.rows, SPY.rows)
        assert (found.dates == SPY.dates).all()
    assert n_noticed > 350


@pytest.mark.parametrize("length", [0, 3, 4, 100, 5_000, -1, -8, -9, -500])
def test_a_truncated_file_is_not_intact(tmp_path, length):
    content = encode(SPY, RECORD)
    (tmp_path / "SPY.parquet").write_bytes(content[:length])
    with pytest.raises(NotIntact):
        read(tmp_path / "SPY.parquet", "SPY")


def test_another_symbols_file_is_not_intact(tmp_path):
    write(tmp_path / "QQQ.parquet", SPY, RECORD)
    with pytest.raises(NotIntact, match="SPY"):
        read(tmp_path / "QQQ.parquet", "QQQ")


def test_a_foreign_parquet_file_is_not_intact(tmp_path):
    pq.write_table(pa.table({"Date": [date(2020, 1, 2)], "Close": [1.0]}), tmp_path / "SPY.parquet")
    with pytest.raises(NotIntact, match="edition"):
        read(tmp_path / "SPY.parquet", "SPY")


def test_another_edition_is_not_intact(tmp_path, monkeypatch):
    monkeypatch.setattr(history_file, "EDITION", 99)
    write(tmp_path / "SPY.parquet", SPY, RECORD)
    monkeypatch.undo()
    with pytest.raises(NotIntact, match="edition"):
        read(tmp_path / "SPY.parquet", "SPY")


WRITE_FOR_EVER = """
import sys
from datetime import date
from pathlib import Path
from src.services.data_provider.cache.history_file import write
from tests.services.data_provider.cache.test_history_file import RECORD
from src.services.data_provider.calendar import sessions
from tests.fakes.histories import history
days = sessions(date(1990, 1, 2), date(2020, 12, 31))
histories = [history("SPY", days, seed=seed) for seed in (1, 2)]
while True:
    for one in histories:
        write(Path(sys.argv[1]), one, RECORD)
        print("written", flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_while_writing_leaves_the_old_file_or_the_new_one(tmp_path):
    path, chosen = tmp_path / "SPY.parquet", random.Random(11)  # noqa: S311 - the same moments each time
    days = sessions(date(1990, 1, 2), date(2020, 12, 31))
    possible = [history("SPY", days, seed=seed).rows for seed in (1, 2)]
    n_left_over = 0
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, os.fspath(path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        process.stdout.readline()
        for _ in range(20):
            found, _record = read(path, "SPY")  # while it is being written all the time
            assert any(np.array_equal(found.rows, rows) for rows in possible)
        time.sleep(chosen.random() / 50)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found, _record = read(path, "SPY")
        assert any(np.array_equal(found.rows, rows) for rows in possible)
        n_left_over = max(n_left_over, len(list(tmp_path.iterdir())))
    assert n_left_over <= 2  # the file, and at most one unfinished one that the next writer replaces


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "SPY.parquet"
    write(path, SPY, RECORD)
    before = path.read_bytes()

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(history_file.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(path, history("SPY", SPY.dates, seed=9), RECORD)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["SPY.parquet"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_disk_that_is_really_full_leaves_the_old_file(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]
    mounted = subprocess.run(command, check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("this machine does not allow mounting a small disk")
    try:
        write(disk / "SPY.parquet", SPY, RECORD)
        long = history("SPY", sessions(date(1990, 1, 2), date(2020, 12, 31)), NEW_YORK_MARKET)
        with pytest.raises(OSError, match="No space"):
            write(disk / "SPY.parquet", long, RECORD)
        assert np.array_equal(read(disk / "SPY.parquet", "SPY")[0].rows, SPY.rows)
        assert [entry.name for entry in disk.iterdir()] == ["SPY.parquet"]
    finally:
        subprocess.run(["umount", disk], check=True)
