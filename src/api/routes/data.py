"""What prices are cached."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from starlette.concurrency import run_in_threadpool

from src.api.dependencies import ServicesDep
from src.api.documentation import PROBLEMS
from src.models.market_data import CachedPrices
from src.models.problems import Refusal
from src.utils.symbols import SYMBOL_PATTERN

router = APIRouter(prefix="/api/v1", tags=["data"])

Symbol = Annotated[str, Path(pattern=f"^{SYMBOL_PATTERN.pattern}$", examples=["SPY"])]


@router.get(
    "/data/{symbol}",
    operation_id="cached_prices",
    summary="What is cached of a symbol",
    responses={
        404: {"model": Refusal, "description": "Nothing of this symbol is cached."},
        **{status: problem for status, problem in PROBLEMS.items() if status not in {400, 413}},
    },
)
async def cached_prices(symbol: Symbol, services: ServicesDep) -> CachedPrices:
    """Range, rows, source and age of a symbol's cached prices. Never asks the source."""
    market_data = services.market_data
    held = None if market_data is None else await run_in_threadpool(market_data.cached, symbol)
    if held is None:
        raise HTTPException(404, f"No prices of '{symbol}' are cached by the source {services.data_source}.")
    return CachedPrices.model_validate(held)
