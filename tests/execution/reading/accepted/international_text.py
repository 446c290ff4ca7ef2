"""Stratégie de tendance — 移動平均, скользящее среднее, 📈."""

from hqg_algorithms import Hold, Strategy, TargetWeights

# Überschreitet der Kurs den Durchschnitt, wird gekauft.  →  買い
α, σ_max = 0.06, 0.25
naïve_größe = "größer"


class Tendência(Strategy):
    universe = ["SPY"]

    def __init__(self):
        self.μ = None
        self.écart = 0.0

    def on_data(self, data, portfolio):
        prix = data.close("SPY")
        if prix is None:
            return Hold()
        self.μ = prix if self.μ is None else self.μ + α * (prix - self.μ)
        self.écart += α * (abs(prix / self.μ - 1) - self.écart)
        if self.écart > σ_max:
            self.log(f"⚠️ {naïve_größe} als σ: {self.écart:.2%} — “très volatil”")
            return TargetWeights({})
        return TargetWeights({"SPY": 1.0 if prix >= self.μ else 0.0})
