"""Universe, cadence and dialect from the source alone: which are read, left open or rejected."""

from pathlib import Path

import pytest
from hqg_algorithms import BarSize, Cadence, ExecutionTiming

from src.execution.reading import policy
from src.execution.reading.analysis import Violation, analyse
from src.execution.reading.reading import Reading
from src.execution.reading.strategy_source import StrategyDescription, describe
from src.utils.symbols import MAX_UNIVERSE_SYMBOLS

ACCEPTED = sorted((Path(__file__).parent / "accepted").glob("*.py"))
ON_DATA = "    def on_data(self, data, portfolio): return Hold()\n"
IMPORT = (
    "from hqg_algorithms import BarSize, Cadence, CallPhase, ExecutionTiming, Hold, Strategy, TargetWeights\n"
    "from datetime import timedelta\n"
)
CLOSE, OPEN = ExecutionTiming.CLOSE_TO_CLOSE, ExecutionTiming.CLOSE_TO_NEXT_OPEN


def strategy(body: str, head: str = IMPORT, base: str = "Strategy", after: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{head}class Mine({base}):\n{lines}{ON_DATA}{after}"


def read(source: str) -> tuple[StrategyDescription, tuple[Violation, ...]]:
    analysis = analyse(source)
    assert analysis.violations == ()
    description, violations = describe(source, analysis)
    assert description is not None
    return description, violations


def universe_of(body: str, **parts: str) -> tuple[str, ...] | None:
    description, violations = read(strategy(body, **parts))
    assert violations == ()
    return description.universe


def cadence_of(cadence: str, **parts: str) -> Cadence | None:
    description, violations = read(strategy(f'universe = ["SPY"]\n{cadence}', **parts))
    assert violations == ()
    return description.cadence


def wrong(body: str) -> list[tuple[str, int, int]]:
    description, violations = read(strategy(body))
    assert description.universe is None or description.cadence is None
    return [(v.rule, v.line, v.column) for v in violations]


class TestDialects:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("dialect_1_class_attributes", ("SmaCross", 1, ("SPY", "BND"), Cadence(execution=OPEN))),
            ("dialect_2_computed_universe", ("EqualSectors", 2, None, Cadence(BarSize.WEEKLY))),
            ("dialect_2_methods_and_signals", ("MonthlyTrend", 2, ("SPY",), Cadence(BarSize.MONTHLY, CLOSE))),
            ("dialect_3_dicts", ("QuarterlyBalance", 3, ("SPY", "TLT"), Cadence(BarSize.QUARTERLY, CLOSE))),
            ("dialect_4_no_imports", ("GreenDay", 4, ("SPY",), Cadence())),
        ],
    )
    def test_every_dialect_is_read(
        self, strategies_folder: Path, name: str, expected: tuple[str, int, tuple[str, ...] | None, Cadence | None]
    ) -> None:
        description, violations = read((strategies_folder / f"{name}.py").read_text(encoding="utf-8"))
        assert violations == ()
        assert description == StrategyDescription(*expected, needs_prelude=expected[1] == 4)

    @pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
    def test_no_ordinary_strategy_has_a_wrong_universe_or_cadence(self, path: Path) -> None:
        assert read(path.read_text(encoding="utf-8"))[1] == ()

    def test_attributes_and_methods_may_be_mixed(self) -> None:
        body = 'universe = ["SPY"]\ndef cadence(self): return Cadence(bar_size=BarSize.WEEKLY)'
        description, violations = read(strategy(body))
        assert (description.dialect, description.universe, description.cadence) == (
            *(1, ("SPY",), Cadence(BarSize.WEEKLY)),
        )
        assert violations == ()

    def test_a_source_without_a_strategy_has_no_description(self) -> None:
        assert describe("x = 1", analyse("x = 1")) == (None, ())
        assert describe("x = (", analyse("x = (")) == (None, ())

    def test_a_strategy_with_other_violations_is_still_described(self) -> None:
        source = "import os\n" + strategy('universe = ["SPY", "???"]')
        analysis = analyse(source)
        assert [v.rule for v in analysis.violations] == ["import-not-allowed"]
        assert [v.rule for v in describe(source, analysis)[1]] == ["invalid-ticker"]


class TestUniverse:
    @pytest.mark.parametrize(
        "body",
        [
            'universe = ["SPY", "BRK-B"]',
            'universe = ("SPY", "BRK-B")',
            'universe: list[str] = ["SPY", "BRK-B"]',
            'universe = [" spy", "BRK-B\\t", "SPY"]',
            'def universe(self): return ["SPY", "BRK-B"]',
            'def universe(self) -> list[str]:\n    """Two."""\n    return ["SPY", "BRK-B"]',
            '@property\ndef universe(self): return ["SPY", "BRK-B"]',
            '@staticmethod\ndef universe(): return ["SPY", "BRK-B"]',
        ],
    )
    def test_literal_tickers_are_stripped_upper_cased_and_made_unique(self, body: str) -> None:
        assert universe_of(body) == ("SPY", "BRK-B")

    @pytest.mark.parametrize("ticker", ["^GSPC", "BTC-USD", "EURUSD=X", "BF.B", "0700.HK", "A" * 12])
    def test_every_kind_of_ticker_is_read(self, ticker: str) -> None:
        assert universe_of(f'universe = ["{ticker}"]') == (ticker,)

    def test_the_universe_is_inherited_in_method_resolution_order(self) -> None:
        head = (
            IMPORT
            + 'class A(Strategy):\n    universe = ["AAA"]\n'
            + "class B(A): pass\n"
            + 'class C(A):\n    universe = ["CCC"]\n    cadence = Cadence(bar_size=BarSize.MONTHLY)\n'
        )
        description, _ = read(strategy("pass", head=head, base="B, C"))
        assert (description.universe, description.cadence) == (("CCC",), Cadence(BarSize.MONTHLY))
        assert universe_of('universe = ["SPY"]', head=head, base="B, C") == ("SPY",)

    @pytest.mark.parametrize(
        "body",
        [
            "universe = TICKERS",
            'universe = ["SPY"] + ["IEF"]',
            'universe = [t for t in ("SPY", "IEF")]',
            'universe = ["SPY", f"{1}X"]',
            "def universe(self): return self.tickers",
            'def universe(self):\n    if data:\n        return ["SPY"]\n    return ["IEF"]',
            '@cached\ndef universe(self): return ["SPY"]',
            'universe = lambda self: ["SPY"]',
            'if True:\n    universe = ["SPY"]',
            'universe = ["SPY"]\nuniverse = ["IEF"]',
            'universe = ["SPY"]\nuniverse += ["IEF"]',
            'universe = ["SPY"]\nuniverse.append("IEF")',
            'universe = other = ["SPY"]',
            'universe, other = ["SPY"], 1',
        ],
    )
    def test_a_computed_value_is_left_to_the_box(self, body: str) -> None:
        assert universe_of(body) is None

    @pytest.mark.parametrize(
        "line",
        [
            'self.universe = ["IEF"]',
            'self.universe += ["IEF"]',
            'self.universe.append("IEF")',
            'self.universe[0] = "IEF"',
            "del self.universe[0]",
            'Mine.universe = ["IEF"]',
            'type(self).universe.extend(["IEF"])',
            'setattr(self, "universe", ["IEF"])',
            "self.tickers = self.universe",
        ],
    )
    def test_a_universe_that_code_may_change_is_left_to_the_box(self, line: str) -> None:
        assert universe_of(f'universe = ["SPY"]\ndef __init__(self):\n    {line}') is None

    def test_a_universe_that_is_only_read_is_not_computed(self) -> None:
        reads = "print(len(self.universe), self.universe[0], [s for s in self.universe], dict(zip(self.universe, [1])))"
        assert universe_of(f'universe = ["SPY"]\ndef __init__(self):\n    {reads}') == ("SPY",)

    def test_a_universe_set_only_on_the_instance_is_computed_not_missing(self) -> None:
        assert universe_of('def __init__(self):\n    self.universe = ["SPY"]') is None

    @pytest.mark.parametrize("body", ["pass", "universe: list[str]"])
    def test_a_missing_universe_is_a_violation_at_the_class(self, body: str) -> None:
        assert wrong(body) == [("no-universe", 3, 1)]

    @pytest.mark.parametrize(
        ("body", "found"),
        [
            ("universe = []", [("empty-universe", 4, 16)]),
            ("def universe(self): return []", [("empty-universe", 4, 32)]),
            ('universe = "SPY"', [("universe-not-a-list", 4, 16)]),
            ("universe = None", [("universe-not-a-list", 4, 16)]),
            ("def universe(self): return", [("universe-not-a-list", 4, 25)]),
            ('universe = {"SPY"}', [("universe-not-a-list", 4, 16)]),
            ('universe = {"SPY": 1}', [("universe-not-a-list", 4, 16)]),
            ("universe = [1e999]", [("invalid-ticker", 4, 17)]),
            ('universe = ["SPY", 7, None]', [("invalid-ticker", 4, 24), ("invalid-ticker", 4, 27)]),
            ('universe = ["SPY", "  "]', [("invalid-ticker", 4, 24)]),
            ('universe = ["AREALLYLONGTICKER"]', [("invalid-ticker", 4, 17)]),
            ('universe = ["../../etc/x"]', [("invalid-ticker", 4, 17)]),
            ('universe = ["\\ud800"]', [("invalid-ticker", 4, 17)]),
            ('universe = ["SPY\\r\\nX"]', [("invalid-ticker", 4, 17)]),
            ('universe = ["ﬁ"]', [("invalid-ticker", 4, 17)]),
            ('universe = ["^"]', [("invalid-ticker", 4, 17)]),
            ('universe = ["-SPY"]', [("invalid-ticker", 4, 17)]),
        ],
    )
    def test_an_invalid_universe_is_a_violation_at_its_position(
        self, body: str, found: list[tuple[str, int, int]]
    ) -> None:
        assert wrong(body) == found

    def test_at_most_200_different_tickers_are_allowed(self) -> None:
        tickers = [f"T{number}" for number in range(MAX_UNIVERSE_SYMBOLS)]
        assert universe_of(f"universe = {[*tickers, *tickers]}") == tuple(tickers)
        assert wrong(f"universe = {[*tickers, 'ONE']}") == [("too-many-tickers", 4, 16)]

    def test_a_number_with_thousands_of_digits_is_an_invalid_ticker(self) -> None:
        assert wrong(f"universe = [0x{'f' * 9_000}]") == [("invalid-ticker", 4, 17)]

    def test_violations_of_thousands_of_bad_tickers_are_bounded(self) -> None:
        assert len(wrong(f"universe = {['?'] * 5_000}")) == policy.MAX_VIOLATIONS + 1


class TestCadence:
    @pytest.mark.parametrize(
        ("call", "expected"),
        [
            ("Cadence()", Cadence()),
            ("Cadence(bar_size=BarSize.WEEKLY)", Cadence(BarSize.WEEKLY)),
            ("Cadence(execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)", Cadence(execution=OPEN)),
            ("Cadence(BarSize.MONTHLY, ExecutionTiming.CLOSE_TO_NEXT_OPEN)", Cadence(BarSize.MONTHLY, OPEN)),
            ('Cadence(bar_size="1q", execution="close_to_close")', Cadence(BarSize.QUARTERLY, CLOSE)),
            ("Cadence(call_phase=CallPhase.ON_BAR_CLOSE)", Cadence(execution=CLOSE)),
            ("Cadence(call_phase=CallPhase.ON_BAR_CLOSE, exec_lag_bars=0)", Cadence(execution=CLOSE)),
            ("Cadence(call_phase=CallPhase.ON_BAR_CLOSE, exec_lag_bars=1)", Cadence(execution=OPEN)),
            (
                'Cadence(bar_size=BarSize.WEEKLY, call_phase="on_bar_close", exec_lag_bars=1)',
                Cadence(BarSize.WEEKLY, OPEN),
            ),
            ("Cadence(BarSize.DAILY, CallPhase.ON_BAR_CLOSE, 1)", Cadence(execution=OPEN)),
            ("Cadence(exec_lag_bars=1)", Cadence(execution=OPEN)),
        ],
    )
    def test_a_cadence_is_read_in_the_form_of_either_version(self, call: str, expected: Cadence) -> None:
        assert cadence_of(f"cadence = {call}") == expected
        assert cadence_of(f"def cadence(self): return {call}") == expected

    def test_a_strategy_without_a_cadence_is_daily_at_the_close(self) -> None:
        assert cadence_of("x = 1") == Cadence(BarSize.DAILY, CLOSE)

    def test_a_cadence_may_be_written_through_the_module(self) -> None:
        head = "import hqg_algorithms as h\nfrom hqg_algorithms import Hold\n"
        call = "cadence = h.Cadence(bar_size=h.BarSize.WEEKLY)"
        assert cadence_of(call, head=head, base="h.Strategy") == Cadence(BarSize.WEEKLY)

    @pytest.mark.parametrize(
        "cadence",
        [
            "cadence = RHYTHM",
            "cadence = Cadence(**options)",
            "cadence = Cadence(*options)",
            "cadence = Cadence(bar_size=size)",
            "cadence = Cadence(bar_size=BarSize['DAILY'])",
            "cadence = Cadence(bar_size=timedelta(days=1), call_phase='on_bar_close', exec_lag_bars=1)",
            "cadence = Cadence(exec_lag_bars=lag)",
            "cadence = make_cadence()",
            "def cadence(self):\n    size = BarSize.DAILY\n    return Cadence(bar_size=size)",
            "cadence = Cadence()\ndef __init__(self):\n    self.cadence = None",
        ],
    )
    def test_a_computed_value_is_left_to_the_box(self, cadence: str) -> None:
        assert cadence_of(cadence) is None

    @pytest.mark.parametrize(
        ("cadence", "found"),
        [
            ("Cadence(bar_size=BarSize.HOURLY)", ("invalid-cadence", 5, 32)),
            ("Cadence(execution=ExecutionTiming.FAKE)", ("invalid-cadence", 5, 33)),
            ("Cadence(execution=BarSize.DAILY)", ("invalid-cadence", 5, 33)),
            ('Cadence(bar_size="hourly")', ("invalid-cadence", 5, 32)),
            ("Cadence(bar_size=None)", ("invalid-cadence", 5, 32)),
            ("Cadence(size=BarSize.DAILY)", ("invalid-cadence", 5, 23)),
            ("Cadence(BarSize.DAILY, bar_size=BarSize.DAILY)", ("invalid-cadence", 5, 23)),
            ("Cadence(BarSize.DAILY, ExecutionTiming.CLOSE_TO_CLOSE, 1)", ("invalid-cadence", 5, 15)),
            (
                "Cadence(execution=ExecutionTiming.CLOSE_TO_CLOSE, exec_lag_bars=0)",
                ("invalid-cadence", 5, 15),
            ),
            ('"1d"', ("invalid-cadence", 5, 15)),
            ("BarSize.DAILY", ("invalid-cadence", 5, 15)),
            ('{"bar_size": "1d"}', ("invalid-cadence", 5, 15)),
            ("Cadence(exec_lag_bars=2)", ("cadence-not-supported", 5, 37)),
            ("Cadence(exec_lag_bars=-1)", ("cadence-not-supported", 5, 37)),
            ("Cadence(exec_lag_bars=True)", ("cadence-not-supported", 5, 37)),
            ("Cadence(call_phase=CallPhase.ON_BAR_OPEN)", ("cadence-not-supported", 5, 34)),
            ('Cadence(call_phase="on_bar_open")', ("cadence-not-supported", 5, 34)),
        ],
    )
    def test_a_cadence_that_cannot_be_simulated_is_a_violation_at_its_position(
        self, cadence: str, found: tuple[str, int, int]
    ) -> None:
        assert wrong(f'universe = ["SPY"]\ncadence = {cadence}') == [found]

    def test_the_message_lists_the_allowed_values(self) -> None:
        _, violations = read(strategy('universe = ["SPY"]\ncadence = Cadence(exec_lag_bars=3)'))
        assert violations[0].message == "exec_lag_bars must be 0 (fill at the same close) or 1 (fill at the next open)"

    def test_the_authors_class_named_cadence_is_not_the_frameworks(self) -> None:
        head = "from hqg_algorithms import Hold, Strategy\nclass Cadence: pass\n"
        assert cadence_of("cadence = Cadence()", head=head) is None


class TestParameters:
    def declared(self, body: str, after: str = "") -> object:
        description, violations = read(strategy(f'universe = ["SPY"]\n{body}', after=after))
        assert violations == ()
        return description.parameters and description.parameters.defaults

    def test_literal_defaults_are_read_as_json(self) -> None:
        body = 'declared_parameters = {"fast": 10, "stop": -0.05, "on": True, "by": [1, [None]], "of": {"a": "b"}}'
        expected = {"fast": 10, "stop": -0.05, "on": True, "by": [1, [None]], "of": {"a": "b"}}
        assert self.declared(body) == expected
        assert self.declared("declared_parameters: dict = {}") == {}

    @pytest.mark.parametrize(
        ("body", "after"),
        [
            ("", ""),
            ('declared_parameters = dict(fast=10)\ny = {"z": 1}', ""),
            ('declared_parameters = {"days": 5 * 4}', ""),
            ('declared_parameters = {"pair": (1, 2)}', ""),
            ('declared_parameters = {"by": {1: 2}}', ""),
            ('declared_parameters = {"most": 1e999}', ""),
            (f'declared_parameters = {{"most": {2**70}}}', ""),
            ('declared_parameters = {"since": timedelta(days=1)}', ""),
            ('declared_parameters = {"fast": 10}', 'Mine.declared_parameters["slow"] = 20\n'),
        ],
    )
    def test_defaults_that_only_running_the_code_can_tell_are_left_open(self, body: str, after: str) -> None:
        assert self.declared(body, after) is None

    @pytest.mark.parametrize("value", ['["fast"]', "10", '"fast"', "None", '{1: "x"}', '("fast", 10)', '{"fast"}'])
    def test_anything_but_a_dict_of_names_is_reported(self, value: str) -> None:
        _, violations = read(strategy(f'universe = ["SPY"]\ndeclared_parameters = {value}'))
        assert [(v.rule, v.line, v.column) for v in violations] == [("invalid-parameters", 5, 27)]

    def test_an_undeclared_parameter_is_named_with_those_declared_where_they_are(self) -> None:
        description, _ = read(strategy('universe = ["SPY"]\ndeclared_parameters = {"fast": 10, "stop": 0.05}'))
        reading = Reading(description, ())
        (violation,) = reading.given(["fast", "fst"]).violations
        assert violation == Violation(
            "unknown-parameter",
            "The strategy has no parameter 'fst' (did you mean 'fast'?): it declares fast (int), stop (float)",
            *(5, 27, 5, 53),
        )
        assert reading.given(["stop"]) == reading
        assert Reading(None, ()).given(["stop"]).violations == ()

    def test_no_name_makes_a_message_long(self) -> None:
        names = {"\u202e" + "x" * 5_000 + str(number): number for number in range(15)}
        description, _ = read(strategy(f'universe = ["SPY"]\ndeclared_parameters = {names!a}'))
        violations = Reading(description, ()).given(f"{number}" * 100 for number in range(1_000)).violations
        assert len(violations) == 20
        assert all(len(violation.message) <= 301 and violation.message.isprintable() for violation in violations)
