"""How fast the engine is compared with other backtesters: `python -m bench.engine` prints the tables.

Every contender gets the same prices and the same job, and is timed from a prepared start to its final
equity. The best of several runs counts, since other load on the machine only makes a run slower.
"""

import math
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hqg_algorithms import BarSize, ExecutionTiming

from bench import rivals, strategies
from bench.prices import Prices, generated, real_or_generated
from src.engine.costs import Commission, Fraction, PerOrder
from src.engine.market import Doubles, Market, Rules
from src.engine.simulator import Decide, simulate
from src.execution.runner.signal_origin import SOURCE_NAME, check_at_creation
from src.execution.runner.signals import signal_reader
from src.execution.runner.views import asked, frame_packer, frame_reader

SECTORS_AND_MORE = (
    "XLB XLE XLF XLI XLK XLP XLU XLV XLY SPY QQQ IWM EFA EEM AGG TLT IEF GLD DIA DBC".split()  # noqa: SIM905
)
SLIPPAGE = 0.0005

_SOURCE = Path(strategies.__file__).read_text()
_LOADED: dict[str, Any] = {"__name__": "strategy"}
exec(compile(_SOURCE, SOURCE_NAME, "exec", dont_inherit=True), _LOADED)  # noqa: S102 - our own file
SmaCross, EqualWeight = _LOADED["SmaCross"], _LOADED["EqualWeight"]


@dataclass(frozen=True)
class Contender:
    """One row of a table.

    Attributes:
        name: what is timed.
        prepare: returns the run to time, which returns the final equity. May raise ImportError.
        repeats: number of runs, of which the fastest counts.
    """

    name: str
    prepare: Callable[[], rivals.Run]
    repeats: int = 3


@dataclass(frozen=True)
class Result:
    """The outcome of one contender; seconds of its best run."""

    name: str
    seconds: float
    equity: float


def in_one_process(strategy: Any, symbols: tuple[str, ...], source: str = _SOURCE) -> Decide:
    """User code behind the same frames and views as in the box, without the second process."""
    offered = asked(source)
    on_data, pack = strategy.on_data, frame_packer(len(symbols), offered)
    views, read_signal = frame_reader(symbols, offered), signal_reader(symbols)
    check_at_creation(symbols)

    def decide(
        day: int, bars: Doubles, equity: float, cash: float, shares: Any, marks: Any, average_costs: Any
    ) -> Sequence[float] | None:
        data, portfolio = views(pack(day * 86_400.0, False, bars, equity, cash, shares, marks, average_costs))
        return read_signal(on_data(data, portfolio))

    return decide


def rules(execution: ExecutionTiming, slippage: float = 0.0, min_trade_value: float = 0.0) -> Rules:
    """Daily rules; no minimum trade by default, since the other libraries have none."""
    commission: Commission = PerOrder(0.0)
    return Rules(BarSize.DAILY, execution, rivals.CAPITAL, min_trade_value, commission, Fraction(slippage))


def ours(name: str, market: Market, how: Rules, strategy: Callable[[], Any]) -> Contender:
    """Our engine in one process."""

    def run() -> float:
        return simulate(market, how, in_one_process(strategy(), market.symbols)).equity[-1]

    return Contender(name, lambda: run, repeats=7)


def in_the_box(market: Market, how: Rules, strategy: str, repeats: int) -> rivals.Run:
    """Our engine as the box runs it: user code in a process of its own, on the same core.

    A strategy process serves one run, so all are started and loaded beforehand.
    """
    from src.execution.runner.child import StrategyChild

    job = {
        "source": _SOURCE,
        "class_name": strategy,
        "universe": list(market.symbols),
        "needs_prelude": False,
        "parameters": {},
        "seed": 0,
        "limits": {},
        "allow_short": False,
        "max_gross": 1.0,
    }
    children = [StrategyChild.fork() for _ in range(repeats)]
    for child in children:
        child.wait_until_it_is_ready()
        child.load(job)
        child.resume(len(market.symbols), market.days)

    def run() -> float:
        child, cores = children.pop(), os.sched_getaffinity(0)
        try:
            child.pin(0)
            return simulate(market, how, child.decide).equity[-1]
        finally:
            child.end()
            os.sched_setaffinity(0, cores)

    return run


def ours_in_the_box(market: Market, how: Rules, strategy: str, repeats: int = 5) -> Contender:
    """Our engine in two processes."""
    return Contender("ours, in the box", lambda: in_the_box(market, how, strategy, repeats), repeats)


ASKING = """
from hqg_algorithms import Hold, Strategy
class Asking(Strategy):
    universe = ["SPY", "BND"]
    def on_data(self, data, portfolio):
        {question}
        return Hold()
"""


QUESTIONS = (
    "pass",
    "if False: data.history('SPY', 252)",
    "data.history('SPY', 252)",
    "data.history('SPY', 252, 'volume')",
    "data.history('SPY', 20, 'bar')",
    "data.date",
    "portfolio.average_cost('SPY')",
)


def print_questions(prices: Prices) -> None:
    """What a question about the past costs on every bar, over a strategy that only holds; the first row is that one.

    By processor time and in turns, because the differences are smaller than what other load on the machine adds.
    """
    market, how = prices.market(), rules(ExecutionTiming.CLOSE_TO_NEXT_OPEN)
    seconds = dict.fromkeys(QUESTIONS, math.inf)
    for _ in range(20):
        for question in QUESTIONS:
            source, space = ASKING.format(question=question), {"__name__": "strategy"}
            exec(compile(source, SOURCE_NAME, "exec", dont_inherit=True), space)  # noqa: S102 - our own text
            decide = in_one_process(space["Asking"](), market.symbols, source)  # type: ignore[operator]
            start = time.process_time()
            simulate(market, how, decide)
            seconds[question] = min(seconds[question], time.process_time() - start)
    print(f"\nAsked on each of {len(market.days):,} bars of two symbols, one process")
    print(f"{'':<40}{'us/bar':>10}{'over holding':>16}{'holding = 1':>16}")
    holding = seconds["pass"]
    for question, spent in seconds.items():
        microseconds, more = (number / len(market.days) * 1e6 for number in (spent, spent - holding))
        print(f"{question:<40}{microseconds:>10.2f}{more:>16.2f}{spent / holding:>16.2f}")


def trend_contenders(prices: Prices) -> list[Contender]:
    """All contenders that can hold two symbols."""
    market, how = prices.market(), rules(ExecutionTiming.CLOSE_TO_NEXT_OPEN)
    return [
        ours("ours, one process", market, how, SmaCross),
        ours("ours, minimum trade 1.00", market, how._replace(min_trade_value=1.0), SmaCross),
        ours_in_the_box(market, how, "SmaCross"),
        Contender("vectorbt, no user code", lambda: rivals.vectorbt_trend(prices), repeats=7),
        Contender("bt", lambda: rivals.bt_trend(prices)),
        Contender("backtrader", lambda: rivals.backtrader_trend(prices)),
    ]


def equal_weight_contenders(prices: Prices) -> list[Contender]:
    """All contenders that can hold twenty symbols."""
    market = prices.market()
    how = rules(ExecutionTiming.CLOSE_TO_CLOSE, SLIPPAGE)
    return [
        ours("ours, one process", market, how, EqualWeight),
        ours_in_the_box(market, how, "EqualWeight"),
        Contender("vectorbt, no user code", lambda: rivals.vectorbt_equal_weight(prices, SLIPPAGE), repeats=7),
        Contender("bt", lambda: rivals.bt_equal_weight(prices, SLIPPAGE), repeats=1),
        Contender("backtrader", lambda: rivals.backtrader_equal_weight(prices, SLIPPAGE), repeats=1),
    ]


class OneSymbolTrend(SmaCross):  # type: ignore[misc, valid-type]
    """SPY above its mean, else cash: the one-symbol job of backtesting.py."""

    universe = ["SPY"]  # noqa: RUF012 - as users write it

    def on_data(self, data: Any, portfolio: Any) -> Any:
        return {symbol: 1.0 for symbol in super().on_data(data, portfolio).weights if symbol == "SPY"}


def one_symbol_contenders(prices: Prices) -> list[Contender]:
    """The one library that holds one symbol only."""
    return [
        ours("ours, one process", prices.market(), rules(ExecutionTiming.CLOSE_TO_NEXT_OPEN), OneSymbolTrend),
        Contender("backtesting.py", lambda: rivals.backtesting_trend(prices)),
    ]


def measure(contender: Contender) -> Result | str:
    """The best run, or the reason for none."""
    try:
        run = contender.prepare()
    except ImportError as error:
        return f"not installed ({error.name})"
    seconds, equity = math.inf, math.nan
    for _ in range(contender.repeats):
        start = time.perf_counter()
        equity = run()
        seconds = min(seconds, time.perf_counter() - start)
    return Result(contender.name, seconds, equity)


def print_table(title: str, unit: str, n_bars: int, contenders: Sequence[Contender]) -> None:
    """One job: contender, time, bars per second, time relative to the first row, final equity."""
    print(f"\n{title}: {n_bars:,} {unit}")
    print(f"{'':<28}{'ms':>10}{unit + '/s':>18}{'time, ours = 1':>16}{'final equity':>18}")
    first: Result | None = None
    for contender in contenders:
        result = measure(contender)
        if isinstance(result, str):
            print(f"{contender.name:<28}{result}")
            continue
        first = first or result
        rate, ratio = n_bars / result.seconds, result.seconds / first.seconds
        print(f"{result.name:<28}{result.seconds * 1e3:>10.1f}{rate:>18,.0f}{ratio:>16.2f}{result.equity:>18.6f}")


def print_scaling() -> None:
    """Our time per symbol-bar for more symbols and days: roughly constant if the cost is linear."""
    print(f"\nScaling, equal weight each day at {SLIPPAGE * 1e4:.0f} bps, generated prices, one process")
    print(f"{'symbols':>8}{'days':>8}{'ms':>10}{'symbol-bars/s':>18}{'ns/symbol-bar':>18}")
    for count in (10, 50, 200):
        for first in ("2011-01-01", "2016-01-01"):
            market = generated([f"S{index}" for index in range(count)], first, "2020-12-31").market()
            how = rules(ExecutionTiming.CLOSE_TO_CLOSE, SLIPPAGE)
            result = measure(replace(ours("", market, how, EqualWeight), repeats=3))
            assert isinstance(result, Result)
            n_bars = count * len(market.days)
            print(
                f"{count:>8}{len(market.days):>8,}{result.seconds * 1e3:>10.1f}"
                f"{n_bars / result.seconds:>18,.0f}{result.seconds / n_bars * 1e9:>18.0f}"
            )


def main() -> None:
    """Print every table."""
    warnings.simplefilter("ignore")  # the other libraries' own
    pair = real_or_generated(["SPY", "BND"], "2010-01-01", "2020-12-31")
    print(f"Prices: {pair.source}. Best of several runs each.")
    n_days = len(pair.close)
    print_table("21-day mean of SPY, SPY and BND, next open", "bars", n_days, trend_contenders(pair))
    single = real_or_generated(["SPY"], "2010-01-01", "2020-12-31")
    print_table("21-day mean of SPY, SPY alone, next open", "bars", len(single.close), one_symbol_contenders(single))
    many = real_or_generated(SECTORS_AND_MORE, "2010-01-01", "2019-12-31")
    title = f"20 symbols, equal weight each day, close to close, {SLIPPAGE * 1e4:.0f} bps"
    print_table(title, "symbol-bars", many.close.size, equal_weight_contenders(many))
    print_scaling()
    print_questions(pair)


if __name__ == "__main__":
    main()
