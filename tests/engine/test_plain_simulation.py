"""Random short and leveraged strategies give the books of a plain simulation, which shares no code with the engine."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from src.engine.costs import Fraction, Rate
from src.engine.market import Market
from src.engine.simulator import simulate
from tests.engine.markets import CLOSE_TO_CLOSE, NEXT_OPEN, market, plan, rules

Row = Sequence[float | None]


@dataclass
class Account:
    """Terms, market and plan of one run. A price is None where a symbol has no bar."""

    days: list[int]
    opens: list[Row]
    closes: list[Row]
    weights: Mapping[int, Sequence[float]]
    leaves: Mapping[int, int]
    dividends: Mapping[int, list[tuple[int, float]]]
    fills_at_open: bool
    allow_short: bool
    max_gross: float
    rate: float
    slippage: float
    borrow_rate: float
    margin_rate: float
    delisting_return: float

    def run(self) -> tuple[list[float], list[float]]:
        """Cash and equity at each close; zero from a ruin on."""
        count = len(self.closes[0])
        self.cash, self.held, self.last = 1000.0, [0.0] * count, [0.0] * count
        self.wanted, self.waiting, self.listed = [0.0] * count, [], set(range(count))
        cash, equity = [], []
        for day in range(len(self.days)):
            self.begin(day)
            if self.fills_at_open:
                self.fill(self.opens[day])
            self.last = self.known(self.closes[day])
            if self.equity(self.last) <= 0:
                break
            if day in self.weights:
                self.wanted, self.waiting = list(self.weights[day]), sorted(self.listed)
            if not self.fills_at_open:
                self.fill(self.closes[day])
            if self.equity(self.last) <= 0:
                break
            cash.append(self.cash)
            equity.append(self.equity(self.last))
        ruined = [0.0] * (len(self.days) - len(cash))
        return cash + ruined, equity + ruined

    def begin(self, day: int) -> None:
        if day:
            years = (self.days[day] - self.days[day - 1]) / 365
            short = sum(-held * price for held, price in zip(self.held, self.last, strict=True) if held < 0)
            self.cash -= years * (self.borrow_rate * short + self.margin_rate * max(0.0, -self.cash))
        for symbol, amount in self.dividends.get(day, []):
            self.cash += self.held[symbol] * amount
        for symbol in [symbol for symbol, leaves in self.leaves.items() if leaves == day]:
            self.cash += self.held[symbol] * self.last[symbol] * (1 + self.delisting_return)
            self.held[symbol] = 0.0
            self.listed.discard(symbol)
            self.waiting = [other for other in self.waiting if other != symbol]

    def fill(self, bars: Row) -> None:
        prices = self.known(bars)
        equity = self.equity(prices)
        if equity <= 0:
            self.wanted = [0.0] * len(self.wanted)
        ready = [symbol for symbol in self.waiting if bars[symbol] is not None]
        stuck = [symbol for symbol in self.waiting if bars[symbol] is None]

        def orders(invested: float, symbols: list[int]) -> list[tuple[int, float]]:
            """Signed values to trade."""
            return [(s, self.wanted[s] * invested - self.held[s] * prices[s]) for s in symbols]

        def left_over(invested: float) -> float:
            return equity - invested - sum(self.cost(value) for _, value in orders(invested, ready))

        invested = largest(left_over, equity) if equity > 0 else 0.0
        growing = [(s, value) for s, value in orders(invested, ready) if self.grows(s, value, prices)]
        for symbol, value in orders(invested, ready):
            if (symbol, value) not in growing:
                self.trade(symbol, value, prices)
        frees = [s for s, value in orders(invested, stuck) if value and not self.grows(s, value, prices)]
        self.waiting = stuck
        for symbol, value in growing:
            side, worth = math.copysign(1.0, value), self.held[symbol] * prices[symbol]
            closing = max(0.0, -side * worth)

            def room(opening: float, side: float = side, worth: float = worth, closing: float = closing) -> float:
                """How far gross exposure stays below the limit."""
                value = side * (closing + opening)
                gross = (
                    sum(abs(h * p) for h, p in zip(self.held, prices, strict=True)) + abs(worth + value) - abs(worth)
                )
                return self.max_gross * (self.equity(prices) - self.cost(value)) - gross

            opening = largest(room, abs(value) - closing)
            self.trade(symbol, side * (closing + opening), prices)
            if frees and closing + opening < abs(value) - 1e-11 * equity:
                self.waiting = sorted([*self.waiting, symbol])

    def trade(self, symbol: int, value: float, prices: Sequence[float]) -> None:
        self.cash -= value + self.cost(value)
        self.held[symbol] += value / prices[symbol] if value else 0.0

    def cost(self, value: float) -> float:
        """Slippage, and the commission on the price with slippage."""
        price = 1 + math.copysign(self.slippage, value)
        return abs(value) * (self.slippage + self.rate * price)

    def grows(self, symbol: int, value: float, prices: Sequence[float]) -> bool:
        worth = self.held[symbol] * prices[symbol]
        return abs(worth + value) > abs(worth) * (1 + 1e-9)

    def known(self, bars: Row) -> list[float]:
        return [last if price is None else price for price, last in zip(bars, self.last, strict=True)]

    def equity(self, prices: Sequence[float]) -> float:
        return self.cash + sum(held * price for held, price in zip(self.held, prices, strict=True))

    def market(self) -> Market:
        """The same for the engine."""
        columns = [
            {f"S{symbol}": [row[symbol] for row in rows] for symbol in range(len(rows[0]))}
            for rows in (self.closes, self.opens)
        ]
        base = market(*columns)
        return Market(self.days, base.symbols, base.bars, delistings=self.leaves, dividends=self.dividends)


def largest(left_over: Callable[[float], float], most: float) -> float:
    """The largest amount from 0 to `most` that leaves something over, which falls as the amount grows."""
    if left_over(most) >= 0:
        return most
    low, high = 0.0, most
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if left_over(middle) >= 0 else (low, middle)
    return low


def account(seed: int) -> Account:
    """A random run: one to five symbols, sixty days."""
    rng = random.Random(seed)  # noqa: S311 - a reproducible run
    n_days, count = 60, rng.randint(1, 5)
    days = [16_000]
    while len(days) < n_days:
        days.append(days[-1] + rng.choice([1, 1, 1, 1, 3, 4]))
    allow_short = rng.random() < 0.8
    max_gross = rng.choice([1.0, 1.0, 1.5, 2.0, 4.0]) if allow_short else rng.choice([1.5, 2.0, 3.0])
    leaves = {symbol: rng.randint(5, n_days - 1) for symbol in range(1, count) if rng.random() < 0.3}
    opens, closes = [], []
    price = [rng.uniform(5, 200) for _ in range(count)]
    move = rng.choice([0.01, 0.03, 0.08])
    for day in range(n_days):
        opened = [p * math.exp(rng.gauss(0, move)) for p in price]
        price = [p * math.exp(rng.gauss(0, move)) for p in opened]
        # The first symbol trades every day, so that every day is on the timeline.
        has_bar = [s == 0 or (day < leaves.get(s, n_days) and (day < 2 or rng.random() < 0.85)) for s in range(count)]
        opens.append([p if has else None for p, has in zip(opened, has_bar, strict=True)])
        closes.append([p if has else None for p, has in zip(price, has_bar, strict=True)])
    weights = {}
    for day in range(n_days):
        if rng.random() < 0.4:
            parts = [rng.choice([0, 1, 2, 3]) * (rng.choice([-1, 1]) if allow_short else 1) for _ in range(count)]
            gross = max_gross * rng.choice([1.0, 1.0, 0.7]) / max(1, sum(map(abs, parts)))
            weights[day] = [part * gross for part in parts]
    dividends: dict[int, list[tuple[int, float]]] = {}
    for day in range(1, n_days):
        for symbol in range(count):
            if closes[day][symbol] is not None and rng.random() < 0.05:
                dividends.setdefault(day, []).append((symbol, rng.uniform(0, 0.03) * price[symbol]))
    return Account(
        days, opens, closes, weights, leaves, dividends,
        fills_at_open=rng.random() < 0.5,
        allow_short=allow_short,
        max_gross=max_gross,
        rate=rng.choice([0.0, 0.001, 0.005]),
        slippage=rng.choice([0.0, 0.0005, 0.01]),
        borrow_rate=rng.choice([0.0, 0.05, 0.5]),
        margin_rate=rng.choice([0.0, 0.05, 0.5]),
        delisting_return=rng.choice([0.0, -1.0, -0.3, 0.4]),
    )  # fmt: skip


@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(0, 200, 50)], ids=str)
def test_random_margin_accounts_have_the_books_of_a_plain_simulation(seeds: range) -> None:
    n_ruined = 0
    for seed in seeds:
        given = account(seed)
        asked = rules(
            execution=NEXT_OPEN if given.fills_at_open else CLOSE_TO_CLOSE,
            commission=Rate(given.rate),
            slippage=Fraction(given.slippage),
            delisting_return=given.delisting_return,
            allow_short=given.allow_short,
            max_gross=given.max_gross,
            borrow_rate=given.borrow_rate,
            margin_rate=given.margin_rate,
        )
        ledger = simulate(given.market(), asked, plan(given.weights))
        cash, equity = given.run()
        assert ledger.equity == pytest.approx(equity, rel=1e-9, abs=1e-6), seed
        assert ledger.cash == pytest.approx(cash, rel=1e-9, abs=1e-6), seed
        assert min(ledger.equity) >= 0
        n_ruined += ledger.ruined_on is not None
    assert 0 < n_ruined < len(seeds) / 2
