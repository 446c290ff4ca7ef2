"""Strategies of every dialect load unmodified and give their universe and cadence."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import hqg_algorithms
import pytest
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Strategy

from src.engine.simulator import simulate
from src.execution.runner import dialects
from src.execution.runner.dialects import BadStrategy, CallPhase, describe
from src.execution.runner.signals import signal_reader
from src.execution.runner.views import frame_packer, frame_reader
from tests.engine.markets import market_of, real_prices, rules

CLOSE, OPEN = ExecutionTiming.CLOSE_TO_CLOSE, ExecutionTiming.CLOSE_TO_NEXT_OPEN


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Installs the dialects for one test and restores this process afterwards."""
    monkeypatch.setattr(Strategy, "__init_subclass__", vars(Strategy)["__init_subclass__"])
    monkeypatch.setattr(Cadence, "__init__", Cadence.__init__)
    monkeypatch.setattr(hqg_algorithms, "__all__", list(hqg_algorithms.__all__))
    for owner in (hqg_algorithms, hqg_algorithms.types):
        monkeypatch.setattr(owner, "CallPhase", None, raising=False)
    for name in ("call_phase", "exec_lag_bars"):
        monkeypatch.setattr(Cadence, name, None, raising=False)
    dialects.install()
    yield


def load(source: str, **names: Any) -> Any:
    """The last Strategy class in the source, as the strategy process runs it."""
    namespace: dict[str, Any] = dict(names)
    exec(source, namespace)  # noqa: S102 - our own strategies
    classes = [v for v in namespace.values() if isinstance(v, type) and issubclass(v, Strategy) and v is not Strategy]
    return classes[-1]


@pytest.mark.parametrize(
    ("file", "universe", "bar_size", "execution"),
    [
        ("dialect_1_class_attributes.py", ["SPY", "BND"], BarSize.DAILY, OPEN),
        ("dialect_2_computed_universe.py", [f"XL{letter}" for letter in "BEFIKPUVY"], BarSize.WEEKLY, CLOSE),
        ("dialect_2_methods_and_signals.py", ["SPY"], BarSize.MONTHLY, CLOSE),
        ("dialect_3_dicts.py", ["SPY", "TLT"], BarSize.QUARTERLY, CLOSE),
        ("dialect_4_no_imports.py", ["SPY"], BarSize.DAILY, CLOSE),
    ],
)
def test_a_strategy_of_each_dialect_is_described(
    strategies_folder: Path, file: str, universe: list[str], bar_size: BarSize, execution: ExecutionTiming
) -> None:
    names = dialects.DIALECT_4_NAMES if "no_imports" in file else {}
    strategy = load((strategies_folder / file).read_text(), **names)
    assert describe(strategy()) == describe(strategy) == (universe, Cadence(bar_size, execution))


@pytest.mark.parametrize(
    ("file", "n_decisions"),
    [
        ("dialect_1_class_attributes.py", 504),
        ("dialect_2_computed_universe.py", 105),
        ("dialect_2_methods_and_signals.py", 24),
        ("dialect_3_dicts.py", 8),
        ("dialect_4_no_imports.py", 504),
    ],
)
def test_a_strategy_of_each_dialect_runs_unmodified(
    strategies_folder: Path, price_folder: Path, file: str, n_decisions: int
) -> None:
    """2015 and 2016: 252 trading days each, and 105 weeks ending on the Fridays 2015-01-02 to 2016-12-30."""
    source = (strategies_folder / file).read_text()
    strategy = load(source, **(dialects.DIALECT_4_NAMES if "no_imports" in file else {}))()
    universe, cadence = describe(strategy)
    symbols = tuple(universe)

    pack, views, read_signal = frame_packer(len(symbols)), frame_reader(symbols), signal_reader(symbols)

    def decide(day: int, *account: Any) -> Any:
        return read_signal(strategy.on_data(*views(pack(0.0, False, *account))))

    market = market_of(real_prices(price_folder, symbols, "2015-01-01", "2016-12-31"))
    ledger = simulate(market, rules(bar_size=cadence.bar_size, execution=cadence.execution), decide)
    assert ledger.decisions == n_decisions
    assert len(ledger.orders.day) > 0
    assert 500 < ledger.equity[-1] < 2000


def test_the_readme_example_of_0_1_x_loads() -> None:
    strategy = load(
        """
from hqg_algorithms import Strategy, Cadence, Slice, PortfolioView, BarSize, CallPhase

class BuyAndRebalance(Strategy):
    def __init__(self):
        super().__init__()

    def universe(self) -> list[str]:
        return ["SPY", "IEF"]

    def cadence(self) -> Cadence:
        return Cadence(bar_size=BarSize.DAILY, call_phase=CallPhase.ON_BAR_CLOSE)

    def on_data(self, data: Slice, portfolio: PortfolioView) -> dict[str, float] | None:
        return {"SPY": 0.6, "IEF": 0.4}
"""
    )
    assert describe(strategy()) == (["SPY", "IEF"], Cadence())


def test_a_star_import_includes_call_phase() -> None:
    strategy = load(
        """
from hqg_algorithms import *
class Mine(Strategy):
    universe = ["SPY"]
    def cadence(self):
        return Cadence(BarSize.WEEKLY, CallPhase.ON_BAR_CLOSE, 1)
    def on_data(self, data, portfolio):
        return Hold()
"""
    )
    assert describe(strategy()) == (["SPY"], Cadence(BarSize.WEEKLY, OPEN))


def test_the_authors_own_base_class_needs_no_universe() -> None:
    strategy = load(
        """
import hqg_algorithms as hqg
class Base(hqg.Strategy):
    tickers = ()
    def universe(self):
        return list(self.tickers)
class Mine(Base):
    tickers = ("spy", " bnd ", "SPY")
    cadence = hqg.Cadence(bar_size=hqg.BarSize.MONTHLY)
    def on_data(self, data, portfolio):
        return hqg.Hold()
"""
    )
    assert describe(strategy()) == (["SPY", "BND"], Cadence(BarSize.MONTHLY))


def test_a_universe_set_in_init_and_a_missing_cadence_work() -> None:
    class Mine(Strategy):
        def __init__(self) -> None:
            self.universe = ["SPY"]

        def on_data(self, data: object, portfolio: object) -> None:
            return None

    assert describe(Mine()) == (["SPY"], Cadence(BarSize.DAILY, CLOSE))


def test_a_class_with_attributes_is_not_instantiated() -> None:
    class Mine(Strategy):
        universe: ClassVar = ["SPY"]

        def __init__(self) -> None:
            raise RuntimeError

        def on_data(self, data: object, portfolio: object) -> None:
            return None

    assert describe(Mine) == (["SPY"], Cadence())


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (Cadence, (BarSize.DAILY, CLOSE)),
        (lambda: Cadence(BarSize.WEEKLY, OPEN), (BarSize.WEEKLY, OPEN)),
        (lambda: Cadence(exec_lag_bars=0), (BarSize.DAILY, CLOSE)),
        (lambda: Cadence(exec_lag_bars=1), (BarSize.DAILY, OPEN)),
        (lambda: Cadence(call_phase=CallPhase.ON_BAR_CLOSE, exec_lag_bars=1), (BarSize.DAILY, OPEN)),
        (lambda: Cadence(BarSize.MONTHLY, CallPhase.ON_BAR_CLOSE, 0), (BarSize.MONTHLY, CLOSE)),
        (lambda: Cadence(timedelta(days=7), "on_bar_close", 1), (BarSize.WEEKLY, OPEN)),
        (lambda: Cadence(timedelta(days=1)), (BarSize.DAILY, CLOSE)),
        (lambda: Cadence("1q", "close_to_next_open"), (BarSize.QUARTERLY, OPEN)),
    ],
)
def test_a_cadence_of_either_version_is_the_librarys_type(make: Callable[[], Cadence], expected: Any) -> None:
    cadence = make()
    assert isinstance(cadence, hqg_algorithms.Cadence)
    assert (cadence.bar_size, cadence.execution) == expected
    assert cadence == Cadence(*expected)
    assert cadence.call_phase is CallPhase.ON_BAR_CLOSE
    assert cadence.exec_lag_bars == (expected[1] is OPEN)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Cadence(exec_lag_bars=2), "call_phase ON_BAR_CLOSE with exec_lag_bars 2 is not supported"),
        (lambda: Cadence(call_phase=CallPhase.ON_BAR_OPEN), "call_phase ON_BAR_OPEN with exec_lag_bars 0 is not"),
        (lambda: Cadence(call_phase=CallPhase.ON_BAR_OPEN, exec_lag_bars=1), "use ON_BAR_CLOSE with exec_lag_bars 0"),
        (lambda: Cadence(call_phase="noon"), "call_phase noon"),
        (lambda: Cadence(execution=OPEN, exec_lag_bars=0), "not both"),
        (lambda: Cadence(execution="soon"), "execution is 'soon'; it must be ExecutionTiming.CLOSE_TO_CLOSE or"),
        (lambda: Cadence(bar_size="1h"), "bar_size is '1h'; it must be one of BarSize.DAILY"),
        (lambda: Cadence(timedelta(minutes=5)), "bar_size is"),
    ],
)
def test_an_unsupported_cadence_is_rejected_with_the_reason(make: Callable[[], Cadence], message: str) -> None:
    with pytest.raises(ValueError) as error:
        make()
    assert message in str(error.value)


class Described:
    """A stand-in for a strategy instance: describe reads only these two attributes."""

    def __init__(self, universe: Any, cadence: Any = None) -> None:
        self.universe = universe
        self.cadence = cadence


@pytest.mark.parametrize(
    ("universe", "message"),
    [
        (None, 'the strategy has no universe; define one, e.g. universe = ["SPY", "BND"]'),
        ([], "universe is empty"),
        ("SPY", "universe must be a list of tickers, not str"),
        ({"SPY"}, "universe must be a list of tickers, not set"),
        (["SPY", 7], "universe must hold tickers as text, not int"),
        (["A" * 13], "'AAAAAAAAAAAAA' has more than 12 characters"),
        (["../../etc"], "'../../ETC' is not a ticker"),
        ([""], "'' is not a ticker"),
        (["SPY\nX"], "is not a ticker"),
        (["ＳＰＹ"], "is not a ticker"),
        ([f"S{i}" for i in range(201)], "universe has 201 tickers; at most 200 are allowed"),
    ],
)
def test_an_invalid_universe_is_rejected_with_the_reason(universe: Any, message: str) -> None:
    with pytest.raises(BadStrategy) as error:
        describe(Described(universe))
    assert message in str(error.value)


def test_tickers_of_every_kind_are_accepted_once_in_order_of_first_appearance() -> None:
    universe = ["^gspc", "brk-b", "BTC-USD", "ES=F", "7203.T", " spy", "BRK-B", "SPY "]
    assert describe(Described(universe))[0] == ["^GSPC", "BRK-B", "BTC-USD", "ES=F", "7203.T", "SPY"]
    assert len(describe(Described([f"S{i % 200}" for i in range(999)]))[0]) == 200


@pytest.mark.parametrize("cadence", ["daily", BarSize.DAILY, {"bar_size": "1d"}])
def test_an_object_that_is_not_a_cadence_is_rejected(cadence: Any) -> None:
    with pytest.raises(BadStrategy, match=r"cadence must be a Cadence\(\.\.\.\), not"):
        describe(Described(["SPY"], cadence))


def test_exceptions_of_the_strategys_own_methods_pass_through() -> None:
    def universe() -> list[str]:
        raise ZeroDivisionError("theirs")

    with pytest.raises(ZeroDivisionError, match="theirs"):
        describe(Described(universe))


def test_a_second_installation_changes_nothing() -> None:
    before = (list(hqg_algorithms.__all__), Cadence.__init__)
    dialects.install()
    assert (list(hqg_algorithms.__all__), Cadence.__init__) == before
    assert hqg_algorithms.__all__.count("CallPhase") == 1


def test_the_older_contract_has_every_name_without_an_import() -> None:
    assert {name: value.__name__ for name, value in dialects.DIALECT_4_NAMES.items()} == {
        name: name
        for name in (
            "Strategy", "Cadence", "BarSize", "ExecutionTiming", "CallPhase", "Signal", "TargetWeights", "Hold",
            "Liquidate", "Slice", "Bar", "PortfolioView",
        )
    }  # fmt: skip


def test_the_requests_parameters_replace_declared_defaults() -> None:
    class Mine(Strategy):
        declared_parameters: ClassVar = {"fast": 10, "slow": (20, 30)}

    assert dialects.parameters_of(Mine, {"fast": 5}) == {"fast": 5, "slow": (20, 30)}
    assert dialects.parameters_of(Mine, {}) == Mine.declared_parameters
    assert dialects.parameters_of(Strategy, {"anything": 1}) is None
    with pytest.raises(BadStrategy, match="no parameter 'fst': it declares fast, slow"):
        dialects.parameters_of(Mine, {"fst": 5})


@pytest.mark.parametrize("declared", [["fast"], {1: 2}, "fast"])
def test_declared_parameters_that_are_no_dict_of_names_are_refused(declared: Any) -> None:
    with pytest.raises(BadStrategy, match="must be a dict of names"):
        dialects.parameters_of(type("Mine", (), {"declared_parameters": declared}), {})
