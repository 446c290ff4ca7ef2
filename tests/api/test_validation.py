import pytest

from src.execution.reading.reading import read
from src.models.validation import ValidationAnswer
from tests.fakes.backtests import FakeBacktests

VALIDATE = "/api/v1/validate"
RIGHT = """
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Hold, Strategy

class Still(Strategy):
    universe = ["spy", "BND"]
    cadence = Cadence(bar_size=BarSize.MONTHLY, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)

    def on_data(self, data, portfolio):
        return Hold()
"""


def validated(connect, source: str) -> dict:
    answer = connect(FakeBacktests(), read=read).post(VALIDATE, json={"strategy_code": source})
    assert answer.status_code == 200
    ValidationAnswer.model_validate(answer.json())
    return answer.json()


def test_a_right_strategy_is_valid_and_described(connect):
    assert validated(connect, RIGHT) == {
        "valid": True,
        "violations": [],
        "universe": ["SPY", "BND"],
        "cadence": {"bar_size": "1m", "execution": "close_to_next_open"},
        "dialect": 1,
    }


def test_tickers_of_the_request_replace_a_missing_or_wrong_universe(connect):
    client = connect(FakeBacktests(), read=read)
    wrong = RIGHT.replace('["spy", "BND"]', "[]")
    assert client.post(VALIDATE, json={"strategy_code": wrong}).json()["valid"] is False
    answer = client.post(VALIDATE, json={"strategy_code": wrong, "universe": ["qqq"]}).json()
    assert (answer["valid"], answer["universe"]) == (True, ["QQQ"])


def test_a_broken_rule_comes_with_its_place_and_what_is_still_readable(connect):
    answer = validated(connect, "import os\n" + RIGHT)
    [violation] = answer["violations"]
    assert not answer["valid"]
    assert (violation["line"], violation["column"], violation["end_column"]) == (1, 8, 10)
    assert "'os'" in violation["message"]
    assert answer["universe"] == ["SPY", "BND"]


def test_facts_known_only_by_running_are_null_and_valid(connect):
    computed = RIGHT.replace('["spy", "BND"]', '[name for name in ("SPY", "BND")]')
    answer = validated(connect, computed)
    assert (answer["valid"], answer["universe"]) == (True, None)


@pytest.mark.parametrize("source", ["", "def", "x = 1", "\x00", "\n" * 50_000, "(" * 5_000])
def test_no_source_causes_an_internal_error(connect, source):
    answer = validated(connect, source)
    assert (answer["valid"], answer["dialect"]) == (False, None)
    assert answer["violations"]


def test_each_dialect_is_reported(connect, strategies_folder):
    paths = sorted(strategies_folder.glob("dialect_*.py"))
    found = {path.name: validated(connect, path.read_text())["dialect"] for path in paths}
    assert found == {name: int(name.removeprefix("dialect_")[0]) for name in found}


def test_the_source_itself_may_be_posted(connect):
    answer = connect(FakeBacktests(), read=read).post(
        VALIDATE, content=RIGHT, headers={"Content-Type": "text/x-python"}
    )
    assert answer.json()["valid"] is True


def test_it_runs_nothing(connect):
    backtests = FakeBacktests()
    assert connect(backtests, read=read).post(VALIDATE, json={"strategy_code": RIGHT}).json()["valid"] is True
    assert (backtests.requests, backtests.executed) == ([], [])


DECLARING = RIGHT.replace("    cadence", '    declared_parameters = {"fast": 10, "names": ["a"]}\n    cadence')


def test_declared_parameters_come_with_their_types_and_defaults(connect):
    assert validated(connect, DECLARING)["declared_parameters"] == [
        {"name": "fast", "type": "int", "default": 10},
        {"name": "names", "type": "list", "default": ["a"]},
    ]


@pytest.mark.parametrize("field", ["parameters", "config_params"])
def test_an_undeclared_parameter_is_reported_at_the_declaration(connect, field):
    client = connect(FakeBacktests(), read=read)
    answer = client.post(VALIDATE, json={"strategy_code": DECLARING, field: {"fst": 3}}).json()
    [violation] = answer["violations"]
    assert not answer["valid"]
    assert (violation["rule"], violation["line"]) == ("unknown-parameter", 6)
    assert "it declares fast (int), names (list)" in violation["message"]
    assert client.post(VALIDATE, json={"strategy_code": DECLARING, field: {"fast": 3}}).json()["valid"]
    assert client.post(VALIDATE, json={"strategy_code": RIGHT, field: {"fst": 3}}).json()["valid"]
