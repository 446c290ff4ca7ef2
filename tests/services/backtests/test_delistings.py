"""Delistings, from the stored prices to the answer: which symbols count as delisted, and the warnings."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.services.backtests.delistings import find_delistings
from src.services.data_provider.base import DataProvider, PriceTable
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.calendar import sessions
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.mock.provider import MockProvider
from tests.fakes.engine_box import engine_script
from tests.fakes.histories import FakeSource, history
from tests.fakes.sandbox import ScriptedSandbox
from tests.services.backtests.answers import answered, strategy

SOURCE, DESCRIPTION = strategy("DEAD", "LIVE")
REQUEST = {"strategy_code": SOURCE, "start_date": "2015-01-01", "end_date": "2016-12-31", "benchmark": None}

Days = tuple[str, str]


def table(window: Days, whole: Mapping[str, Days], known_to: Mapping[str, str] | None = None) -> PriceTable:
    """A provider's table of these histories within the window."""
    start, end = (date.fromisoformat(day) for day in window)
    histories = {symbol: sessions(*(date.fromisoformat(day) for day in days)) for symbol, days in whole.items()}
    dates = np.unique(np.concatenate(list(histories.values())))
    bars = np.full((dates.size, len(whole), 5), np.nan)
    for column, days in enumerate(histories.values()):
        bars[np.isin(dates, days), column] = 10.0
    ends = {symbol: days[-1].item() for symbol, days in histories.items()}
    asked = {symbol: date.fromisoformat(day) for symbol, day in (known_to or {}).items()}
    return PriceTable(dates, tuple(whole), bars, history_ends=ends, known_to=asked).window(start, end)


def found(prices: PriceTable, end: str = "2016-12-31", benchmark_end: str | None = None) -> dict[str, str]:
    """Symbol → day on which it leaves."""
    known = None if benchmark_end is None else date.fromisoformat(benchmark_end)
    days = find_delistings(prices, date.fromisoformat(end), known)
    return {prices.symbols[symbol]: str(prices.dates[day]) for symbol, day in days.items()}


YEARS = ("2015-01-01", "2016-12-31")
LIVE = ("2010-01-04", "2016-12-30")


def test_a_history_that_ends_long_before_the_others_leaves_on_the_next_day_of_the_timeline():
    assert found(table(YEARS, {"DEAD": ("2010-01-04", "2015-06-30"), "LIVE": LIVE})) == {"DEAD": "2015-07-01"}


@pytest.mark.parametrize(("last", "is_delisted"), [("2016-10-31", True), ("2016-11-01", False), ("2016-12-29", False)])
def test_a_history_that_ends_less_than_sixty_days_before_the_others_merely_stops(last, is_delisted):
    days = found(table(YEARS, {"DEAD": ("2010-01-04", last), "LIVE": LIVE}))
    assert bool(days) == is_delisted


def test_the_whole_history_decides_and_not_the_window():
    """In the window DEAD ends a week before LIVE, but LIVE is known for years after that."""
    window = ("2015-01-01", "2015-07-07")
    whole = {"DEAD": ("2010-01-04", "2015-06-30"), "LIVE": LIVE}
    assert found(table(window, whole), end="2015-07-07") == {"DEAD": "2015-07-01"}


def test_an_end_after_the_window_is_not_known_within_it():
    window = ("2015-01-01", "2015-06-30")
    assert found(table(window, {"DEAD": ("2010-01-04", "2015-06-30"), "LIVE": LIVE}), end="2015-06-30") == {}
    assert found(table(window, {"DEAD": ("2010-01-04", "2015-07-31"), "LIVE": LIVE}), end="2015-06-30") == {}


def test_files_that_all_end_on_one_old_day_delist_nothing():
    old = ("2010-01-04", "2015-06-30")
    assert found(table(YEARS, {"DEAD": old, "LIVE": old})) == {}


def test_a_benchmark_that_goes_on_shows_that_a_lone_symbol_is_delisted():
    lone = table(YEARS, {"DEAD": ("2010-01-04", "2015-06-30")})
    assert found(lone) == {}
    assert found(lone, benchmark_end="2016-12-30") == {"DEAD": "2015-06-30"}


def test_a_lone_symbol_whose_window_ends_over_the_weekend_after_its_end_is_not_settled_within_it():
    lone = table(("2015-01-01", "2015-05-31"), {"DEAD": ("2010-01-04", "2015-05-29")})
    assert found(lone, end="2015-05-31", benchmark_end="2016-12-30") == {}
    assert found(lone, end="2015-06-01", benchmark_end="2016-12-30") == {"DEAD": "2015-05-29"}


def test_a_source_with_a_known_last_request_needs_no_other_symbol():
    whole = {"DEAD": ("2010-01-04", "2015-06-30"), "LIVE": LIVE}
    asked_late = table(YEARS, whole, {"DEAD": "2016-12-30", "LIVE": "2016-12-30"})
    assert found(asked_late) == {"DEAD": "2015-07-01"}
    asked_soon = table(YEARS, whole, {"DEAD": "2015-07-10", "LIVE": "2016-12-30"})
    assert found(asked_soon) == {}


def test_made_up_prices_never_end():
    provider = MockProvider(lambda: datetime(2016, 3, 7, 3, tzinfo=UTC))
    prices = provider.fetch(("SPY", "BTC-USD"), date(2015, 1, 1), date(2016, 12, 31))
    assert find_delistings(prices, date(2016, 12, 31)) == {}


def write(folder: Path, symbol: str, first: str, last: str, price: float = 10.0, without: Days | None = None) -> None:
    """A file of flat prices on New York's sessions."""
    days = [str(day) for day in sessions(date.fromisoformat(first), date.fromisoformat(last))]
    kept = [day for day in days if without is None or not without[0] <= day <= without[1]]
    rows = "".join(f"{day},{price},{price},{price},{price},1000000\n" for day in kept)
    (folder / f"{symbol}.csv").write_text("date,open,high,low,close,volume\n" + rows)


def run(provider: DataProvider, weights: tuple[float, float] = (0.5, 0.5), **changes: Any) -> dict[str, Any]:
    """The answer for a strategy with constant weights, in a scripted box with the real engine."""
    return answered(provider, ScriptedSandbox(engine_script(DESCRIPTION, weights)), **REQUEST | changes)


def about_prices(answer: dict[str, Any]) -> list[str]:
    return [warning for warning in answer["warnings"] if "prices" in warning and "risk-free" not in warning]


def test_a_delisting_shows_as_an_order_with_its_reason_and_as_a_warning(tmp_path):
    write(tmp_path, "DEAD", "2010-01-04", "2015-06-30")
    write(tmp_path, "LIVE", "2010-01-04", "2016-12-30", price=20.0)
    answer = run(FilesProvider(tmp_path), delisting_return=-0.3)
    bought, _, closed, reinvested = answer["orders"]
    assert closed == {
        "id": "3",
        "timestamp": "2015-07-01T00:00:00Z",
        "symbol": "DEAD",
        "action": "Sell",
        "price": 7.0,
        "shares": bought["shares"],
        "fee": 0.0,
        "slippage_cost": 0.0,
        "reason": "delisting",
    }
    assert all("reason" not in order for order in answer["orders"] if order is not closed)
    assert (reinvested["symbol"], reinvested["action"]) == ("LIVE", "Sell")  # half of what is left
    assert answer["equity_stats"]["equity"] == pytest.approx(8500)
    assert answer["metrics"]["closed_trades"] == 2
    assert about_prices(answer) == [
        "prices of DEAD end on 2015-06-30; its position of 500 shares was closed at 7 on 2015-07-01 "
        "(the last close of 10 with a delisting_return of -0.3)"
    ]
    assert answer["parameters"]["delisting_return"] == -0.3


def test_a_symbol_that_is_delisted_without_a_position_gives_no_warning(tmp_path):
    write(tmp_path, "DEAD", "2010-01-04", "2015-06-30")
    write(tmp_path, "LIVE", "2010-01-04", "2016-12-30")
    answer = run(FilesProvider(tmp_path), weights=(0.0, 1.0))
    assert about_prices(answer) == []
    assert "delisting_return" not in answer["parameters"]


def test_prices_that_merely_stop_while_held_give_a_warning_and_no_sale(tmp_path):
    write(tmp_path, "DEAD", "2010-01-04", "2016-12-15")
    write(tmp_path, "LIVE", "2010-01-04", "2016-12-30")
    answer = run(FilesProvider(tmp_path))
    assert {order["timestamp"] for order in answer["orders"]} == {"2015-01-02T00:00:00Z"}
    assert about_prices(answer) == [
        "prices of DEAD end on 2016-12-15 while it is held: after that the position is valued at its last close of 10 "
        "and cannot be sold"
    ]


def test_a_gap_while_held_gives_a_warning_with_both_days(tmp_path):
    write(tmp_path, "DEAD", "2010-01-04", "2016-12-30", without=("2015-03-02", "2015-03-13"))
    write(tmp_path, "LIVE", "2010-01-04", "2016-12-30")
    assert about_prices(run(FilesProvider(tmp_path))) == [
        "DEAD has no prices between 2015-02-27 and 2015-03-16 while it is held: the position is valued at its last "
        "close of 10 and cannot be sold"
    ]
    assert about_prices(run(FilesProvider(tmp_path), weights=(0.0, 1.0))) == []
    window = {"end_date": "2015-03-11"}
    assert about_prices(run(FilesProvider(tmp_path), **window))[0].startswith(
        "DEAD has no prices between 2015-02-27 and the end of the window while it is held"
    )


def test_the_data_hash_holds_the_delisting_and_the_run_hash_its_return(tmp_path):
    write(tmp_path, "LIVE", "2010-01-04", "2016-12-30")
    write(tmp_path, "DEAD", "2010-01-04", "2016-11-30")
    window = {"end_date": "2016-12-09"}
    stopped = run(FilesProvider(tmp_path), **window)
    write(tmp_path, "LIVE", "2010-01-04", "2017-12-29")
    delisted = run(FilesProvider(tmp_path), **window)
    assert delisted["provenance"]["data_hash"] != stopped["provenance"]["data_hash"]
    assert delisted["run_hash"] != stopped["run_hash"]
    lost = run(FilesProvider(tmp_path), **window, delisting_return=-1)
    assert lost["provenance"]["data_hash"] == delisted["provenance"]["data_hash"]
    assert lost["run_hash"] != delisted["run_hash"]
    assert run(FilesProvider(tmp_path), **window, delisting_return=0)["run_hash"] == delisted["run_hash"]


def test_yahoos_lack_of_further_prices_delists_a_lone_symbol(tmp_path):
    source = FakeSource(lambda: now)
    now = datetime(2016, 12, 31, 12, tzinfo=UTC)
    for symbol, last in (("DEAD", date(2015, 6, 30)), ("LIVE", date(2016, 12, 30))):
        source.histories[symbol] = history(symbol, sessions(date(2010, 1, 4), last))
    provider = CachedProvider(source, tmp_path, lambda: now)
    (closed,) = [order for order in run(provider)["orders"] if "reason" in order]
    assert closed["timestamp"] == "2015-07-01T00:00:00Z"
    soon = CachedProvider(source, tmp_path / "soon", lambda: now)
    (tmp_path / "soon").mkdir()
    now = datetime(2015, 7, 30, 12, tzinfo=UTC)
    answer = run(soon, end_date="2015-07-30")
    assert not [order for order in answer["orders"] if "reason" in order]
    assert "prices of DEAD end on 2015-06-30 while it is held" in about_prices(answer)[0]


def test_a_window_of_a_table_keeps_the_facts_about_the_whole():
    whole = table(YEARS, {"DEAD": ("2010-01-04", "2015-06-30"), "LIVE": LIVE})
    part = whole.window(date(2015, 1, 1), date(2015, 1, 31))
    assert part.history_ends == {"DEAD": date(2015, 6, 30), "LIVE": date(2016, 12, 30)}
    assert part.dates[-1].item() + timedelta(days=100) < date(2015, 6, 30)
