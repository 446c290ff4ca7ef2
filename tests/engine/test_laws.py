"""Laws that hold for every market, every strategy and every cost model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

import pytest
from hqg_algorithms import BarSize, ExecutionTiming
from hypothesis import given, settings
from hypothesis import strategies as st

from src.engine.costs import Commission, Fraction, HalfSpread, PerOrder, PerShare, Rate, Slippage, VolumeParticipation
from src.engine.ledger import Ledger
from src.engine.market import Market, Rules
from src.engine.simulator import ProtectedWeights, simulate
from tests.engine.markets import consecutive, fills, market, plan, rules

Prices = dict[str, list[float | None]]
Plan = dict[int, list[float]]


@dataclass
class Case:
    """A market as lists, and a strategy's weights by day."""

    opens: Prices
    closes: Prices
    volumes: Prices
    plan: Plan
    bar_size: BarSize
    execution: ExecutionTiming

    def market(self, n_days: int | None = None) -> Market:
        parts = ({s: v[:n_days] for s, v in part.items()} for part in (self.closes, self.opens, self.volumes))
        closes, opens, volumes = parts
        dates = consecutive(len(next(iter(closes.values()))), date(2024, 1, 20))
        return market(closes, opens, volumes, dates)

    def run(self, n_days: int | None = None, **changes: object) -> Ledger:
        usual = {"bar_size": self.bar_size, "execution": self.execution}
        return simulate(self.market(n_days), rules(**usual | changes), plan(self.plan))


@st.composite
def cases(draw: st.DrawFn, gaps: bool = True, most_move: float = 1.5, levels: bool = False) -> Case:
    """One to four symbols over up to forty days, moving by up to that factor per day, with a plan of weights.

    Args:
        levels: whether some of the weights have protective levels.
    """
    n_symbols, n_days = draw(st.integers(1, 4)), draw(st.integers(1, 40))
    seeded = Random(draw(st.integers(0, 2**64)))  # noqa: S311 - drawing each price would take most of the time
    extremes = (1 / most_move, 1.0, most_move)

    def move() -> float:
        return seeded.choice(extremes) if seeded.random() < 0.2 else seeded.uniform(extremes[0], extremes[-1])

    opens, closes, volumes = {}, {}, {}
    for symbol in [f"S{index}" for index in range(n_symbols)]:
        price = seeded.uniform(1, 500)
        opens[symbol], closes[symbol], volumes[symbol] = [], [], []
        for _ in range(n_days):
            is_missing = gaps and seeded.random() < 1 / 6
            opening = price * move()
            price = opening * move()
            opens[symbol].append(None if is_missing else opening)
            closes[symbol].append(None if is_missing else price)
            volumes[symbol].append(seeded.choice([None, 0.0, 20.0, 1e3, 1e6]))
    wanted = st.lists(st.integers(0, 5), min_size=n_symbols, max_size=n_symbols)
    days = draw(st.lists(st.integers(0, n_days - 1), unique=True, max_size=12))
    weights = {day: _weights(draw(wanted), draw(st.sampled_from([0.0, 0.3]))) for day in days}
    if levels:
        weights = {day: _protected(each, seeded) if seeded.random() < 0.7 else each for day, each in weights.items()}
    execution = draw(st.sampled_from(list(ExecutionTiming)))
    bar_size = draw(st.sampled_from([BarSize.DAILY, BarSize.DAILY, BarSize.WEEKLY]))
    return Case(opens, closes, volumes, weights, bar_size, execution)


def _weights(parts: Sequence[int], left_in_cash: float) -> list[float]:
    total = sum(parts)
    return [part / total * (1 - left_in_cash) if total else 0.0 for part in parts]


def _protected(weights: Sequence[float], seeded: Random) -> ProtectedWeights:
    stops, gains = [0.0, 0.07, 0.31], [0.0, 0.11, 0.43]
    return ProtectedWeights(weights, [tuple(map(seeded.choice, (stops, gains, stops))) for _ in weights])


COMMISSIONS = st.sampled_from([PerOrder(0.0), PerOrder(3.0), PerShare(0.05, 1.0), Rate(0.01), Rate(1.0)])
SLIPPAGES = st.sampled_from(
    [
        Fraction(0.0),
        Fraction(0.02),
        Fraction(1.0),
        HalfSpread(30.0),
        VolumeParticipation("linear", 5.0, 0.5),
        VolumeParticipation("square_root"),
    ]
)


def last_closes(case: Case) -> list[list[float]]:
    """Per day, each symbol's last known close, 0 before its first."""
    known = [0.0] * len(case.closes)
    rows = []
    for day in range(len(next(iter(case.closes.values())))):
        known = [prices[day] or before for prices, before in zip(case.closes.values(), known, strict=True)]
        rows.append(known)
    return rows


@given(cases(levels=True), COMMISSIONS, SLIPPAGES, st.sampled_from([0.0, 1.0, 50.0]))
@settings(max_examples=100)
def test_equity_is_cash_plus_positions_every_day_and_cash_is_never_overdrawn(
    case: Case, commission: Commission, slippage: Slippage, least: float
) -> None:
    """The test keeps its own books, order by order."""
    ledger = case.run(commission=commission, slippage=slippage, min_trade_value=least)
    cash, shares = 1000.0, [0.0] * len(case.closes)
    orders = iter(fills(ledger))
    order = next(orders, None)
    for day, closes in enumerate(last_closes(case)):
        while order is not None and order[0] == day:
            _, symbol, change, price, fee = order
            cash -= change * price + fee
            shares[symbol] += change
            assert cash >= -1e-9 * ledger.equity[day] - 1e-9
            assert shares[symbol] >= -1e-9
            assert change != 0
            assert fee >= 0
            assert case.closes[list(case.closes)[symbol]][day] is not None
            order = next(orders, None)
        assert ledger.cash[day] == pytest.approx(cash, rel=1e-9, abs=1e-9)
        positions = math.fsum(held * close for held, close in zip(shares, closes, strict=True))
        assert ledger.equity[day] == pytest.approx(cash + positions, rel=1e-9, abs=1e-9)
    assert order is None


def same_equity(one: Ledger, other: Ledger, factor: float = 1.0) -> None:
    assert [factor * equity for equity in one.equity] == pytest.approx(other.equity, rel=1e-9)


@given(cases(levels=True), st.floats(0.01, 100))
def test_scaling_the_prices_of_a_symbol_changes_nothing_but_share_counts(case: Case, factor: float) -> None:
    before = case.run()
    for prices in (case.opens, case.closes):
        prices["S0"] = [None if price is None else price * factor for price in prices["S0"]]
    after = case.run()
    same_equity(before, after)
    for old, new in zip(fills(before), fills(after), strict=True):
        assert old[:2] == new[:2]
        assert new[2] == pytest.approx(old[2] / (factor if old[1] == 0 else 1), rel=1e-6)


@given(cases(levels=True), st.floats(0.01, 1e6), st.sampled_from([Rate(0.002), PerShare(0.01)]))
def test_scaling_capital_scales_equity(case: Case, factor: float, commission: Commission) -> None:
    """Without a minimum trade and without flat fees."""
    costs = {"commission": commission, "slippage": Fraction(0.001)}
    same_equity(case.run(**costs), case.run(initial_capital=1000.0 * factor, **costs), factor)


@given(cases(gaps=False))
def test_holding_forever_after_a_rebalance_is_buy_and_hold(case: Case) -> None:
    """The shares of the first fills times each day's close, and the cash left over."""
    first = min(case.plan, default=0)
    case.plan = {first: case.plan.get(first, [0.0] * len(case.closes))}
    case.bar_size = BarSize.DAILY
    ledger = case.run()
    start = first + (case.execution is ExecutionTiming.CLOSE_TO_NEXT_OPEN)
    if start >= len(ledger.equity):
        assert set(ledger.equity) == {1000.0}
        return
    prices = case.opens if start > first else case.closes
    shares = [1000 * weight / prices[s][start] for weight, s in zip(case.plan[first], prices, strict=True)]
    cash = 1000 - 1000 * math.fsum(case.plan[first])
    for day in range(start, len(ledger.equity)):
        worth = math.fsum(held * case.closes[s][day] for held, s in zip(shares, case.closes, strict=True))
        assert ledger.equity[day] == pytest.approx(cash + worth, rel=1e-9)


@given(cases(), st.data())
def test_relabelling_symbols_changes_nothing(case: Case, data: st.DataObject) -> None:
    """With enough cash for every order, since buys are otherwise cut in universe order."""
    case.plan = {day: [weight * 0.2 for weight in weights] for day, weights in case.plan.items()}
    before = case.run(commission=Rate(0.001), slippage=Fraction(0.001))
    order = data.draw(st.permutations(list(case.closes)))
    where = [list(case.closes).index(symbol) for symbol in order]
    for part in (case.opens, case.closes, case.volumes):
        values = {symbol: part[symbol] for symbol in order}
        part.clear()
        part.update(values)
    case.plan = {day: [weights[index] for index in where] for day, weights in case.plan.items()}
    same_equity(before, case.run(commission=Rate(0.001), slippage=Fraction(0.001)))


@given(cases(levels=True), COMMISSIONS, SLIPPAGES, st.data())
def test_appending_days_never_changes_the_past(
    case: Case, commission: Commission, slippage: Slippage, data: st.DataObject
) -> None:
    whole = case.run(commission=commission, slippage=slippage)
    n_days = data.draw(st.integers(1, len(whole.equity)))
    case.plan = {day: weights for day, weights in case.plan.items() if day < n_days}
    if case.bar_size is BarSize.WEEKLY:  # the shorter window ends a week earlier
        case.plan.pop(n_days - 1, None)
    shorter = case.run(n_days, commission=commission, slippage=slippage)
    assert shorter.equity[: n_days - 1] == whole.equity[: n_days - 1]
    assert [fill for fill in fills(shorter) if fill[0] < n_days - 1] == [
        fill for fill in fills(whole) if fill[0] < n_days - 1
    ]
    if case.bar_size is BarSize.DAILY:
        assert shorter.equity == whole.equity[:n_days]


PROPORTIONAL = st.sampled_from([PerOrder(0.5), Rate(0.0), Rate(0.001), Rate(0.02), PerShare(0.001), PerShare(0.01)])
MILD = st.sampled_from([Fraction(0.0), Fraction(0.03), HalfSpread(10.0), VolumeParticipation("linear", 0.1, 1.0)])


@given(cases(gaps=False, most_move=1.2), PROPORTIONAL, MILD)
def test_costs_never_raise_final_equity_of_a_fixed_plan(case: Case, commission: Commission, slippage: Slippage) -> None:
    """Every symbol can fill each day: a cost that keeps an order in cash may save it from a fall."""
    case.volumes = {symbol: [1e12] * len(volumes) for symbol, volumes in case.volumes.items()}
    free = case.run().equity
    costly = case.run(commission=commission, slippage=slippage).equity
    assert all(paid <= spared * (1 + 1e-9) for paid, spared in zip(costly, free, strict=True))


@given(cases(levels=True), COMMISSIONS, SLIPPAGES)
def test_the_same_input_gives_the_same_books_bit_for_bit(
    case: Case, commission: Commission, slippage: Slippage
) -> None:
    first, second = (case.run(commission=commission, slippage=slippage) for _ in range(2))
    assert vars(first) == vars(second)


class SizedFraction(Fraction):
    """A constant fraction that claims to depend on the order's size, so that nothing is computed in advance."""

    uses_volume = True


@given(cases(levels=True), COMMISSIONS, st.sampled_from([0.0, 0.0005, 0.03]))
def test_orders_sized_in_advance_are_those_sized_one_by_one(
    case: Case, commission: Commission, fraction: float
) -> None:
    """Free orders and constant slippage have quicker loops, which must give the same books bit for bit."""
    quick = case.run(commission=commission, slippage=Fraction(fraction))
    assert vars(quick) == vars(case.run(commission=commission, slippage=SizedFraction(fraction)))


def test_rules_know_whether_trading_is_free() -> None:
    assert rules().is_free
    assert not rules(commission=PerShare(0.0, 1.0)).is_free
    assert not rules(slippage=VolumeParticipation("linear", coefficient=0)).is_free
    assert isinstance(rules(), Rules)


@dataclass
class MarginTerms:
    """Shorts, leverage or both, and what they cost a year."""

    allow_short: bool
    max_gross: float
    borrow_rate: float
    margin_rate: float

    def signed(self, weights: Sequence[float]) -> list[float]:
        """The weights up to the limit, every other one short where that is allowed."""
        signs = [-1 if self.allow_short and index % 2 == 0 else 1 for index in range(len(weights))]
        return [sign * weight * self.max_gross for sign, weight in zip(signs, weights, strict=True)]


MARGINS = st.builds(
    lambda limits, borrow_rate, margin_rate: MarginTerms(*limits, borrow_rate, margin_rate),
    st.sampled_from([(True, 1.0), (True, 2.0), (True, 4.0), (False, 3.0)]),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from([0.0, 0.5]),
)


def on_margin(case: Case, terms: MarginTerms) -> Case:
    """The same case with weights that use the terms."""
    return replace(case, plan={day: terms.signed(weights) for day, weights in case.plan.items()})


@given(cases(most_move=1.2), MARGINS, COMMISSIONS, SLIPPAGES, st.sampled_from([0.0, 50.0]))
def test_a_margin_account_adds_up_within_its_limit_and_ends_when_its_equity_is_gone(
    case: Case, terms: MarginTerms, commission: Commission, slippage: Slippage, least: float
) -> None:
    """The test keeps its own books, order by order, with charges for one calendar day each."""
    case = on_margin(case, terms)
    ledger = case.run(commission=commission, slippage=slippage, min_trade_value=least, **vars(terms))
    cash, shares, known = 1000.0, [0.0] * len(case.closes), [0.0] * len(case.closes)
    orders = fills(ledger)
    field = case.opens if case.execution is ExecutionTiming.CLOSE_TO_NEXT_OPEN else case.closes
    for day, closes in enumerate(last_closes(case)):
        short = sum(-held * price for held, price in zip(shares, known, strict=True) if held < 0)
        cash -= (terms.borrow_rate * short + terms.margin_rate * max(0.0, -cash)) / 365
        now = [prices[day] or before for prices, before in zip(field.values(), known, strict=True)]
        for _, symbol, change, price, fee in [order for order in orders if order[0] == day]:
            before, shares[symbol] = shares[symbol], shares[symbol] + change
            cash -= change * price + fee
            equity = cash + math.fsum(held * at for held, at in zip(shares, now, strict=True))
            gross = math.fsum(abs(held) * at for held, at in zip(shares, now, strict=True))
            if abs(shares[symbol]) > abs(before) * (1 + 1e-8):
                assert gross <= terms.max_gross * equity + 1e-6
            assert terms.allow_short or shares[symbol] >= -1e-9
        worth = cash + math.fsum(held * close for held, close in zip(shares, closes, strict=True))
        known = closes
        if ledger.ruined_on == day:
            assert worth <= 1e-6
            break
        assert ledger.cash[day] == pytest.approx(cash, rel=1e-9, abs=1e-6)
        assert ledger.equity[day] == pytest.approx(worth, rel=1e-9, abs=1e-6)
    assert min(ledger.equity) >= 0
    if ledger.ruined_on is not None:
        assert not any(ledger.equity[ledger.ruined_on :] + ledger.cash[ledger.ruined_on :])
        assert all(order[0] <= ledger.ruined_on for order in orders)


@given(cases())
def test_a_fixed_number_of_shares_short_loses_what_the_same_long_gains(case: Case) -> None:
    first = min(case.plan, default=0)
    case.plan = {first: case.plan.get(first, [1.0] * len(case.closes))}
    mirror = replace(case, plan={first: [-weight for weight in case.plan[first]]})
    terms = {"allow_short": True, "max_gross": max(1.0, float(len(case.closes)))}
    long, short = case.run(**terms), mirror.run(**terms)
    if len({fill[0] for fill in fills(long)}) > 1:
        return  # a symbol without a price was sized later, from another equity
    ends = [ledger.ruined_on for ledger in (long, short) if ledger.ruined_on is not None]
    end = min([*ends, len(long.equity)])
    gained = [equity - 1000 for equity in long.equity[:end]]
    assert [1000 - equity for equity in short.equity[:end]] == pytest.approx(gained, rel=1e-9, abs=1e-9)


@given(cases(), MARGINS, st.floats(0.01, 1e6), st.sampled_from([Rate(0.002), PerShare(0.01)]))
def test_scaling_capital_scales_the_equity_of_a_margin_account(
    case: Case, terms: MarginTerms, factor: float, commission: Commission
) -> None:
    case = on_margin(case, terms)
    costs = {"commission": commission, "slippage": Fraction(0.001), **vars(terms)}
    one, other = case.run(**costs), case.run(initial_capital=1000.0 * factor, **costs)
    assert [factor * equity for equity in one.equity] == pytest.approx(other.equity, rel=1e-7, abs=1e-7 * factor)


@given(cases(), MARGINS, COMMISSIONS, st.sampled_from([0.0, 0.0005, 0.03]))
def test_orders_of_a_margin_account_sized_in_advance_are_those_sized_one_by_one(
    case: Case, terms: MarginTerms, commission: Commission, fraction: float
) -> None:
    case = on_margin(case, terms)
    quick = case.run(commission=commission, slippage=Fraction(fraction), **vars(terms))
    assert vars(quick) == vars(case.run(commission=commission, slippage=SizedFraction(fraction), **vars(terms)))
