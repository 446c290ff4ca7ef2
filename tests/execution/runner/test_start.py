"""Modules that a box imports only when its strategy uses them, tried in an interpreter of their own."""

import subprocess
import sys

DEFERRED = "from src.execution.runner.start import defer_imports; defer_imports()\n"


def said(program: str) -> str:
    """The output of a program that starts as a box does."""
    run = subprocess.run([sys.executable, "-c", DEFERRED + program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_the_runner_starts_without_what_strategies_rarely_use() -> None:
    program = "import sys; import src.execution.runner.__main__; print({'ast', 'dis', 'token'} & sys.modules.keys())"
    assert said(program) == "set()"


def test_a_deferred_module_is_the_real_one_once_it_is_used() -> None:
    program = """
import inspect, sys
def f(a, *, b=1): ...
print(inspect.signature(f), inspect.isfunction(f), inspect is not sys.modules["inspect"], hasattr(inspect, "nothing"))
from inspect import getsource, Parameter
print(Parameter is sys.modules["inspect"].Parameter)
"""
    assert said(program).split("\n") == ["(a, *, b=1) True True False", "True"]


def test_a_dataclass_without_a_docstring_is_described_by_its_fields() -> None:
    program = "from dataclasses import make_dataclass; print(make_dataclass('Pair', ['a', ('b', int)]).__doc__)"
    assert said(program) == "Pair(a: 'typing.Any', b: int)"


def test_the_package_offers_everything_that_it_names() -> None:
    program = """
import hqg_algorithms
from hqg_algorithms import *
from hqg_algorithms import extract_metadata as one
from hqg_algorithms.parsing import extract_metadata as other
print(all(name in globals() for name in hqg_algorithms.__all__), one is other, StrategyMetadata.__name__)
print(hasattr(hqg_algorithms, "nothing"))
"""
    assert said(program).split("\n") == ["True True StrategyMetadata", "False"]


def test_threads_that_use_a_deferred_module_at_once_all_find_the_whole_of_it() -> None:
    program = """
import inspect, sys, threading
sys.setswitchinterval(1e-6)
found, start = [], threading.Barrier(8)
def use():
    start.wait()
    found.append(str(inspect.signature(use)))
threads = [threading.Thread(target=use) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(found.count("()"))
"""
    assert said(program) == "8"
