"""Has a posted strategy read before any other work, so that slow sources delay only the client that posted them."""

from fastapi import Request

from src.app.services import Services
from src.models.request import BacktestRequest
from src.services.backtests.reading_cache import readable_strategy


async def check_readable(request: Request, services: Services, posted: BacktestRequest) -> float:
    """Check that the strategy breaks no rule. Its reading stays cached for the steps that follow.

    Returns:
        Seconds spent reading it, without the wait for a helper; 0 if the reading was cached.

    Raises:
        StrategyRejected, LineFull, ClientLineFull
    """
    reading = await services.readings.read(posted.strategy_code, request.state.client)
    readable_strategy(reading.trading(posted.universe).given(posted.parameters))
    return reading.seconds
