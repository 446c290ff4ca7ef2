import pytest

from src.api.http.middleware import SECURITY_HEADERS
from src.api.pages.documentation import PAGE_POLICY
from tests.fakes.application import BACKTEST, REQUEST
from tests.fakes.backtests import FakeBacktests

DASHBOARD = "http://localhost:3000"


def preflight(client, origin: str, method: str = "POST"):
    return client.options(
        BACKTEST,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type,authorization,prefer",
        },
    )


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_local_dashboard_may_call_with_its_cookie(connect, method):
    answer = preflight(connect(FakeBacktests()), DASHBOARD, method)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == DASHBOARD
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


def test_another_sites_page_may_not_call(connect):
    answer = preflight(connect(FakeBacktests()), "https://evil.example")
    assert answer.status_code == 400
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["X-Request-ID"]


def test_with_a_star_every_origin_may_call_but_without_cookies(connect):
    answer = preflight(connect(FakeBacktests(), cors_origins="*"), "https://anywhere.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_preflight_needs_no_token_and_counts_to_no_limit(connect):
    client = connect(FakeBacktests(), supabase_jwt_secret="x" * 32, rate_limit_per_minute=1)
    assert [preflight(client, DASHBOARD).status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("kind", ["ok", "malformed", "own fault", "no token", "too many"])
def test_a_page_can_read_errors_too(connect, kind):
    settings = {"no token": {"supabase_jwt_secret": "x" * 32}, "too many": {"rate_limit_per_minute": 1}}
    error = RuntimeError("ours") if kind == "own fault" else None
    client = connect(FakeBacktests(error=error), **settings.get(kind, {}))
    for _ in range(2):
        body = {} if kind == "malformed" else REQUEST
        answer = client.post(BACKTEST, json=body, headers={"Origin": DASHBOARD})
    expected = {"ok": 200, "malformed": 422, "own fault": 500, "no token": 401, "too many": 429}
    assert answer.status_code == expected[kind]
    assert answer.headers["Access-Control-Allow-Origin"] == DASHBOARD
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("path", ["/health", "/nowhere", BACKTEST, "/metrics"])
def test_every_answer_has_security_headers(connect, path):
    answer = connect(FakeBacktests()).get(path)
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_keeps_its_own_policy(connect, path):
    answer = connect(FakeBacktests()).get(path)
    assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
    assert answer.headers["X-Frame-Options"] == "DENY"
