"""Protective exits by hand: which bars close a position, at which price, and what follows."""

import math
from array import array
from collections.abc import Mapping, Sequence

import pytest
from hqg_algorithms import BarSize

from src.engine import exits as exits_module
from src.engine.costs import Fraction, PerOrder, VolumeParticipation
from src.engine.ledger import STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, Ledger, TooManyLevels
from src.engine.market import Market
from src.engine.simulator import ProtectedWeights, simulate
from tests.engine.markets import EPOCH, NEXT_OPEN, consecutive, fills, plan, rules, settled

approx = pytest.approx
Bar = tuple[float, float, float, float] | None


def bars(
    prices: Mapping[str, Sequence[Bar]], volume: float = 1e9, delistings: Mapping[int, int] | None = None
) -> Market:
    """A market from (open, high, low, close) per symbol and day, None for no bar."""
    count = len(next(iter(prices.values())))
    numbers = array("d")
    for day in range(count):
        for symbol in prices:
            bar = prices[symbol][day]
            numbers.extend([math.nan] * 5 if bar is None else [*bar, volume])
    days = [(day - EPOCH).days for day in consecutive(count)]
    return Market(days, tuple(prices), memoryview(numbers), delistings=delistings or {})


def flat(price: float) -> Bar:
    return (price, price, price, price)


def protected(
    weights: Sequence[float], stop_loss: float = 0.0, take_profit: float = 0.0, trailing_stop: float = 0.0
) -> ProtectedWeights:
    """Weights with the same levels for every symbol."""
    return ProtectedWeights(weights, [(stop_loss, take_profit, trailing_stop)] * len(weights))


def exits(ledger: Ledger) -> list[tuple[int, float, float, int]]:
    """(day, shares, price, reason) of each order that a level caused."""
    rows = zip(fills(ledger), ledger.orders.reason, strict=True)
    return [(day, shares, price, reason) for (day, _, shares, price, _), reason in rows if reason]


LONG = protected([1.0], stop_loss=0.1, take_profit=0.2)
SHORT = protected([-1.0], stop_loss=0.1, take_profit=0.2)


@pytest.mark.parametrize(
    ("bar", "exit_"),
    [
        ((10, 11, 9.5, 10), None),
        ((10, 11, 9, 9.5), (9.0, STOP_LOSS)),
        ((10, 10, 8, 9.5), (9.0, STOP_LOSS)),
        ((8.5, 13, 8, 9), (8.5, STOP_LOSS)),
        ((10, 12, 9.5, 11), (12.0, TAKE_PROFIT)),
        ((12.5, 13, 8, 12), (12.5, TAKE_PROFIT)),
        ((10, 12, 9, 10), (9.0, STOP_LOSS)),
    ],
)
def test_a_bar_closes_a_long_position_at_its_open_or_at_the_level(bar: Bar, exit_: tuple[float, int] | None) -> None:
    """100 bought at 10, stop at 9 and take profit at 12; the open counts first, then the stop."""
    ledger = simulate(bars({"A": [flat(10), bar, flat(10)]}), rules(), plan({0: LONG}))
    assert exits(ledger) == ([(1, -100.0, *exit_)] if exit_ else [])
    assert ledger.equity[2] == (100 * exit_[0] if exit_ else 1000.0)


@pytest.mark.parametrize(
    ("bar", "exit_"),
    [
        ((10, 10.5, 9, 10), None),
        ((10, 11, 9, 10), (11.0, STOP_LOSS)),
        ((12, 12, 7, 10), (12.0, STOP_LOSS)),
        ((10, 10, 8, 9), (8.0, TAKE_PROFIT)),
        ((7, 12, 7, 9), (7.0, TAKE_PROFIT)),
        ((10, 11, 8, 9), (11.0, STOP_LOSS)),
    ],
)
def test_a_bar_closes_a_short_position_the_other_way_round(bar: Bar, exit_: tuple[float, int] | None) -> None:
    """100 sold at 10, stop at 11 and take profit at 8."""
    ledger = simulate(bars({"A": [flat(10), bar, flat(10)]}), rules(allow_short=True), plan({0: SHORT}))
    assert exits(ledger) == ([(1, 100.0, *exit_)] if exit_ else [])


def test_a_fill_at_the_open_is_followed_by_the_rest_of_its_bar() -> None:
    given = bars({"A": [flat(10), (10, 10, 8, 9.5), flat(9.5)]})
    ledger = simulate(given, rules(execution=NEXT_OPEN), plan({0: LONG}))
    assert fills(ledger) == [(1, 0, 100.0, 10.0, 0.0), (1, 0, -100.0, 9.0, 0.0)]
    assert ledger.equity == [1000.0, 900.0, 900.0]


def test_a_fill_at_the_close_is_first_checked_on_the_next_bar() -> None:
    given = bars({"A": [(10, 10, 1, 10), (10, 10, 9, 10)]})
    assert exits(simulate(given, rules(), plan({0: LONG}))) == [(1, -100.0, 9.0, STOP_LOSS)]


def test_a_trailing_stop_follows_the_best_price_of_earlier_bars_only() -> None:
    """Of the bar of day 1, the high of 20 counts from day 2: its own low of 10 is above 9, and 18 is reached then."""
    given = bars({"A": [(10, 50, 10, 10), (10, 20, 10, 19), (19, 19, 17, 19)]})
    ledger = simulate(given, rules(), plan({0: protected([1.0], trailing_stop=0.1)}))
    assert exits(ledger) == [(2, -100.0, 18.0, TRAILING_STOP)]


def test_a_trailing_stop_of_a_fill_at_the_open_counts_the_high_of_that_bar() -> None:
    given = bars({"A": [(50, 50, 10, 10), (10, 20, 10, 19), (19, 19, 17, 19)]})
    ledger = simulate(given, rules(execution=NEXT_OPEN), plan({0: protected([1.0], trailing_stop=0.1)}))
    assert exits(ledger) == [(2, -100.0, 18.0, TRAILING_STOP)]


def test_a_trailing_stop_of_a_short_follows_the_lowest_price() -> None:
    given = bars({"A": [flat(10), (10, 10, 5, 6), (6, 6, 5, 5), (5, 7, 5, 5)]})
    ledger = simulate(given, rules(allow_short=True), plan({0: protected([-1.0], trailing_stop=0.1)}))
    assert exits(ledger) == [(2, 100.0, 6.0, TRAILING_STOP)]  # a gap: 5.5 was passed at the open
    again = bars({"A": [flat(10), (10, 10, 5, 5), (5, 5.5, 5, 5)]})
    ledger = simulate(again, rules(allow_short=True), plan({0: protected([-1.0], trailing_stop=0.1)}))
    assert exits(ledger) == [(2, 100.0, 5.5, TRAILING_STOP)]


def test_of_two_stops_the_one_that_is_reached_first_closes_the_position() -> None:
    levels = protected([1.0], stop_loss=0.1, trailing_stop=0.2)
    for highest, exit_ in ((10, (9.0, STOP_LOSS)), (15, (12.0, TRAILING_STOP))):
        given = bars({"A": [flat(10), (10, highest, 10, 13), (13, 13, 5, 5)]})
        assert exits(simulate(given, rules(), plan({0: levels}))) == [(2, -100.0, *exit_)]


def test_a_trailing_stop_set_later_follows_the_price_since_the_position_was_opened() -> None:
    given = bars({"A": [flat(10), flat(20), flat(15), flat(15)]})
    later = protected([1.0], trailing_stop=0.1)
    assert exits(simulate(given, rules(), plan({0: [1.0], 2: later}))) == [(3, -100.0, 15.0, TRAILING_STOP)]


def test_levels_follow_the_average_cost_of_a_position_that_grows() -> None:
    """50 at 10 and a quarter at 20: 12.5 shares more, 750 ÷ 62.5 = 12 a share; ten percent below is 10.8."""
    given = bars({"A": [flat(10), flat(20), (20, 20, 10.5, 12)]})
    weights = {0: protected([0.5], stop_loss=0.1), 1: protected([62.5 * 20 / 1500], stop_loss=0.1)}
    assert exits(simulate(given, rules(), plan(weights))) == [(2, approx(-62.5), approx(10.8), STOP_LOSS)]


def test_a_sale_of_a_part_leaves_the_levels_where_they_are() -> None:
    given = bars({"A": [flat(10), flat(20), (20, 20, 5, 8)]})
    weights = {0: protected([1.0], stop_loss=0.1), 1: protected([0.5], stop_loss=0.1)}
    assert exits(simulate(given, rules(), plan(weights))) == [(2, -50.0, 9.0, STOP_LOSS)]


def test_levels_stay_while_the_strategy_holds_and_go_with_the_next_signal() -> None:
    given = bars({"A": [flat(10), flat(10), flat(10), (10, 10, 5, 10)]})
    assert exits(simulate(given, rules(), plan({0: LONG}))) == [(3, -100.0, 9.0, STOP_LOSS)]
    assert exits(simulate(given, rules(), plan({0: LONG, 1: [1.0]}))) == []


def test_a_position_stays_closed_until_the_next_signal_which_may_fill_on_the_same_bar() -> None:
    down = bars({"A": [flat(10), (10, 10, 8, 9.5), flat(9.5)]})
    assert len(fills(simulate(down, rules(), plan({0: LONG})))) == 2
    ledger = simulate(down, rules(), plan({0: LONG, 1: LONG}))
    assert fills(ledger)[1:] == [(1, 0, -100.0, 9.0, 0.0), (1, 0, approx(900 / 9.5), 9.5, 0.0)]


def test_an_order_that_waits_is_not_made_after_an_exit() -> None:
    """B has no price to be sold at, so half of A's order waits for cash; A is stopped out before B is sold."""
    given = bars({"A": [flat(10), flat(10), (10, 10, 8, 10), flat(10)], "B": [flat(5), None, None, flat(5)]})
    weights = {0: [0.5, 0.5], 1: protected([1.0, 0.0], stop_loss=0.1)}
    ledger = simulate(given, rules(), plan(weights))
    assert fills(ledger)[2:] == [(2, 0, -50.0, 9.0, 0.0), (3, 1, -100.0, 5.0, 0.0)]


def test_an_exit_pays_the_costs_of_the_run() -> None:
    costs = rules(slippage=Fraction(0.01), commission=PerOrder(1.0))
    ledger = simulate(bars({"A": [flat(10), (10, 10, 8, 9)]}), costs, plan({0: LONG}))
    bought, sold = fills(ledger)
    assert bought[3] == approx(10.1)
    assert sold == (1, 0, -bought[2], approx(10.1 * 0.9 * 0.99), 1.0)


def test_a_fee_that_cash_cannot_pay_prevents_an_exit() -> None:
    given = bars({"A": [flat(10), (10, 10, 0.01, 0.01)]})
    ledger = simulate(given, rules(commission=PerOrder(400.0)), plan({0: protected([1.0], stop_loss=0.99)}))
    assert exits(ledger) == []
    assert [entry.reason for entry in ledger.unfilled] == ["its fee is more than the cash at hand"]


def test_what_the_volume_leaves_of_an_exit_stays_protected() -> None:
    """A tenth of 500 a day is 50 of the 60 shares; the next bar reaches the level again, and its open is worse."""
    slippage = VolumeParticipation("linear", 0.0, 0.1)
    given = bars({"A": [flat(10), flat(10), (10, 10, 8, 8), (10, 10, 9.5, 9.5), flat(8)]}, volume=500.0)
    weights = {0: protected([0.5], stop_loss=0.1), 1: protected([0.6], stop_loss=0.1)}
    ledger = simulate(given, rules(slippage=slippage), plan(weights))
    assert exits(ledger) == [(2, -50.0, 9.0, STOP_LOSS), (4, -10.0, 8.0, STOP_LOSS)]
    assert [(entry.reason, entry.first_day) for entry in ledger.unfilled] == [
        ("more than its share of the day's volume", 2)
    ]


def test_a_bar_without_volume_cannot_close_a_position_under_a_volume_cap() -> None:
    given = bars({"A": [flat(10), (10, 10, 8, 8)]})
    numbers = array("d", given.bars)
    numbers[9] = 0.0
    slippage = VolumeParticipation("linear", 0.0, 1.0)
    dry = Market(given.days, given.symbols, memoryview(numbers))
    ledger = simulate(dry, rules(slippage=slippage), plan({0: LONG}))
    assert exits(ledger) == []
    assert [entry.reason for entry in ledger.unfilled] == ["no volume"]


def test_a_day_without_a_bar_closes_nothing_and_a_delisted_symbol_has_no_levels() -> None:
    given = bars({"A": [flat(10), None, (10, 10, 8, 8)], "B": [flat(1)] * 3})
    assert exits(simulate(given, rules(), plan({0: protected([1.0, 0], 0.1)}))) == [(2, -100.0, 9.0, STOP_LOSS)]
    leaves = bars({"A": [flat(10), flat(5), None], "B": [flat(1)] * 3}, delistings={0: 2})
    ledger = simulate(leaves, rules(), plan({0: protected([1.0, 0], 0.6)}))
    assert exits(ledger) == []
    assert settled(ledger) == [(2, 0, -100.0, 5.0, 0.0)]


@pytest.mark.parametrize("execution", [rules().execution, NEXT_OPEN])
def test_levels_are_checked_on_every_bar_however_rarely_the_strategy_is_called(execution: object) -> None:
    """Bought at the end of a week, at 10; Tuesday's low reaches the stop."""
    prices: list[Bar] = [flat(10)] * 8 + [(10, 10, 8, 10)] + [flat(10)] * 3
    given = bars({"A": prices})
    ledger = simulate(given, rules(bar_size=BarSize.WEEKLY, execution=execution), plan({4: LONG}))
    assert exits(ledger) == [(8, -100.0, 9.0, STOP_LOSS)]
    assert ledger.decisions == 2


def test_each_change_of_a_level_is_recorded_once() -> None:
    given = bars({"A": [flat(10)] * 4, "B": [flat(10)] * 4})
    other = ProtectedWeights([0.5, 0.5], [(0.1, 0.2, 0.0), (0.0, 0.0, 0.3)])
    ledger = simulate(given, rules(), plan({0: [0.5, 0.5], 1: other, 2: other, 3: [0.5, 0.5]}))
    assert list(zip(*ledger.levels, strict=True)) == [
        (1, 0, 0.1, 0.2, 0.0),
        (1, 1, 0.0, 0.0, 0.3),
        (3, 0, 0.0, 0.0, 0.0),
        (3, 1, 0.0, 0.0, 0.0),
    ]


def test_levels_that_change_without_end_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(day: int, *_: object) -> ProtectedWeights:
        return protected([1.0], stop_loss=0.5 + day / 1000)

    monkeypatch.setattr(exits_module, "MAX_LEVEL_CHANGES", 5)
    with pytest.raises(TooManyLevels):
        simulate(bars({"A": [flat(10)] * 10}), rules(), decide)
