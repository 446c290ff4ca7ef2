"""Repeatable randomness: the random numbers of user code depend only on the request's seed."""

import random
import sys
from typing import Any


def seed_everything(seed: int, *, uses_numpy: bool) -> None:
    """Seed `random` and NumPy, and make their unseeded generators derive from the same seed.

    Args:
        seed: the request's seed, 0 … 2**32 − 1.
        uses_numpy: whether the source may import NumPy, which is then imported now and seeded.
    """
    # A separate stream, so that the number of generators user code creates does not change random.random().
    entropy = random.Random(f"unseeded generators of {seed}")  # noqa: S311 - reproducible, not secret
    _derive_unseeded_generators(entropy)
    random.seed(seed)
    if uses_numpy:
        _seed_numpy(seed, entropy)


def _derive_unseeded_generators(entropy: random.Random) -> None:
    plain = random.Random

    class Random(plain):  # type: ignore[misc, valid-type]
        """random.Random whose missing seed comes from the request's seed instead of the clock."""

        def __init__(self, x: Any = None) -> None:
            super().__init__(entropy.getrandbits(128) if x is None else x)

        def seed(self, a: Any = None, version: int = 2) -> None:
            super().seed(entropy.getrandbits(128) if a is None else a, version)

    random.Random = Random  # type: ignore[misc]


def _seed_numpy(seed: int, entropy: random.Random) -> None:
    try:
        import numpy  # noqa: PLC0415 - only if user code may import it
    except ImportError:
        return
    numpy.random.seed(seed)
    # SeedSequence() without entropy takes it from this function of the module.
    sys.modules["numpy.random.bit_generator"].randbits = entropy.getrandbits  # type: ignore[attr-defined]
