"""A strategy that its author also runs as a script.

Uses __init__ and on_data only; see also "Strategy.__doc__".
"""

__author__ = "A. Student"
__version__ = "1.2"
__all__ = ["MainGuard"]

from hqg_algorithms import Strategy, TargetWeights

LOOKBACK_DAYS = 90
ALLOCATION = {"SPY": 0.6, "TLT": 0.4}


class MainGuard(Strategy):
    universe = ["SPY", "TLT"]

    def on_data(self, data, portfolio):
        present = {s: w for s, w in ALLOCATION.items() if data.has(s)}
        return TargetWeights(present)


def main():
    print(MainGuard.__name__, __name__, __version__, LOOKBACK_DAYS)


if __name__ == "__main__":
    main()
    pass
