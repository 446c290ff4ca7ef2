"""GET …/result: the same bytes every time, for every kind of client."""

import asyncio
import gzip
import json
from dataclasses import replace

import pytest
from starlette.requests import Request

from src.api.responses import result_response
from src.api.responses.result_response import Shown
from src.api.responses.result_response import result_response as response_of
from src.models.response import BacktestResponse
from src.services.results.answers import RecentAnswers
from src.services.results.earlier import result_from_json
from src.services.results.finished_run import FinishedRun
from src.services.results.packing import packed
from src.services.results.sections import NOTHING
from src.services.storage.records.runs import RunKey
from src.utils.json_bytes import json_bytes
from tests.fakes.application import BACKTEST, REQUEST, RUNS
from tests.fakes.backtests import FakeBacktests, real_shaped_answer


@pytest.fixture
def client(connect, storage):
    return connect(FakeBacktests(), storage=storage)


@pytest.fixture
def path(client) -> str:
    """Where the result of a finished run is."""
    return f"{RUNS}/{client.post(BACKTEST, json=REQUEST).headers['X-Run-Hash']}/result"


def fetched(client, path, accept_encoding, method="GET", **headers):
    """The answer's bytes on the wire, not decompressed."""
    sent = {"Accept-Encoding": accept_encoding, **headers}
    with client.stream(method, path, headers=sent) as answer:
        return answer, b"".join(answer.iter_raw())


def test_the_whole_answer_comes_back(client, path):
    answer = client.get(path)
    assert answer.json() == real_shaped_answer(path.split("/")[-2])
    BacktestResponse.model_validate(answer.json())


def test_gzip_and_identity_are_the_same_json_every_time(client, path, connect, storage):
    zipped, stored = fetched(client, path, "gzip, deflate, br")
    plain, body = fetched(client, path, "identity")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(stored) == body
    # Another process renders it again.
    other = connect(FakeBacktests(), storage=storage)
    for encoding, sent, first in (("gzip", stored, zipped), ("identity", body, plain)):
        answer, again = fetched(other, path, encoding)
        assert (again, answer.headers["ETag"]) == (sent, first.headers["ETag"])
    for answer, sent in ((zipped, stored), (plain, body)):
        assert int(answer.headers["Content-Length"]) == len(sent)
        assert answer.headers["Content-Type"] == "application/json"
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_damaged_result_is_our_fault_and_never_a_wrong_number(connect, storage):
    class Damaged:
        """Loses the last byte of the orders."""

        def __getattr__(self, name):
            return getattr(storage.runs, name)

        def result(self, key):
            stored = storage.runs.result(key)
            return stored and replace(stored, orders=stored.orders[:-1])

    client = connect(FakeBacktests(), storage=replace(storage, runs=Damaged()))
    run_hash = client.post(BACKTEST, json=REQUEST).headers["X-Run-Hash"]
    for path in ("result", "statistics", "equity.csv", "artifacts", "artifacts/report.html", "bundle.zip"):
        answer = client.get(f"{RUNS}/{run_hash}/{path}")
        assert (answer.status_code, set(answer.json())) == (500, {"detail", "request_id"})
    assert client.get(f"{BACKTEST}/{run_hash}").status_code == 500
    assert client.get(f"{RUNS}/{run_hash}").json()["has_result"]


@pytest.mark.parametrize(("encoding", "opened"), [("gzip", gzip.decompress), ("identity", bytes)])
def test_an_answer_is_rendered_once_and_in_memory_its_owners_alone(encoding, opened):
    recent, rendered = RecentAnswers(), []
    request = Request({"type": "http", "headers": [(b"accept-encoding", encoding.encode())]})
    results = {owner: result_from_json(json_bytes(real_shaped_answer(owner))) for owner in ("ann", "bob")}
    # Even if the same run were stored as the same bytes.
    stored = packed(results["ann"])
    for owner in ("ann", "bob", "ann"):
        run = FinishedRun(RunKey(owner, "ab"), stored, (), is_reused=True, fresh=results[owner])

        def result(run=run):
            rendered.append(run.key.owner)
            return run.result

        response = asyncio.run(response_of(request, run, result, Shown(NOTHING), recent, {}))
        assert json.loads(opened(response.body))["run_hash"] == owner
    assert rendered == ["ann", "bob"]


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_each_form_has_a_strong_tag_of_its_own_that_saves_its_transfer(client, path, encoding):
    etag = fetched(client, path, encoding)[0].headers["ETag"]
    other = fetched(client, path, "identity" if encoding == "gzip" else "gzip")[0].headers["ETag"]
    assert etag != other
    assert etag.startswith('"'), "a weak tag would begin with W/"
    for named in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        answer, body = fetched(client, path, encoding, **{"If-None-Match": named})
        assert (answer.status_code, body, answer.headers["ETag"]) == (304, b"", etag)
        assert "Accept-Encoding" in answer.headers["Vary"]
    assert fetched(client, path, encoding, **{"If-None-Match": other})[0].status_code == 200


def test_head_returns_the_same_headers_without_a_body(client, path):
    for encoding in ("gzip", "identity"):
        got, body = fetched(client, path, encoding)
        asked, nothing = fetched(client, path, encoding, method="HEAD")
        assert (asked.status_code, nothing) == (200, b"")
        assert asked.headers["ETag"] == got.headers["ETag"]
        assert int(asked.headers["Content-Length"]) == len(body)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("slice_bytes", [1, 100])
@pytest.mark.slow
def test_a_long_answer_comes_in_pieces_and_is_the_same(client, path, monkeypatch, encoding, slice_bytes):
    more = f"{path}?include=trades,rolling,periods&conventions=lean"
    asked = [("GET", path, None), ("GET", more, None), ("HEAD", path, None), ("POST", BACKTEST, REQUEST)]
    asked.append(("POST", BACKTEST, REQUEST | {"name": "another", "sead": 1}))

    def answers():
        for method, address, body in asked:
            with client.stream(method, address, json=body, headers={"Accept-Encoding": encoding}) as answer:
                pieces = list(answer.iter_raw())
            headers = dict(answer.headers) | {"x-request-id": "", "content-length": ""}
            yield answer.status_code, headers, b"".join(pieces)

    whole = list(answers())
    monkeypatch.setattr(result_response, "LONG_BYTES", 10)
    monkeypatch.setattr(result_response, "SLICE_BYTES", slice_bytes)
    assert list(answers()) == whole
    assert json.loads(client.post(BACKTEST, json=asked[-1][2]).content)["parameters"]["name"] == "another"


@pytest.mark.parametrize("slice_bytes", [1, 100])
def test_a_long_answer_rewritten_while_it_is_read_is_the_same(client, path, monkeypatch, slice_bytes):
    older = {"code": REQUEST["strategy_code"], "start_date": "2015-01-01", "end_date": "2015-12-31"}
    asked = [("GET", f"{BACKTEST}/{path.split('/')[-2]}", None), ("POST", "/backtest", older)]
    client.post("/backtest", json=older)
    whole = [client.request(method, address, json=body) for method, address, body in asked]
    monkeypatch.setattr(result_response, "LONG_BYTES", 10)
    monkeypatch.setattr(result_response, "SLICE_BYTES", slice_bytes)
    for answer, (method, address, body) in zip(whole, asked, strict=True):
        with client.stream(method, address, json=body) as again:
            pieces = list(again.iter_raw())
        assert "Content-Length" in answer.headers
        assert "Content-Length" not in again.headers, "it comes in pieces"
        assert len(pieces) > len(answer.content) / slice_bytes / 100
        assert b"".join(pieces) == answer.content


def test_a_client_without_accept_encoding_gets_plain_json(client, path):
    client.headers.pop("Accept-Encoding", None)
    answer, body = fetched(client, path, "")
    assert "Content-Encoding" not in answer.headers
    assert json.loads(body)["run_hash"]


def test_a_reused_backtest_is_the_stored_bytes_too(client, path):
    sent = {"Accept-Encoding": "gzip"}
    with client.stream("POST", BACKTEST, json=REQUEST, headers=sent) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers["X-Run-Reused"] == "true"
    assert body == fetched(client, path, "gzip")[1]


def test_a_page_from_another_origin_can_read_the_headers(client, path):
    answer = client.get(path, headers={"Origin": "http://localhost:3000"})
    shown = answer.headers["Access-Control-Expose-Headers"]
    assert all(name in shown for name in ("ETag", "Location", "X-Run-Hash", "X-Run-Reused", "Preference-Applied"))
    assert {"Accept-Encoding", "Origin"} <= {word.strip() for word in answer.headers["Vary"].split(",")}
    preflight = client.options(
        RUNS,
        headers={
            "Origin": "http://localhost:3000",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "idempotency-key,last-event-id,if-none-match,prefer",
        },
    )
    assert preflight.status_code == 200
