"""The largest affordable amount, on curves with kinks and jumps."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.engine.budget import largest_affordable


def test_everything_is_affordable_without_costs() -> None:
    assert largest_affordable(lambda x: x, 100.0, 100.0) == 100.0
    assert largest_affordable(lambda x: 3 * x, 100.0, 20.0) == 20.0


def test_a_proportional_cost_leaves_the_rest() -> None:
    assert largest_affordable(lambda x: x + 0.25 * x, 100.0, 100.0) == pytest.approx(80.0, rel=1e-12)


def test_a_cost_that_falls_before_it_rises_is_met_where_it_equals_the_budget() -> None:
    """Costs of trading from a holding worth 40 are 10 % of the distance: x + (x - 40) / 10 = 100."""
    found = largest_affordable(lambda x: x + abs(x - 40) / 10, 100.0, 100.0)
    assert found == pytest.approx(104 / 1.1, rel=1e-12)


def test_a_jump_is_answered_from_its_affordable_side() -> None:
    """From 50 on, a fee of 60 is due: 100 cannot pay for 50 or more."""
    found = largest_affordable(lambda x: x + (60 if x >= 50 else 0), 100.0, 100.0)
    assert found < 50
    assert found == pytest.approx(50, rel=1e-9)


@pytest.mark.parametrize("root", [0.01, 0.3, 0.99])
def test_a_curve_that_suits_secants_badly_takes_few_steps(root: float) -> None:
    """Costs that grow by a factor of e per fifth of a percent, and reach the budget at `root`."""
    asked = []

    def spend(x: float) -> float:
        asked.append(x)
        return x * math.exp(500 * (x - root)) / root

    assert largest_affordable(spend, 1.0, 1.0) == pytest.approx(root, rel=1e-9)
    assert len(asked) < 60


def test_nothing_is_affordable_when_even_zero_costs_more() -> None:
    assert largest_affordable(lambda x: x + 200, 100.0, 100.0) == 0.0
    assert largest_affordable(lambda x: x, 0.0, 5.0) == 0.0
    assert largest_affordable(lambda x: x, -1e-13, -1e-13) == 0.0


def test_the_search_ends_for_the_smallest_budgets_too() -> None:
    assert largest_affordable(lambda x: 2 * x, 5e-324, 5e-324) == 0.0
    assert largest_affordable(lambda x: 1.5 * x, 1e-320, 1e-320) == pytest.approx(1e-320 / 1.5, rel=1e-2)


@given(
    budget=st.floats(1e-3, 1e9),
    share=st.floats(0, 1),
    holding=st.floats(0, 2),
    fee=st.floats(0, 0.5),
    threshold=st.floats(0, 1),
)
def test_the_amount_found_is_affordable_and_a_slightly_larger_one_is_not(
    budget: float, share: float, holding: float, fee: float, threshold: float
) -> None:
    """A fraction of the change from a holding, and a fee once the change is large enough."""

    def spend(x: float) -> float:
        change = abs(x - holding * budget)
        return x + share * change + (fee * budget if change > threshold * budget else 0)

    found = largest_affordable(spend, budget, budget)
    assert 0 <= found <= budget
    if spend(0) <= budget:
        assert spend(found) <= budget * (1 + 1e-12)
        assert found == budget or spend(found + 1e-9 * budget) > budget * (1 - 1e-8)
