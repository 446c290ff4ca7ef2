import pytest

from tests.fakes.application import BACKTEST, REQUEST, RUNS
from tests.fakes.backtests import FakeBacktests


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8005"])
@pytest.mark.parametrize("path", ["/health/", f"{RUNS}/?limit=3&cursor=a%2Fb", "/plain/"])
def test_one_slash_too_many_redirects_without_naming_a_host(connect, host, path):
    answer = connect(FakeBacktests()).get(path, headers={"Host": host}, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (307, path.replace("/?", "?").removesuffix("/"))


def test_what_was_posted_is_posted_again(connect):
    assert connect(FakeBacktests()).post(f"{BACKTEST}/", json=REQUEST).status_code == 200


@pytest.mark.parametrize("path", ["/nowhere/", "//evil.example/", "//evil.example/health/", "//health/", "/%2F/evil/"])
def test_an_unknown_path_is_not_redirected(connect, path):
    answer = connect(FakeBacktests()).get(f"http://testserver{path}", follow_redirects=False)
    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_a_mounted_service_keeps_its_root(connect):
    client = connect(FakeBacktests())
    client.app.root_path = "/root"
    answer = client.get("/root/health/", follow_redirects=False)
    assert answer.headers["Location"] == "/root/health"
