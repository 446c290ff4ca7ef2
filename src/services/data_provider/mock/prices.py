"""Realistic made-up prices: a market that all symbols share, plus each symbol's own noise.

The numbers are the same on every machine. Random words are the raw output of PCG64, which NumPy promises never to
change; summing integers turns them into noise; and prices are computed from noise by single additions,
multiplications, divisions and square roots, which IEEE 754 rounds identically everywhere. No power, exponential,
logarithm or other function of a mathematical library is involved.
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from src.services.data_provider.arrays import CLOSE, HIGH, LOW, OPEN, VOLUME, Float64Array, IntArray

MARKET_VOLATILITY = 0.155
"""Yearly volatility of the common factor, as a fraction."""

MARKET_MEMORY_YEARS, OWN_MEMORY_YEARS, YIELD_MEMORY_YEARS = 4.0, 2.0, 5.0
"""How slowly a deviation from the trend fades; fading keeps prices sensible over 35 years."""

DRAWS_A_DAY = 5  # own noise, gap before the open, reach of the high, reach of the low, volume


@dataclass(frozen=True, slots=True)
class Character:
    """How one made-up symbol behaves.

    Attributes:
        yearly_growth: trend, a fraction per year.
        market_beta: how strongly it follows the market; negative moves against it.
        own_volatility: volatility of its own noise, a fraction per year.
        first_price: in account currency per share, before the first day.
        usual_volume: shares per day.
    """

    yearly_growth: float
    market_beta: float
    own_volatility: float
    first_price: float = 25.0
    usual_volume: float = 4e6


KNOWN = {
    "SPY": Character(0.080, 1.00, 0.010, 28.0, 7e7),
    "^GSPC": Character(0.060, 1.00, 0.005, 350.0, 4e9),
    "VTI": Character(0.080, 1.02, 0.012, 26.0, 4e6),
    "QQQ": Character(0.095, 1.20, 0.090, 14.0, 4e7),
    "DIA": Character(0.075, 0.95, 0.035, 30.0, 4e6),
    "IWM": Character(0.072, 1.15, 0.080, 20.0, 3e7),
    "EFA": Character(0.055, 0.95, 0.080, 22.0, 2e7),
    "EEM": Character(0.055, 1.05, 0.130, 14.0, 3e7),
    "GLD": Character(0.050, 0.05, 0.155, 40.0, 8e6),
    "BND": Character(0.035, -0.03, 0.042, 26.0, 5e6),
    "AGG": Character(0.035, -0.03, 0.041, 30.0, 6e6),
    "TLT": Character(0.042, -0.22, 0.125, 24.0, 2e7),
    "IEF": Character(0.036, -0.12, 0.058, 28.0, 7e6),
    "SHY": Character(0.022, -0.01, 0.012, 40.0, 4e6),
    "BTC-USD": Character(0.140, 0.60, 0.550, 60.0, 2e8),
    "ETH-USD": Character(0.130, 0.80, 0.650, 20.0, 9e7),
}

YIELDS = {"^IRX": 2.6, "^FVX": 3.4, "^TNX": 3.9, "^TYX": 4.3}
"""Interest rates in percent, with the level each comes back to."""


def made_up_bars(symbol: str, day_numbers: IntArray, sessions_per_year: int) -> Float64Array:
    """Daily bars of one symbol on its trading days, from day zero on.

    Noise belongs to the calendar day, so bars up to a day do not depend on how many days follow.

    Args:
        day_numbers: (n_days,) the trading days, counted from day zero, ascending.
        sessions_per_year: 252, or 365 for a symbol that trades every day.

    Returns:
        (n_days, 5) open, high, low, close, volume. For a symbol in YIELDS the four are percent.
    """
    noise = _noise(symbol, int(day_numbers[-1]) + 1, DRAWS_A_DAY)[day_numbers]
    if symbol in YIELDS:
        return _yield_bars(YIELDS[symbol], noise, sessions_per_year)
    market = _market(day_numbers, sessions_per_year)
    return _price_bars(KNOWN.get(symbol) or _character(symbol), market, noise, sessions_per_year)


def _price_bars(
    character: Character, market: Float64Array, noise: Float64Array, sessions_per_year: int
) -> Float64Array:
    own_daily = character.own_volatility / math.sqrt(sessions_per_year)
    own = _deviation(own_daily * noise[:, 0], OWN_MEMORY_YEARS * sessions_per_year)
    deviation = character.market_beta * market + own
    with_market = character.market_beta * MARKET_VOLATILITY
    yearly_variance = with_market * with_market + character.own_volatility * character.own_volatility
    trend = (character.yearly_growth + yearly_variance / 2) / sessions_per_year
    # At most half is lost per day: the noise cannot reach that, but no price may depend on it.
    returns = np.maximum(trend + np.diff(deviation, prepend=0.0), -0.5)
    close = character.first_price * np.cumprod(1.0 + returns)
    previous = np.append(character.first_price, close[:-1])
    daily = math.sqrt(yearly_variance / sessions_per_year)

    bars = np.empty((close.size, 5))
    bars[:, OPEN] = previous * (1.0 + 0.3 * returns + 0.25 * daily * noise[:, 1])
    bars[:, CLOSE] = close
    body = bars[:, [OPEN, CLOSE]]
    bars[:, HIGH] = body.max(axis=1) * (1.0 + 0.4 * daily * np.abs(noise[:, 2]))
    bars[:, LOW] = body.min(axis=1) * (1.0 - 0.4 * daily * np.abs(noise[:, 3]))
    excitement = 0.7 + 0.3 * np.abs(returns) / daily + 0.15 * noise[:, 4]
    bars[:, VOLUME] = np.floor(character.usual_volume * np.maximum(excitement, 0.1))
    return bars


def _yield_bars(usual: float, noise: Float64Array, sessions_per_year: int) -> Float64Array:
    memory_days = YIELD_MEMORY_YEARS * sessions_per_year
    # With this step the level deviates from the usual one by about half of it.
    step = 0.5 * usual * math.sqrt(2.0 / memory_days)
    close = np.maximum(usual + _deviation(step * noise[:, 0], memory_days), 0.01)
    opening = np.append(close[0], close[:-1])
    volume = np.zeros_like(close)
    return np.column_stack([opening, np.maximum(opening, close), np.minimum(opening, close), close, volume])


def _market(day_numbers: IntArray, sessions_per_year: int) -> Float64Array:
    """(n_days,) the market's deviation above its trend, as a fraction; calm and stormy periods alternate."""
    noise = _noise("the market", int(day_numbers[-1]) + 1, 2)[day_numbers]
    storm_days = 0.25 * sessions_per_year
    storm = _deviation(noise[:, 1], storm_days) / math.sqrt(storm_days / 2.0)
    # The mean square of 0.7 + 0.6·max(z, 0) is one for a standard normal z, which preserves the volatility.
    size = MARKET_VOLATILITY / math.sqrt(sessions_per_year) * (0.7 + 0.6 * np.maximum(storm, 0.0))
    return _deviation(size * noise[:, 0], MARKET_MEMORY_YEARS * sessions_per_year)


def _deviation(steps: Float64Array, memory_days: float) -> Float64Array:
    """x[t] = x[t - 1]·(1 - 1/memory_days) + steps[t], in a few passes that each double the reach."""
    level, fade, reach = steps.copy(), 1.0 - 1.0 / memory_days, 1
    while reach < level.size and fade > 1e-18:
        level[reach:] += fade * level[:-reach]
        fade *= fade
        reach *= 2
    return level


def _character(symbol: str) -> Character:
    """An ordinary stock, drawn from the symbol's name."""
    growth, beta, volatility, price, volume = (part / 255 for part in _digest(f"character {symbol}")[:5])
    return Character(
        yearly_growth=0.04 + 0.06 * growth,
        market_beta=0.6 + 0.8 * beta,
        own_volatility=0.14 + 0.18 * volatility,
        first_price=8.0 + 52.0 * price,
        usual_volume=3e5 + 2e7 * volume * volume * volume,
    )


def _noise(name: str, n_days: int, draws: int) -> Float64Array:
    """(n_days, draws) close to standard normal, between -6 and 6: sums of twelve 16-bit integers."""
    words = np.random.PCG64(int.from_bytes(_digest(f"noise {name}"), "big")).random_raw(n_days * draws * 3)
    pieces = words.astype("<u8", copy=False).view("<u2").reshape(n_days, draws, 12)
    sums = pieces.sum(axis=2, dtype=np.int64)
    return np.asarray((sums - 12 * 32767.5) / 65536.0, dtype=np.float64)


def _digest(text: str) -> bytes:
    return hashlib.sha256(f"made-up prices, edition 1: {text}".encode()).digest()
