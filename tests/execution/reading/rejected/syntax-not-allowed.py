"""Syntax that a backtest does not need."""


async def coroutine():  # <-
    await coroutine()  # <-
    async for x in y:  # <-
        pass
    async with y:  # <-
        pass
    return [x async for x in y]  # <-


try:  # <-
    pass
except* ValueError:
    pass


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
