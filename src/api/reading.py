"""Has a posted strategy read before anything else is done for it: whoever posts slow sources waits for them alone."""

from fastapi import Request

from src.api.dependencies import Services
from src.models.request import BacktestRequest
from src.services.readings import readable_strategy


async def check_readable(request: Request, services: Services, posted: BacktestRequest) -> None:
    """Return once the strategy has been read and breaks no rule. It stays known for the steps that follow.

    Raises:
        StrategyRejected, LineFull, ClientLineFull
    """
    reading = await services.readings.read(posted.strategy_code, request.state.client)
    readable_strategy(reading.trading(posted.universe))
