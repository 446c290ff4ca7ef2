"""What strategies read of the past in real boxes, against the prices that were sent and the books that came back."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from src.execution.sandbox.base import Sandbox
from src.services.data_provider.base import PriceTable
from tests.engine.markets import real_prices
from tests.execution.box_runs import PRELUDE, price_table, run_in_box

SYMBOLS = ("SPY", "BND", "VXUS")
FIELDS = ["open", "high", "low", "close", "volume"]
PERIODS = {"DAILY": "D", "WEEKLY": "W-FRI", "MONTHLY": "M", "QUARTERLY": "Q"}

ASKS_AT_RANDOM = """
import json, random
import pandas

class Mine(Base):
    universe = ["SPY", "BND", "VXUS"]
    cadence = Cadence(bar_size=BarSize.{size}, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)
    def on_data(self, data, portfolio):
        symbol, n, field = random.choice(self.universe), random.randint(1, 30), random.choice({fields})
        print(json.dumps([str(data.time), symbol, n, field, data.history(symbol, n, field)]))
        few = n % 4 + 1
        bars = [list(bar.values()) for bar in data.history(symbol, few, "bar")]
        print(json.dumps([few, bars]))
        table = data.frame(symbol, few)
        print(json.dumps([[str(time.date()) for time in table.index], table.values.tolist()]))
        return Hold()
"""


def with_gaps(folder: Path) -> PriceTable:
    """A year of prices: SPY with every bar, BND with a third of its bars missing, VXUS listed late, without volumes."""
    prices = real_prices(folder, SYMBOLS, "2010-07-01", "2011-06-30")
    bars = np.stack([prices[field].to_numpy() for field in FIELDS], axis=2)
    bars[np.random.default_rng(3).random(len(bars)) < 1 / 3, 1] = np.nan
    bars[:146, 2] = np.nan
    bars[:, 2, 4] = np.nan
    return PriceTable(prices["close"].index.to_numpy().astype("datetime64[D]"), SYMBOLS, np.ascontiguousarray(bars))


def bars_until(prices: PriceTable, symbol: str, day: str, period: str) -> pd.DataFrame:
    """The symbol's bars up to that day, as pandas combines them."""
    index = pd.DatetimeIndex(prices.dates)
    daily = pd.DataFrame(prices.bars[:, SYMBOLS.index(symbol)], index, FIELDS).loc[:day].dropna(subset="close")
    last_days = pd.Series(index[index <= day], index[index <= day]).groupby(lambda d: d.to_period(period)).last()
    groups = daily.groupby(daily.index.to_period(period))
    combined = groups.agg({"open": "first", "high": "max", "low": "min", "close": "last"})
    combined["volume"] = groups["volume"].sum(min_count=1)
    return combined.set_axis([str(last_days[period].date()) for period in combined.index])


@pytest.mark.parametrize("size", PERIODS)
def test_history_is_the_price_table_up_to_the_bar(sandbox: Sandbox, price_folder: Path, size: str) -> None:
    prices = with_gaps(price_folder)
    source = PRELUDE + ASKS_AT_RANDOM.format(size=size, fields=FIELDS)
    lines = run_in_box(sandbox, source, prices=prices).logs
    assert len(lines) == 3 * {"DAILY": len(prices.dates), "WEEKLY": 53, "MONTHLY": 12, "QUARTERLY": 4}[size]
    for told in zip(*[map(json.loads, lines)] * 3, strict=True):
        (time, symbol, n, field, values), (few, bars), (index, table) = told
        expected = bars_until(prices, symbol, time.removesuffix(" 00:00:00+00:00"), PERIODS[size])
        assert values == pytest.approx(list(expected[field].tail(n)), nan_ok=True, rel=1e-12)
        last = expected.tail(few)
        assert index == list(last.index)
        rows: Any = [pytest.approx(row, nan_ok=True, rel=1e-12) for row in last.to_numpy().tolist()]
        assert table == rows
        assert [[math.nan if number is None else number for number in bar] for bar in bars] == rows


def test_the_dialect_without_imports_reads_history_too(sandbox: Sandbox) -> None:
    source = """
class Mine(Strategy):
    time, date = "own", "names"
    def universe(self): return ["AAA", "BBB"]
    def cadence(self): return Cadence()
    def on_data(self, slice, portfolio):
        history, time = slice.history("AAA", 2), self.time
        print(slice.date, time, self.date, history[-1] == slice.get("AAA").close, len(history))
        return {}
"""
    reply = run_in_box(sandbox, source, prices=price_table(2), needs_prelude=True)
    assert list(reply.logs) == ["2014-01-01 own names True 1", "2014-01-02 own names True 2"]


@pytest.mark.parametrize("timing", ["CLOSE_TO_CLOSE", "CLOSE_TO_NEXT_OPEN"])
def test_shares_and_average_costs_are_those_of_the_books(sandbox: Sandbox, timing: str) -> None:
    body = f"""
import random
class Mine(Base):
    cadence = Cadence(execution=ExecutionTiming.{timing})
    def on_data(self, data, portfolio):
        print(repr([(portfolio.shares(s), portfolio.average_cost(s)) for s in self.universe]))
        first = random.random()
        weights = TargetWeights({{"AAA": first, "BBB": (1 - first) * random.random()}})
        return random.choice([Hold(), Liquidate(), weights])
"""
    reply = run_in_box(
        sandbox, PRELUDE + body, prices=price_table(60), slippage=0.01, commission=1.0, min_trade_value=0
    )
    fills = list(zip(reply.day, reply.symbol, reply.shares, reply.price, strict=True))
    assert len(fills) > 50
    last = 1 if timing == "CLOSE_TO_NEXT_OPEN" else 0  # a day's open precedes its decision, and its close does not
    for day, line in enumerate(reply.logs):
        told = eval(line)  # noqa: S307 - what our own test strategy printed
        for symbol, (held, cost) in enumerate(told):
            paid = [(change, price) for on, which, change, price in fills if on < day + last and which == symbol]
            assert (held, cost) == (pytest.approx(sum(change for change, _ in paid), abs=1e-9), bought_at(paid))


def bought_at(fills: list[tuple[float, float]]) -> Any:
    """The average price of the shares held after these fills of a long position: sales leave it as it is."""
    shares = worth = 0.0
    for change, price in fills:
        worth += change * price if change > 0 else change * worth / shares
        shares += change
        if abs(shares) < 1e-9:
            shares = worth = 0.0
    return pytest.approx(worth / shares, rel=1e-9) if shares else None


def test_a_strategy_that_asks_for_all_history_keeps_no_more_than_was_sent(sandbox: Sandbox) -> None:
    """2,000 days of 100 symbols are 11 MB; asked for every day, one field of all of them."""
    symbols = tuple(f"S{number}" for number in range(100))
    body = f"""
import resource
class Mine(Base):
    universe = {list(symbols)}
    def on_data(self, data, portfolio):
        for symbol in self.universe: data.history(symbol, 10**6)
        self.day = getattr(self, "day", 0) + 1
        if self.day in (100, 2_000): print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return Hold()
"""
    two = price_table(2_000)
    prices = PriceTable(two.dates, symbols, np.tile(two.bars, (1, 50, 1)))
    first, last = run_in_box(sandbox, PRELUDE + body, prices=prices).logs
    assert int(last) - int(first) < 40_000
