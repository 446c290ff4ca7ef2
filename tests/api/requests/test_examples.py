import ast
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from src.api.requests.examples import REQUEST_EXAMPLES
from src.config.settings import PROJECT_FOLDER
from src.models.request import BacktestRequest

EXAMPLES = PROJECT_FOLDER / "examples"
STRATEGIES = sorted((EXAMPLES / "strategies").glob("*.py"))


def strategy(name: str) -> str:
    return (EXAMPLES / "strategies" / f"{name}.py").read_text()


def test_request_json_and_its_strategy_file_are_the_same_code():
    assert json.loads((EXAMPLES / "request.json").read_text())["strategy_code"] == strategy("sma_trend")


def test_request_json_is_the_first_example_of_the_documentation():
    assert next(iter(REQUEST_EXAMPLES)) == "sma_trend"


def test_request_json_names_every_field_and_matches_the_readme():
    sent = json.loads((EXAMPLES / "request.json").read_text())
    assert set(sent) == set(BacktestRequest.model_fields)
    assert (sent["start_date"], sent["end_date"]) == ("2015-01-01", "2020-12-31")
    assert sent["slippage"] == pytest.approx(5 / 10_000)


def test_every_strategy_file_is_an_example_of_the_documentation():
    assert {path.stem for path in STRATEGIES} == set(REQUEST_EXAMPLES)


@pytest.mark.parametrize("path", STRATEGIES, ids=lambda path: path.stem)
def test_every_strategy_says_what_it_does_and_loads(path: Path, monkeypatch: pytest.MonkeyPatch):
    source = path.read_text()
    assert ast.get_docstring(ast.parse(source))
    config = ModuleType("config")
    config.get = {}.get
    monkeypatch.setitem(sys.modules, "config", config)
    names: dict = {}
    exec(compile(source, path.name, "exec"), names)  # noqa: S102 - our own file
    [strategy_class] = [
        thing
        for thing in names.values()
        if isinstance(thing, type) and hasattr(thing, "on_data") and thing.__module__ != "hqg_algorithms.strategy"
    ]
    assert strategy_class().universe
