"""The strategy API as data: complete, explained, and as the classes have it."""

import json
import re
from dataclasses import asdict

import pytest
import talib
from talib import abstract

from src.execution.reading.catalogue import Entry, catalogue, public_names
from src.execution.reading.indicators import indicators
from src.execution.runner.views import FramePortfolioView, FrameSlice

BY_NAME = {entry.name: entry for entry in catalogue()}


def test_every_public_name_of_the_arguments_is_in_it_once() -> None:
    names = [entry.name for entry in catalogue()]
    assert len(set(names)) == len(names)
    for owner, received in (("data", FrameSlice), ("portfolio", FramePortfolioView)):
        assert [name for name in public_names(received) if f"{owner}.{name}" not in BY_NAME] == []


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.name)
def test_every_name_has_one_sentence_and_a_type(entry: Entry) -> None:
    assert entry.summary.endswith(".")
    assert len(entry.summary) <= 200
    assert entry.type
    assert "self" not in (entry.signature or "")


def test_signatures_and_texts_are_those_of_the_classes() -> None:
    history = BY_NAME["data.history"]
    assert history.signature == '(symbol: str, n: int, field: str = "close")'
    assert history.type == "list[float] | list[Bar]"
    assert history.summary.startswith("The symbol's last n bars of the strategy's cadence up to this one")
    assert "NaN where unknown" in history.details
    assert (BY_NAME["data.time"].signature, BY_NAME["data.time"].type) == (None, "datetime")
    assert BY_NAME["data.close"].signature == "(symbol: str)"
    assert BY_NAME["portfolio.average_cost"].type == "float | None"
    assert BY_NAME["TargetWeights"].signature == "(weights: Mapping[str, float])"
    first = "(signal: TargetWeights | Weights | Mapping[str, float], *, stop_loss: "
    assert str(BY_NAME["Protected"].signature).startswith(first)


def test_it_is_plain_json() -> None:
    assert (
        json.loads(json.dumps([asdict(entry) for entry in catalogue()]))[0].keys() == Entry.__dataclass_fields__.keys()
    )


def test_the_table_of_indicators_is_that_of_the_installed_ta_lib() -> None:
    expected = {f"talib.{name}": _as_installed(name) for name in talib.get_functions()}
    assert {entry.name: (entry.signature, entry.type, entry.summary) for entry in indicators()} == expected


def _as_installed(name: str) -> tuple[str, str, str]:
    about = abstract.Function(name).info
    # The text of a function names its inputs: "BBANDS(real[, timeperiod=?, ...])".
    called = [line for line in getattr(talib, name).__doc__.splitlines() if line.startswith(f"{name}(")][1]
    inputs = re.findall(r"\w+", called.partition("(")[2].partition("[")[0])
    parameters = [f"{parameter}={default!r}" for parameter, default in about["parameters"].items()]
    outputs = ", ".join(about["output_names"])
    return f"({', '.join(inputs + parameters)})", outputs, f"{about['display_name']} ({about['group']})."
