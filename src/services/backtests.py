"""The whole job, top to bottom: read, describe, fetch, contain, audit, measure."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from hqg_algorithms import Cadence

from src.engine.costs import commission_from_wire, slippage_from_wire
from src.errors import StrategyFailed, StrategyRejected
from src.execution.audit import AuditFailed, AuditRules, Claim, audit
from src.execution.books import Books
from src.execution.reading import Reading, read
from src.execution.sandbox.base import Patience, Sandbox
from src.execution.session import Job, Reply, Session
from src.execution.strategy_source import UNIVERSE_RULES, StrategyDescription
from src.models.request import BacktestRequest
from src.services import answer
from src.services.data_provider.base import DataProvider, PriceTable
from src.services.data_provider.calendar import last_period_is_complete
from src.services.run_identity import ENGINE_VERSION, code_hash, run_hash
from src.services.stopwatch import Stopwatch
from src.services.yardsticks import Yardsticks, find_yardsticks
from src.utils.metrics import Metrics, measure
from src.utils.return_stats import periods_per_year
from src.utils.trade_stats import TradeColumns, equity_stats

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunLimits:
    """What one run may take.

    Attributes:
        wall_seconds: wall time of loading and running the strategy.
    """

    wall_seconds: float = 300.0


class Backtests:
    """Runs backtests.

    Args:
        provider: where prices come from.
        sandbox: where strategies run.
        limits: what one run may take.
        read: reads a source without running it; by default in this process, which a hostile source can keep busy.
    """

    def __init__(
        self,
        *,
        provider: DataProvider,
        sandbox: Sandbox,
        limits: RunLimits,
        read: Callable[[str], Reading] = read,
    ) -> None:
        self._read = read
        self._provider = provider
        self._sandbox = sandbox
        self._limits = limits

    def run(
        self,
        request: BacktestRequest,
        *,
        deadline: float,
        cancel: threading.Event,
        universe: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """The answer to one request, ready for JSON. Blocks; safe to call from several threads.

        Args:
            deadline: time.monotonic() seconds at which the request's time is up.
            cancel: set when nobody waits for the answer any more.
            universe: tickers that the strategy trades whatever it says itself, upper-case and unique; None asks it.

        Raises:
            StrategyRejected, StrategyFailed, NoPrices, PriceSourceUnavailable, SandboxUnavailable,
            RunTimedOut, RunCancelled
        """
        watch = Stopwatch()
        with watch.step("analysis"):
            strategy = readable_strategy(self._read(request.strategy_code), universe)
        prices = None
        if strategy.universe is not None:
            with watch.step("data"):
                prices = self._fetch(strategy.universe, request)
        job = self._job(strategy, request, universe)
        with Session(self._sandbox, job, Patience(deadline, cancel)) as session:
            with watch.step("sandbox"):
                symbols, cadence = session.describe()
                check_agreement(strategy, symbols, cadence)
            if prices is None:
                with watch.step("data"):
                    prices = self._fetch(symbols, request)
            with watch.step("sandbox"):
                reply = session.run(prices, engine_rules(request, cadence, prices))
        with watch.step("audit"):
            books = audited(reply, prices, request, cadence)
        with watch.step("data"):
            yardsticks = self._yardsticks(prices, request)
        with watch.step("metrics"):
            trades, metrics = measured(books, request, yardsticks)
            body = answer_body(request, books, trades, metrics, prices, yardsticks)
        parameters = answer.parameters_answer(request, symbols, cadence)
        provenance = self._provenance(request, prices)
        identity = run_hash(
            {**parameters, "name": None, "code": provenance["code_hash"], "data": provenance["data_hash"]}
            | {"engine": ENGINE_VERSION}
        )
        return {
            "run_hash": identity,
            "job_id": identity,
            "parameters": parameters,
            **body,
            "logs": logs_of(reply),
            "warnings": answer.bounded(self._warnings(request, prices, reply, yardsticks)),
            "provenance": provenance | {"timings_ms": watch.milliseconds()},
        }

    def _job(self, strategy: StrategyDescription, request: BacktestRequest, universe: Sequence[str] | None) -> Job:
        return Job(
            source=request.strategy_code,
            class_name=strategy.class_name,
            needs_prelude=strategy.needs_prelude,
            parameters=request.parameters,
            seed=request.seed,
            wall_seconds=self._limits.wall_seconds,
            universe=None if universe is None else tuple(universe),
        )

    def _fetch(self, universe: tuple[str, ...], request: BacktestRequest) -> PriceTable:
        return self._provider.fetch(universe, request.start_date, request.end_date)

    def _yardsticks(self, prices: PriceTable, request: BacktestRequest) -> Yardsticks:
        return find_yardsticks(
            self._provider,
            prices,
            benchmark=request.benchmark,
            risk_free_rate=request.risk_free_rate,
            initial_capital=request.initial_capital,
        )

    def _warnings(
        self, request: BacktestRequest, prices: PriceTable, reply: Reply, yardsticks: Yardsticks
    ) -> list[str]:
        synthetic = (
            ["These prices are synthetic (made up by this service): no conclusion about a market follows."]
            if self._provider.is_synthetic
            else []
        )
        return [
            *synthetic,
            *request.unknown_fields_warnings(),
            *prices.warnings(),
            *yardsticks.warnings,
            *answer.unfilled_warnings(reply.unfilled, prices),
        ]

    def _provenance(self, request: BacktestRequest, prices: PriceTable) -> dict[str, Any]:
        return {
            "data_source": self._provider.name,
            "data_hash": prices.data_hash(),
            "data": [origin.as_json() for origin in prices.origins],
            "code_hash": code_hash(request.strategy_code),
            "engine_version": ENGINE_VERSION,
            "sandbox": self._sandbox.name,
            "seed": request.seed,
        }


def readable_strategy(reading: Reading, universe: Sequence[str] | None = None) -> StrategyDescription:
    """What the source says of itself, if it breaks no rule.

    Args:
        universe: tickers in place of its own, which then may be missing or wrong.

    Raises:
        StrategyRejected: it breaks a rule.
    """
    description = reading.description
    ignored = UNIVERSE_RULES if universe is not None else frozenset()
    violations = [violation for violation in reading.violations if violation.rule not in ignored]
    if description is None or violations:
        raise StrategyRejected([asdict(violation) for violation in violations])
    return description if universe is None else replace(description, universe=tuple(universe))


def check_agreement(strategy: StrategyDescription, universe: tuple[str, ...], cadence: Cadence) -> None:
    """What the strategy says in the box must be what its source said to us.

    Raises:
        StrategyFailed: it says something else.
    """
    if strategy.universe is not None and strategy.universe != universe:
        raise StrategyFailed(
            [
                f"the source says that the universe is {_listed(strategy.universe)}, but the "
                f"running strategy says {_listed(universe)}"
            ]
        )
    if strategy.cadence is not None and strategy.cadence != cadence:
        raise StrategyFailed(["the source and the running strategy say different cadences"])


def engine_rules(request: BacktestRequest, cadence: Cadence, prices: PriceTable) -> dict[str, Any]:
    """The wire form of the engine's rules."""
    last_day = prices.dates[-1].item()
    return {
        "bar_size": cadence.bar_size.value,
        "execution": cadence.execution.value,
        "initial_capital": request.initial_capital,
        "min_trade_value": request.min_trade_value,
        "commission": answer.cost_wire(request.commission),
        "slippage": answer.cost_wire(request.slippage),
        "last_period_complete": last_period_is_complete(last_day, cadence.bar_size, prices.has_weekend_days()),
    }


def audited(reply: Reply, prices: PriceTable, request: BacktestRequest, cadence: Cadence) -> Books:
    """The books that follow from the reply, if it is honest.

    Raises:
        StrategyFailed: a check of the audit failed.
    """
    claim = Claim(reply.day, reply.symbol, reply.shares, reply.price, reply.fee, reply.cash, reply.equity)
    rules = AuditRules(
        initial_capital=request.initial_capital,
        execution=cadence.execution,
        min_trade_value=request.min_trade_value,
        commission=commission_from_wire(answer.cost_wire(request.commission)),
        slippage=slippage_from_wire(answer.cost_wire(request.slippage)),
    )
    try:
        return audit(claim, prices, rules)
    except AuditFailed as error:
        logger.warning("a box's books were rejected: %s", error)
        raise StrategyFailed([str(error)], logs=reply.logs) from error


def measured(books: Books, request: BacktestRequest, yardsticks: Yardsticks) -> tuple[TradeColumns, Metrics]:
    """Orders as columns, and every metric."""
    trades = TradeColumns(books.day, books.symbol, books.shares, books.price, books.fee, books.reference_price)
    metrics = measure(
        books.equity,
        request.initial_capital,
        books.prices.dates,
        periods_per_year=periods_per_year(books.prices.dates),
        annual_risk_free_rate=yardsticks.risk_free_rate,
        benchmark_equity=yardsticks.benchmark,
        trades=trades,
        position_value=books.position_value,
    )
    return trades, metrics


def answer_body(
    request: BacktestRequest,
    books: Books,
    trades: TradeColumns,
    metrics: Metrics,
    prices: PriceTable,
    yardsticks: Yardsticks,
) -> dict[str, Any]:
    """Everything of the answer that comes from the books."""
    return {
        "metrics": answer.metrics_answer(metrics),
        "equity_stats": equity_stats(books.equity, request.initial_capital, trades),
        "candles": answer.candles_answer(books),
        "orders": answer.orders_answer(books),
        "holding_weights": answer.holding_weights_answer(books),
        "benchmark": answer.benchmark_answer(prices, yardsticks),
    }


def logs_of(reply: Reply) -> list[str]:
    """What the strategy printed, and how much more there was."""
    if not reply.lost_output_bytes:
        return list(reply.logs)
    return [*reply.logs, f"… {reply.lost_output_bytes} more bytes were printed and not kept"]


def _listed(symbols: tuple[str, ...]) -> str:
    shown = ", ".join(symbols[:10])
    return shown if len(symbols) <= 10 else f"{shown} and {len(symbols) - 10} more"
