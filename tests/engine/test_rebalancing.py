"""Waiting orders, cut orders and the record of both, by hand."""

import pytest

from src.engine.costs import Fraction, PerOrder, VolumeParticipation
from src.engine.ledger import Ledger
from src.engine.simulator import simulate
from tests.engine.markets import NEXT_OPEN, always, fills, market, plan, rules

approx = pytest.approx


def unfilled(ledger: Ledger) -> list[tuple[int, str, int, int, int]]:
    return [(u.symbol, u.reason, u.first_day, u.last_day, u.n_days) for u in ledger.unfilled]


@pytest.mark.parametrize(("execution", "first"), [(None, 0), (NEXT_OPEN, 1)])
def test_a_halted_symbol_waits_for_its_next_price_and_is_sized_then(execution: object, first: int) -> None:
    """B has no bar for two fills while A doubles, so half of the equity is 750."""
    changes = {"execution": execution} if execution else {}
    halted: list[float | None] = [None, None, 5, 5]
    given = market({"A": [10, 10, 20, 20][:4], "B": [5] * first + halted[: 4 - first]})
    ledger = simulate(given, rules(**changes), plan({0: [0.25, 0.5]}))
    filled = first + 2
    # 25 A gained 250 by then: half of 1,250 is 625, and cash is 750.
    assert fills(ledger) == [(first, 0, 25.0, 10.0, 0.0), (filled, 1, 125.0, 5.0, 0.0)]
    assert unfilled(ledger) == [(1, "no bar at its fill", first, filled - 1, 2)]


def test_a_waiting_buy_never_takes_more_than_the_cash() -> None:
    """A triples while B waits: half of 2,000 would be 1,000 but only 500 is left; no sell waits for more."""
    given = market({"A": [10, 30, 30], "B": [None, 5, 5]})
    ledger = simulate(given, rules(), plan({0: [0.5, 0.5]}))
    assert fills(ledger) == [(0, 0, 50.0, 10.0, 0.0), (1, 1, approx(100.0), 5.0, 0.0)]
    assert ledger.cash[-1] == approx(0, abs=1e-9)


def test_a_newer_signal_drops_waiting_orders() -> None:
    given = market({"A": [10, 10, 10], "B": [None, None, 5]})
    ledger = simulate(given, rules(), plan({0: [0.5, 0.5], 1: [0.5, 0.0]}))
    assert fills(ledger) == [(0, 0, 50.0, 10.0, 0.0)]


def test_a_signal_at_this_close_drops_orders_that_would_have_filled_at_it() -> None:
    given = market({"A": [10, 10], "B": [None, 5]})
    ledger = simulate(given, rules(), plan({0: [0.5, 0.5], 1: [0.5, 0.0]}))
    assert fills(ledger) == [(0, 0, 50.0, 10.0, 0.0)]


def test_a_buy_short_of_cash_waits_for_a_waiting_sell() -> None:
    """All in A, then all in B while A is halted: both fill when A is back."""
    given = market({"A": [10, None, 12], "B": [5, 5, 6]})
    ledger = simulate(given, rules(), plan({0: [1.0, 0.0], 1: [0.0, 1.0]}))
    assert fills(ledger) == [(0, 0, 100.0, 10.0, 0.0), (2, 0, -100.0, 12.0, 0.0), (2, 1, approx(200.0), 6.0, 0.0)]
    assert unfilled(ledger) == [
        (0, "no bar at its fill", 1, 1, 1),
        (1, "not enough cash while a sell waits", 1, 1, 1),
    ]


def test_a_buy_takes_the_available_cash_and_waits_for_the_rest() -> None:
    """Half in cash: B gets that at once and the rest when A is back."""
    given = market({"A": [10, None, 10], "B": [5, 5, 5]})
    ledger = simulate(given, rules(), plan({0: [0.5, 0.0], 1: [0.0, 1.0]}))
    assert fills(ledger)[1:] == [
        (1, 1, approx(100.0), 5.0, 0.0),
        (2, 0, -50.0, 10.0, 0.0),
        (2, 1, approx(100.0), 5.0, 0.0),
    ]


def test_waits_with_nothing_to_trade_are_not_recorded() -> None:
    """B is not held and not wanted; A is where it should be."""
    given = market({"A": [10, None, 10], "B": [None, None, 5]})
    ledger = simulate(given, rules(), always(1.0, 0.0))
    assert unfilled(ledger) == []


def test_a_signal_on_the_last_day_for_the_next_open_is_recorded() -> None:
    given = market({"A": [10, 10], "B": [5, 5], "C": [5, 5]})
    ledger = simulate(given, rules(execution=NEXT_OPEN), plan({0: [0.5, 0.0, 0.0], 1: [0.5, 0.5, 0.0]}))
    assert unfilled(ledger) == [(1, "no trading day left in the window", 1, 1, 1)]


def test_an_older_signal_still_waiting_at_the_end_has_its_own_reason() -> None:
    given = market({"A": [10, 10, 10], "B": [None, None, None]})
    ledger = simulate(given, rules(execution=NEXT_OPEN), plan({0: [0.5, 0.5]}))
    assert unfilled(ledger) == [(1, "no bar at its fill", 1, 2, 2)]


def test_waits_a_week_apart_are_one_stretch_and_waits_further_apart_are_two() -> None:
    closes: list[float | None] = [5.0] * 30
    for day in (3, 10, 11, 25):
        closes[day] = None
    given = market({"A": [10.0 + day for day in range(30)], "B": closes})
    ledger = simulate(given, rules(), always(0.5, 0.5))
    assert unfilled(ledger) == [(1, "no bar at its fill", 3, 11, 3), (1, "no bar at its fill", 25, 25, 1)]


def test_an_order_over_its_share_of_volume_fills_in_part_and_is_not_retried() -> None:
    """A tenth of 400 shares a day; the rest is dropped."""
    slippage = VolumeParticipation("linear", coefficient=0)
    given = market({"A": [10, 10]}, volumes={"A": [400, 1e9]})
    ledger = simulate(given, rules(slippage=slippage), plan({0: [1.0]}))
    assert fills(ledger) == [(0, 0, 40.0, 10.0, 0.0)]
    assert unfilled(ledger) == [(0, "more than its share of the day's volume", 0, 0, 1)]


def test_a_buy_lacks_the_cash_of_a_sell_cut_by_volume() -> None:
    slippage = VolumeParticipation("linear", coefficient=0)
    given = market({"A": [10, 10], "B": [5, 5]}, volumes={"A": [1e9, 400], "B": [1e9, 1e9]})
    ledger = simulate(given, rules(slippage=slippage), plan({0: [1.0, 0.0], 1: [0.0, 1.0]}))
    assert fills(ledger)[1:] == [(1, 0, -40.0, 10.0, 0.0), (1, 1, approx(80.0), 5.0, 0.0)]
    assert unfilled(ledger) == [
        (0, "more than its share of the day's volume", 1, 1, 1),
        (1, "not enough cash", 1, 1, 1),
    ]


def test_a_buy_cut_by_volume_is_not_sized_again() -> None:
    """Day 1: B gets the 400 that A's cut sell brought. Day 2: half of the fallen equity would be less than that."""
    slippage = VolumeParticipation("linear", coefficient=0)
    volumes = {"A": [1e9, 400, 1e9], "B": [1e9, 1e9, 1e9]}
    given = market({"A": [10, 10, 1], "B": [5, 5, 5]}, volumes=volumes)
    ledger = simulate(given, rules(slippage=slippage), plan({0: [1.0, 0.0], 1: [0.0, 0.5]}))
    assert [day for day, *_ in fills(ledger)] == [0, 1, 1]


def test_a_buy_short_of_a_cut_sell_still_waits_for_a_waiting_sell() -> None:
    """A's sell is cut by volume, B's waits: C's buy waits for B."""
    slippage = VolumeParticipation("linear", coefficient=0)
    volumes = {"A": [1e9, 100, 1e9], "B": [1e9] * 3, "C": [1e9] * 3}
    given = market({"A": [10, 10, 10], "B": [10, None, 10], "C": [10, 10, 10]}, volumes=volumes)
    ledger = simulate(given, rules(slippage=slippage), plan({0: [0.5, 0.5, 0.0], 1: [0.0, 0.0, 1.0]}))
    assert fills(ledger)[2:] == [
        (1, 0, -10.0, 10.0, 0.0),
        (1, 2, approx(10.0), 10.0, 0.0),
        (2, 1, -50.0, 10.0, 0.0),
        (2, 2, approx(50.0), 10.0, 0.0),
    ]


def test_orders_that_waited_for_different_reasons_fill_in_universe_order() -> None:
    """On day 1 A is short of cash, B's sell and C's buy have no bar; on day 2 all three fill."""
    given = market({"A": [10, 10, 10], "B": [10, None, 10], "C": [10, None, 10]})
    ledger = simulate(given, rules(), plan({0: [0.0, 1.0, 0.0], 1: [0.5, 0.0, 0.5]}))
    assert [(day, symbol) for day, symbol, *_ in fills(ledger)] == [(0, 1), (2, 1), (2, 0), (2, 2)]


def test_no_order_waits_for_the_cash_of_a_waiting_buy() -> None:
    """A triples: C's share of 2,000 is 800 but only 500 is in cash. B's buy waits, which brings no cash."""
    given = market({"A": [10, 30, 30], "B": [None, None, 10], "C": [None, 10, 10]})
    ledger = simulate(given, rules(), plan({0: [0.5, 0.1, 0.4]}))
    assert unfilled(ledger) == [(1, "no bar at its fill", 0, 1, 2), (2, "no bar at its fill", 0, 0, 1)]


@pytest.mark.parametrize("volume", [None, 0.0])
def test_an_order_waits_for_a_day_with_volume(volume: float | None) -> None:
    slippage = VolumeParticipation("linear", coefficient=0, max_share=1)
    given = market({"A": [10, 10, 10]}, volumes={"A": [volume, volume, 1e9]})
    ledger = simulate(given, rules(slippage=slippage), plan({0: [1.0]}))
    assert fills(ledger) == [(2, 0, 100.0, 10.0, 0.0)]
    assert unfilled(ledger) == [(0, "no volume", 0, 1, 2)]


def test_a_sell_whose_fee_nothing_can_pay_does_not_fill() -> None:
    """All of 1,000 but a fee of 30 in A, which falls to a tenth of the fee."""
    given = market({"A": [9.7, 0.3 / 9.7]})
    ledger = simulate(given, rules(commission=PerOrder(30.0)), plan({0: [1.0], 1: [0.0]}))
    assert fills(ledger) == [(0, 0, approx(100.0), 9.7, 30.0)]
    assert unfilled(ledger) == [(0, "its fee is more than the cash at hand", 1, 1, 1)]


def test_skipped_small_sells_cut_the_last_buy_without_a_record() -> None:
    """A and B should each give 0.9 to C, but nothing below 1 is traded: C gets the 1.5 in cash, or nothing of 0.5."""
    given = market({"A": [10, 10], "B": [10, 10], "C": [10, 10]})
    for cash, n_fills, left in ((1.5, 4, 0), (0.5, 3, 0.5)):
        before = [0.3, 0.3, 0.4 - cash / 1000]
        schedule = plan({0: before, 1: [0.2991, 0.2991, 0.4018]})
        ledger = simulate(given, rules(min_trade_value=1), schedule)
        assert len(fills(ledger)) == n_fills
        assert unfilled(ledger) == []
        assert ledger.cash[-1] == approx(left, abs=1e-9)


def test_after_a_total_loss_there_is_nothing_to_trade() -> None:
    """At a slippage of 1 a buy pays twice the price and a sell gets nothing."""
    ledger = simulate(market({"A": [10, 10, 10]}), rules(slippage=Fraction(1.0)), plan({0: [1.0], 1: [0.0], 2: [1.0]}))
    assert fills(ledger) == [(0, 0, approx(50.0), 20.0, 0.0), (1, 0, approx(-50.0), 0.0, 0.0)]
    assert ledger.equity[1:] == approx([0, 0], abs=1e-9)


def test_weights_a_hair_over_one_are_paid_with_the_available_cash() -> None:
    ledger = simulate(market({"A": [10, 10], "B": [5, 5]}), rules(), always(0.5, 0.5 + 1e-7))
    assert min(ledger.cash) >= -1e-9
    assert unfilled(ledger) == []
