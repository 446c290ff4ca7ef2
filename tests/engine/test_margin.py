"""Shorts and leverage, by hand."""

import pytest

from src.engine.costs import Fraction, PerOrder, VolumeParticipation
from src.engine.ledger import Ledger
from src.engine.market import Market
from src.engine.simulator import simulate
from tests.engine.markets import NEXT_OPEN, always, fills, market, plan, rules, settled

approx = pytest.approx


def margin(**changes: object) -> object:
    """Shorts allowed, gross exposure of up to twice equity."""
    return rules(**{"allow_short": True, "max_gross": 2.0} | changes)


def reasons(ledger: Ledger) -> list[tuple[int, str]]:
    return [(entry.symbol, entry.reason) for entry in ledger.unfilled]


def test_a_short_gains_what_its_price_falls() -> None:
    """100 sold at 10 bring 1,000 of cash; the debt is 900, then 1,200."""
    ledger = simulate(market({"A": [10, 9, 12]}), margin(), plan({0: [-1.0]}))
    assert fills(ledger) == [(0, 0, -100.0, 10.0, 0.0)]
    assert ledger.cash == [2000.0] * 3
    assert ledger.equity == [1000.0, 1100.0, 800.0]


def test_a_short_is_sold_below_and_covered_above_the_reference_price() -> None:
    """Equity is 1,000 less costs after the sale, E' + 0.02 · E' + 1 = 1,000."""
    ledger = simulate(
        market({"A": [10, 10]}), margin(slippage=Fraction(0.02), commission=PerOrder(1.0)), plan({0: [-1.0], 1: [0.0]})
    )
    invested = 999 / 1.02
    (_, _, sold, at, _), (_, _, bought, above, _) = fills(ledger)
    assert (sold, at) == (approx(-invested / 10), approx(9.8))
    assert (bought, above) == (-sold, approx(10.2))
    assert ledger.equity == [approx(invested), approx(invested - 0.02 * invested - 1)]


def test_a_long_position_becomes_short_in_one_order() -> None:
    ledger = simulate(market({"A": [10, 20]}), margin(), plan({0: [1.0], 1: [-0.5]}))
    assert fills(ledger) == [(0, 0, 100.0, 10.0, 0.0), (1, 0, -150.0, 20.0, 0.0)]
    assert ledger.cash == [0.0, 3000.0]


def test_twice_the_equity_is_bought_with_negative_cash() -> None:
    ledger = simulate(market({"A": [10, 12]}), margin(), plan({0: [2.0]}))
    assert ledger.cash == [-1000.0] * 2
    assert ledger.equity == [1000.0, 1400.0]


def test_orders_that_reduce_come_before_those_that_increase() -> None:
    """A limit of one leaves room for the short in A only once that in B is covered."""
    given = market({"A": [10, 10], "B": [5, 5]})
    ledger = simulate(given, margin(max_gross=1.0), plan({0: [0.0, -1.0], 1: [-1.0, 0.0]}))
    assert fills(ledger)[1:] == [(1, 1, 200.0, 5.0, 0.0), (1, 0, -100.0, 10.0, 0.0)]


def test_without_room_below_the_limit_an_increase_waits_for_the_reduction() -> None:
    """More of A is to replace the short of B, which has no price for a day and uses what A leaves of the limit."""
    given = market({"A": [10, 10, 10], "B": [5, None, 5]})
    ledger = simulate(given, margin(), plan({0: [0.5, -1.5], 1: [2.0, 0.0]}))
    assert fills(ledger)[:2] == [(0, 0, 50.0, 10.0, 0.0), (0, 1, -300.0, 5.0, 0.0)]
    assert fills(ledger)[2:] == [(2, 1, 300.0, 5.0, 0.0), (2, 0, 150.0, 10.0, 0.0)]
    assert reasons(ledger) == [(1, "no bar at its fill"), (0, "no room below max_gross while another order waits")]


def test_without_room_a_position_is_closed_but_not_turned() -> None:
    """B rose, has no price, and uses up the limit; A's short is covered in any case."""
    given = market({"A": [10, 10], "B": [5, None]})
    ledger = simulate(given, margin(max_gross=1.0), plan({0: [-0.4, 0.6], 1: [0.9, 0.0]}))
    # 600 of B stay; 1,000 − 600 are left for A, so it goes from −40 to 40 shares.
    assert fills(ledger)[2:] == [(1, 0, 80.0, 10.0, 0.0)]
    dear = simulate(
        market({"A": [10, 10], "B": [5, None]}),
        margin(max_gross=1.0, commission=PerOrder(500.0), initial_capital=2000.0),
        plan({0: [-0.4, 0.6], 1: [0.9, 0.0]}),
    )
    # 1,000 are invested, then 500 are paid: 500 of equity for 600 of B leave no room.
    assert fills(dear)[2:] == [(1, 0, approx(40.0), 10.0, 500.0)]
    assert dear.cash[1] == approx(dear.equity[1] - 600)


def test_costs_of_an_order_count_against_the_room_it_needs() -> None:
    ledger = simulate(market({"A": [10]}), margin(slippage=Fraction(0.01)), plan({0: [2.0]}))
    ((_, _, shares, price, _),) = fills(ledger)
    assert shares * 10 == approx(2 * ledger.equity[0])
    assert ledger.equity[0] == approx(1000 - shares * 0.1)
    assert price == approx(10.1)


def test_a_limit_of_one_without_shorts_sold_is_the_cash_at_hand() -> None:
    given = market({"A": [10, 11, 12], "B": [5, 4, 6]}, volumes={"A": [1e3, 20, 1e3], "B": [50, 1e3, 1e3]})
    asked = {"slippage": VolumeParticipation("linear", 0.5, 0.5), "commission": PerOrder(2.0), "min_trade_value": 1.0}
    weights = plan({0: [0.7, 0.3], 1: [0.2, 0.8], 2: [0.5, 0.5]})
    cash, limit = (simulate(given, rules(**asked, allow_short=short), weights) for short in (False, True))
    assert [order[:2] for order in fills(cash)] == [order[:2] for order in fills(limit)]
    assert limit.equity == approx(cash.equity, rel=1e-12)


@pytest.mark.parametrize("execution", [None, NEXT_OPEN])
def test_charges_accrue_by_calendar_day_before_the_first_fill(execution: object) -> None:
    """From Friday to Monday three days at the mark of Friday's close, after Friday's fill."""
    changes = {"execution": execution} if execution else {}
    base = market({"A": [10, 10, 12], "B": [10, 10, 10]}, opens={"A": [10, 10, 11], "B": [10, 10, 10]})
    given = Market([0, 1, 4], base.symbols, base.bars)
    asked = margin(borrow_rate=0.365, margin_rate=0.73, max_gross=3.0, **changes)
    ledger = simulate(given, asked, plan({0: [-0.5, 1.9]}))
    first = 0 if execution is None else 1
    owed, short = 400.0, 500.0
    assert ledger.cash[first] == approx(-owed)
    if first == 0:
        daily = 0.001 * short + 0.002 * owed
        assert ledger.cash[1] == approx(-owed - daily)
        owed += daily
    assert ledger.cash[2] == approx(-owed - 3 * (0.001 * short + 0.002 * owed))
    assert ledger.equity[2] == approx(ledger.cash[2] - 50 * 12 + 1900)


def test_a_short_pays_dividends_and_the_last_close_of_a_delisted_symbol() -> None:
    base = market({"A": [10, 10, None], "B": [5, 5, 5]}, delistings={0: 2})
    given = Market(base.days, base.symbols, base.bars, delistings={0: 2}, dividends={1: [(0, 0.5)]})
    ledger = simulate(given, margin(delisting_return=-0.2), plan({0: [-1.0, 0.0]}))
    assert settled(ledger) == [(2, 0, 100.0, 8.0, 0.0)]
    assert ledger.cash == [2000.0, 1950.0, 1150.0]


def test_a_mark_at_or_below_zero_ends_the_run() -> None:
    """Short 200 at 10: a price of 15 takes all of 1,000, one of 16 more than that."""
    for last in (15, 16):
        calls = []

        def decide(day: int, *_: object, calls: list[int] = calls) -> list[float]:
            calls.append(day)
            return [-2.0]

        ledger = simulate(market({"A": [10, last, 1, 1]}), margin(), decide)
        assert fills(ledger) == [(0, 0, -200.0, 10.0, 0.0)]
        assert ledger.equity == [1000.0, 0.0, 0.0, 0.0]
        assert ledger.cash == [3000.0, 0.0, 0.0, 0.0]
        assert (calls, ledger.decisions, ledger.ruined_on) == ([0], 1, 1)


def test_costs_may_ruin_an_account_at_the_close_at_which_they_are_paid() -> None:
    """1,000 / 1.9 after costs of 9 % on ten times that; a fall of 8 % leaves a fifth, and selling costs four."""
    broke = simulate(
        market({"A": [10, 9.2, 10]}), margin(max_gross=10.0, slippage=Fraction(0.09)), plan({0: [10.0], 1: [0.0]})
    )
    assert broke.equity == [approx(1000 / 1.9), 0.0, 0.0]
    assert (len(fills(broke)), broke.decisions, broke.ruined_on) == (2, 2, 1)


def test_a_delisting_at_the_end_of_the_last_day_may_ruin_an_account() -> None:
    given = market({"DEAD": [10, 8]}, delistings={0: 1})
    ledger = simulate(given, margin(delisting_return=-0.5), plan({0: [2.0]}))
    assert ledger.equity == [1000.0, 0.0]
    assert (ledger.cash[-1], ledger.ruined_on) == (0.0, 1)


def test_an_account_without_equity_at_the_open_only_closes_positions() -> None:
    """150 A fall from 10 to 3 overnight, and the close of 12 comes too late."""
    given = market({"A": [10, 10, 12], "B": [5, 5, 5]}, opens={"A": [10, 10, 3], "B": [5, 5, 5]})
    ledger = simulate(given, margin(execution=NEXT_OPEN), always(1.5, 0.5))
    assert fills(ledger)[2:] == [(2, 0, -150.0, 3.0, 0.0), (2, 1, -100.0, 5.0, 0.0)]
    assert ledger.ruined_on == 2


def test_a_cash_account_is_never_ruined_or_charged() -> None:
    given = market({"A": [10, 1e-300, 10]})
    ledger = simulate(given, rules(borrow_rate=1.0, margin_rate=1.0), plan({0: [1.0]}))
    assert ledger.equity == [1000.0, approx(0.0), 1000.0]
    assert ledger.ruined_on is None
