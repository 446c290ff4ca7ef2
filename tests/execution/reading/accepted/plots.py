from hqg_algorithms import Hold, Strategy


class Plots(Strategy):
    universe = ["SPY"]
    warmup_bars = 20

    def on_data(self, data, portfolio):
        self.plot("close", data.close("SPY"))
        self.draw(data)
        return Hold()

    def draw(self, data):
        for name, value in {"high": data.high("SPY"), "low": data.low("SPY")}.items():
            self.plot(name, value)
