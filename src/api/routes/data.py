"""The prices that the service holds."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.concurrency import run_in_threadpool

from src.api.http.dependencies import ServicesDep
from src.api.responses.problems import STORED_PROBLEMS, Answers
from src.models.market_data import CachedPrices, PriceCoverage, PriceCoverageList
from src.models.problems import BadRequest, Refusal
from src.utils.symbols import SYMBOL_PATTERN

if TYPE_CHECKING:  # they import NumPy, which would slow the start of the server
    from src.services.data_provider.cached_symbol import CachedSymbol
    from src.services.data_provider.queries import Coverage

router = APIRouter(prefix="/api/v1", tags=["data"])

Symbol = Annotated[str, Path(pattern=f"^{SYMBOL_PATTERN.pattern}$", examples=["SPY"])]

SHOWN_SUSPECTS = 20
MAX_PAGE = 200

SOURCE_PROBLEMS: Answers = {
    **STORED_PROBLEMS,
    502: {"model": Refusal, "description": "The stored prices cannot be read."},
}


@router.get(
    "/data",
    operation_id="list_prices",
    summary="List symbols with prices",
    response_description="One page, by name.",
    responses=SOURCE_PROBLEMS,
)
async def list_prices(
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Symbols per page.")] = 100,
    cursor: Annotated[str | None, Query(max_length=40, description="`next_cursor` of the previous page.")] = None,
) -> PriceCoverageList:
    """The symbols with prices, their first and last days, and files that cannot be used. Never queries the source."""
    market_data = services.market_data
    if market_data is None:
        return PriceCoverageList(source=services.data_source, symbols=[], next_cursor=None)
    page = await run_in_threadpool(market_data.page, limit, cursor)
    symbols = [_coverage(entry) for entry in page.entries]
    return PriceCoverageList(source=market_data.source, symbols=symbols, next_cursor=page.next_cursor)


@router.get(
    "/data/{symbol}",
    operation_id="cached_prices",
    summary="Describe a symbol's prices",
    responses={
        400: {"model": BadRequest, "description": "The symbol's file cannot be used."},
        404: {"model": Refusal, "description": "The service holds no prices for this symbol."},
        **SOURCE_PROBLEMS,
    },
)
async def cached_prices(symbol: Symbol, services: ServicesDep) -> CachedPrices:
    """Range, rows, source and age of a symbol's prices, from the cache or its file. Never queries the source."""
    market_data = services.market_data
    held = None if market_data is None else await run_in_threadpool(market_data.cached, symbol)
    if held is None:
        raise HTTPException(404, f"No prices for '{symbol}' are cached from the source {services.data_source}.")
    return _answer(held)


def _answer(held: "CachedSymbol") -> CachedPrices:
    return CachedPrices(
        symbol=held.symbol,
        source=held.source,
        first_day=held.first_day,
        last_day=held.last_day,
        rows=held.rows,
        fetched_at=held.fetched_at,
        covered_to=held.covered_to,
        suspect_rows=len(held.suspects),
        warnings=[str(suspect) for suspect in held.suspects[:SHOWN_SUSPECTS]],
    )


def _coverage(entry: "Coverage") -> PriceCoverage:
    held = entry.held
    return PriceCoverage(
        symbol=entry.symbol,
        first_day=held and held.first_day,
        last_day=held and held.last_day,
        rows=held.rows if held else 0,
        suspect_rows=len(held.suspects) if held else 0,
        problem=entry.problem,
    )
