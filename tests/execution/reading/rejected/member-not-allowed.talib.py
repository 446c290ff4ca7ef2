"""What TA-Lib re-exports or leaves behind in its modules."""

import talib
from talib import abstract, stream

talib.func  # <-
talib.chain  # <-
talib.atexit.register(print)  # <-
stream.func_name  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
