"""The audit accepts every run of the engine and rejects every later change to one."""

import math
from array import array
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hqg_algorithms import BarSize, ExecutionTiming
from hypothesis import assume, given
from hypothesis import strategies as st

from src.engine.costs import commission_from_wire, slippage_from_wire
from src.engine.ledger import Ledger
from src.engine.simulator import Market, ProtectedWeights, Rules, simulate
from src.execution.audit.audit import AuditFailed, AuditRules, Claim, audit
from src.execution.audit.exits import Levels
from src.execution.protocol import LEDGER_LEVELS
from tests.execution.audit.claims import (
    DAILY_COLUMNS,
    INTEGERS,
    NO_BAR,
    ORDER_COLUMNS,
    Bars,
    market,
    with_orders,
    with_value,
)

CAPITAL = 10_000.0

seeds = st.integers(0, 2**64)
amounts = st.floats(0, 50)
small_rates = st.floats(0, 0.05)
commissions = st.one_of(
    st.just(0.0),
    amounts,
    st.builds(lambda amount: {"model": "per_order", "amount": amount}, amounts),
    st.builds(
        lambda amount, minimum: {"model": "per_share", "amount": amount, "minimum": minimum},
        small_rates,
        amounts,
    ),
    st.builds(lambda rate: {"model": "rate", "rate": rate}, small_rates),
)
slippages = st.one_of(
    st.just(0.0),
    small_rates,
    st.just({"model": "none"}),
    st.builds(lambda bps: {"model": "half_spread", "bps": bps}, st.floats(0, 500)),
    st.builds(
        lambda shape, coefficient, share: {
            "model": "volume_participation",
            "shape": shape,
            "coefficient": coefficient,
            "max_share": share,
        },
        st.sampled_from(["linear", "square_root"]),
        st.floats(0, 20),
        st.floats(0.01, 1),
    ),
)


@st.composite
def markets(draw):
    """Random walks with gaps; each day at least one symbol has a bar."""
    n_days, n_symbols = draw(st.integers(1, 20)), draw(st.integers(1, 3))
    seeded = np.random.default_rng(draw(seeds))
    last = [seeded.uniform(0.5, 500) for _ in range(n_symbols)]

    def move():
        return math.exp(seeded.choice([0.0, seeded.uniform(-0.2, 0.2)]))

    days = []
    for _ in range(n_days):
        present = seeded.random(n_symbols) < 0.75
        present[seeded.integers(n_symbols)] |= not any(present)
        row = []
        for symbol, is_present in enumerate(present):
            opened = last[symbol] * move()
            closed = opened * move()
            reach = math.exp(seeded.choice([0.0, seeded.uniform(0, 0.2)]))
            volume = seeded.choice([math.nan, 0.0, 1.0, 50.0, 1e3, 1e6])
            bar = (opened, max(opened, closed) * reach, min(opened, closed) / reach, closed, volume)
            row.append(bar if is_present else NO_BAR)
            last[symbol] = closed if is_present else last[symbol]
        days.append(row)
    return market(*days, symbols=tuple("ABC"[:n_symbols]))


def signal(n_symbols, seeded, terms):
    """Nothing, weights, or weights with protective levels, often none of a kind and often near the price."""
    parts = seeded.integers(0, 5, n_symbols)
    weights = signed((parts / max(parts.sum() + seeded.integers(3), 1)).tolist(), terms)
    stops, gains = [0.0, 0.01, 0.05, 0.2], [0.0, 0.01, 0.05, 0.3, 2.0]
    levels = zip(*(seeded.choice(kind, n_symbols).tolist() for kind in (stops, gains, stops)), strict=True)
    return [None, weights, ProtectedWeights(weights, list(levels))][seeded.integers(3)]


def delistings_in(prices):
    """Some of the symbols, each with the first day after its last bar, or the last day."""
    last_bars = {
        symbol: int(np.flatnonzero(np.isfinite(prices.bars[:, symbol, 0])).max(initial=-1))
        for symbol in range(len(prices.symbols))
    }
    days = {symbol: min(last + 1, len(prices.dates) - 1) for symbol, last in last_bars.items() if last >= 0}
    chosen = st.sets(st.sampled_from(sorted(days)))
    return chosen.map(lambda symbols: {symbol: days[symbol] for symbol in symbols})


def dividends_in(prices):
    """None, or amounts on some days of each symbol."""
    shape = prices.bars.shape[:2]
    return st.none() | seeds.map(lambda seed: np.random.default_rng(seed).choice([0.0, 0.0, 0.0, 0.3, 2.0], shape))


def _by_day(dividends):
    if dividends is None:
        return {}
    return {
        day: [(symbol, amount) for symbol, amount in enumerate(row) if amount]
        for day, row in enumerate(dividends.tolist())
    }


@dataclass(frozen=True)
class Run:
    """One run of the engine as the host sees it."""

    prices: Bars
    rules: AuditRules
    claim: Claim
    ledger: Ledger


@st.composite
def margin_terms(draw):
    """Shorts, leverage or both, and what they cost."""
    allow_short, max_gross = draw(st.sampled_from([(True, 1.0), (True, 1.7), (True, 4.0), (False, 2.5)]))
    rates = st.sampled_from([0.0, 0.03, 2.0])
    return {
        "allow_short": allow_short,
        "max_gross": max_gross,
        "borrow_rate": draw(rates),
        "margin_rate": draw(rates),
    }


def signed(weights, terms):
    """The same weights up to the limit of the terms, with every other one short where that is allowed."""
    signs = [-1.0 if terms.get("allow_short") and index % 2 else 1.0 for index in range(len(weights))]
    return [sign * weight * terms.get("max_gross", 1.0) for sign, weight in zip(signs, weights, strict=True)]


@st.composite
def runs(draw, margin=False):
    prices = draw(markets())
    n_days, n_symbols = prices.bars.shape[:2]
    terms = draw(margin_terms()) if margin else {}
    seeded = np.random.default_rng(draw(seeds))
    signals = [signal(n_symbols, seeded, terms) for _ in range(n_days)]
    rules = AuditRules(
        **terms,
        initial_capital=CAPITAL,
        execution=draw(st.sampled_from(ExecutionTiming)),
        min_trade_value=draw(st.sampled_from([0.0, 1.0, 500.0])),
        commission=commission_from_wire(draw(commissions)),
        slippage=slippage_from_wire(draw(slippages)),
        delistings=draw(delistings_in(prices)),
        delisting_return=draw(st.sampled_from([0.0, -1.0, -0.3, 0.5])),
        dividends=draw(dividends_in(prices)),
    )
    return simulated(prices, rules, signals, draw(st.sampled_from([BarSize.DAILY, BarSize.WEEKLY])))


def simulated(prices, rules, signals, bar_size):
    ledger = simulate(
        Market(
            prices.dates.astype(np.int64).tolist(),
            prices.symbols,
            memoryview(array("d", prices.bars.ravel().tolist())),
            delistings=rules.delistings,
            dividends=_by_day(rules.dividends),
        ),
        Rules(
            bar_size,
            rules.execution,
            rules.initial_capital,
            rules.min_trade_value,
            rules.commission,
            rules.slippage,
            rules.delisting_return,
            allow_short=rules.allow_short,
            max_gross=rules.max_gross,
            borrow_rate=rules.borrow_rate,
            margin_rate=rules.margin_rate,
        ),
        lambda day, *_: signals[day],
    )
    return Run(prices, rules, claim_of(ledger), ledger)


def claim_of(ledger):
    return Claim(
        **{name: np.array(getattr(ledger.orders, name), dtype=np.int32) for name in INTEGERS},
        **{name: np.array(getattr(ledger.orders, name), dtype=np.float64) for name in ("shares", "price", "fee")},
        cash=np.array(ledger.cash),
        equity=np.array(ledger.equity),
        levels=levels_of(ledger.levels),
    )


def levels_of(columns):
    """Changes of levels in the audit's form, None without any."""
    dtypes = [np.int32 if code == "i" else np.float64 for _, code in LEDGER_LEVELS]
    arrays = [np.array(values, dtype=dtype) for dtype, values in zip(dtypes, columns, strict=True)]
    return Levels(*arrays) if len(arrays[0]) else None


@given(runs())
def test_the_audit_accepts_every_run_of_the_engine_and_rebuilds_its_books(run):
    books = audit(run.claim, run.prices, run.rules)
    assert books.cash == pytest.approx(run.claim.cash, rel=1e-12, abs=1e-9)
    assert books.equity == pytest.approx(run.claim.equity, rel=1e-12, abs=1e-9)
    opened, high, low, closed = books.candles.T
    assert (closed == books.equity).all()
    assert (low <= np.minimum(opened, closed)).all()
    assert (high >= np.maximum(opened, closed)).all()
    assert opened[0] == CAPITAL
    settlements = run.ledger.settlements
    settled = books.is_settlement
    assert books.symbol[settled].tolist() == settlements.symbol
    assert books.day[settled].tolist() == settlements.day
    assert books.shares[settled].tolist() == settlements.shares
    assert books.price[settled].tolist() == settlements.price
    for symbol, day in run.rules.delistings.items():
        assert not books.positions[day:, symbol].any()
    _, weights = books.holding_weights()
    assert (weights >= -1e-12).all()
    assert (weights.sum(axis=1) <= 1 + 1e-9).all()
    assert float(books.slippage_cost.sum()) >= 0.0


changes = st.builds(
    lambda size, sign: sign * size,
    st.floats(1e-6, 10) | st.sampled_from([1e-6, 1e-5]),
    st.sampled_from([1, -1]),
)


def is_settled_at_once(run, row):
    """Whether the order's symbol is settled at the end of the order's own day.

    What a buy at that close pays, the settlement pays back: without costs, its size leaves no trace in the account.
    """
    return run.rules.delistings.get(int(run.claim.symbol[row])) == run.claim.day[row]


@given(runs(), st.data())
def test_the_audit_rejects_any_one_number_changed_by_a_millionth_or_more(run, data):
    column = data.draw(st.sampled_from([name for name in ORDER_COLUMNS + DAILY_COLUMNS if name not in INTEGERS]))
    values = getattr(run.claim, column)
    assume(len(values))
    row = data.draw(st.integers(0, len(values) - 1))
    assume(column in DAILY_COLUMNS or not is_settled_at_once(run, row))
    # A millionth of a negligible number (a fee of 1e-15, cash left by rounding) is indistinguishable from
    # rounding. Such a number changes by a millionth of these minimums instead.
    least = {"price": 0.0, "fee": 1e-3, "shares": 0.0, "cash": 100.0, "equity": 100.0}
    if column == "shares":
        least[column] = 100.0 / run.claim.price[row]
    moved = values[row] + data.draw(changes) * max(abs(values[row]), least[column])
    with pytest.raises(AuditFailed):
        audit(with_value(run.claim, column, row, moved), run.prices, run.rules)


@given(runs(), st.data())
def test_the_audit_rejects_an_order_moved_to_another_day_or_symbol(run, data):
    column = data.draw(st.sampled_from(("day", "symbol")))
    values = getattr(run.claim, column)
    assume(len(values))
    row = data.draw(st.integers(0, len(values) - 1))
    other = data.draw(st.integers(-1, run.prices.bars.shape[0 if column == "day" else 1]))
    assume(other != values[row])
    with pytest.raises(AuditFailed):
        audit(with_value(run.claim, column, row, other), run.prices, run.rules)


@given(runs(), st.data())
def test_the_audit_rejects_a_dropped_duplicated_or_swapped_order(run, data):
    count = len(run.claim.day)
    assume(count)
    row = data.draw(st.integers(0, count - 1))
    assume(not is_settled_at_once(run, row))
    rows = list(range(count))
    bent = {
        "dropped": rows[:row] + rows[row + 1 :],
        "doubled": [*rows[: row + 1], *rows[row:]],
        "swapped": rows[:row] + rows[row : row + 2][::-1] + rows[row + 2 :],
    }[data.draw(st.sampled_from(["dropped", "doubled", "swapped"]))]
    assume(bent != rows)
    with pytest.raises(AuditFailed):
        audit(with_orders(run.claim, bent), run.prices, run.rules)


@given(runs(), st.data())
def test_the_audit_rejects_two_swapped_days_unless_they_are_equal(run, data):
    column = data.draw(st.sampled_from(DAILY_COLUMNS))
    values = getattr(run.claim, column)
    one, other = (data.draw(st.integers(0, len(values) - 1)) for _ in range(2))
    assume(abs(values[one] - values[other]) > 1e-8 * CAPITAL)
    swapped = values.copy()
    swapped[[one, other]] = swapped[[other, one]]
    with pytest.raises(AuditFailed):
        audit(replace(run.claim, **{column: swapped}), run.prices, run.rules)
