"""Requests that other sites' pages make a browser send: with a cookie, without one, and to the plain page."""

import pytest
from jose import jwt

from src.api.http.auth import COOKIE
from tests.fakes.application import BACKTEST, REQUEST, RUNS
from tests.fakes.backtests import FakeBacktests
from tests.fakes.issuer import claims

SHARED_SECRET = "s" * 32
DASHBOARD = "http://localhost:3000"
FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://[x"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver@evil.example"},
    {"Origin": "http://testserver:81"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Sec-Fetch-Site": "nonsense"},
]
OURS = [
    {"Origin": "http://testserver"},
    {"Origin": DASHBOARD, "Sec-Fetch-Site": "same-site"},
    {"Origin": DASHBOARD},
    {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"X-Requested-With": "a program"},
]


@pytest.fixture
def logged_in(connect):
    """A client with a valid cookie and a preset that can be run."""
    client = connect(FakeBacktests(), supabase_jwt_secret=SHARED_SECRET)
    client.cookies.set(COOKIE, jwt.encode(claims(), SHARED_SECRET, "HS256"))
    said = client.post("/api/v1/presets", json={"name": "mine", "configuration": REQUEST})
    assert said.status_code == 201, said.text
    client.preset = f"{RUNS}?preset_id={said.json()['preset_id']}"
    return client


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_sites_page_cannot_submit_a_preset_with_a_cookie(logged_in, headers):
    for address in (logged_in.preset, f"{logged_in.preset}&rerun=true"):
        answer = logged_in.post(address, headers=headers)
        assert (answer.status_code, "CORS_ORIGINS" in answer.json()["detail"]) == (403, True)
    assert logged_in.get(RUNS).json()["runs"] == []


def test_a_cookie_alone_proves_nothing(logged_in):
    assert logged_in.post(logged_in.preset).status_code == 403
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert logged_in.post(logged_in.preset, headers={"Content-Type": kind}).status_code == 403
    assert logged_in.get(RUNS).json()["runs"] == []


@pytest.mark.parametrize("headers", OURS, ids=str)
def test_a_cookie_is_accepted_from_our_pages_the_dashboard_and_programs(logged_in, headers):
    assert logged_in.post(logged_in.preset, headers=headers).status_code == 201


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_cancelling_and_deleting_are_refused_as_well(logged_in, headers):
    run = logged_in.post(logged_in.preset, headers=OURS[0]).json()["run_hash"]
    for method, path in (("POST", f"{RUNS}/{run}/cancel"), ("DELETE", f"{RUNS}/{run}")):
        assert logged_in.request(method, path, headers=headers).status_code == 403
    assert logged_in.get(f"{RUNS}/{run}").status_code == 200


def test_a_bearer_token_needs_no_origin(logged_in):
    token = logged_in.cookies[COOKIE]
    headers = {"Authorization": f"Bearer {token}", "Origin": "http://evil.example"}
    assert logged_in.post(logged_in.preset, headers=headers).status_code == 201


def test_a_cookie_does_not_count_for_every_origin_where_every_origin_may_call(connect):
    client = connect(FakeBacktests(), supabase_jwt_secret=SHARED_SECRET, cors_origins="*")
    client.cookies.set(COOKIE, jwt.encode(claims(), SHARED_SECRET, "HS256"))
    answer = client.post(BACKTEST, json=REQUEST, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    client.cookies.clear()
    assert client.post(BACKTEST, json=REQUEST, headers={"Origin": "http://evil.example"}).status_code == 401


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_without_log_in_another_sites_page_cannot_start_or_end_a_run_either(connect, headers):
    backtests = FakeBacktests()
    client = connect(backtests)
    for path in (BACKTEST, RUNS, f"{RUNS}/x/cancel", "/plain", "/backtest"):
        assert client.post(path, json=REQUEST, headers=headers).status_code == 403, path
    assert backtests.requests == []


def test_without_log_in_programs_need_no_header(connect):
    assert connect(FakeBacktests()).post(BACKTEST, json=REQUEST).status_code == 200


def test_every_origin_may_call_a_service_without_log_in_where_the_operator_says_so(connect):
    client = connect(FakeBacktests(), cors_origins="*")
    answer = client.post(BACKTEST, json=REQUEST, headers={"Origin": "https://anywhere.example"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_reading_is_left_to_the_browsers_own_rules(logged_in, headers):
    answer = logged_in.get(RUNS, headers=headers)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
