import json
import pprint
import re
from string import ascii_uppercase

from hqg_algorithms import Hold, Strategy, TargetWeights

TEMPLATE = "{symbol}: {bar.close:>10.2f} ({share:.1%})"
HEADER = "%-6s|%8s|%s"


class TextAndLogging(Strategy):
    """Prints a lot: f-strings, templates, percent formats. (Calls __init__ once.)"""

    universe = ["SPY", "QQQ"]

    def __init__(self):
        self.day = 0
        self.width = 12
        assert all(re.fullmatch(r"[A-Z]+", s) and s[0] in ascii_uppercase for s in self.universe)

    def on_data(self, data, portfolio):
        self.day += 1
        if self.day % 250:
            return Hold()
        print(HEADER % ("symbol", "close", "share"))
        for symbol, bar in data.items():
            share = portfolio.weights.get(symbol, 0.0)
            print(TEMPLATE.format(symbol=symbol, bar=bar, share=share))
            self.log(f"{symbol!r:<{self.width}}{bar.close:,.2f} {'up' if bar.close > bar.open else 'down'}")
            self.log("{0} {1[0]} {2:{3}}".format(symbol, symbol, self.day, 5))
        print(f"{portfolio.equity=:.0f}", f"{self.day:04d}", f"{{literal}}", sep=" | ", end="\n")
        print(*map("{:.3f}".format, portfolio.weights.values()))
        self.log(json.dumps({"day": self.day, "cash": round(portfolio.cash, 2)}, sort_keys=True))
        self.log(pprint.pformat(dict(portfolio.positions)).replace("\n", " ").upper().title().strip())
        self.log("regex: " + re.sub(r"\s+", " ", "  a   b ").join(["<", ">"]) + "\t\u20ac")
        return TargetWeights({s: 0.5 for s in self.universe})
