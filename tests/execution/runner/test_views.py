"""The arguments of on_data: hqg_algorithms' types, built lazily over an immutable frame."""

import copy
import math
from array import array
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hqg_algorithms import Bar, PortfolioView, Slice

from src.execution.runner.views import Asked, frame_packer, frame_reader

SYMBOLS = ("SPY", "BND", "NEW")
SPY = [10.0, 12.0, 9.0, 11.0, 500.0]
BND = [80.0, 81.0, 79.0, 80.5, math.nan]
ABSENT = [math.nan] * 5


def views(bars: list[float] | None = None) -> tuple[Slice, PortfolioView]:
    """SPY and BND have bars (BND's volume is unknown), NEW is not yet listed; 20 SPY and 100 of cash."""
    packed = memoryview(array("d", SPY + BND + ABSENT if bars is None else bars))
    marks = [11.0, 80.5, math.nan]
    return frame_reader(SYMBOLS)(frame_packer(3)(0.0, False, packed, 320.0, 100.0, [20.0, 0.0, 0.0], marks, list))


def test_slice_and_portfolio_are_of_the_librarys_types() -> None:
    data, portfolio = views()
    assert isinstance(data, Slice)
    assert isinstance(data, Mapping)
    assert isinstance(portfolio, PortfolioView)
    assert isinstance(data["SPY"], Bar)


def test_a_slice_behaves_like_the_librarys_own() -> None:
    data, _ = views()
    plain = Slice({"SPY": Bar(*SPY), "BND": Bar(*BND[:4], None)})
    assert data == plain
    assert plain == data
    assert data != Slice({"SPY": Bar(*SPY)})
    assert repr(data) == repr(plain)
    assert data.symbols() == plain.symbols() == list(data) == ["SPY", "BND"]
    assert len(data) == 2
    for symbol in ("SPY", "BND", "NEW", "spy", "OTHER"):
        assert data.has(symbol) == plain.has(symbol) == (symbol in data)
        assert data.get(symbol) == plain.get(symbol)
        assert data.bar(symbol) == plain.bar(symbol)
        for name in ("open", "high", "low", "close", "volume"):
            assert getattr(data, name)(symbol) == getattr(plain, name)(symbol)


def test_a_symbol_without_a_bar_is_absent() -> None:
    data, _ = views()
    assert data.close("NEW") is None
    assert data.get("NEW", "nothing") == "nothing"
    with pytest.raises(KeyError, match="NEW"):
        data["NEW"]


def test_a_bar_is_read_by_attribute_and_by_key() -> None:
    bar = views()[0]["SPY"]
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == tuple(SPY)
    assert [bar[name] for name in ("open", "high", "low", "close", "volume")] == SPY
    assert dict(bar) == dict(zip(["open", "high", "low", "close", "volume"], SPY, strict=True))
    assert bar.get("close") == 11.0
    assert bar.get("adj_close") is None
    assert "low" in bar
    assert bool(bar)
    with pytest.raises(KeyError, match="vwap"):
        bar["vwap"]


def test_a_bar_equals_and_prints_like_the_librarys_own() -> None:
    bar = views()[0]["SPY"]
    assert bar == Bar(*SPY)
    assert Bar(*SPY) == bar
    assert bar == dict(bar)
    assert bar != Bar(*BND)
    assert hash(bar) == hash(views()[0]["SPY"])
    assert repr(bar) == repr(Bar(*SPY))
    with pytest.raises(FrozenInstanceError):
        bar.close = 1.0


def test_an_unknown_volume_is_none() -> None:
    data, _ = views()
    assert data.volume("BND") is None
    assert data["BND"].volume is None
    assert data["BND"]["volume"] is None


def test_a_kept_slice_never_changes() -> None:
    buffer = array("d", SPY + BND + ABSENT)
    account = (320.0, 100.0, [20.0, 0.0, 0.0], [11.0, 80.5, math.nan], list)
    data, _ = frame_reader(SYMBOLS)(frame_packer(3)(0.0, False, memoryview(buffer), *account))
    buffer[3] = 99.0
    assert data.close("SPY") == 11.0
    with pytest.raises(TypeError):
        data._numbers[0] = 1.0


def test_a_portfolio_names_every_symbol_of_the_universe() -> None:
    _, portfolio = views()
    assert portfolio.equity == 320.0
    assert portfolio.cash == 100.0
    assert portfolio.positions == {"SPY": 20.0, "BND": 0.0, "NEW": 0.0}
    assert portfolio.weights == {"SPY": 20 * 11 / 320, "BND": 0.0, "NEW": 0.0}


def test_a_portfolio_cannot_be_changed() -> None:
    _, portfolio = views()
    for mapping in (portfolio.positions, portfolio.weights):
        with pytest.raises(TypeError):
            mapping["SPY"] = 1.0
    for name in ("equity", "cash", "positions", "weights"):
        with pytest.raises(FrozenInstanceError):
            setattr(portfolio, name, 1.0)


def test_a_symbol_without_a_known_price_has_no_weight() -> None:
    _, portfolio = views()
    assert portfolio.weights["NEW"] == 0.0


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_are_the_librarys_own_types_with_the_same_content(copied: Callable[[Any], Any]) -> None:
    """A memoryview cannot be copied by value."""
    data, portfolio = views()
    assert copied(data) == data
    assert type(copied(data)) is Slice
    again = copied(portfolio)
    assert type(again) is PortfolioView
    assert (again.equity, again.positions) == (portfolio.equity, portfolio.positions)


def test_a_portfolio_gives_shares_and_average_cost_of_one_symbol() -> None:
    offered = Asked(average_costs=True)
    account = (320.0, 100.0, [20.0, 0.0, -3.0], [11.0, 80.5, math.nan], lambda: [9.5, math.nan, 7.0])
    packed = memoryview(array("d", SPY + BND + ABSENT))
    data, portfolio = frame_reader(SYMBOLS, offered)(frame_packer(3, offered)(0.0, False, packed, *account))
    assert [portfolio.shares(symbol) for symbol in SYMBOLS] == [20.0, 0.0, -3.0]
    assert [portfolio.average_cost(symbol) for symbol in SYMBOLS] == [9.5, None, 7.0]
    assert (data["SPY"], data.close("BND")) == (Bar(*SPY), 80.5)
    for question in (portfolio.shares, portfolio.average_cost):
        with pytest.raises(ValueError, match=r"'spy' is not in the universe .*; did you mean 'SPY'"):
            question("spy")


def test_average_costs_that_were_not_sent_are_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"write `portfolio\.average_cost`"):
        views()[1].average_cost("SPY")
