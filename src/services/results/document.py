"""What a result's document says of a run, as plain JSON values."""

from collections.abc import Iterable
from typing import Any

from hqg_algorithms import Cadence

from src.execution.session.reply import Unfilled
from src.models.request import BacktestRequest
from src.services.data_provider.base import PriceTable
from src.utils.canonical_json import canonical
from src.utils.metrics import Metrics

MAX_WARNINGS = 1_000


def parameters_answer(
    request: BacktestRequest, universe: tuple[str, ...], cadence: Cadence, warmup_bars: int = 0
) -> dict[str, Any]:
    """The run's parameters, with every default filled in.

    Args:
        warmup_bars: of the run, whether the request or the strategy asks for them.
    """
    return {
        "name": request.name,
        "starting_equity": request.initial_capital,
        "start_date": request.start_date.isoformat(),
        "end_date": request.end_date.isoformat(),
        "universe": list(universe),
        "bar_size": cadence.bar_size.value,
        "execution": cadence.execution.value,
        "commission": cost_wire(request.commission),
        "slippage": cost_wire(request.slippage),
        "benchmark": request.benchmark,
        "risk_free_rate": request.risk_free_rate,
        "min_trade_value": request.min_trade_value,
        **_later_parameters(request, warmup_bars),
        "seed": request.seed,
        "parameters": canonical(request.parameters),
    }


def _later_parameters(request: BacktestRequest, warmup_bars: int) -> dict[str, Any]:
    """Those of the fields added later that differ from their defaults; the warm-up may be the strategy's own."""
    later = request.later_fields()
    later.pop("warmup_bars", None)
    return later | ({"warmup_bars": warmup_bars} if warmup_bars else {})


def cost_wire(cost: Any) -> float | dict[str, Any]:
    """A commission or slippage in the request's form: a number, or the model's fields."""
    if isinstance(cost, int | float):
        return float(cost)
    wire: dict[str, Any] = cost.model_dump()
    return wire


def metrics_answer(metrics: Metrics) -> dict[str, Any]:
    """Every metric by name, and `undefined` with the reason of each null."""
    return {**metrics.values, "undefined": metrics.undefined}


def unfilled_warnings(unfilled: Iterable[Unfilled], prices: PriceTable) -> list[str]:
    """One sentence per stretch: symbol, day or days, reason."""
    return [_unfilled_warning(entry, prices) for entry in unfilled]


def _unfilled_warning(entry: Unfilled, prices: PriceTable) -> str:
    first, last = prices.dates[entry.first_day], prices.dates[entry.last_day]
    if entry.count == 1:
        return f"{entry.symbol} did not fill on {first}: {entry.reason}"
    return f"{entry.symbol} did not fill {entry.count} times from {first} to {last}: {entry.reason}"


def bounded(warnings: list[str]) -> list[str]:
    """The warnings; beyond the limit the first ones and the number of the rest."""
    if len(warnings) <= MAX_WARNINGS:
        return warnings
    return [*warnings[:MAX_WARNINGS], f"{len(warnings) - MAX_WARNINGS} more warnings are not listed"]
