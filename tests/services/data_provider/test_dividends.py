"""Dividends: as the source reports them, or from the steps of its adjusted close."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from src.errors import NoPrices
from src.services.data_provider.dividends import distributions, implied_dividends, on_days
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.history import ADJ_CLOSE, CAPITAL_GAIN, COLUMNS, DIVIDEND, History
from src.services.data_provider.history_bars import bars_of
from tests.fakes.histories import NEW_YORK_MARKET

NAN = float("nan")


def test_a_step_of_the_adjusted_close_is_a_dividend_of_the_day_before():
    """1 of 100 is paid on the third day: every price before it counts 99 hundredths."""
    closes = np.array([100.0, 100.0, 102.0, 102.0])
    adjusted = np.array([99.0, 99.0, 102.0, 102.0])
    assert implied_dividends("A", closes, adjusted) == pytest.approx([0, 0, 1, 0])


def test_days_without_a_price_neither_hide_nor_make_a_dividend():
    closes = np.array([100.0, NAN, 102.0])
    assert implied_dividends("A", closes, np.array([99.0, NAN, 102.0])) == pytest.approx([0, 0, 1])
    assert implied_dividends("A", closes, np.array([100.0, NAN, 102.0])).tolist() == [0, 0, 0]


def test_rounding_is_not_a_dividend_and_too_much_of_it_is_refused():
    closes = np.array([100.0, 101.0, 102.0])
    assert implied_dividends("A", closes, closes * (1 + np.array([-3e-5, 2e-5, 0.0]))).tolist() == [0, 0, 0]
    with pytest.raises(NoPrices, match="rounded too coarsely"):
        implied_dividends("A", closes, closes * (1 + np.array([3e-4, 0.0, 3e-4])))


def test_real_adjusted_closes_imply_the_dividends_that_spy_paid(market_folder):
    """As State Street paid them: 1.233 on 2019-03-15, 1.432 on 2019-06-21, 1.384 on 2019-09-20, 1.570 on 2019-12-20."""
    frame = pd.read_parquet(market_folder.parent / "raw" / "SPY.parquet").loc["2018-12-24":"2020-01-31"]
    paid = implied_dividends("SPY", frame["close"].to_numpy(), frame["adj_close"].to_numpy())
    found = {str(day.date()): amount for day, amount in zip(frame.index, paid, strict=True) if amount}
    assert list(found) == ["2019-03-15", "2019-06-21", "2019-09-20", "2019-12-20"]
    assert list(found.values()) == pytest.approx([1.233, 1.432, 1.384, 1.570], abs=2e-3)


def history(closes, adjusted, dividends, gains=None) -> History:
    rows = np.zeros((len(closes), len(COLUMNS)))
    rows[:, :4] = np.array(closes)[:, np.newaxis]
    rows[:, ADJ_CLOSE], rows[:, DIVIDEND] = adjusted, dividends
    rows[:, CAPITAL_GAIN] = 0.0 if gains is None else gains
    return History("FUND", np.datetime64("2020-01-01") + np.arange(len(closes)), rows, NEW_YORK_MARKET)


def test_a_capital_gain_is_paid_beside_the_dividend_and_not_twice():
    apart = history([100, 97], [97, 97], [0, 1], [0, 2])
    assert distributions(apart)[0] == pytest.approx([0, 3])
    counted_twice = history([100, 97], [97, 97], [0, 3], [0, 2])
    assert distributions(counted_twice)[0] == pytest.approx([0, 3])
    assert distributions(apart)[1] == distributions(counted_twice)[1] == ()


def test_an_adjustment_that_no_dividend_explains_is_named_and_not_paid():
    paid, (note,) = distributions(history([100, 80], [80, 80], [0, 0]))
    assert paid.tolist() == [0, 0]
    assert str(note).startswith(
        "FUND on 2020-01-02: the adjusted close implies a dividend of 20 per share, but the source reports 0"
    )


def test_a_dividend_on_a_day_without_a_bar_is_paid_on_the_next_one():
    days = np.array(["2020-01-01", "2020-01-03", "2020-01-06"], dtype="datetime64[D]")
    ex_dates = np.array(["2020-01-02", "2020-01-03", "2020-01-07"], dtype="datetime64[D]")
    assert on_days(days, ex_dates, np.array([1.0, 2.0, 4.0])).tolist() == [0, 3, 0]


def test_bars_adjusted_for_splits_alone_are_the_prices_that_were_paid():
    told = history([100, 99, 99], [99, 99, 99], [0, 1, 0])
    bars = bars_of(told, "splits")
    assert bars.bars[:, 3].tolist() == [100, 99, 99]
    assert bars.dividends.tolist() == [0, 1, 0]
    full = bars_of(told)
    assert (full.bars[:, 3].tolist(), full.dividends) == ([99, 99, 99], None)
    assert full.dividend_factors == pytest.approx([0.99, 1, 1])


HEADER = "Date,Open,High,Low,Close,Adj Close,Volume,Dividends\n"
ROWS = "2020-01-02,100,100,100,100,99,5,0\n2020-01-03,99,99,99,99,99,5,1\n"
JANUARY = (date(2020, 1, 1), date(2020, 1, 31))


def test_a_files_dividends_come_from_its_column_or_from_its_adjusted_close(tmp_path):
    (tmp_path / "SAID.csv").write_text(HEADER + ROWS.replace("5,1", "5,0.98"))
    implied = "".join(line.rpartition(",")[0] + "\n" for line in ROWS.splitlines())
    (tmp_path / "IMPLIED.csv").write_text(HEADER.replace(",Dividends", "") + implied)
    table = FilesProvider(tmp_path).fetch(("SAID", "IMPLIED"), *JANUARY, adjustment="splits")
    assert table.close.tolist() == [[100, 100], [99, 99]]
    assert table.dividends == pytest.approx(np.array([[0, 0], [0.98, 1]]))
    both = FilesProvider(tmp_path)
    full = [both.fetch(("SAID",), *JANUARY), both.fetch(("SAID",), *JANUARY, adjustment="splits")]
    assert [prices.close[0, 0] for prices in full] == [99, 100], "one does not take the other's place in memory"
    assert full[0].data_hash() != full[1].data_hash()


def test_a_file_that_counts_as_adjusted_already_has_no_unadjusted_prices(tmp_path):
    (tmp_path / "ABC.csv").write_text("Date,Open,High,Low,Close,Volume,Dividends\n2020-01-02,9,9,9,9,5,1\n")
    with pytest.raises(NoPrices, match=r"'ABC'.*'Adj Close'"):
        FilesProvider(tmp_path).fetch(("ABC",), *JANUARY, adjustment="splits")


def test_a_dividend_that_is_not_a_number_matters_only_when_dividends_are_requested(tmp_path):
    (tmp_path / "ABC.csv").write_text(HEADER + ROWS.replace("5,1", "5,special"))
    provider = FilesProvider(tmp_path)
    assert provider.fetch(("ABC",), *JANUARY).close[0, 0] == 99
    with pytest.raises(NoPrices, match="Dividends"):
        provider.fetch(("ABC",), *JANUARY, adjustment="splits")
