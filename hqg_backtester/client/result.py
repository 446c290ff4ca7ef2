"""The result of a backtest."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hqg_backtester.client import frames
from hqg_backtester.client.page import result_page

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Result:
    """The whole answer to a backtest.

    Tables are pandas objects, created on each access. Their indexes are trading days without a time zone, so they join
    with prices from elsewhere; `.tz_localize("UTC")` gives them one.

    Attributes:
        raw: the service's answer as it came.
        fetch: fetches a part of the run from the service, such as "artifacts/report.html".
    """

    raw: dict[str, Any]
    fetch: Callable[[str], bytes] = field(compare=False)

    @property
    def run_hash(self) -> str:
        """Identifies the run: the hash of everything that decides the result."""
        return str(self.raw["run_hash"])

    @property
    def name(self) -> str | None:
        """The run's name."""
        name: str | None = self.raw["parameters"].get("name")
        return name

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Every metric; what is undefined is None, and `metrics["undefined"]` has the reason. Rates are fractions."""
        return MappingProxyType(self.raw["metrics"])

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The settings of the run with every default filled in, including `starting_equity` and `universe`."""
        return MappingProxyType(self.raw["parameters"])

    @property
    def equity(self) -> "pd.DataFrame":
        """The portfolio's open, high, low and close of each day, in account currency.

        Raises:
            PackageMissing: pandas is not installed.
        """
        return frames.equity_frame(self.raw["candles"])

    @cached_property
    def statistics(self) -> Mapping[str, Any]:
        """Drawdowns and calendar returns, computed by the service as for its report; fetched on first use.

        Raises:
            ClientError: the service does not return them.
        """
        return MappingProxyType(json.loads(self.fetch("statistics")))

    @property
    def returns(self) -> "pd.Series[float]":
        """Simple daily returns as fractions, the first from the starting equity; the metrics are computed from these.

        Raises:
            PackageMissing: pandas is not installed.
        """
        return frames.returns_series(self.raw["candles"], self.raw["parameters"]["starting_equity"])

    @property
    def drawdown(self) -> "pd.Series[float]":
        """Distance of each day's close below the highest so far: 0.25 is a quarter, the largest is `max_drawdown`.

        Raises:
            PackageMissing: pandas is not installed.
            ClientError: the service does not return the run's statistics.
        """
        return frames.drawdown_series(self.raw["candles"], self.statistics["drawdown"])

    @property
    def drawdown_periods(self) -> "pd.DataFrame":
        """The ten deepest drawdowns, deepest first: depth, peak, trough, recovery (NaT if open) and n_days.

        `peak` is NaT for a fall from the initial capital, before the first day.

        Raises:
            as `drawdown`
        """
        return frames.drawdown_periods_frame(self.statistics["drawdown_periods"])

    @property
    def monthly_returns(self) -> "pd.DataFrame":
        """One row per year, columns 1 to 12 and `total`: simple returns as fractions, NaN for a month without a day.

        Raises:
            as `drawdown`
        """
        return frames.monthly_returns_frame(self.statistics["years"])

    @property
    def orders(self) -> "pd.DataFrame":
        """Every fill, in order: id, symbol, action, price, shares, fee, slippage_cost.

        Raises:
            PackageMissing: pandas is not installed.
        """
        return frames.orders_frame(self.raw["orders"])

    @property
    def trades(self) -> "pd.DataFrame | None":
        """Every round trip by its exit: symbol, side, entry and exit, shares, pnl, return, excursions, exit reason.

        First in, first out; None if the service stored this run before it recorded them.

        Raises:
            PackageMissing: pandas is not installed.
        """
        trades = self.raw.get("trades")
        return None if trades is None else frames.trades_frame(trades)

    @property
    def trade_statistics(self) -> Mapping[str, Any]:
        """`per_round_trip` (None if they were not recorded) and `per_fill`, as in `metrics`. Rates are fractions."""
        return MappingProxyType(self.raw.get("trade_statistics") or {})

    @property
    def benchmark_metrics(self) -> Mapping[str, Any] | None:
        """The same metrics of the benchmark; None without one."""
        metrics = self.raw.get("benchmark_metrics")
        return None if metrics is None else MappingProxyType(metrics)

    @property
    def metrics_lean(self) -> Mapping[str, Any]:
        """The run measured as QuantConnect's LEAN measures its own; see the service's /docs."""
        return MappingProxyType(self.raw.get("metrics_lean") or {})

    @property
    def rolling(self) -> "Mapping[int, pd.DataFrame]":
        """By days of the window, 63 and 252: sharpe_ratio, volatility, beta and max_drawdown of each day's window.

        Raises:
            PackageMissing: pandas is not installed.
        """
        windows = (self.raw.get("rolling") or {}).get("windows") or ()
        return {window["days"]: frames.rolling_frame(self.raw["candles"], window) for window in windows}

    @property
    def plots(self) -> "pd.DataFrame":
        """What the strategy plotted: a column per series, in any unit, by day.

        Raises:
            PackageMissing: pandas is not installed.
        """
        return frames.plots_frame(self.raw.get("plots") or ())

    @property
    def log_lines(self) -> "pd.DataFrame":
        """The columns date, NaT before the first bar, and line of `logs`.

        Raises:
            PackageMissing: pandas is not installed.
        """
        return frames.log_lines_frame(self.raw.get("log_lines") or ())

    @property
    def exposure(self) -> "pd.DataFrame":
        """Mean exposure and gross_exposure, and one-way turnover, of each month; fractions of equity.

        Raises:
            PackageMissing: pandas is not installed.
        """
        return frames.exposure_frame((self.raw.get("rolling") or {}).get("months") or ())

    @property
    def benchmark_monthly_returns(self) -> "pd.DataFrame | None":
        """The benchmark's, like `monthly_returns`; None without one.

        Raises:
            PackageMissing: pandas is not installed.
        """
        years = (self.raw.get("periods") or {}).get("benchmark_years")
        return None if years is None else frames.monthly_returns_frame(years)

    @property
    def weights(self) -> "pd.DataFrame":
        """One column per symbol: its fraction of equity after the fills of each day with fills.

        Raises:
            PackageMissing: pandas is not installed.
        """
        return frames.weights_frame(self.raw["holding_weights"])

    @property
    def benchmark(self) -> "pd.Series[float] | None":
        """The benchmark, scaled to the starting equity; None without one.

        Raises:
            PackageMissing: pandas is not installed.
        """
        return frames.benchmark_series(self.raw["benchmark"])

    @property
    def warnings(self) -> Sequence[str]:
        """What a careful reader of the result should know."""
        return tuple(self.raw["warnings"])

    @property
    def logs(self) -> Sequence[str]:
        """What the strategy printed or logged, up to a limit."""
        return tuple(self.raw["logs"])

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What the result was made from: equal provenance means an equal result."""
        return MappingProxyType(self.raw["provenance"])

    def report(self, path: str | os.PathLike[str] = "report.html") -> Path:
        """Save the service's report, one self-contained HTML file, and return its path.

        Raises:
            OSError: it cannot be written.
            ClientError: the service does not return it.
        """
        file = Path(path)
        file.write_bytes(self.fetch("artifacts/report.html"))
        return file

    def __repr__(self) -> str:
        parameters = self.raw["parameters"]
        numbers = {name: self.metrics.get(name) for name in ("total_return", "sharpe_ratio")}
        shown = [f"{name}={value:.4g}" for name, value in numbers.items() if value is not None]
        window = f"{parameters['start_date']} to {parameters['end_date']}"
        what = ", ".join([repr(self.name), window, *shown, f"{len(self.raw['orders'])} orders"])
        return f"<Result {self.run_hash[:12]}: {what}>"

    def _repr_html_(self) -> str:
        return result_page(self.raw)
