"""Single misses become a short list of stretches."""

from src.engine.ledger import MAX_STRETCHES, Unfilled, UnfilledLog


def noted(*misses: tuple[int, int, str]) -> list[Unfilled]:
    """The stretches of misses given as (day, symbol, reason)."""
    unfilled: list[Unfilled] = []
    log = UnfilledLog(unfilled)
    for miss in misses:
        log.note(*miss)
    return unfilled


def test_misses_within_a_week_are_one_stretch() -> None:
    assert noted((3, 0, "a"), (10, 0, "a"), (11, 0, "a")) == [Unfilled(0, "a", 3, 11, 3)]


def test_misses_further_apart_are_two() -> None:
    assert noted((3, 0, "a"), (11, 0, "a")) == [Unfilled(0, "a", 3, 3), Unfilled(0, "a", 11, 11)]


def test_symbols_and_reasons_have_separate_stretches() -> None:
    assert noted((3, 0, "a"), (3, 1, "a"), (4, 0, "b"), (5, 0, "a")) == [
        Unfilled(0, "a", 3, 5, 2),
        Unfilled(1, "a", 3, 3),
        Unfilled(0, "b", 4, 4),
    ]


def test_the_list_stays_short_and_counts_every_miss() -> None:
    """A miss every 30 days for a hundred years."""
    unfilled = noted(*((day, 0, "a") for day in range(0, 36_500, 30)))
    assert len(unfilled) == MAX_STRETCHES
    assert sum(stretch.n_days for stretch in unfilled) == 1217
    assert unfilled[-1] == Unfilled(0, "a", 570, 36_480, 1217 - MAX_STRETCHES + 1)
