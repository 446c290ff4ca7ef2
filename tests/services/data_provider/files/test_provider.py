"""A folder of price files is read in its current state, and never anything outside it."""

import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.files import provider as files
from src.services.data_provider.files.provider import FilesProvider

JANUARY = (date(2020, 1, 1), date(2020, 1, 31))
HEADER = "Date,Open,High,Low,Close,Volume\n"


def write(folder: Path, symbol: str, *rows: str) -> Path:
    path = folder / f"{symbol}.csv"
    path.write_text(HEADER + "".join(row + "\n" for row in rows or ["2020-01-02,10,11,9,10,100"]))
    return path


def test_real_prices_adjusted_on_reading_are_the_adjusted_ones(daily_prices, raw_prices):
    everything = (date(1900, 1, 1), date(2030, 1, 1))
    for symbol in ("SPY", "BND", "TLT", "GLD", "AAPL"):
        adjusted = FilesProvider(daily_prices).fetch([symbol], *everything)
        from_raw = FilesProvider(raw_prices).fetch([symbol], *everything)
        # AAPL's raw file begins earlier; see the notes beside the files.
        from_raw = from_raw.window(adjusted.dates[0].item(), adjusted.dates[-1].item())
        np.testing.assert_array_equal(from_raw.dates, adjusted.dates)
        np.testing.assert_allclose(from_raw.bars, adjusted.bars, rtol=1e-6)


def test_real_prices_of_thirty_symbols_raise_no_warning_except_for_negative_yields(daily_prices):
    symbols = sorted(path.stem for path in daily_prices.iterdir())
    table = FilesProvider(daily_prices).fetch(symbols, date(1900, 1, 1), date(2030, 1, 1))
    assert len(symbols) == 30
    assert {suspect.symbol for suspect in table.suspects} == {"^IRX"}
    assert len(table.suspects) == 7
    assert table.suspects[0].day == date(2020, 3, 19)


def test_a_changed_file_is_read_again(tmp_path):
    provider = FilesProvider(tmp_path)
    path = write(tmp_path, "ABC", "2020-01-02,10,11,9,10,100")
    assert provider.fetch(["ABC"], *JANUARY).close[0, 0] == 10
    before = path.stat()
    write(tmp_path, "ABC", "2020-01-02,10,11,9,11,100")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert provider.fetch(["ABC"], *JANUARY).close[0, 0] == 11


def test_an_unchanged_file_is_not_read_again(tmp_path, monkeypatch):
    reads = []
    read = files.read_price_columns

    def counted(*given, **options):
        reads.append(given)
        return read(*given, **options)

    monkeypatch.setattr(files, "read_price_columns", counted)
    write(tmp_path, "ABC")
    provider = FilesProvider(tmp_path)
    hashes = {provider.fetch(["ABC"], *JANUARY).data_hash() for _ in range(3)}
    assert len(hashes) == len(reads) == 1


def test_parquet_goes_before_csv(tmp_path):
    path = write(tmp_path, "ABC")
    (tmp_path / "ABC.parquet").write_bytes(b"broken")
    with pytest.raises(NoPrices, match="readable parquet"):
        FilesProvider(tmp_path).fetch(["ABC"], *JANUARY)
    (tmp_path / "ABC.parquet").unlink()
    assert path.exists()
    assert FilesProvider(tmp_path).fetch(["ABC"], *JANUARY).close[0, 0] == 10


def test_faulty_rows_of_a_file_are_reported_with_its_prices(tmp_path):
    write(tmp_path, "ABC", "2020-01-02,10,11,9,10,100", "2020-01-03,10,9,9,10,100", "2020-01-06,,,,,")
    table = FilesProvider(tmp_path).fetch(["ABC"], *JANUARY)
    assert table.dates.size == 2
    assert table.warnings() == [
        "ABC on 2020-01-03: open 10, high 9, low 9, close 10 are out of order; kept as they are.",
        "ABC on 2020-01-06: open nan, high nan, low nan, close nan: not a price; the day is left out.",
    ]


def test_an_unknown_symbol_gets_suggestions_of_similar_names(tmp_path):
    for symbol in ("GOOG", "AAPL", "MSFT"):
        write(tmp_path, symbol)
    with pytest.raises(NoPrices) as raised:
        FilesProvider(tmp_path).fetch(["GOOGL", "XYZ"], *JANUARY)
    assert raised.value.errors == [
        "No prices for 'GOOGL': there is no file for this symbol; did you mean GOOG?",
        "No prices for 'XYZ': there is no file for this symbol.",
    ]


def test_a_large_folder_is_not_searched_for_names(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "SMALL_FOLDER_FILES", 2)
    for symbol in ("GOOG", "AAPL", "MSFT"):
        write(tmp_path, symbol)
    with pytest.raises(NoPrices, match=r"for this symbol\.$"):
        FilesProvider(tmp_path).fetch(["GOOGL"], *JANUARY)


def test_a_missing_folder_is_an_error_of_the_service(tmp_path):
    with pytest.raises(PriceSourceUnavailable, match="DATA_DIR"):
        FilesProvider(tmp_path / "absent").fetch(["ABC"], *JANUARY)


def test_a_broken_file_names_the_symbol_and_not_the_path(tmp_path):
    write(tmp_path, "ABC")
    (tmp_path / "DEF.csv").write_text("nothing")
    (tmp_path / "GHI.csv").write_text("")
    with pytest.raises(NoPrices) as raised:
        FilesProvider(tmp_path).fetch(["ABC", "DEF", "GHI"], *JANUARY)
    assert ["'DEF'" in raised.value.errors[0], "'GHI'" in raised.value.errors[1]] == [True, True]
    assert str(tmp_path) not in str(raised.value)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "prices"
    outside.mkdir()
    folder.mkdir()
    secret = write(outside, "SECRET")
    (folder / "ABC.csv").symlink_to(secret)
    with pytest.raises(PriceSourceUnavailable, match="leaves the data folder") as raised:
        FilesProvider(folder).fetch(["ABC"], *JANUARY)
    assert "outside" not in str(raised.value)


def test_links_within_the_folder_and_to_the_folder_are_fine(tmp_path):
    folder, alias = tmp_path / "prices", tmp_path / "alias"
    folder.mkdir()
    alias.symlink_to(folder)
    write(folder, "GOOG")
    (folder / "GOOGL.csv").symlink_to("GOOG.csv")
    assert FilesProvider(alias).fetch(["GOOGL"], *JANUARY).symbols == ("GOOGL",)


def test_a_folder_named_like_a_price_file_is_not_read(tmp_path):
    (tmp_path / "ABC.csv").mkdir()
    with pytest.raises(NoPrices, match="no file for this symbol"):
        FilesProvider(tmp_path).fetch(["ABC"], *JANUARY)
