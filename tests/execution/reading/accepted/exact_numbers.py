import cmath
import math
from decimal import ROUND_HALF_EVEN, Decimal, getcontext
from fractions import Fraction
from numbers import Real
from statistics import NormalDist, fmean, median, pstdev

from hqg_algorithms import Hold, Strategy, TargetWeights

getcontext().prec = 28


class ExactNumbers(Strategy):
    universe = ["IEF"]

    def __init__(self):
        self.prices: list[Decimal] = []
        self.step = Fraction(1, 3)

    def on_data(self, data, portfolio):
        close = data.close("IEF")
        if not isinstance(close, Real):
            return Hold()
        self.prices.append(Decimal(str(close)).quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN))
        if len(self.prices) < 30:
            return Hold()
        values = [float(p.ln()) for p in self.prices[-30:]]
        spread = pstdev(values) or math.inf
        z = (values[-1] - fmean(values)) / spread
        chance = NormalDist(mu=0.0, sigma=1.0).cdf(z)
        circle = abs(cmath.exp(1j * math.tau * chance))
        if not math.isfinite(z) or math.isclose(circle, 0.0):
            return Hold()
        steps = round(chance / self.step)
        weight = min(Fraction(steps) * self.step, Fraction(1))
        self.log(f"{median(values):.3f} {weight.numerator}/{weight.denominator} {self.prices[-1].to_eng_string()}")
        return TargetWeights({"IEF": float(weight)})
