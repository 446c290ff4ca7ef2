"""One strategy class, three windows, from a script: `python -m examples.client_example [URL]`.

Outside a checkout: pip install "hqg-backtester[pandas]" hqg-algorithms
"""

import sys

from hqg_algorithms import BarSize, Cadence, Hold, Strategy, TargetWeights

from hqg_backtester import Client, RunError

LOOKBACK_MONTHS = 10


class SlowTrend(Strategy):
    """Stocks while they are above their average of some months, bonds otherwise."""

    universe = ["SPY", "BND"]
    cadence = Cadence(bar_size=BarSize.MONTHLY)

    def __init__(self):
        self.closes = []

    def on_data(self, data, portfolio):
        if not data.has("SPY"):
            return Hold()
        self.closes = [*self.closes, data.close("SPY")][-LOOKBACK_MONTHS:]
        is_up = self.closes[-1] >= sum(self.closes) / len(self.closes)
        return TargetWeights({"SPY": 1.0} if is_up else {"BND": 1.0})


def main() -> None:
    """Run the strategy in each window and compare."""
    client = Client(*sys.argv[1:2])
    # All three are submitted at once; the service runs them in parallel.
    windows = [("2010-01-01", "2014-12-31"), ("2015-01-01", "2019-12-31"), ("2010-01-01", "2019-12-31")]
    runs = [client.submit(SlowTrend, start, end, name="slow trend", slippage=0.0005) for start, end in windows]
    for run in runs:
        try:
            result = run.wait()
        except RunError as error:
            print(f"{run.run_hash[:12]} has no result: {error}")
            continue
        years = (1 + result.returns).groupby(result.returns.index.year).prod() - 1
        print(result)
        print(*(f"  {year}: {gain:.2%}" for year, gain in years.items()), sep="\n")
        print(*(f"  {text}" for text in result.warnings), sep="\n")


if __name__ == "__main__":
    main()
