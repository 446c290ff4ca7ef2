"""The page can be read: in light, in dark and on every shade of a return."""

import re

import pytest

from src.services.results.report.page import STYLE

READABLE = 4.5
"""Contrast of text with what is behind it that WCAG 2 asks for."""


def palettes() -> dict[str, dict[str, str]]:
    """Colours by name, of the light page and of the dark one."""
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in STYLE.split("@media", 2)[:2])
    return {"light": light, "dark": dark}


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_everything_behind_it(scheme: str) -> None:
    colours = palettes()[scheme]
    behind_ink = [
        "page",
        "panel",
        "caution",
        "alarm",
        *(f"{sign}{n}" for sign in ("gain", "loss") for n in range(1, 6)),
    ]
    poor = {name: contrast(colours["ink"], colours[name]) for name in behind_ink}
    assert {name: value for name, value in poor.items() if value < READABLE} == {}
    for name in ("soft", "equity", "drawdown"):  # all of them are colours of text
        assert contrast(colours[name], colours["page"]) >= READABLE
    assert contrast(colours["soft"], colours["panel"]) >= READABLE


def test_both_schemes_have_the_same_colours() -> None:
    light, dark = palettes().values()
    assert light.keys() == dark.keys()
    used = set(re.findall(r"var\(--([\w-]+)\)", STYLE)) - {"below"}  # half transparent
    assert used <= light.keys()
