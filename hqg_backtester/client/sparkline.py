"""A small equity chart as SVG."""

import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 760, 160
MAX_POINTS = 760


def sparkline(values: Sequence[float], other: Sequence[float | None] | None = None) -> str:
    """An SVG of one line, with a second one in grey behind it on the same scale.

    Args:
        values: at least one finite number.
        other: another series over the same days, None before its first and after its last day.
    """
    every = [*values, *(value for value in other or () if value is not None)]
    low, high = min(every), max(every)
    lines = [] if not other else [_line(other, low, high, "#9ca3af")]
    lines.append(_line(values, low, high, "#2563eb"))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" height="{HEIGHT}" preserveAspectRatio="none" role="img">'
        f"<title>Equity from {values[0]:,.2f} to {values[-1]:,.2f}</title>{''.join(lines)}</svg>"
    )


def _line(values: Sequence[float | None], low: float, high: float, colour: str) -> str:
    # A flat line has no range: it is drawn in the middle.
    scale = (HEIGHT - 4) / (high - low) if high > low else 0.0
    base = HEIGHT - 2 if scale else HEIGHT / 2
    step = WIDTH / max(len(values) - 1, 1)
    known = {i: value for i, value in enumerate(values) if value is not None}
    points = " ".join(f"{i * step:.1f},{base - (known[i] - low) * scale:.1f}" for i in _kept(known))
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5" '
        'vector-effect="non-scaling-stroke"/>'
    )


def _kept(values: Mapping[int, float]) -> list[int]:
    """Indexes to draw: the minimum and maximum of each stretch, so that no peak is lost, and both ends."""
    indexes = list(values)
    if len(indexes) <= MAX_POINTS:
        return indexes
    length = math.ceil(len(indexes) * 2 / MAX_POINTS)
    kept = {indexes[0], indexes[-1]}
    for start in range(0, len(indexes), length):
        stretch = indexes[start : start + length]
        kept |= {min(stretch, key=values.__getitem__), max(stretch, key=values.__getitem__)}
    return sorted(kept)
