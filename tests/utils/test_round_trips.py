"""Round trips against hand calculations, a plain loop over lots, and vectorbt."""

from collections import deque

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.utils import round_trips as module
from src.utils.round_trips import DELISTING, EXITS, SIGNAL, STOP_LOSS, Fills, RoundTrips, round_trips

EPISODE = (10.0, 12.0, 8.0, 11.0)
"""Closes of four days; each bar opens at the close before, and reaches one above and one below both."""


def fills(*rows, reasons=None) -> Fills:
    """(day, symbol, shares, price, fee) each."""
    day, symbol, shares, price, fee = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    codes = np.full(len(day), SIGNAL) if reasons is None else np.array(reasons)
    return Fills(day.astype(np.int64), symbol.astype(np.int64), shares, price, fee, codes)


def bars_of(closes) -> np.ndarray:
    """(n_days, n_symbols, 5) around these closes, (n_days, n_symbols)."""
    close = np.asarray(closes, dtype=np.float64)
    opened = np.vstack((close[:1], close[:-1]))
    high, low = np.maximum(opened, close) + 1.0, np.minimum(opened, close) - 1.0
    return np.stack([opened, high, low, close, np.ones_like(close)], axis=2)


def trips(orders: Fills, closes=None, *, at_open: bool = False) -> RoundTrips:
    close = np.array([[price] for price in EPISODE]) if closes is None else np.asarray(closes, dtype=np.float64)
    return round_trips(orders, bars_of(close), close, fills_at_open=at_open)


def test_the_oldest_shares_are_sold_first_and_fees_are_split_by_shares():
    # 10 bought at 10 (fee 1), 10 at 12 (fee 2); 15 sold at 11 (fee 3): all of the first and half of the second.
    # Fees: 1 + 3·10/15 = 3 and 2·5/10 + 3·5/15 = 2. pnl: 10·1 − 3 = 7 and 5·(−1) − 2 = −7.
    found = trips(fills((0, 0, 10, 10, 1), (1, 0, 10, 12, 2), (3, 0, -15, 11, 3)))
    assert found.shares.tolist() == pytest.approx([10, 5, 5])
    assert found.fees.tolist() == pytest.approx([3, 2, 1])
    assert found.pnl.tolist() == pytest.approx([7, -7, 5 * (11 - 12) - 1])
    assert found.returns.tolist() == pytest.approx([0.07, -7 / 60, -0.1])
    assert [EXITS[code] for code in found.reason] == ["signal", "signal", "end"]
    assert found.bars_held.tolist() == [3, 2, 2]


def test_a_fill_through_zero_closes_one_position_and_opens_the_other():
    # Long 10 at 10; 15 sold at 12 (fee 3): 10 close (fee 2), 5 are sold short (fee 1) and bought back at 8.
    found = trips(fills((0, 0, 10, 10, 0), (1, 0, -15, 12, 3), (2, 0, 5, 8, 0)))
    assert found.shares.tolist() == pytest.approx([10, -5])
    assert found.pnl.tolist() == pytest.approx([20 - 2, 20 - 1])
    assert found.returns.tolist() == pytest.approx([18 / 100, 19 / 60])


def test_excursions_at_closes_begin_after_the_fill_and_include_the_bar_of_the_exit():
    # Bought at the close of 10. Closes until the exit: 12, 8, 11. Highs: 13, 13, 12. Lows: 9, 7, 7.
    found = trips(fills((0, 0, 1, 10, 0), (3, 0, -1, 11, 0)))
    assert (found.mae_close[0], found.mfe_close[0]) == pytest.approx((-0.2, 0.2))
    assert (found.mae[0], found.mfe[0]) == pytest.approx((-0.3, 0.3))
    short = trips(fills((0, 0, -1, 10, 0), (3, 0, 1, 11, 0)))
    assert (short.mae[0], short.mfe[0]) == pytest.approx((-0.3, 0.3))


def test_excursions_at_opens_begin_with_the_bar_of_the_fill_and_end_before_that_of_the_exit():
    # Bought at the open of day 1 (10), sold at the open of day 3 (8): highs 13, 13; lows 9, 7; closes 12, 8.
    found = trips(fills((1, 0, 1, 10, 0), (3, 0, -1, 8, 0)), at_open=True)
    assert (found.mae_close[0], found.mfe_close[0]) == pytest.approx((-0.2, 0.2))
    assert (found.mae[0], found.mfe[0]) == pytest.approx((-0.3, 0.3))


def test_the_bar_on_which_a_stop_filled_counts_with_its_fill_only():
    found = trips(fills((0, 0, 1, 10, 0), (2, 0, -1, 9.5, 0), reasons=[SIGNAL, STOP_LOSS]))
    assert (found.mae[0], found.mfe[0]) == pytest.approx((-0.1, 0.3)), "the low of day 1 is 9; that of day 2 is 7"
    assert found.mae_close[0] == pytest.approx(-0.05)


def test_a_delisting_is_its_own_reason_and_missing_bars_do_not_count():
    close = np.array([[10.0], [12.0], [12.0], [12.0]])
    bars = bars_of(close)
    bars[2:] = np.nan
    orders = fills((0, 0, 1, 10, 0), (2, 0, -1, 12, 0), reasons=[SIGNAL, DELISTING])
    found = round_trips(orders, bars, close, fills_at_open=False)
    assert (EXITS[found.reason[0]], found.mfe[0], found.mae[0]) == ("delisting", pytest.approx(0.3), -0.1)


def test_a_sell_of_a_hair_more_or_less_than_is_held_closes_all_of_it():
    for sold in (1.0 - 1e-13, 1.0 + 1e-13):
        found = trips(fills((0, 0, 1, 10, 0), (1, 0, -sold, 12, 0), (2, 0, 2, 8, 0), (3, 0, -2, 11, 0)))
        assert found.shares.tolist() == [pytest.approx(1.0), 2.0]


def test_without_fills_there_are_none():
    assert len(trips(fills())) == 0


def test_nothing_earned_on_shares_sold_short_for_nothing_is_no_return():
    assert np.isnan(trips(fills((0, 0, -1, 0, 0), (1, 0, 1, 12, 0))).returns).all()


def by_loop(orders: Fills, closes: np.ndarray, *, at_open: bool) -> list[tuple]:
    """Queues of lots, one fill at a time."""
    bars, lots, found = bars_of(closes), {}, []

    def add(symbol, lot, shares, day, price, fee, reason):
        entry_day, entry_price, fee_per_share = lot
        first, last = entry_day + (not at_open), day - (at_open and reason == "signal")
        held = bars[first : last + 1, symbol]
        low = min([entry_price, price, *held[:, 2]]) / entry_price - 1.0
        high = max([entry_price, price, *held[:, 1]]) / entry_price - 1.0
        mae, mfe = (low, high) if shares > 0 else (-high, -low)
        fees = fee_per_share * abs(shares) + fee
        found.append((symbol, entry_day, day, shares, entry_price, price, fees, mae, mfe, reason))

    rows = (orders.day, orders.symbol, orders.shares, orders.price, orders.fee)
    for day, symbol, shares, price, fee in zip(*(column.tolist() for column in rows), strict=True):
        queue, left = lots.setdefault(symbol, deque()), shares
        while queue and queue[0][1] * left < 0 and abs(left) > 1e-9:
            lot, held = queue[0]
            part = np.sign(held) * min(abs(held), abs(left))
            add(symbol, lot, part, day, price, fee * abs(part / shares), "signal")
            left += part
            queue[0] = (lot, held - part)
            if abs(held - part) < 1e-9:
                queue.popleft()
        if abs(left) > 1e-9:
            queue.append(((day, price, fee / abs(shares)), left))
    for symbol in sorted(lots):
        for lot, held in lots[symbol]:
            add(symbol, lot, held, len(closes) - 1, closes[-1, symbol], 0.0, "end")
    return found


@st.composite
def random_runs(draw: st.DrawFn) -> tuple[Fills, np.ndarray, bool]:
    """Fills in both directions, with closes and reversals, at most one per symbol and day."""
    n_days, n_symbols, at_open = draw(st.integers(1, 30)), draw(st.integers(1, 3)), draw(st.booleans())
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    close = 100 * np.cumprod(1 + generator.normal(0, 0.02, (n_days, n_symbols)), axis=0)
    held, rows = np.zeros(n_symbols), []
    for day, symbol in zip(*np.nonzero(generator.random((n_days, n_symbols)) < 0.6), strict=True):
        target = generator.choice([0.0, generator.uniform(-10, 10)])
        if target != held[symbol]:
            price = bars_of(close)[day, symbol, 0 if at_open else 3]
            rows.append((day, symbol, target - held[symbol], price, generator.uniform(0, 2)))
            held[symbol] += target - held[symbol]
    return fills(*rows), close, at_open


@given(random_runs())
def test_they_are_those_of_a_loop_over_lots(run):
    orders, close, at_open = run
    found, expected = trips(orders, close, at_open=at_open), by_loop(orders, close, at_open=at_open)
    names = ("symbol", "entry_day", "exit_day", "shares", "entry_price", "exit_price", "fees", "mae", "mfe")
    assert [EXITS[code] for code in found.reason] == [row[-1] for row in expected]
    for at, name in enumerate(names):
        assert getattr(found, name) == pytest.approx([row[at] for row in expected], rel=1e-9, abs=1e-9), name


@given(random_runs())
def test_all_profits_are_what_the_fills_earned(run):
    orders, close, at_open = run
    held = np.bincount(orders.symbol, weights=orders.shares, minlength=close.shape[1])
    earned = float((held * close[-1]).sum() - (orders.shares * orders.price + orders.fee).sum())
    assert float(trips(orders, close, at_open=at_open).pnl.sum()) == pytest.approx(earned, rel=1e-9, abs=1e-7)


@given(st.lists(st.floats(-1e300, 1e300).filter(bool) | st.sampled_from([5e-324, -5e-324, 1.0, -1.0]), max_size=9))
def test_no_numbers_of_shares_whatever_break_it(sizes):
    orders = fills(*[(0, 0, shares, price, 1) for shares, price in zip(sizes, (0.0, *[1.0] * 9), strict=False)])
    found = trips(orders)
    assert set(found.reason.tolist()) <= set(range(len(EXITS)))


def test_rounding_does_not_grow_with_the_number_of_positions():
    rows = [(0, 0, 0.1, 10, 0), (0, 0, 0.2, 10, 0), (1, 0, -(0.1 + 0.2), 12, 0)] * 20_000
    found = trips(fills(*rows))
    assert found.shares.tolist() == [0.1, 0.2] * 20_000


def test_symbols_in_several_blocks_have_the_same_excursions(monkeypatch):
    generator = np.random.default_rng(3)
    close = 100 * np.cumprod(1 + generator.normal(0, 0.02, (50, 7)), axis=0)
    orders = fills(*[(day, symbol, 1, close[day, symbol], 0) for day in (0, 9) for symbol in range(7)])
    whole = trips(orders, close)
    monkeypatch.setattr(module, "BLOCK_CELLS", 100)
    assert trips(orders, close).mae.tolist() == whole.mae.tolist()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.xdist_group("vectorbt")
def test_trips_from_flat_to_flat_agree_with_vectorbt():
    """vectorbt has one average entry per position, so positions here have one entry; its size is in shares."""
    import vectorbt  # noqa: PLC0415 - takes seconds, and every worker collects this file

    generator = np.random.default_rng(11)
    close = pd.Series(100 * np.cumprod(1 + generator.normal(0, 0.02, 400)))
    targets = pd.Series(np.nan, index=close.index)
    targets[generator.choice(400, 120, replace=False)] = generator.choice([0.0, 5.0, -3.0], 120)
    changes = targets.ffill().fillna(0.0).diff().fillna(0.0)
    theirs = vectorbt.Portfolio.from_orders(
        close, size=changes.where(changes != 0.0), size_type="amount", fees=0.001, init_cash=1e6
    ).trades.records_readable
    days = np.flatnonzero(changes)
    orders = fills(*[(d, 0, changes[d], close[d], abs(changes[d]) * close[d] * 0.001) for d in days])
    ours = trips(orders, close.to_numpy()[:, np.newaxis])
    assert len(ours) > 40
    assert ours.entry_day.tolist() == theirs["Entry Timestamp"].tolist()
    assert ours.exit_day.tolist() == theirs["Exit Timestamp"].tolist()
    assert ours.is_closed.tolist() == (theirs["Status"] == "Closed").tolist()
    assert (ours.shares > 0).tolist() == (theirs["Direction"] == "Long").tolist()
    for name, column in (("pnl", "PnL"), ("returns", "Return"), ("entry_price", "Avg Entry Price")):
        assert getattr(ours, name) == pytest.approx(theirs[column].to_numpy(), rel=1e-9), name
