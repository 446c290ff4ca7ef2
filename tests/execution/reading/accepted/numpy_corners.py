import numpy as np
import numpy.linalg as la
import numpy.ma as ma
from numpy import linalg
from numpy.fft import rfft, rfftfreq
from numpy.polynomial import Polynomial
from numpy.polynomial.polynomial import polyval

from hqg_algorithms import Hold, Strategy, TargetWeights


class NumpyCorners(Strategy):
    universe = ["GLD"]

    def __init__(self):
        self.prices = np.full(128, np.nan)
        self.dtype = np.dtype([("day", np.int64), ("price", np.float64)])

    def on_data(self, data, portfolio):
        close = data.close("GLD")
        if close is None:
            return Hold()
        self.prices = np.roll(self.prices, -1)
        self.prices[-1] = close
        known = ma.masked_invalid(self.prices)
        if known.count() < len(self.prices):
            return Hold()
        t = np.linspace(-1, 1, len(self.prices))
        trend = Polynomial.fit(t, self.prices, deg=2)
        detrended = self.prices - trend(t)
        spectrum = np.abs(rfft(detrended * np.hanning(len(detrended))))
        period = 1 / rfftfreq(len(detrended))[1:][np.argmax(spectrum[1:])]
        slope = trend.deriv()(1.0)
        u, s, vt = la.svd(np.outer(t, t), full_matrices=False)
        rank = linalg.matrix_rank(np.outer(t, t))
        powers = np.vander(t, 3)
        solution, *_ = np.linalg.lstsq(powers, self.prices, rcond=None)
        curve = np.polyval(np.polyfit(t, self.prices, 1), 1.0) - polyval(1.0, solution[::-1])
        table = np.zeros(3, dtype=self.dtype)
        table["price"] = self.prices[-3:]
        quantiles = np.percentile(self.prices, [5, 50, 95]).astype(np.float32)
        einsum = np.einsum("i,i->", t, t) + np.vectorize(lambda v: v * 2)(t).sum()
        days = np.busday_count("2020-01-01", "2020-02-01")
        text = np.array2string(quantiles, precision=2) + str(table.tolist()) + str(np.datetime64("2020-01-01", "D"))
        self.log(f"{period:.0f} {rank} {s[0]:.2f} {u.shape} {vt.shape} {curve:.2f} {einsum:.1f} {days} {text[:40]}")
        return TargetWeights({"GLD": 1.0 if slope > 0 and np.random.default_rng(0).random() < 1 else 0.0})
