"""Analysis of user code: what it accepts, what it rejects and where, and that it handles any text."""

import ast
import gc
import pickle
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.execution.reading import policy
from src.execution.reading.analysis import Analysis, StrategyClass, Violation, analyse
from tests.attacks.catalogue import snippets

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]
ACCEPTED = sorted((HERE / "accepted").glob("*.py"))
REJECTED = sorted((HERE / "rejected").glob("*.py"))
MARK = "# <-"

HONEST = """
from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
"""


def rules(source: str) -> list[str]:
    return [violation.rule for violation in analyse(source).violations]


def spans(source: str) -> list[tuple[str, int, int, int, int]]:
    return [(v.rule, v.line, v.column, v.end_line, v.end_column) for v in analyse(source).violations]


@contextmanager
def at_most(cpu_seconds: float) -> Iterator[None]:
    """Bound this thread's processor time, which excludes other work on the machine and other tests' garbage.

    Unbounded work takes minutes; the bound leaves room for very slow machines.
    """
    gc.disable()
    start = time.thread_time()
    try:
        yield
        assert time.thread_time() - start < cpu_seconds
    finally:
        gc.enable()


def least_cpu_seconds(read: Callable[[str], object], source: str) -> float:
    """Processor time of this thread for one reading, the minimum of ten."""
    spent = []
    for _ in range(10):
        start = time.thread_time()
        read(source)
        spent.append(time.thread_time() - start)
    return min(spent)


class TestOrdinaryStrategies:
    @pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
    def test_an_ordinary_strategy_is_accepted(self, path: Path) -> None:
        analysis = analyse(path.read_text(encoding="utf-8"))
        assert analysis.violations == ()
        assert analysis.strategy is not None

    def test_there_are_more_than_thirty_ordinary_strategies(self) -> None:
        assert len(ACCEPTED) > 30

    def test_every_dialect_is_accepted(self, strategies_folder: Path) -> None:
        paths = sorted(strategies_folder.glob("*.py"))
        assert paths
        for path in paths:
            assert analyse(path.read_text(encoding="utf-8")).violations == (), path.name

    def test_analysis_takes_less_than_seventy_times_as_long_as_parsing(self) -> None:
        source = (HERE / "accepted" / "walk_forward.py").read_text(encoding="utf-8")
        assert least_cpu_seconds(analyse, source) < 70 * least_cpu_seconds(ast.parse, source)

    @pytest.mark.parametrize(
        "statement",
        [
            "def order(type, id, open): return type, id, open",
            "print([input for input in range(3)])",
            "def f():\n    vars = 1\n    return lambda: vars",
            "x = 5 if isinstance(print, type) else type(3)",
            "fields = ('open', 'close')\nfor name in fields: print(getattr(print, name, None))",
            "print([getattr(print, f, 0) for f in ('open', 'high')], hasattr(print, 'x'))",
            "try: print(1)\nexcept ValueError as e: print(e.__class__.__name__, e.args)",
            "print('{:.2f}|{name}|{0[key]}'.format({'key': 1}, name=2), *map('{:>5}'.format, [1]))",
            "WIDE = '{:>10}'\nprint(WIDE.format(3))",
            "weights = {'__cash__': 0.1, 'open': 1, 'eval': 2, 'load': 3}",
            "import pandas as pd\npd.options.display.float_format = '{:.2f}'.format",
            "import pandas as pd\nwith pd.option_context('display.max_rows', 5, 'display.width', 80): pass",
            "import pandas as pd\nprint(pd.DataFrame().query('a > 1 and b in [1, 2] or `my col` == @x').to_string())",
            "from sklearn.neighbors import KDTree\nprint(KDTree([[1]]).query([[1]], k=1), KDTree([[1]]).query([[1]]))",
            "from sklearn.preprocessing import LabelEncoder\nprint(LabelEncoder().fit(['a']).transform(['a']))",
            "import pandas as pd\npd.DataFrame().eval('spread = high - low')",
            "import pandas as pd\nprint(pd.Series([1]).hist, pd.Series([1]).agg('mean'), pd.Series([1]).agg(max))",
            "try:\n    import numpy as np\nexcept ImportError:\n    np = None\nif np is not None: print(np.pi)",
            "def f(mean):\n    from statistics import mean as average\n    return mean, average([1])",
            "import statistics\ndef f(statistics): return statistics",
            "from dataclasses import dataclass\n@dataclass\nclass Bar:\n    open: float\n    type: str = 'x'",
            "class Signal:\n    __slots__ = ('_value',)\n    def same(self, other): return self._value == other._value",
            "def wrap(f):\n    def w(): w._calls += 1\n    w._calls = 0\n    return w",
            "class Ring:\n    def __init__(self): self.__all = []\n    def join(self, o): return self.__all + o.__all",
            "from typing import Literal\ndef f(field: Literal['open', 'eval'] = 'open'): return field",
            "def f(x: 'some prose, not a type'): return x",
            "'''A string that is a statement: see __import__ and x.__class__.'''",
            "from __future__ import annotations",
            "x = 1\r\ny = 2\r\n",
            "# coding: utf-8",
        ],
    )
    def test_an_ordinary_statement_is_accepted(self, statement: str) -> None:
        assert analyse(statement + "\n" + HONEST).violations == ()


class TestHostileSources:
    @pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
    def test_every_marked_line_breaks_the_rule_in_the_file_name(self, path: Path) -> None:
        source = path.read_text(encoding="utf-8")
        marked = {number for number, line in enumerate(source.splitlines(), 1) if line.endswith(MARK)}
        violations = analyse(source).violations
        assert len(violations) <= policy.MAX_VIOLATIONS, "split the file"
        assert {v.line for v in violations if v.rule == path.name.split(".")[0]} == marked
        assert {v.line for v in violations} == marked, "an unmarked line is a false alarm"

    def test_every_escape_in_the_catalogue_is_rejected_with_its_line(self) -> None:
        attacks = {attack.id: attack.code for attack in snippets() if attack.expect == "reject"}
        # A lone comment is only wrong without a strategy after it.
        comment = attacks.pop("enc-25")
        assert rules(comment) == ["no-strategy"]
        found = {key: analyse(code + "\n" + HONEST).violations for key, code in attacks.items()}
        assert [key for key, violations in found.items() if not violations] == []
        assert all(violation.line >= 1 for violations in found.values() for violation in violations)

    @pytest.mark.parametrize(
        ("line", "advice"),
        [
            ("import logging", "use self.log(...)"),
            ("from logging import getLogger", "use self.log(...)"),
            ("import time", "data.time and data.date"),
            ("import sys", "import config"),
            ("import urllib.request", "a backtest has no network"),
            ("import yfinance as yf", "name the symbols in the strategy's universe"),
            ("x = open('prices.csv')", "import config"),
            ("x = vars()", "dict(vars(self))"),
            ("x = [getattr(list, str(n)) for n in range(3)]", "a loop over at most 200 literal strings"),
        ],
    )
    def test_a_rejection_says_what_to_write_instead(self, line: str, advice: str) -> None:
        (violation,) = analyse(line + "\n" + HONEST).violations
        assert advice in violation.message

    def test_numbers_too_long_for_python_to_print_are_accepted(self) -> None:
        huge = "0x" + "f" * 9_000
        assert rules(f"class Slotted:\n    __slots__ = {huge}\nx = '%s' % {huge}\n" + HONEST) == []

    def test_all_violations_are_reported_together_in_source_order(self) -> None:
        source = "import os\nx = eval('1')\ny = ().__class__\n" + HONEST
        assert [(v.rule, v.line) for v in analyse(source).violations] == [
            ("import-not-allowed", 1),
            ("builtin-not-allowed", 2),
            ("attribute-not-allowed", 3),
        ]

    def test_the_list_of_violations_is_bounded_and_ends_with_the_number_left_out(self) -> None:
        violations = analyse("eval\n" * 4_000 + HONEST).violations
        assert len(violations) == policy.MAX_VIOLATIONS + 1
        assert violations[-1].rule == "more-violations"
        assert violations[-1].message == "3950 more violations are not listed"

    def test_messages_are_short_and_printable_for_any_source(self) -> None:
        long = "x" * 5_000
        source = f"import {long}\n{long}.__{long}__\nx = '__class__'\nprint(f'{{().__{long}__}}')\n" + HONEST
        messages = [violation.message for violation in analyse(source).violations]
        assert len(messages) >= 4
        assert all(len(message) <= 301 and message.isprintable() for message in messages)


class TestPositions:
    def test_a_violation_has_a_readable_message_and_its_span(self) -> None:
        (violation,) = analyse("x = 1\nimport os\n" + HONEST).violations
        assert violation == Violation("import-not-allowed", "Import of 'os' is not allowed", 2, 8, 2, 10)

    @pytest.mark.parametrize(
        ("source", "span"),
        [
            ("x = eval", ("builtin-not-allowed", 1, 5, 1, 9)),
            ("é = 'ü', eval", ("builtin-not-allowed", 1, 10, 1, 14)),
            ("# comment\f\n𝓍 = '📈'; eval", ("builtin-not-allowed", 2, 10, 2, 14)),
            ("x = 1\ry = 2\r\neval", ("builtin-not-allowed", 3, 1, 3, 5)),
            ("(print\n  .__self__\n)", ("attribute-not-allowed", 2, 4, 2, 12)),
            ("x = ('a',\n'__class__')", ("string-not-allowed", 2, 1, 2, 12)),
            ("def f(\n    a: 'open',\n): pass", ("builtin-not-allowed", 2, 8, 2, 14)),
        ],
    )
    def test_lines_and_columns_count_characters_from_one(
        self, source: str, span: tuple[str, int, int, int, int]
    ) -> None:
        assert spans(source + "\n" + HONEST) == [span]

    def test_a_syntax_error_has_its_position(self) -> None:
        (violation,) = analyse("x = 1\ndef broken(:\n    pass\n").violations
        assert (violation.rule, violation.line, violation.column) == ("syntax-error", 2, 12)
        assert violation.message.startswith("Syntax error: ")

    @pytest.mark.parametrize(
        ("source", "line"),
        [
            ("x = 1\nreturn 1", 2),
            ("def f():\n    nonlocal x", 2),
            ("x = 1\nfrom __future__ import annotations", 2),
            ("from __future__ import nothing_like_it", 1),
            ("await x", 1),
            ("x = 1\nyield x", 2),
        ],
    )
    def test_an_error_found_only_by_the_compiler_is_a_syntax_error(self, source: str, line: int) -> None:
        (violation,) = analyse(source + "\n" + HONEST).violations
        assert (violation.rule, violation.line) == ("syntax-error", line)


class TestTextBeforeItIsParsed:
    @pytest.mark.parametrize(
        ("source", "span"),
        [
            ("x = 1\ny = \0", ("null-byte", 2, 5, 2, 6)),
            ("x = '\ud800'", ("invalid-character", 1, 6, 1, 7)),
            ("x = 1\r\n# \u202e", ("bidirectional-character", 2, 3, 2, 4)),
            ("x = '\u2066'", ("bidirectional-character", 1, 6, 1, 7)),
            ("# coding: utf-7\n", ("source-encoding", 1, 1, 1, 16)),
            ("\n# -*- coding: unicode_escape -*-\n", ("source-encoding", 2, 1, 2, 33)),
            ("#!x\n# vim: set fileencoding=cp1252 :\n", ("source-encoding", 2, 1, 2, 33)),
        ],
    )
    def test_a_misleading_character_is_reported_at_its_position(
        self, source: str, span: tuple[str, int, int, int, int]
    ) -> None:
        assert spans(source + HONEST) == [span]

    @pytest.mark.parametrize("head", ["'''\n# coding: utf-7\n'''", "x = 1\n# coding: latin-1", "# encoding: UTF-8"])
    def test_text_that_only_looks_like_an_encoding_declaration_is_accepted(self, head: str) -> None:
        assert rules(head + "\n" + HONEST) == []

    @pytest.mark.parametrize("size", [policy.MAX_SOURCE_BYTES + 1, 1_000_000])
    def test_a_source_is_too_large_if_it_has_too_many_bytes(self, size: int) -> None:
        assert rules("#" * size) == ["source-too-large"]
        assert rules("#" + "é" * (size // 2)) == ["source-too-large"]


class TestSourcesThatAttackTheAnalysis:
    LARGE = policy.MAX_SOURCE_BYTES - 1_000

    @pytest.mark.parametrize("character", ["(", "[", "{", "(\n", "x[", "f'{", "lambda:", "not ", "-", "\\\n"])
    @pytest.mark.parametrize("size", [LARGE, 1_000_000])
    def test_a_long_run_of_brackets_is_a_violation(self, character: str, size: int) -> None:
        source = character * (size // len(character))
        with at_most(cpu_seconds=30):
            assert rules(source)

    @pytest.mark.parametrize(
        "source",
        [
            "r = x" + ".a" * 20_000,
            "r = x" + "()" * 20_000,
            "r = 1" + "+1" * 20_000,
            "if a:\n    pass\n" + "elif a:\n    pass\n" * 3_000,
            "x = [" + "1," * 40_000 + "]",
            "a\n" * 45_000,
            "x = f'" + "{a}" * 30_000 + "'",
            "def f(): pass\n" * 7_000,
            "x = [y for y in z]\n" * 5_000,
            "f(" + ",".join(f"a{n}=1" for n in range(9_000)) + ")",
            "match x:\n    case [" + ",".join(f"a{n}" for n in range(9_000)) + "]: pass",
            "def f():\n try:\n" + "  if a: return\n" * 2_000 + " finally:\n" + "  a\n" * 2_000,
            "".join(" " * n + "try: pass\n" + " " * n + "finally:\n" for n in range(18)) + " " * 18 + "pass",
            "".join(f"from numpy import a{n} as x\n" for n in range(1_500)) + "x.y;" * 4_000,
        ],
        ids=lambda source: ascii(source[:12]) + "..." + ascii(source[-12:]),
    )
    def test_a_source_slow_to_parse_walk_or_compile_is_too_complex(self, source: str) -> None:
        with at_most(cpu_seconds=30):
            violations = analyse(source + "\n" + HONEST).violations
        assert [violation.rule for violation in violations] == ["too-complex"]

    @pytest.mark.parametrize(
        "source",
        [
            "import numpy as a0\n" + "".join(f"a{n} = a{n - 1}\n" for n in range(1, 3_000)),
            "from numpy import x as a\n" + "a = a.b\n" * 3_000,
            "x = ['é'," + "eval," * 15_000 + "]",
            ("x = 'a'" + "[:]" * 90 + "\n") * 60,
            "x = " + "''.join([" * 24 + "'a'" + "])" * 24,
            "n = a\n" * 3_500 + "s.agg(n)\n" * 1_500,
            "".join(" " * n + f"def f{n}():\n" for n in range(90)) + " " * 90 + "x = [" + "q," * 9_000 + "]",
            "from hqg_algorithms import Strategy\n"
            + "".join(f"class A{n}(Strategy if {n} else A): pass\n" for n in range(300)),
            "class A0(Strategy): pass\n" + "".join(f"class A{n}(A{n - 1}): pass\n" for n in range(1, 990)),
        ],
        ids=lambda source: ascii(source[:12]) + "..." + ascii(source[-12:]),
    )
    def test_a_source_that_could_slow_down_the_rules_is_checked_in_bounded_time(self, source: str) -> None:
        with at_most(cpu_seconds=30):
            found = rules(source + "\n" + HONEST)
        assert "too-complex" not in found, "the bounds caught it before the rules saw it"


class TestTheStrategyClass:
    def test_the_strategy_is_the_class_that_derives_from_strategy(self) -> None:
        assert analyse(HONEST).strategy == StrategyClass("Honest", 5, ("Honest",))

    @pytest.mark.parametrize(
        ("head", "base"),
        [
            ("from hqg_algorithms import Strategy", "Strategy"),
            ("from hqg_algorithms import Strategy as S", "S"),
            ("from hqg_algorithms.strategy import Strategy", "Strategy"),
            ("from hqg_algorithms import *", "Strategy"),
            ("import hqg_algorithms", "hqg_algorithms.Strategy"),
            ("import hqg_algorithms as hqg", "hqg.Strategy"),
            ("import hqg_algorithms.strategy", "hqg_algorithms.strategy.Strategy"),
            ("from hqg_algorithms import strategy", "strategy.Strategy"),
            ("from hqg_algorithms import Strategy\nBase = Strategy", "Base"),
            ("from hqg_algorithms import Strategy\nfrom typing import Generic, TypeVar\nT = TypeVar('T')", "Strategy"),
            ("", "Strategy"),
        ],
    )
    def test_the_base_may_be_written_in_every_usual_way(self, head: str, base: str) -> None:
        source = f"{head}\nclass Mine({base}):\n    def on_data(self, data, portfolio): return None\n"
        analysis = analyse(source)
        assert analysis.violations == ()
        assert analysis.strategy.name == "Mine"
        assert analysis.needs_prelude is (head == "")

    def test_the_strategys_own_base_classes_are_not_strategies(self) -> None:
        source = """
class Base(Strategy):
    def on_data(self, data, portfolio): return None
class Left(Base): pass
class Right(Base): pass
class Mixin: pass
class Mine(Mixin, Left, Right): pass
"""
        assert analyse(source).strategy == StrategyClass("Mine", 7, ("Mine", "Mixin", "Left", "Right", "Base"))

    def test_on_data_may_come_from_a_mixin_or_an_assignment(self) -> None:
        mixin = "class Trades:\n    def on_data(self, data, portfolio): return None\nclass Mine(Trades, Strategy): pass"
        assigned = "class Mine(Strategy):\n    on_data = lambda self, data, portfolio: None"
        assert rules(mixin) == rules(assigned) == []

    @pytest.mark.parametrize("source", ["", "# nothing", "class Mine: pass", "class Mine(Other): pass"])
    def test_a_source_without_a_strategy_is_a_violation(self, source: str) -> None:
        analysis = analyse(source)
        assert [(v.rule, v.line) for v in analysis.violations] == [("no-strategy", 1)]
        assert analysis.strategy is None

    def test_the_authors_class_named_strategy_is_not_the_frameworks(self) -> None:
        source = "class Strategy: pass\nclass Mine(Strategy):\n    def on_data(self, data, portfolio): pass"
        assert rules(source) == ["no-strategy", "imported-name-rebound"]

    def test_two_unrelated_strategies_are_a_violation_that_names_both(self) -> None:
        analysis = analyse(HONEST + HONEST.replace("Honest", "Other"))
        (violation,) = analysis.violations
        place = (violation.line, violation.column, violation.end_column)
        assert (violation.rule, *place) == ("several-strategies", 14, 1, 12)
        assert "'Honest' (line 5)" in violation.message
        assert "'Other' (line 14)" in violation.message
        assert analysis.strategy is None

    @pytest.mark.parametrize(
        ("source", "rule"),
        [
            ("class Mine(Strategy): pass", "no-on-data"),
            (f"class {'M' * 101}(Strategy):\n    def on_data(self, data, portfolio): pass", "class-name-too-long"),
            ("class Mine(Strategy):\n    def on_data(self, data): pass", "on-data-signature"),
            ("class Mine(Strategy):\n    def on_data(self, data, portfolio, more): pass", "on-data-signature"),
            ("def f():\n    class Mine(Strategy):\n        def on_data(self, a, b): pass", "nested-strategy"),
            ("class Mine(Strategy):\n    def on_data(self, a, b): pass\nMine = dict", "ambiguous-strategy"),
            ("class Mine(Strategy):\n    def on_data(self, a, b): pass\ndel Mine", "ambiguous-strategy"),
            (
                "class A(Strategy):\n    def on_data(self, a, b): pass\nclass B(A): pass\nclass C(A, B): pass",
                "ambiguous-strategy",
            ),
        ],
    )
    def test_a_class_that_cannot_run_is_a_violation(self, source: str, rule: str) -> None:
        analysis = analyse(source)
        assert [violation.rule for violation in analysis.violations] == [rule]
        assert analysis.strategy is None

    def test_on_data_may_take_more_optional_arguments(self) -> None:
        assert rules("class Mine(Strategy):\n    def on_data(self, a, b, *, c=1, **d): pass") == []
        assert rules("class Mine(Strategy):\n    def on_data(self, *arguments): pass") == []

    def test_using_an_interface_name_without_importing_it_needs_the_prelude(self) -> None:
        assert analyse(HONEST).needs_prelude is False
        assert analyse(HONEST.replace("Hold, ", "")).needs_prelude is True
        own = HONEST + "class Bar: pass\nprint(Bar)\ndef f(Slice): return Slice\n"
        assert analyse(own).needs_prelude is False


TOKENS = st.sampled_from(
    [
        *(
            "import ",
            "from ",
            "numpy",
            "os",
            " as ",
            "np",
            ".",
            ".f2py",
            "eval",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ":",
            ",",
        ),
        *(
            "\n",
            "\n    ",
            "\n\t",
            "\r",
            "\f",
            "class A",
            "(Strategy)",
            "def f",
            "lambda ",
            "return ",
            "yield ",
            "await ",
        ),
        *("async ", "with ", "for x in ", "while ", "if ", "else:", "try:", "except", "finally:", "match x", "case "),
        *("'", '"', "'''", "f'", "{x!r}", "\\", "#", "# coding: x", "\0", "\ud800", "\u202e", "é", "𝓮", "=", ":=", "*"),
        *("**", "@", "-", "not ", "1", "1e999", "0x", "__class__", "_x_", "global ", "nonlocal ", "del ", "raise "),
        *("'__globals__'", ".format(", ".agg(", ".query(", "getattr(", "type(", "super()", "self", "->", "...", ";"),
    ]
)


def check_any_answer(source: str) -> Analysis:
    with at_most(cpu_seconds=30):
        analysis = analyse(source)
    assert len(analysis.violations) <= policy.MAX_VIOLATIONS + 1
    lines = source.count("\n") + source.count("\r") + 1
    for violation in analysis.violations:
        assert 1 <= violation.line <= violation.end_line <= lines
        assert violation.column >= 1
        assert violation.end_column >= 1
        assert violation.message.isprintable()
    assert analysis.violations or analysis.strategy is not None
    return analysis


class TestAnyText:
    @given(st.text(alphabet=st.characters(codec=None), max_size=300))
    def test_any_text_gets_an_answer(self, source: str) -> None:
        check_any_answer(source)

    @given(st.lists(TOKENS, max_size=60).map("".join))
    @settings(max_examples=400)
    def test_any_sequence_of_tokens_gets_an_answer(self, source: str) -> None:
        check_any_answer(source)
        check_any_answer(source + "\n" + HONEST)

    @given(st.sampled_from(ACCEPTED), st.data())
    @settings(max_examples=150)
    def test_any_damaged_strategy_gets_an_answer(self, path: Path, data: st.DataObject) -> None:
        source = path.read_text(encoding="utf-8")
        start = data.draw(st.integers(0, len(source)))
        length = data.draw(st.integers(0, 40))
        check_any_answer(source[:start] + data.draw(TOKENS) + source[start + length :])

    @given(st.integers(1, 400), TOKENS, TOKENS)
    @settings(max_examples=150)
    def test_any_repetition_gets_an_answer(self, count: int, first: str, second: str) -> None:
        check_any_answer((first + second) * count)


class TestAsAComponent:
    def test_an_analysis_can_be_pickled(self) -> None:
        analysis = analyse("import os\n" + HONEST)
        assert pickle.loads(pickle.dumps(analysis)) == analysis  # noqa: S301 - our own bytes

    def test_the_analysis_imports_none_of_the_packages_that_strategies_use(self) -> None:
        program = (
            "import sys, src.execution.reading.analysis as a; a.analyse('import numpy, sklearn');"
            "print(sorted({'numpy', 'pandas', 'scipy', 'sklearn'} & set(sys.modules)))"
        )
        answer = subprocess.run(
            [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
        )
        assert answer.stdout.strip() == "[]"

    def test_concurrent_analyses_affect_neither_each_other_nor_the_warning_filters(self) -> None:
        sources = [path.read_text(encoding="utf-8") for path in ACCEPTED[:12]] + ["x = '\\d' is 5\n" + HONEST]
        expected = [analyse(source) for source in sources]
        before = list(warnings.filters)
        with ThreadPoolExecutor(4) as pool:
            for _ in range(3):
                assert list(pool.map(analyse, sources)) == expected
        assert list(warnings.filters) == before
        assert expected[-1].violations == ()
