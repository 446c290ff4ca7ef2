import re

import pytest

from tests.fakes.application import BACKTEST, REQUEST
from tests.fakes.backtests import FakeBacktests

GENERATED = re.compile(r"[0-9a-f]{16}")


@pytest.mark.parametrize("sent", ["a", "abc-DEF_123", "x" * 64])
def test_a_harmless_id_of_the_client_is_kept(connect, sent):
    answer = connect(FakeBacktests()).get("/health", headers={"X-Request-ID": sent})
    assert answer.headers["X-Request-ID"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "a\tb", "../x", "é", "a;b", "<script>"])
def test_an_id_that_could_do_harm_is_replaced(connect, sent):
    answer = connect(FakeBacktests()).get("/health", headers={"X-Request-ID": sent.encode("latin-1")})
    assert GENERATED.fullmatch(answer.headers["X-Request-ID"])


def test_requests_without_an_id_get_different_ones(connect):
    client = connect(FakeBacktests())
    ids = {client.get("/health").headers["X-Request-ID"] for _ in range(20)}
    assert len(ids) == 20


@pytest.mark.parametrize(("kind", "status"), [("ok", 200), ("malformed", 422), ("too large", 413), ("own fault", 500)])
def test_every_kind_of_answer_carries_the_id_once(connect, kind, status):
    backtests = FakeBacktests(error=RuntimeError("our fault") if kind == "own fault" else None)
    body = {"malformed": {}, "too large": REQUEST | {"strategy_code": "x" * 5000}}.get(kind, REQUEST)
    client = connect(backtests, max_body_bytes=2000)
    answer = client.post(BACKTEST, json=body, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.headers.get_list("X-Request-ID")) == (status, ["mine"])


def test_a_path_cannot_forge_a_log_line(connect, caplog):
    with caplog.at_level("INFO", logger="src"):
        connect(FakeBacktests()).get("/x%0Arequest%20forged")
    [record] = [record for record in caplog.records if record.name == "src.api.http.middleware"]
    assert "\n" not in record.getMessage()
    assert " GET /x%0Arequest%20forged 404 " in record.getMessage()
