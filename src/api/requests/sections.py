"""Which further parts of an answer a request asks for: `?include=trades,rolling` and `?conventions=lean`."""

import difflib
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from src.models.plain import printable
from src.models.request import Conventions
from src.services.results.sections import SECTIONS, Asked

PARAMETERS = frozenset({"include", "conventions"})
"""Names of these query parameters."""


def _known(values: list[str]) -> list[str]:
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    for name in names:
        if name not in SECTIONS:
            nearest = difflib.get_close_matches(name[:40], SECTIONS, n=1)
            hint = f"; did you mean '{nearest[0]}'?" if nearest else "."
            problem = f"'{printable(name)}' is not a part of the answer{hint} There are: {', '.join(SECTIONS)}"
            raise PydanticCustomError("include_unknown", "{problem}", {"problem": problem})
    return names


def _asked(
    include: Annotated[
        list[str],
        AfterValidator(_known),
        Query(
            description=f"Further parts of the answer, separated by commas: {', '.join(SECTIONS)}.",
            examples=["trades,rolling"],
            max_length=20,
        ),
    ] = [],  # noqa: B006 - read only
    conventions: Annotated[
        Conventions, Query(description="lean adds metrics_lean: the metrics as QuantConnect's LEAN defines them.")
    ] = "default",
) -> Asked:
    return Asked(frozenset(include), conventions == "lean")


AskedDep = Annotated[Asked, Depends(_asked)]
