"""Protective exits in an audit: what follows from prices, orders and levels, and what a box could invent instead."""

from dataclasses import replace

import numpy as np
import pytest

from src.execution.audit.audit import AuditFailed, Claim, audit
from src.execution.audit.books import CLOSE
from src.execution.audit.exits import Levels
from tests.execution.audit.claims import market, rules

STOP, TAKE, TRAIL = 1, 2, 3
PRICES = market(
    [(10.0, 30.0, 1.0, 10.0, 1e6)],
    [(10.0, 11.0, 9.5, 10.5, 1e6)],
    [(10.5, 13.0, 8.5, 9.5, 1e6)],
    [(9.5, 10.0, 8.0, 8.0, 1e6)],
    symbols=("AAA",),
)
BOUGHT = (0, 100.0, 10.0, 0)
LEVELS = ((0, 0, 0.1, 0.2, 0.0),)


def told(*orders: tuple[int, float, float, int], levels: tuple = LEVELS, prices=PRICES, capital=1000.0) -> Claim:
    """A claim whose cash and equity follow from its orders, each (day, shares, price, reason)."""
    n_days = len(prices.dates)
    day, shares, price, reason = np.array(orders, dtype=np.float64).reshape(-1, 4).T
    paid = np.bincount(day.astype(int), weights=shares * price, minlength=n_days)
    held = np.cumsum(np.bincount(day.astype(int), weights=shares, minlength=n_days))
    cash = capital - np.cumsum(paid)
    columns = [np.array(column) for column in zip(*levels, strict=True)]
    return Claim(
        day.astype(np.int32),
        np.zeros(len(day), dtype=np.int32),
        *(shares, price, np.zeros(len(day)), cash, cash + held * prices.bars[:, 0, CLOSE]),
        reason.astype(np.int8),
        Levels(*columns[:2], *(column.astype(np.float64) for column in columns[2:])) if columns else None,
    )


def rejected(claim: Claim, prices=PRICES, **changes: object) -> str:
    with pytest.raises(AuditFailed) as caught:
        audit(claim, prices, rules(capital=1000.0, **changes))
    return caught.value.check


def test_an_exit_that_follows_is_accepted_and_measured() -> None:
    """Stop at 9, take profit at 12: the bar of day 2 reaches both, and the stop counts."""
    books = audit(told(BOUGHT, (2, -100.0, 9.0, STOP)), PRICES, rules(capital=1000.0))
    assert books.reason.tolist() == [0, STOP]
    assert books.n_ambiguous == 1
    assert books.slippage_cost.tolist() == [0.0, 0.0]
    # Between the open of 10.5 and the exit at 9 the position was worth up to 13 a share; after it nothing changes.
    assert books.candles[2].tolist() == [1050.0, 1300.0, 900.0, 900.0]
    assert books.candles[3].tolist() == [900.0] * 4


@pytest.mark.parametrize(
    ("order", "check"),
    [
        ((2, -100.0, 8.0, STOP), "a price that is not"),
        ((2, -100.0, 9.4, STOP), "a price that is not"),
        ((2, -100.0, 12.0, TAKE), "a protective exit at a level that the bar did not reach first"),
        ((2, -100.0, 9.0, TRAIL), "a protective exit at a level that the bar did not reach first"),
        ((1, -100.0, 9.5, STOP), "a protective exit at a level that the bar did not reach first"),
        ((0, -100.0, 9.0, STOP), "a protective exit at a level that the bar did not reach first"),
        ((3, -100.0, 9.0, STOP), "a protective exit is missing"),
        ((2, -99.0, 9.0, STOP), "a protective exit of another size than its position"),
        ((2, -101.0, 9.0, STOP), "a protective exit of another size than its position"),
        ((2, 100.0, 9.0, STOP), "a protective exit of another size than its position"),
        ((2, -100.0, 9.0, 0), "a protective exit is missing"),
        ((2, -100.0, 9.5, 0), "a protective exit is missing"),
    ],
)
def test_an_exit_that_does_not_follow_is_rejected(order: tuple[int, float, float, int], check: str) -> None:
    orders = sorted((BOUGHT, order), key=lambda row: (row[0], not row[3]))
    assert rejected(told(*orders)).startswith(check)


def test_a_missing_exit_is_rejected() -> None:
    assert rejected(told(BOUGHT)) == "a protective exit is missing"


def test_a_second_exit_on_a_bar_is_rejected() -> None:
    halves = (2, -50.0, 9.0, STOP)
    assert rejected(told(BOUGHT, halves, halves)).startswith("orders are not in order")


def test_an_exit_without_a_level_is_rejected() -> None:
    assert rejected(told(BOUGHT, (2, -100.0, 9.0, STOP), levels=())).startswith("a protective exit at a level")


def test_a_level_cannot_close_a_position_on_the_bar_whose_close_set_it() -> None:
    late = ((2, 0, 0.1, 0.0, 0.0),)
    assert rejected(told(BOUGHT, (2, -100.0, 9.0, STOP), levels=late)).startswith("a protective exit at a level")


def test_a_trailing_stop_may_not_follow_the_high_of_its_own_bar() -> None:
    """The best price before day 2 is 11, so 9.9 is due; a tenth below the high of 13 is 11.7."""
    trailing = ((0, 0, 0.0, 0.0, 0.1),)
    audit(told(BOUGHT, (2, -100.0, 11 * (1 - 0.1), TRAIL), levels=trailing), PRICES, rules(capital=1000.0))
    assert rejected(told(BOUGHT, (2, -100.0, 11.7, TRAIL), levels=trailing)).startswith("a price that is not")


def test_a_signal_may_fill_after_an_exit_of_the_same_bar_but_not_before_it() -> None:
    exit_, again = (2, -100.0, 9.0, STOP), (2, 90.0, 9.5, 0)
    none = (*LEVELS, (2, 0, 0.0, 0.0, 0.0))
    books = audit(told(BOUGHT, exit_, again, levels=none), PRICES, rules(capital=1000.0))
    assert books.positions[:, 0].tolist() == [100.0, 100.0, 90.0, 90.0]
    assert rejected(told(BOUGHT, again, exit_, levels=none)).startswith("orders are not in order")


def test_an_exit_at_the_open_follows_a_fill_at_the_open() -> None:
    bought, exit_ = (2, 95.0, 10.5, 0), (2, -95.0, 10.5 * (1 - 0.1), STOP)
    books = audit(told(bought, exit_), PRICES, rules(capital=1000.0, at_open=True))
    assert books.cash[2] == pytest.approx(1000 - 95 * 1.05)
    assert rejected(told(exit_, bought), at_open=True).startswith("orders are not in order")


def test_an_exit_may_be_missing_where_no_share_could_be_traded() -> None:
    bars = PRICES.bars.copy()
    bars[2, 0, 4] = 0.0
    capped = {"model": "volume_participation", "shape": "linear", "coefficient": 0.0, "max_share": 1.0}
    dry = replace(PRICES, bars=bars)
    audit(told(BOUGHT, (3, -100.0, 9.0, STOP)), dry, rules(capital=1000.0, slippage=capped))
    assert rejected(told(BOUGHT), dry, slippage=capped) == "a protective exit is missing"


@pytest.mark.parametrize(
    ("levels", "check"),
    [
        (((0, 0, 1.0, 0.0, 0.0),), "a protective level out of range"),
        (((0, 0, -0.1, 0.0, 0.0),), "a protective level out of range"),
        (((0, 0, np.nan, 0.0, 0.0),), "a protective level out of range"),
        (((0, 0, 0.1, np.inf, 0.0),), "a protective level out of range"),
        (((0, 0, 0.1, 0.0, np.nan),), "a protective level out of range"),
        (((4, 0, 0.1, 0.0, 0.0),), "a protective level on a day without a signal"),
        (((-1, 0, 0.1, 0.0, 0.0),), "a protective level on a day without a signal"),
        (((0, 1, 0.1, 0.0, 0.0),), "a protective level of an unknown symbol"),
        (((0, -1, 0.1, 0.0, 0.0),), "a protective level of an unknown symbol"),
        (((1, 0, 0.1, 0.0, 0.0), (0, 0, 0.2, 0.0, 0.0)), "protective levels are not in order"),
        (((0, 0, 0.1, 0.0, 0.0), (0, 0, 0.2, 0.0, 0.0)), "protective levels are not in order"),
    ],
)
def test_levels_that_no_strategy_could_have_set_are_rejected(levels: tuple, check: str) -> None:
    assert rejected(told(BOUGHT, levels=levels)).startswith(check)


def test_levels_before_the_first_possible_signal_are_rejected() -> None:
    assert rejected(told(levels=LEVELS), first_signal_day=1) == "a protective level on a day without a signal"
