"""Writes the table of attacks in docs/security.md from a run of the attack tests.

python -m pytest tests/execution/sandbox --junitxml=attacks.xml
python -m scripts.attack_table attacks.xml
"""

import re
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

PAGE = Path(__file__).resolve().parent.parent / "docs" / "security.md"
START, END = "<!-- attacks: written by scripts/attack_table.py -->", "<!-- end of attacks -->"
BACKENDS = ("docker", "docker+runsc", "bubblewrap")
SUITES = ("test_walls", "test_prices_on_their_way", "test_memory", "test_os_attacks", "test_contained_snippets")
CATALOGUE = {
    "net": "catalogue: network and sockets",
    "fs": "catalogue: files, devices and /proc",
    "proc": "catalogue: processes, signals and memory of others",
    "res": "catalogue: resources",
    "sys": "catalogue: kernel surfaces",
    "id": "catalogue: users and identities",
}

Counts = dict[str, dict[str, list[str]]]


def outcomes(report: Path) -> Counts:
    """The outcomes of each attack's tests per backend: "passed", "failed" or "skipped"."""
    found: Counts = defaultdict(lambda: defaultdict(list))
    for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314 - our own test run wrote it
        suite = case.get("classname", "").rpartition(".")[2]
        name, _, parameters = case.get("name", "").partition("[")
        backend = next((b for b in sorted(BACKENDS, key=len, reverse=True) if parameters.startswith(b)), None)
        if suite in SUITES and backend is not None:
            found[_attack(suite, name, parameters)][backend].append(_ending(case))
    return found


def _attack(suite: str, name: str, parameters: str) -> str:
    if suite == "test_contained_snippets":
        return "snippets that the analysis cannot judge: rejected or survived"
    if suite == "test_os_attacks":
        kind = re.search(r"-(net|fs|proc|res|sys|id)-", parameters)
        return CATALOGUE[kind.group(1)] if kind else name
    return name.removeprefix("test_").replace("_", " ")


def _ending(case: "ElementTree.Element") -> str:
    if case.find("skipped") is not None:
        return "skipped"
    return "passed" if case.find("failure") is None and case.find("error") is None else "failed"


def table(counts: Counts) -> str:
    """The outcomes as Markdown: "held" if every test passed, otherwise how many did."""
    lines = ["| attack | " + " | ".join(BACKENDS) + " |", "|---" * (len(BACKENDS) + 1) + "|"]
    for attack, by_backend in sorted(counts.items()):
        lines.append(f"| {attack} | " + " | ".join(_cell(by_backend.get(b, [])) for b in BACKENDS) + " |")
    return "\n".join(lines)


def _cell(endings: list[str]) -> str:
    ran = [ending for ending in endings if ending != "skipped"]
    if not ran:
        return "not run"
    held = ran.count("passed")
    many = f" ({len(ran)})" if len(ran) > 1 else ""
    return f"held{many}" if held == len(ran) else f"{held} of {len(ran)} held"


def main() -> None:
    """Rewrite the table between its two markers."""
    page = PAGE.read_text()
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n\n{table(outcomes(Path(sys.argv[1])))}\n\n{END}{after}")


if __name__ == "__main__":
    main()
