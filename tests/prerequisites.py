"""What tests need of the machine: an engine, a server, a browser, the files beside this project.

A test that lacks something is skipped, and the summary gives each reason once. REQUIRE_DOCKER=1, REQUIRE_GVISOR=1,
REQUIRE_BUBBLEWRAP=1, REQUIRE_COMPOSE=1, REQUIRE_POSTGRES=1, REQUIRE_REDIS=1, REQUIRE_STUDIO=1 and REQUIRE_SHARED=1 turn
such a skip into a failure: CI sets them all.

Tests that need a box, a server or a browser, and those marked `slow`, are marked `integration`; `make quick` runs the
others.
"""

import os
from collections import Counter
from pathlib import Path
from typing import NoReturn

import pytest

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"
MARKET_DATA = Path(os.environ.get("MARKET_DATA_DIR", SHARED / "market"))

BOX_MARKS = ("docker", "gvisor", "bubblewrap")
BACKENDS = ("docker", "bubblewrap", "sqlite", "postgresql")
SERVER_FIXTURES = {"browser", "has_bubblewrap", "migrated_postgres", "postgres", "redis_url"}


def missing(what: str, reason: str) -> NoReturn:
    """Skip the test, or fail it where REQUIRE_<what>=1 says that nothing may be missing."""
    if os.environ.get(f"REQUIRE_{what}") == "1":
        pytest.fail(f"required here, but {reason}")
    pytest.skip(reason)


def shared(*parts: str) -> Path:
    """A file or folder of ../shared, which is no part of this project.

    Raises:
        pytest.skip.Exception: it is absent.
    """
    path = SHARED.joinpath(*parts)
    if not path.exists():
        missing("SHARED", f"NO SHARED FILES: {'/'.join(parts)} is absent")
    return path


def market(kind: str) -> Path:
    """A folder of real prices: "daily" (adjusted), "raw" (as traded) or "minute".

    Raises:
        pytest.skip.Exception: it is absent.
    """
    folder = MARKET_DATA / kind
    if not folder.is_dir():
        missing("SHARED", "NO REAL PRICES: set MARKET_DATA_DIR")
    return folder


# Before xdist reads the groups, in a hook of its own.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a box, a server, a browser, other processes or seconds, and divide the tests among workers.

    Tests of one file on one backend or database share a worker, so that each fixture of theirs is made once. The slow
    ones come first: a worker that began one last would leave the others idle.
    """
    for item in items:
        if item.get_closest_marker("slow") or _needs_a_server(item):
            item.add_marker(pytest.mark.integration)
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("-".join((item.path.stem, *_backends(item)))))
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    if item.get_closest_marker("slow"):
        return 0
    return 1 if "browser" in getattr(item, "fixturenames", ()) else 2 if item.get_closest_marker("integration") else 3


def _needs_a_server(item: pytest.Item) -> bool:
    return (
        any(item.get_closest_marker(mark) for mark in BOX_MARKS)
        or not SERVER_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
        or "postgresql" in _backends(item)
    )


def _backends(item: pytest.Item) -> list[str]:
    """The boxes and databases among its parameters."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return [value for value in parameters if isinstance(value, str) and value.startswith(BACKENDS)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason to skip, with the number of tests."""
    reasons = Counter(_reason(report) for report in terminalreporter.getreports("skipped"))
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"SKIPPED [{count}] {reason}")


def _reason(report: pytest.TestReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr).removeprefix("Skipped: ")
