"""Any text from a strategy or a request is stored and read back unchanged."""

import math

import pytest

from src.services.storage.base import Storage
from src.services.storage.records.attempts import Outcome
from src.services.storage.records.runs import Progress, RunError, RunFilter, RunKey, RunStatus
from tests.services.storage.samples import INGREDIENTS, link_builder, new_run, result

HOSTILE = {
    "nul": "a\x00b",
    "half a surrogate pair": "a\ud800b\udfff",
    "a whole pair in halves": "\ud83d\ude00",
    "an emoji": "😀",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x85\u2028\ufeff\uffff",
    "escapes": "\\u0000 \\ \\\\u0000 \\x00 %s %(a)s :name ?",
    "sql": "'; DROP TABLE runs; --",
    "empty": "",
}


@pytest.fixture(params=HOSTILE, ids=lambda name: name.replace(" ", "_"))
def text(request: pytest.FixtureRequest) -> str:
    return HOSTILE[request.param]


def as_json(text: str) -> str:
    # JSON cannot distinguish an emoji from its two surrogates in sequence.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def test_text_in_every_field_of_a_run_is_read_back(storage: Storage, text: str) -> None:
    same = as_json(text)
    run = RunKey(f"owner {text}", "f" * 64)
    request = {"strategy_code": text, "parameters": {text: [text, {text: None}]}}
    new = new_run(key=run, name=text, request=request, ingredients=INGREDIENTS | {text: text}, warnings=(text,))
    lease = storage.runs.submit(new, lease_seconds=60, idempotency=(text, text)).lease
    storage.runs.tell(lease, progress=Progress(0.5, text, 1.0), log_lines=[text, text])
    error = RunError("strategy_failed", (text,), text, (text,))
    assert storage.runs.finish(lease, Outcome(RunStatus.FAILED, error=error, log_lines=(text,)))

    stored, details = storage.runs.get(run), storage.runs.details(run)
    assert (stored.key, stored.name) == (run, text)
    assert stored.error == RunError("strategy_failed", (same,), same, (same,))
    assert stored.progress == Progress(0.5, same, 1.0)
    assert details.request == {"strategy_code": same, "parameters": {same: [same, {same: None}]}}
    assert details.warnings == (same,)
    events = storage.runs.events(run, after=0, limit=10)
    assert events[1].data == {"lines": [same, same]}
    assert events[-1].data["error"]["traceback"] == same
    assert [each.key for each in storage.runs.page(run.owner, RunFilter(name=text), limit=10).runs] == [run]


def test_the_chain_of_a_hostile_owner_is_a_chain(storage: Storage, text: str) -> None:
    run = RunKey(f"owner {text}", "f" * 64)
    lease = storage.runs.submit(new_run(key=run), lease_seconds=60).lease
    storage.runs.finish(lease, Outcome(RunStatus.SUCCEEDED, result()))
    link = storage.chain.append(run, link_builder(run))
    assert storage.chain.links(run.owner) == [link]
    assert storage.chain.owners() == [run.owner]
    assert storage.runs.surplus(0) == [run]


def test_owners_that_look_alike_are_not_the_same(storage: Storage) -> None:
    owners = ["a", "A", "a ", "a\x00", "a\\u0000", "a\\x00", "ä", "a\u0308", "a\ud800", "a\ufffd"]
    for owner in owners:
        assert storage.runs.submit(new_run(1, owner)).is_new
    for owner in owners:
        assert [run.key.owner for run in storage.runs.page(owner, RunFilter(), limit=99).runs] == [owner]


@pytest.mark.slow
def test_megabytes_are_stored_like_anything_else(storage: Storage) -> None:
    large = "é\x00\ud800" * 500_000
    lease = storage.runs.submit(new_run(request={"strategy_code": large}, name=large), lease_seconds=60).lease
    storage.runs.tell(lease, log_lines=[large])
    answer = result(bytes(range(256)) * 40_000, metrics={"large": large})
    storage.runs.finish(lease, Outcome(RunStatus.SUCCEEDED, answer))
    details, run = storage.runs.details(lease.key), storage.runs.get(lease.key)
    assert details.request["strategy_code"] == run.name == large
    assert storage.runs.result(lease.key) == answer


def test_numbers_that_json_lacks_do_not_lose_a_run(storage: Storage) -> None:
    lease = storage.runs.submit(new_run(), lease_seconds=60).lease
    assert storage.runs.tell(lease, progress=Progress(math.nan, "2015-01-01", math.inf))
    run = storage.runs.get(lease.key)
    assert math.isnan(run.progress.share) and run.progress.equity == math.inf
    assert storage.runs.finish(lease, Outcome(RunStatus.SUCCEEDED, result(metrics={"alpha": -math.inf})))
