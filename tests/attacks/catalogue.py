"""Attacks that the tests make: source text for the analysis, and programs for the boxes."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent

_LARGE = {
    "dos-03": ("attribute chain 20,000 long", "reject", "r = x" + ".a" * 20_000 + "\n"),
    "dos-06": ("lambda nesting 5,000 deep", "reject", "r = " + "lambda:" * 5_000 + "0\n"),
    "dos-11": (
        "elif chain 3,000 (nests in the AST)",
        "reject",
        "if a:\n    pass\n" + "elif a:\n    pass\n" * 3_000,
    ),
    "dos-24": (
        "universe of 20,000 tickers (host fetch amplification)",
        "reject",
        "from hqg_algorithms import Strategy\nclass A(Strategy):\n    universe = ["
        + ",".join(f"'T{number}'" for number in range(20_000))
        + "]\n    def on_data(self, data, portfolio):\n        return None\n",
    ),
    "dos-33": ("implicit concatenation of 50,000 strings", "contained", "r = (" + "'a' " * 50_000 + ")\n"),
    "dos-34": (
        "dict literal with 30,000 keys",
        "contained",
        "r = {" + ",".join(f"{number}:{number}" for number in range(30_000)) + "}\n",
    ),
    "dos-35": (
        "256+ arguments / 5,000 keyword arguments",
        "contained",
        "r = dict(" + ",".join(f"a{number}={number}" for number in range(5_000)) + ")\n",
    ),
}
"""Technique, expectation and code of what is too long to be written down."""


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        id: its family and number, "fs-03".
        technique: what it does, in a few words.
        expect: "reject" when the analysis must refuse it, "contained" when it must be survived.
        code: Python source, to stand before a strategy or to be run in a box.
    """

    id: str
    technique: str
    expect: str
    code: str

    @property
    def family(self) -> str:
        """Such as "fs"."""
        return self.id.partition("-")[0]


def snippets() -> list[Attack]:
    """Source text for the analysis; some of it gets past and must be contained."""
    written = tomllib.loads((FOLDER / "snippets.toml").read_text(encoding="utf-8"))["snippet"]
    return [Attack(**entry) for entry in written] + [Attack(id, *parts) for id, parts in _LARGE.items()]


def programs() -> list[Attack]:
    """Programs that print VERDICT allowed or VERDICT blocked."""
    catalogue = tomllib.loads((FOLDER / "programs.toml").read_text(encoding="utf-8"))
    prelude = catalogue["prelude"]
    return [Attack(**{**entry, "code": prelude + entry["code"]}) for entry in catalogue["program"]]
