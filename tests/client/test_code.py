"""Source text from text, files, classes in files, and classes in notebook cells."""

import atexit
import importlib.util
import itertools
import sys
from pathlib import Path

import pytest

from hqg_backtester.client.code import source_of
from hqg_backtester.client.errors import CodeUnavailable
from src.execution.reading.analysis import analyse

COUNT = itertools.count()
MINE = """\
class Mine(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return TargetWeights({"SPY": 1.0})
"""
IMPORTS = "from hqg_algorithms import Strategy, TargetWeights\n"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """module(text): the text as an imported module."""

    def load(text):
        name = f"user_module_{next(COUNT)}"
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        spec = importlib.util.spec_from_file_location(name, file)
        loaded = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, loaded)
        spec.loader.exec_module(loaded)
        return loaded

    return load


@pytest.fixture
def notebook(monkeypatch, tmp_path):
    """notebook(cell, …): the names after running these cells as IPython runs them."""
    shells = pytest.importorskip("IPython.core.interactiveshell")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    settings = pytest.importorskip("traitlets.config").Config(HistoryManager={"enabled": False})
    shell = shells.InteractiveShell(colors="nocolor", config=settings)
    monkeypatch.setitem(sys.modules, "__main__", shell.user_module)

    def run(*cells):
        for cell in cells:
            shell.run_cell(cell, store_history=True).raise_error()
        return shell.user_ns

    yield run
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()


def test_text_is_sent_as_it_is():
    assert source_of("class S: pass") == "class S: pass"
    assert source_of("# strategy.py\nx = 1\n# old.py") == "# strategy.py\nx = 1\n# old.py"


def test_a_path_is_read_without_its_byte_order_mark(tmp_path):
    file = tmp_path / "mine.py"
    file.write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert source_of(file) == source_of(str(file)) == "x = 1\n"


@pytest.mark.parametrize("path", ["nowhere.py", Path("nowhere"), Path("/")])
def test_an_unreadable_path_is_reported(path):
    with pytest.raises(CodeUnavailable, match="cannot be read"):
        source_of(path)


def test_a_file_that_is_not_text_is_reported(tmp_path):
    (tmp_path / "mine.py").write_bytes(b"\xff\xfe")
    with pytest.raises(CodeUnavailable, match="UTF-8"):
        source_of(tmp_path / "mine.py")


def test_only_what_a_class_needs_is_sent(module):
    loaded = module(f"import os\nfrom hqg_backtester import Client\n{IMPORTS}\nUNUSED = os.getcwd()\n\n\n{MINE}")
    assert source_of(loaded.Mine) == (
        f"from hqg_algorithms import Strategy\nfrom hqg_algorithms import TargetWeights\n\n\n{MINE}"
    )


def test_an_instance_stands_for_its_class(module):
    loaded = module(IMPORTS + MINE)
    assert source_of(loaded.Mine()) == source_of(loaded.Mine)


EVERYTHING = """\
from __future__ import annotations
import math as m
import collections.abc
from collections import deque
from dataclasses import dataclass
from hqg_algorithms import *

DAYS = 21
TICKERS = [ticker for ticker in ("SPY", "BND")]
RULES: dict = {"weights": frozenset(TICKERS)}
RULES2 = frozenset({m.floor(2.5), DAYS})

def half(value: float) -> float:
    return value / m.sqrt(4) if value > 1 else twice(value)

def twice(value):
    return half(value) * 4

@dataclass
class State:
    days: int = DAYS

def decorated(function):
    return function

class Base(Strategy):
    universe = TICKERS
    state = State()

    @decorated
    def look(self, data: collections.abc.Mapping):
        return half(DAYS), len(RULES2), deque(), max(1, 2)

class Mine(Base):
    universe = TICKERS

    def on_data(self, data, portfolio):
        self.look(data)
        return TargetWeights({name: 0.5 for name in TICKERS})
"""


def test_helpers_constants_bases_and_imports_are_sent_and_are_self_contained(module):
    source = source_of(module(EVERYTHING).Mine)
    names = {}
    exec(source, names)  # noqa: S102 - our own text
    assert names["Mine"]().look({}) == (10.5, 2, names["deque"](), 2)
    assert names["Mine"].universe == ["SPY", "BND"]
    assert "RULES:" not in source
    assert source.startswith("from __future__ import annotations\n")
    assert "from hqg_algorithms import Strategy\n" in source


def test_the_sent_source_breaks_no_rule_of_the_service(module):
    assert not analyse(source_of(module(EVERYTHING.replace("@decorated", "")).Mine)).violations


def test_of_two_classes_with_one_name_the_given_one_is_sent(module):
    loaded = module(f"{IMPORTS}{MINE}\nFirst = Mine\n\n{MINE.replace('SPY', 'BND')}")
    assert "SPY" in source_of(loaded.First)
    assert "BND" in source_of(loaded.Mine)


def test_a_class_in_a_notebook_is_found_with_what_other_cells_define(notebook):
    names = notebook(
        IMPORTS,
        "def weight():\n    return LEVEL / 2\n",
        "LEVEL = 1.0",
        MINE.replace("1.0", "weight()"),
        "LEVEL = 2.0",
    )
    source = source_of(names["Mine"])
    assert source == (
        "from hqg_algorithms import Strategy\nfrom hqg_algorithms import TargetWeights\n\n\nLEVEL = 2.0\n\n\n"
        "def weight():\n    return LEVEL / 2\n\n\n" + MINE.replace("1.0", "weight()")
    )


def test_a_cell_run_again_gives_the_newer_class(notebook):
    names = notebook(IMPORTS + MINE, IMPORTS + MINE.replace("SPY", "BND"))
    assert "BND" in source_of(names["Mine"])


def test_a_parameter_that_is_called_as_a_global_table_needs_no_table(notebook):
    names = notebook(
        IMPORTS + "import pandas as pd\ndata = pd.DataFrame({'a': [1]})\n", MINE.replace("1.0", "len(data)")
    )
    assert "DataFrame" not in source_of(names["Mine"])


def test_a_table_that_is_used_cannot_be_sent_and_is_named(notebook):
    names = notebook(IMPORTS + "import numpy as np\n", "rows = iter([1])\n", MINE.replace("1.0", "next(rows)"))
    with pytest.raises(CodeUnavailable, match="Mine uses rows, a list_iterator that cannot be written as source"):
        source_of(names["Mine"])


def test_a_class_in_a_function_is_refused_with_advice():
    class Mine:
        def on_data(self):
            return None

    with pytest.raises(CodeUnavailable, match=r"inside a function.*Pass the strategy's source as text"):
        source_of(Mine)


def test_a_class_made_by_exec_is_refused_with_advice():
    names = {"__name__": __name__}
    exec("class Mine:\n    def on_data(self):\n        return None\n", names)  # noqa: S102 - our own text
    with pytest.raises(CodeUnavailable, match="has not kept the source of Mine"):
        source_of(names["Mine"])


def test_a_file_changed_since_its_import_is_refused_with_advice(module):
    loaded = module(IMPORTS + MINE)
    Path(loaded.__file__).write_text("x = 1\n")
    with pytest.raises(CodeUnavailable, match="not where Python expects it"):
        source_of(loaded.Mine)


@pytest.mark.parametrize("code", [7, None, [], int, object()])
def test_anything_else_is_refused(code):
    with pytest.raises(CodeUnavailable):
        source_of(code)
