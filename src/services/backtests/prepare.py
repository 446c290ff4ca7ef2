"""From a request to everything that decides its result: read, describe, fetch, hash."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from hqg_algorithms import BarSize, Cadence, ExecutionTiming

from src.execution.reading.reading import Reading, read
from src.execution.reading.strategy_source import StrategyDescription
from src.execution.sandbox.base import Sandbox
from src.execution.session.session import MAX_ORDERS, Description, Job, Session
from src.models.request import BacktestRequest
from src.services.backtests.benchmark import Benchmarks
from src.services.backtests.dataset import DataRequest, Dataset
from src.services.backtests.datasets import Datasets
from src.services.backtests.execute import Prepared, check_agreement, in_run
from src.services.backtests.identity import ENGINE_VERSION, code_hash
from src.services.backtests.port import BoxNeeded
from src.services.backtests.reading_cache import readable_strategy
from src.services.data_provider.waiting import price_deadline
from src.services.results import document as answer
from src.services.storage.records.runs import RunDetails
from src.utils.canonical_json import canonical
from src.utils.deadline import Deadline
from src.utils.stopwatch import Stopwatch


@dataclass(frozen=True)
class RunLimits:
    """Limits of one run.

    Attributes:
        wall_seconds: wall time for loading and running the strategy.
        max_orders: number of orders.
    """

    wall_seconds: float = 300.0
    max_orders: int = MAX_ORDERS


class Backtests:
    """Runs backtests in two steps: gather everything that decides the result, then compute it.

    Args:
        datasets: prepares their prices.
        sandbox: runs strategies.
        limits: limits of one run.
        read: reads a source without running it; by default in this process, which a hostile source can keep busy.
    """

    def __init__(
        self,
        *,
        datasets: Datasets,
        sandbox: Sandbox,
        limits: RunLimits,
        read: Callable[[str], Reading] = read,
    ) -> None:
        self._read = read
        self._datasets = datasets
        self._sandbox = sandbox
        self._limits = limits

    def prepare(
        self,
        request: BacktestRequest,
        *,
        deadline: Deadline,
        may_open_box: bool = True,
        reading_seconds: float = 0.0,
        accepted: RunDetails | None = None,
    ) -> "Prepared":
        """Everything that decides the result, and its hash. Blocks; thread-safe.

        Only a strategy that computes its universe or cadence needs a box here, which is kept for the execution.

        Args:
            deadline: the request's.
            may_open_box: whether the caller has a slot for a box.
            reading_seconds: time this request already spent reading the strategy; part of the timings.
            accepted: the run as it was accepted earlier: it keeps its universe, its cadence and, while they are stored,
                its prices.

        Returns:
            A context manager: leaving it destroys the box.

        Raises:
            StrategyRejected, StrategyFailed, NoPrices, PriceSourceUnavailable, SandboxUnavailable,
            RunTimedOut, RunCancelled
            BoxNeeded: a box is needed and may_open_box is False.
        """
        watch = Stopwatch(reading_seconds)
        reading = self._read(request.strategy_code)
        # Not the time of the call: it may have waited for other sources to be read.
        watch.count("analysis", reading_seconds + reading.seconds)
        strategy = readable_strategy(reading.trading(request.universe).given(request.parameters))
        job = self._job(strategy, request)
        with ExitStack() as box:
            session = Session(self._sandbox, job, deadline)
            box.push(session)
            traded, is_open = _read_off(strategy, request), False
            if accepted is not None and accepted.ingredients.get("engine_version") == ENGINE_VERSION:
                traded = described(accepted.ingredients)
            if traded is None:
                if not may_open_box:
                    raise BoxNeeded
                with watch.step("sandbox"):
                    own = session.describe()
                    is_open = True
                    check_agreement(strategy, own)
                    traded = in_run(own, request)
            with watch.step("data"):
                # Created here, once the remaining time of the request is known.
                stored = None if accepted is None else accepted.dataset
                dataset = self._datasets.prepare(DataRequest.of(request, traded), price_deadline(deadline), stored)
                benchmarks = dataset.benchmark.of_capital(request.initial_capital, request.risk_free_rate)
            return Prepared(
                request=request,
                strategy=strategy,
                cadence=traded.cadence,
                datasets=self._datasets,
                dataset=dataset,
                benchmarks=benchmarks,
                ingredients=ingredients(request, traded.cadence, dataset, benchmarks),
                sandbox_name=self._sandbox.name,
                watch=watch,
                session=session,
                is_box_open=is_open,
                box=box.pop_all(),
            )

    def _job(self, strategy: StrategyDescription, request: BacktestRequest) -> Job:
        return Job(
            source=request.strategy_code,
            class_name=strategy.class_name,
            needs_prelude=strategy.needs_prelude,
            # With the defaults that can be read, so that `import config` has them while the source's module runs.
            parameters=(dict(strategy.parameters.defaults) if strategy.parameters else {})
            | canonical(request.parameters),
            seed=request.seed,
            wall_seconds=self._limits.wall_seconds,
            universe=None if request.universe is None else tuple(request.universe),
            max_orders=self._limits.max_orders,
            allow_short=request.allow_short,
            max_gross=request.max_gross,
        )


def _read_off(strategy: StrategyDescription, request: BacktestRequest) -> Description | None:
    """The strategy as it runs, if the source alone tells."""
    warmup_bars = strategy.warmup_bars if request.warmup_bars is None else request.warmup_bars
    if strategy.universe is None or strategy.cadence is None or warmup_bars is None:
        return None
    return Description(strategy.universe, strategy.cadence, warmup_bars)


def described(ingredients: Mapping[str, Any]) -> Description:
    """The strategy in a run's ingredients, as it runs."""
    cadence = Cadence(BarSize(ingredients["bar_size"]), ExecutionTiming(ingredients["execution"]))
    return Description(tuple(ingredients["universe"]), cadence, ingredients.get("warmup_bars", 0))


def ingredients(request: BacktestRequest, cadence: Cadence, dataset: Dataset, benchmarks: Benchmarks) -> dict[str, Any]:
    """Everything that decides the result of a run, as canonical JSON values. The name does not."""
    values = answer.parameters_answer(request, dataset.prices.symbols, cadence, dataset.wanted.warmup_bars)
    del values["name"]
    return {
        "initial_capital": canonical(values.pop("starting_equity")),
        **{name: canonical(value) for name, value in values.items()},
        # If it is given, the strategy's own universe() is not called.
        "is_universe_given": request.universe is not None,
        "code": code_hash(request.strategy_code),
        "engine_version": ENGINE_VERSION,
        "data": dataset.data_hash,
        "yardsticks": benchmarks.hash(),
    }
