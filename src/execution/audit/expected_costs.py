"""The cost that each order should have had, computed for the audit independently of the engine.

The models arrive as a request's wire objects, whose meaning the API documents. No arithmetic is shared with
the engine, so a mistake in one of the two shows up as a disagreement.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]

_HIGHEST_IMPACT = 0.99
"""Cap on the price impact of volume participation: a sell never costs money, a buy's price never doubles."""


def slippage_fractions(model: Mapping[str, Any], sizes: Float64Array, volumes: Float64Array) -> Float64Array:
    """The fraction of the reference price that each order loses to slippage, (n_orders,).

    Args:
        model: wire object of a slippage model.
        sizes: (n_orders,) absolute numbers of shares.
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
    """The maximum shares of each order, (n_orders,): infinite without a cap, NaN without a volume."""
    if model["model"] != "volume_participation":
        return np.full(len(volumes), np.inf)
    return np.where(volumes > 0.0, float(model["max_share"]) * volumes, np.nan)


def fees(model: Mapping[str, Any], sizes: Float64Array, prices: Float64Array) -> Float64Array:
    """The commission of each order in account currency, (n_orders,).

    Args:
        model: wire object of a commission model.
        sizes: (n_orders,) absolute numbers of shares, above zero.
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
