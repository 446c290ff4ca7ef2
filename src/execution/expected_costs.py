"""What each order should have cost, worked out a second time for the audit, by other code than the engine's.

The models arrive as the wire objects of a request, whose meaning the API documents; nothing of the
engine's arithmetic is shared, so a mistake in one of the two is a disagreement and not a habit.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]

_HIGHEST_IMPACT = 0.99
"""The price impact of volume participation stops here: a sell never costs money, a buy never doubles."""


def slippage_fractions(model: Mapping[str, Any], sizes: Float64Array, volumes: Float64Array) -> Float64Array:
    """The fraction of the reference price that each order gives up, (n_orders,).

    Args:
        model: wire object of a slippage model.
        sizes: (n_orders,) shares without sign.
        volumes: (n_orders,) volume of the bar in shares; NaN or zero gives NaN where the model needs it.

    Raises:
        ValueError: a model that is not known here.
    """
    match model:
        case {"model": "none"}:
            return np.zeros(len(sizes))
        case {"model": "fraction", "fraction": fraction}:
            return np.full(len(sizes), float(fraction))
        case {"model": "half_spread", "bps": bps}:
            return np.full(len(sizes), float(bps) / 10_000.0)
        case {"model": "volume_participation", "shape": shape, "coefficient": coefficient}:
            participation = np.where(volumes > 0.0, sizes / volumes, np.nan)
            impact = np.sqrt(participation) if shape == "square_root" else participation
            return np.minimum(float(coefficient) * impact, _HIGHEST_IMPACT)
    raise ValueError(f"no audit for slippage model {model!r}")


def largest_sizes(model: Mapping[str, Any], volumes: Float64Array) -> Float64Array:
    """The most shares that each order may have, (n_orders,): infinite without a cap, NaN without a volume."""
    if model["model"] != "volume_participation":
        return np.full(len(volumes), np.inf)
    return np.where(volumes > 0.0, float(model["max_share"]) * volumes, np.nan)


def fees(model: Mapping[str, Any], sizes: Float64Array, prices: Float64Array) -> Float64Array:
    """The commission of each order in account currency, (n_orders,).

    Args:
        model: wire object of a commission model.
        sizes: (n_orders,) shares without sign, above zero.
        prices: (n_orders,) fill prices.

    Raises:
        ValueError: a model that is not known here.
    """
    match model:
        case {"model": "per_order", "amount": amount}:
            return np.full(len(sizes), float(amount))
        case {"model": "per_share", "amount": amount, "minimum": minimum}:
            return np.maximum(sizes * float(amount), float(minimum))
        case {"model": "rate", "rate": rate}:
            return sizes * prices * float(rate)
    raise ValueError(f"no audit for commission model {model!r}")
