"""From everything that decides a run's result to the result: contain, audit, measure."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np
from hqg_algorithms import Cadence

from src.errors import DataChanged, StrategyFailed
from src.execution.audit.books import Books
from src.execution.reading.strategy_source import StrategyDescription
from src.execution.session.reply import Reply
from src.execution.session.session import Description, Session
from src.models.request import BacktestRequest
from src.services.backtests.benchmark import Benchmarks
from src.services.backtests.coverage_warnings import period_warnings, window_warnings
from src.services.backtests.dataset import Dataset
from src.services.backtests.datasets import Datasets
from src.services.backtests.delistings import settlement_warnings, stopped_warnings
from src.services.backtests.identity import ENGINE_VERSION, run_hash
from src.services.backtests.idle_warning import idle_warning
from src.services.backtests.margin_warnings import margin_warnings
from src.services.backtests.measurement import (
    audited,
    daily_of,
    exit_warnings,
    line_days_of,
    logs_of,
    measured,
    orders_of,
    ruin_of,
    totals,
    trades_of,
)
from src.services.backtests.port import Observe
from src.services.backtests.price_warnings import share_warnings
from src.services.backtests.warm_up import warm_up_warnings
from src.services.data_provider.base import PriceTable
from src.services.data_provider.calendar import last_period_is_complete
from src.services.results import document as answer
from src.services.results.result import Result
from src.services.storage.records.runs import Progress
from src.utils.stopwatch import Stopwatch


@dataclass
class Prepared:
    """A run before its execution. Use it as a context manager; it can be executed once.

    Attributes:
        benchmarks: those of its capital.
        ingredients: everything that decides its result, as JSON values.
    """

    request: BacktestRequest
    strategy: StrategyDescription
    cadence: Cadence
    datasets: Datasets
    dataset: Dataset
    benchmarks: Benchmarks
    ingredients: Mapping[str, Any]
    sandbox_name: str
    watch: Stopwatch
    session: Session
    is_box_open: bool
    box: ExitStack
    run_hash: str = field(init=False)

    def __post_init__(self) -> None:
        self.run_hash = run_hash(self.ingredients)

    @property
    def prices(self) -> PriceTable:
        """The prices it trades at."""
        return self.dataset.prices

    @property
    def symbols(self) -> tuple[str, ...]:
        """The universe it trades."""
        return self.prices.symbols

    @property
    def class_name(self) -> str:
        """Name of the strategy's class."""
        return self.strategy.class_name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.box.close()

    def store_dataset(self, stored: str | None = None) -> str | None:
        """See src.services.backtests.datasets.Datasets.store."""
        return self.datasets.store(self.dataset, stored)

    def execute(self, observe: Observe | None = None) -> Result:
        """The result. Blocks.

        Args:
            observe: called during the run, see src.execution.session.session.Session.run.

        Raises:
            StrategyFailed, SandboxUnavailable, RunTimedOut, RunCancelled
        """
        watch = self.watch
        with watch.step("sandbox"):
            self._describe()
            reply = self._run(observe)
            self.box.close()
        with watch.step("audit"):
            books = audited(reply, self.prices, self.request, self.cadence, self.dataset.delistings)
        with watch.step("metrics"):
            trades, metrics = measured(books, self.request, self.benchmarks)
            daily, orders, round_trips = (
                daily_of(books, self.benchmarks, reply.plots),
                orders_of(books),
                trades_of(books),
            )
        document = {
            "run_hash": self.run_hash,
            "job_id": self.run_hash,
            "parameters": answer.parameters_answer(
                self.request, self.symbols, self.cadence, self.dataset.wanted.warmup_bars
            ),
            "metrics": answer.metrics_answer(metrics),
            "equity_stats": totals(self.request, books, trades, self.prices),
            **ruin_of(books),
            "logs": logs_of(reply),
            **line_days_of(reply, self.dataset.dates),
            "warnings": answer.bounded(self._warnings(reply, books)),
            "provenance": self._provenance() | {"timings_ms": watch.milliseconds()},
        }
        return Result(document, daily, orders, round_trips)

    def _describe(self) -> None:
        if not self.is_box_open:
            self.is_box_open = True
            described = self.session.describe()
            check_agreement(self.strategy, described)
            if in_run(described, self.request) != (self.symbols, self.cadence, self.dataset.wanted.warmup_bars):
                raise DataChanged(
                    "Since this run was accepted, its strategy's universe, cadence or warm-up changed: post it again."
                )

    def _run(self, observe: Observe | None) -> Reply:
        rules = engine_rules(self.request, self.cadence, self.prices, self.dataset.delistings)
        if observe is None:
            return self.session.run(self.prices, rules, warm_up=self.dataset.warm_up)
        dates = self.prices.dates

        def forward(day_index: int, equity: float, lines: Sequence[str]) -> None:
            observe(Progress((day_index + 1) / len(dates), str(dates[day_index]), equity), lines)

        return self.session.run(self.prices, rules, forward, self.dataset.warm_up)

    def _warnings(self, reply: Reply, books: Books) -> list[str]:
        synthetic = "These prices are synthetic (made up by this service): they say nothing about any market."
        return [
            # First, because another request for the same run has different ones: see Result.asked_as.
            *self.request.unknown_fields_warnings(),
            *([synthetic] if self.dataset.is_synthetic else []),
            *window_warnings(self.prices, self.request.start_date, self.request.end_date),
            *period_warnings(self.prices.dates),
            *self._warm_up_warnings(),
            *self.prices.warnings(),
            *self.dataset.jumps,
            *share_warnings(self.prices, self.request),
            *self.benchmarks.warnings,
            *margin_warnings(books, self.request),
            *settlement_warnings(books, self.request.delisting_return),
            *exit_warnings(books),
            *stopped_warnings(books, self.prices.history_ends),
            *idle_warning(reply, self.request, self.cadence, len(books.day)),
            *answer.unfilled_warnings(reply.unfilled, self.prices),
        ]

    def _warm_up_warnings(self) -> list[str]:
        wanted, earlier = self.dataset.wanted.warmup_bars, self.dataset.warm_up
        return warm_up_warnings(wanted, self.cadence.bar_size, earlier, self.prices) if earlier else []

    def _provenance(self) -> dict[str, Any]:
        return {
            "data_source": self.dataset.source,
            "is_synthetic": self.dataset.is_synthetic,
            "data_hash": self.ingredients["data"],
            "data": [origin.as_json() for origin in self.dataset.origins],
            "code_hash": self.ingredients["code"],
            "engine_version": ENGINE_VERSION,
            "sandbox": self.sandbox_name,
            "seed": self.request.seed,
        }


def in_run(described: Description, request: BacktestRequest) -> Description:
    """The strategy as it runs for a request, whose warm-up wins over the strategy's own."""
    return described if request.warmup_bars is None else described._replace(warmup_bars=request.warmup_bars)


def check_agreement(strategy: StrategyDescription, described: Description) -> None:
    """Check that the running strategy has the universe, cadence and warm-up that its source states.

    Raises:
        StrategyFailed: they differ.
    """
    universe, cadence, warmup_bars = described
    if strategy.universe is not None and strategy.universe != universe:
        raise StrategyFailed(
            [
                f"the universe in the source is {_listed(strategy.universe)}, but the "
                f"running strategy returns {_listed(universe)}"
            ]
        )
    if strategy.cadence is not None and strategy.cadence != cadence:
        raise StrategyFailed(["the source and the running strategy have different cadences"])
    if strategy.warmup_bars is not None and strategy.warmup_bars != warmup_bars:
        raise StrategyFailed(
            [f"warmup_bars in the source is {strategy.warmup_bars}, but the running strategy has {warmup_bars}"]
        )


def engine_rules(
    request: BacktestRequest, cadence: Cadence, prices: PriceTable, delistings: Mapping[int, int]
) -> dict[str, Any]:
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
        "delistings": sorted(delistings.items()),
        "delisting_return": request.delisting_return,
        "dividends": _dividend_rows(prices),
        "allow_short": request.allow_short,
        "max_gross": request.max_gross,
        "borrow_rate": request.borrow_rate,
        "margin_rate": request.margin_rate,
    }


def _dividend_rows(prices: PriceTable) -> list[tuple[int, int, float]]:
    """(day, symbol, cash per share) of each dividend."""
    if prices.dividends is None:
        return []
    days, symbols = np.nonzero(prices.dividends)
    amounts = prices.dividends[days, symbols]
    return list(zip(days.tolist(), symbols.tolist(), amounts.tolist(), strict=True))


def _listed(symbols: tuple[str, ...]) -> str:
    shown = ", ".join(symbols[:10])
    return shown if len(symbols) <= 10 else f"{shown} and {len(symbols) - 10} more"
