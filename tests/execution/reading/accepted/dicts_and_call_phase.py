from datetime import timedelta

from hqg_algorithms import BarSize, CallPhase, Cadence, PortfolioView, Slice, Strategy


class DictsAndCallPhase(Strategy):
    def __init__(self) -> None:
        self._symbols = ["SPY", "IEF"]
        self._hold_for = timedelta(days=30)

    def universe(self) -> list[str]:
        return self._symbols

    def cadence(self) -> Cadence:
        return Cadence(bar_size=BarSize.MONTHLY, call_phase=CallPhase.ON_BAR_CLOSE, exec_lag_bars=1)

    def on_data(self, data: Slice, portfolio: PortfolioView) -> dict[str, float] | None:
        if not data or data.close("SPY") is None:
            return None
        if data["SPY"]["close"] < data.get("SPY").open:
            return {}
        return {symbol: 1 / len(self._symbols) for symbol in self._symbols}
