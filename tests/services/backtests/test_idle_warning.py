"""The warning of a run without orders, with the engine's own numbers."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from src.services.data_provider.mock.provider import MockProvider
from tests.fakes.engine_box import engine_script
from tests.fakes.sandbox import ScriptedSandbox
from tests.services.backtests.answers import answered, strategy

PROVIDER = MockProvider(lambda: datetime(2026, 1, 5, tzinfo=UTC))


def told(
    weights: Sequence[float] | None, cadence: str = "DAILY", timing: str = "CLOSE_TO_CLOSE", **changes: Any
) -> list[str]:
    """The warning for a strategy that always returns this."""
    source, description = strategy("SPY", "BND", cadence=cadence, timing=timing)
    request = {"strategy_code": source, "start_date": "2015-01-05", "end_date": "2015-01-23", **changes}
    sandbox = ScriptedSandbox(engine_script(description, weights))
    warnings = answered(PROVIDER, sandbox, **request)["warnings"]
    return [warning for warning in warnings if "Nothing was traded" in warning]


def test_a_run_with_an_order_gives_no_warning():
    assert told([0.5, 0.5]) == []


def test_a_strategy_that_only_holds():
    assert told(None) == [
        "Nothing was traded because the strategy gave no signal: each of the 14 calls of on_data returned a hold."
    ]


def test_a_strategy_that_only_holds_cash():
    assert told([0.0, 0.0]) == ["Nothing was traded because every signal was for cash only."]


def test_a_window_without_a_complete_period():
    (warning,) = told([0.5, 0.5], cadence="MONTHLY")
    assert warning.endswith("on_data was never called: the window holds no complete month.")


def test_a_capital_below_the_minimum_trade():
    assert told([0.5, 0.25], initial_capital=0.01) == [
        "Nothing was traded because every order was too small: the largest position in a signal was worth "
        "0.005, and min_trade_value is 1."
    ]


def test_a_flat_fee_over_the_capital():
    assert told([0.5, 0.5], initial_capital=1000, commission=2000) == [
        "Nothing was traded because costs left too little to invest: a signal targeted a position worth 500, but with "
        "a commission of 2000.0 and a slippage of 0.0 only an order of 0 was affordable, and min_trade_value is 1."
    ]


def test_orders_that_never_could_fill():
    one_day = {"start_date": "2015-01-04", "end_date": "2015-01-05"}
    (warning,) = told([0.5, 0.5], timing="CLOSE_TO_NEXT_OPEN", **one_day)
    assert warning.endswith("because no order could fill: no trading day left in the window.")


@pytest.mark.parametrize("capital", [1.9, 2.1])
def test_the_reason_ends_where_the_first_order_begins(capital):
    """Half of 1.90 is less than the minimum trade of 1, half of 2.10 is more."""
    assert bool(told([0.5, 0.5], initial_capital=capital)) == (capital < 2)
