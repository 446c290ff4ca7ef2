"""The amount invested is the largest that equity can pay for; checked by a search between all kinks."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.engine.costs import (
    Fraction,
    HalfSpread,
    NoSlippage,
    PerOrder,
    PerShare,
    Rate,
    Slippage,
    VolumeParticipation,
)
from src.engine.portfolio import Portfolio, Sizing
from tests.engine.markets import rules

VOLUME = 1e4

commissions = st.one_of(
    st.builds(PerOrder, st.sampled_from([0.0, 1.0, 2.5])),
    st.builds(PerShare, st.floats(0, 0.05), st.sampled_from([0.0, 1.0, 2.5])),
    st.builds(Rate, st.floats(0, 0.02)),
)
shapes = st.sampled_from(["linear", "square_root"])


def slippages(most_impact):
    return st.one_of(
        st.just(NoSlippage()),
        st.builds(Fraction, st.floats(0, 0.02)),
        st.builds(HalfSpread, st.floats(0, 100)),
        st.builds(VolumeParticipation, shapes, st.floats(0, most_impact), st.floats(0.001, 1)),
    )


@st.composite
def sizings(draw, on_margin):
    """A portfolio of 1,000 that is often close to its target weights, as on most days of a daily strategy.

    On margin the positions are up to twice as large, and some are short. Their costs are then milder, so that spending
    rises with the amount between kinks: reducing twice the equity saves twice the cost.
    """
    count = draw(st.integers(1, 4))
    parts = draw(st.lists(st.integers(0, 5), min_size=count, max_size=count).filter(any))
    weights = [draw(st.sampled_from([1.0, 0.97, 0.5])) * part / sum(parts) for part in parts]
    prices = [draw(st.sampled_from([1.0, 7.0, 300.0])) for _ in parts]
    drift = st.floats(-4, 4) if draw(st.booleans()) else st.floats(-400, 400)
    if on_margin:
        leverage = draw(st.sampled_from([1.0, 2.0]))
        weights = [leverage * draw(st.sampled_from([1.0, -1.0])) * weight for weight in weights]
    values = [1000 * weight + draw(drift) for weight in weights]
    least_value = -math.inf if on_margin else 0.0
    values = [max(least_value, value) for value in values]
    portfolio = Portfolio(max(least_value, 1000 - math.fsum(values)), count)
    portfolio.shares[:] = shares = [value / price for value, price in zip(values, prices, strict=True)]
    least = draw(st.sampled_from([0.0, 1.0, 5.0]))
    costs = {"commission": draw(commissions), "slippage": draw(slippages(0.1 if on_margin else 0.5))}
    given = rules(min_trade_value=least, allow_short=on_margin, max_gross=2.0 if on_margin else 1.0, **costs)
    sizing = Sizing(given, portfolio)
    sizing.turn_to(weights, prices, [VOLUME] * count, portfolio.value(prices))
    return sizing, weights, shares, given.slippage


def spent(sizing: Sizing, slippage: Slippage, symbols: range, investable: float) -> float:
    """The total cost of investing that much, by the sizing's own quotes."""
    parts = [investable]
    for symbol, wanted in sizing.changes(symbols, investable):
        change = sizing.fillable(symbol, wanted) if slippage.uses_volume else wanted
        price, fee = sizing.quote(symbol, change)
        parts.append((price - sizing.prices[symbol]) * change + fee)
    return math.fsum(parts)


def largest_by_exhaustive_search(spend, equity, kinks):
    """Bisection between neighbouring kinks, from the top down; between them spending only rises."""
    inside = sorted({kink for kink in kinks if 0 < kink < equity})
    for low, high in reversed(list(zip([0.0, *inside], [*inside, equity], strict=True))):
        gap = 1e-13 * equity
        fits, exceeds = low + gap, high - gap if high < equity else equity
        if fits > exceeds or spend(fits) > equity:
            continue
        if spend(exceeds) <= equity:
            return exceeds
        for _ in range(80):
            middle = (fits + exceeds) / 2
            fits, exceeds = (middle, exceeds) if spend(middle) <= equity else (fits, middle)
        return fits
    return 0.0


@settings(max_examples=300)
@given(st.booleans().flatmap(sizings))
def test_no_larger_amount_is_affordable(case):
    sizing, weights, shares, slippage = case
    symbols = range(len(weights))

    def spend(investable):
        return spent(sizing, slippage, symbols, investable)

    kinks = [
        (held * price + side) / weight
        for weight, held, price in zip(weights, shares, sizing.prices, strict=True)
        if weight
        for side in (-sizing.least, 0.0, sizing.least)
    ]
    found = sizing.investable(symbols)
    assert spend(found) <= sizing.equity * (1 + 1e-12)
    largest = largest_by_exhaustive_search(spend, sizing.equity, kinks)
    assert found >= largest - 1e-11 * sizing.equity


def test_a_sell_too_small_to_make_saves_its_fee():
    """Of 1,000, 484.80 are A and 482.90 are B; 48.5 % are wanted of each, a fee is 2.50, the minimum trade 1.

    997.50 pays for itself with one sell of A: 0.485 · 997.50 is more than 1 below 484.80. But from 483.80 / 0.485 on
    that sell is too small, and until 483.90 / 0.485 the buy of B is too: nothing is traded, and nothing costs.
    """
    portfolio = Portfolio(32.3, 2)
    portfolio.shares[:] = [484.8, 482.9]
    sizing = Sizing(rules(commission=PerOrder(2.5), min_trade_value=1.0), portfolio)
    sizing.turn_to([0.485, 0.485], [1.0, 1.0], [VOLUME] * 2, portfolio.value([1.0, 1.0]))
    assert sizing.equity == pytest.approx(1000, rel=1e-15)
    assert sizing.investable(range(2)) == pytest.approx(483.9 / 0.485, rel=1e-12)
