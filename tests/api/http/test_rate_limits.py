import http.client
import math
import re
import shutil
import subprocess

import pytest
from fastapi.routing import iter_route_contexts
from starlette.requests import Request

from src.api.http.access import is_open
from src.api.http.rate_limits import Budget, CountsInMemory, RateLimits, TooManyRequests
from tests.fakes.application import BACKTEST, REQUEST, RUNS, make_app, wait_until
from tests.fakes.backtests import FakeBacktests
from tests.fakes.issuer import Issuer, SigningKey, publishing
from tests.prerequisites import missing
from tests.servers import free_port, listens

KEY = SigningKey("k")


def routes() -> list[tuple[str, str]]:
    """Every method and path of the application, path parameters filled in."""
    found = set()
    for context in iter_route_contexts(make_app(FakeBacktests()).routes):
        path = getattr(context, "path", None) or context.route.path
        for method in getattr(context, "methods", None) or getattr(context.route, "methods", None) or ():
            found.add((method, re.sub(r"{[^}]*}", "x", path)))
    return sorted(found - {(method, path) for method, path in found if method in ("HEAD", "OPTIONS")})


PROTECTED = [(method, path) for method, path in routes() if not is_open(path)]


def test_the_walk_finds_the_routes_and_only_known_pages_are_open():
    assert {("POST", BACKTEST), ("POST", "/backtest"), ("POST", "/api/v1/validate")} <= set(PROTECTED)
    assert not [path for _, path in routes() if is_open(path) and path.startswith(("/api", "/backtest"))]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
@pytest.mark.parametrize("window", ["per_minute", "per_hour"])
def test_every_route_has_a_limit_per_minute_and_per_hour(connect, method, path, window):
    kind = "reads_" if method == "GET" else ""
    client = connect(FakeBacktests(), **{f"rate_limit_{kind}{window}": 2})
    statuses = [client.request(method, path, json=REQUEST).status_code for _ in range(3)]
    assert statuses[2] == 429
    assert 429 not in statuses[:2]


def test_a_refusal_says_what_is_allowed_and_when_to_come_back(connect):
    client = connect(FakeBacktests(), rate_limit_per_minute=1)
    client.post(BACKTEST, json=REQUEST)
    answer = client.post(BACKTEST, json=REQUEST)
    seconds = int(answer.headers["Retry-After"])
    assert 1 <= seconds <= 60
    assert answer.json() == {"detail": f"Too many requests: 1 per 1 minute are allowed. Try again in {seconds} s."}
    assert answer.headers["X-Request-ID"]


def test_all_routes_share_one_budget(connect):
    client = connect(FakeBacktests(), rate_limit_per_minute=2)
    assert client.post(BACKTEST, json=REQUEST).status_code == 200
    assert client.post("/api/v1/validate", json=REQUEST).status_code == 200
    answer = client.post("/backtest", json={})
    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "rate_limited")


def test_reading_and_changing_have_separate_budgets(connect):
    client = connect(FakeBacktests(), rate_limit_per_minute=1, rate_limit_reads_per_minute=2)
    assert [client.post(BACKTEST, json=REQUEST).status_code for _ in range(2)] == [200, 429]
    assert client.delete(f"{RUNS}/x").status_code == 429
    assert [client.get(RUNS).status_code for _ in range(3)] == [200, 200, 429]
    assert client.head(f"{RUNS}/x/result").status_code == 429


def test_a_dashboard_that_polls_every_second_does_not_starve(connect):
    client = connect(FakeBacktests(), rate_limit_reads_per_minute=600, rate_limit_reads_per_hour=20_000)
    job = client.post(BACKTEST, json=REQUEST).json()["job_id"]
    assert {client.get(f"{BACKTEST}/{job}").status_code for _ in range(300)} == {200}


def test_health_and_documentation_are_not_counted(connect):
    client = connect(FakeBacktests(), rate_limit_per_minute=1)
    assert {client.get(path).status_code for path in ("/health", "/docs", "/openapi.json") * 5} == {200}
    assert client.post(BACKTEST, json=REQUEST).status_code == 200


def test_an_environment_variable_of_slowapi_does_not_switch_it_off(connect, monkeypatch):
    monkeypatch.setenv("RATELIMIT_ENABLED", "False")
    client = connect(FakeBacktests(), rate_limit_per_minute=1)
    assert [client.post(BACKTEST, json=REQUEST).status_code for _ in range(2)] == [200, 429]


def test_counting_starts_no_thread(connect, monkeypatch):
    client = connect(FakeBacktests())
    client.get(RUNS)
    started = []
    monkeypatch.setattr("threading.Timer.start", started.append)
    assert [client.get(RUNS).status_code for _ in range(5)] == [200] * 5
    assert started == []


def test_expired_counts_are_removed_from_memory():
    counts = CountsInMemory()
    counts.incr("expired", 0)
    counts._cleaned_at = -math.inf
    counts.incr("current", 60)
    assert list(counts.storage) == ["current"]


def test_two_applications_in_one_process_do_not_count_for_each_other(connect):
    for _ in range(2):
        client = connect(FakeBacktests(), rate_limit_per_minute=1)
        assert client.post(BACKTEST, json=REQUEST).status_code == 200


def test_with_log_in_each_person_has_a_budget_and_bad_tokens_count_to_their_address(connect):
    with publishing(Issuer(KEY.public_jwk())) as issuer:
        client = connect(FakeBacktests(), hqg_dash_jwks_url=issuer.url, rate_limit_per_minute=2)

        def statuses(token: str, times: int) -> list[int]:
            headers = {"Authorization": f"Bearer {token}"}
            return [client.post(BACKTEST, json=REQUEST, headers=headers).status_code for _ in range(times)]

        assert statuses(KEY.token(sub="a"), 3) == [200, 200, 429]
        assert statuses(KEY.token(sub="b"), 3) == [200, 200, 429]
        assert statuses("guess", 3) == [401, 401, 429]


@pytest.mark.parametrize(
    ("trusted", "forwarded", "is_shared"),
    [
        ("", ["1.1.1.1", "2.2.2.2"], True),
        ("127.0.0.1", ["1.1.1.1", "2.2.2.2"], False),
        ("127.0.0.0/8,10.0.0.0/8", ["1.1.1.1, 10.0.0.1", "2.2.2.2, 10.0.0.1"], False),
        ("127.0.0.1", ["6.6.6.6, 1.1.1.1", "7.7.7.7, 1.1.1.1"], True),
        ("127.0.0.1", ["nonsense", "rubbish"], True),
        ("127.0.0.1", ["2001:db8:0:1::1", "2001:db8:0:1::2"], True),
        ("127.0.0.1", ["2001:db8:0:1::1", "2001:db8:0:2::1"], False),
        ("127.0.0.1", ["::ffff:1.1.1.1", "1.1.1.1"], True),
    ],
)
def test_a_forwarding_header_counts_only_from_a_trusted_proxy(serve, trusted, forwarded, is_shared):
    port = serve(FakeBacktests(), trusted_proxies=trusted, rate_limit_reads_per_minute=1)
    statuses = []
    for addresses in forwarded:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/api/v1/health/ready", headers={"X-Forwarded-For": addresses})
        statuses.append(connection.getresponse().status)
        connection.close()
    assert statuses == [200, 429 if is_shared else 200]


def asked(method: str = "POST") -> Request:
    """The parts of a request that counting needs."""
    return Request({"type": "http", "path": "/", "method": method, "headers": [], "state": {}})


def limits_at(url: str) -> RateLimits:
    """Two changes and three reads per minute, counted in that storage."""
    return RateLimits(reads=Budget(3, 100), changes=Budget(2, 100), storage_url=url)


@pytest.fixture
def redis_url(tmp_path):
    """A Redis of this test; skipped if none is installed."""
    program = shutil.which("redis-server")
    if program is None:
        missing("REDIS", "NO REDIS: redis-server is not installed")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port))
        yield f"redis://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(60)


def test_two_processes_share_their_counts_through_redis(redis_url):
    url, _ = redis_url
    here, there = limits_at(url), limits_at(url)
    here.count(asked(), "a")
    there.count(asked(), "a")
    with pytest.raises(TooManyRequests):
        here.count(asked(), "a")
    there.count(asked(), "b")
    for limits in (here, there, here):
        limits.count(asked("GET"), "a")
    with pytest.raises(TooManyRequests, match="3 per 1 minute"):
        there.count(asked("HEAD"), "a")


def test_while_redis_is_down_each_process_counts_alone(redis_url):
    url, process = redis_url
    limits = limits_at(url)
    limits.count(asked(), "a")
    process.terminate()
    process.wait(60)
    limits.count(asked(), "a")
    limits.count(asked(), "a")
    with pytest.raises(TooManyRequests):
        limits.count(asked(), "a")
