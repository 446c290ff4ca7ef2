"""The same two jobs in other libraries, each done as well as that library can.

Every function prepares one run and returns it: only the returned call is timed. It gives the final
equity. Imports are inside, so that a library that is not installed costs one row and no more.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Any

import pandas as pd

from bench.prices import Prices

Run = Callable[[], float]

CAPITAL = 10_000.0
LENGTH = 21


def trend_weights(close: pd.DataFrame) -> pd.DataFrame:
    """The SMA strategy's weights at each close, by whole columns."""
    first = close.iloc[:, 0]
    is_up = first > first.rolling(LENGTH).mean()
    return pd.DataFrame({close.columns[0]: 0.5 * is_up, close.columns[1]: 1 - 0.5 * is_up})


def vectorbt_trend(prices: Prices) -> Run:
    """No user code: the weights are computed for all days at once."""
    return _vectorbt(prices, lambda: trend_weights(prices.close).shift(1), price=prices.open)


def vectorbt_equal_weight(prices: Prices, slippage: float) -> Run:
    """No user code: one array of weights."""
    return _vectorbt(prices, lambda: 1 / len(prices.symbols), price=prices.close, slippage=slippage)


def _vectorbt(prices: Prices, weights: Callable[[], Any], **options: Any) -> Run:
    from vectorbt import Portfolio

    def run() -> float:
        portfolio = Portfolio.from_orders(
            prices.close,
            size=weights(),
            size_type="targetpercent",
            cash_sharing=True,
            group_by=True,
            call_seq="auto",
            init_cash=CAPITAL,
            freq="D",
            **options,
        )
        return float(portfolio.value().iloc[-1])

    run()  # compiles
    return run


def bt_trend(prices: Prices) -> Run:
    """Rows are opens, at which it trades on the close before; the last row is the last close."""
    import bt

    closes = prices.close.iloc[:, 0].tolist()
    table = pd.concat([prices.open, prices.close.iloc[-1:].set_axis([prices.close.index[-1] + pd.Timedelta("16h")])])

    class Trend(bt.Algo):
        def __init__(self) -> None:
            super().__init__()
            self.recent: deque[float] = deque(maxlen=LENGTH)
            self.row = 0

        def __call__(self, target: object) -> bool:
            self.row += 1
            if not 1 < self.row <= len(closes):
                return False
            close = closes[self.row - 2]
            self.recent.append(close)
            is_up = len(self.recent) == LENGTH and close > sum(self.recent) / LENGTH
            target.temp["weights"] = {"SPY": 0.5, "BND": 0.5} if is_up else {"BND": 1.0}  # type: ignore[attr-defined]
            return True

    return _bt_run(table, lambda: [bt.algos.SelectAll(), Trend(), bt.algos.Rebalance()], None)


def bt_equal_weight(prices: Prices, slippage: float) -> Run:
    """Slippage as a commission on the traded value: the same cash."""
    import bt

    algos = lambda: [bt.algos.RunDaily(), bt.algos.SelectAll(), bt.algos.WeighEqually(), bt.algos.Rebalance()]  # noqa: E731
    return _bt_run(prices.close, algos, lambda shares, price: abs(shares) * price * slippage)


def _bt_run(table: pd.DataFrame, algos: Callable[[], list[object]], commission: Callable[..., float] | None) -> Run:
    import bt

    def run() -> float:
        backtest = bt.Backtest(
            bt.Strategy("rival", algos()),
            table,
            initial_capital=CAPITAL,
            commissions=commission,
            integer_positions=False,
            progress_bar=False,
        )
        backtest.run()
        return float(backtest.strategy.values.iloc[-1])

    return run


def backtrader_trend(prices: Prices) -> Run:
    """next_open with the broker's cheat-on-open, sized at the open it trades at."""
    import backtrader

    class Trend(backtrader.Strategy):  # type: ignore[misc]
        def __init__(self) -> None:
            self.recent: deque[float] = deque(maxlen=LENGTH)

        def next_open(self) -> None:
            if len(self.datas[0]) < 2:
                return
            close = self.datas[0].close[-1]
            self.recent.append(close)
            is_up = len(self.recent) == LENGTH and close > sum(self.recent) / LENGTH
            opens = [data.open[0] for data in self.datas]
            _rebalance(self, [0.5, 0.5] if is_up else [0.0, 1.0], opens, 0.0)

    return _backtrader_run(prices, Trend, 0.0, at_open=True)


def backtrader_equal_weight(prices: Prices, slippage: float) -> Run:
    """The broker's cheat-on-close; slippage as a commission on the traded value; the last day's orders never fill."""
    import backtrader

    class EqualWeight(backtrader.Strategy):  # type: ignore[misc]
        def next(self) -> None:
            closes = [data.close[0] for data in self.datas]
            _rebalance(self, [1 / len(closes)] * len(closes), closes, slippage)

    return _backtrader_run(prices, EqualWeight, slippage, at_open=False)


def _rebalance(strategy: object, weights: list[float], at: list[float], cost: float) -> None:
    """Sells, then buys, of what is worth more than rounding, leaving enough for their cost."""
    broker, datas = strategy.broker, strategy.datas  # type: ignore[attr-defined]
    held = [broker.getposition(data).size for data in datas]
    equity = broker.getcash() + math.fsum(size * price for size, price in zip(held, at, strict=True))
    columns = list(zip(weights, at, held, strict=True))
    traded = math.fsum(abs(weight * equity - size * price) for weight, price, size in columns)
    investable = (equity - cost * traded) * (1 - 1e-9)  # an order a hair over its cash would be refused whole
    changes = [weight * investable / price - size for weight, price, size in columns]
    for data, change, price in zip(datas, changes, at, strict=True):
        if change * price < -1e-6:
            strategy.sell(data=data, size=-change)  # type: ignore[attr-defined]
    for data, change, price in zip(datas, changes, at, strict=True):
        if change * price > 1e-6:
            strategy.buy(data=data, size=change)  # type: ignore[attr-defined]


def _backtrader_run(prices: Prices, strategy: type, cost: float, at_open: bool) -> Run:
    import backtrader

    tables = [pd.DataFrame({f: frame[s] for f, frame in prices.frames.items()}) for s in prices.symbols]

    def run() -> float:
        cerebro = backtrader.Cerebro(stdstats=False, cheat_on_open=at_open)
        for table in tables:
            cerebro.adddata(backtrader.feeds.PandasData(dataname=table))
        cerebro.broker.setcash(CAPITAL)
        cerebro.broker.setcommission(commission=cost)
        cerebro.broker.set_checksubmit(False)
        cerebro.broker.set_coo(at_open)
        cerebro.broker.set_coc(not at_open)
        cerebro.addstrategy(strategy)
        cerebro.run()
        return float(cerebro.broker.getvalue())

    return run


def backtesting_trend(prices: Prices) -> Run:
    """One symbol is all it can hold: all in it above its mean, else cash."""
    import backtesting.backtesting
    from backtesting import Strategy
    from backtesting.lib import FractionalBacktest

    backtesting.backtesting._tqdm = lambda days, **_: days  # no progress bar between the tables

    table = pd.DataFrame({f.capitalize(): frame.iloc[:, 0] for f, frame in prices.frames.items()})

    class Trend(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.recent: deque[float] = deque(self.data.Close[:1], maxlen=LENGTH)

        def next(self) -> None:
            close = self.data.Close[-1]
            self.recent.append(close)
            is_up = len(self.recent) == LENGTH and close > sum(self.recent) / LENGTH
            if is_up and not self.position:
                self.buy(size=1 - 1e-9)
            elif not is_up and self.position:
                self.position.close()

    def run() -> float:
        result = FractionalBacktest(table, Trend, cash=CAPITAL, fractional_unit=1e-9).run()
        return float(result["Equity Final [$]"])

    return run
