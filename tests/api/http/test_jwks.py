"""When the service fetches the issuer's keys, and when it does not."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from src.api.http.jwks import (
    COOL_DOWN_SECONDS,
    FRESH_SECONDS,
    MAX_ANSWER_BYTES,
    STALE_SECONDS,
    KeySet,
    KeysUnavailable,
    fetch_document,
    keys_by_kid,
)
from tests.fakes.application import BACKTEST, REQUEST
from tests.fakes.backtests import FakeBacktests
from tests.fakes.clock import Clock
from tests.fakes.issuer import Issuer, SigningKey, publishing

OLD, NEW = SigningKey("old"), SigningKey("new")


@pytest.fixture
def issuer():
    with publishing(Issuer(OLD.public_jwk())) as serving:
        yield serving


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(issuer, clock) -> KeySet:
    return KeySet(lambda: fetch_document(issuer.url), clock)


def known(keys: KeySet, kid: str) -> bool:
    return asyncio.run(keys.key(kid)) is not None


def test_a_key_is_fetched_once_and_again_when_it_is_no_longer_fresh(keys, issuer, clock):
    assert [known(keys, "old") for _ in range(5)] == [True] * 5
    assert issuer.n_requests == 1
    clock.now += FRESH_SECONDS
    assert known(keys, "old")
    assert issuer.n_requests == 2


def test_fifty_bogus_kids_make_no_extra_request(keys, issuer, clock):
    assert known(keys, "old")
    assert not any(known(keys, f"bogus-{number}") for number in range(50))
    assert issuer.n_requests == 1
    clock.now += COOL_DOWN_SECONDS
    assert not any(known(keys, f"bogus-{number}") for number in range(50))
    assert issuer.n_requests == 2


def test_a_new_key_is_found_after_the_cool_down_and_the_withdrawn_one_is_gone(keys, issuer, clock):
    assert known(keys, "old")
    issuer.keys = [NEW.public_jwk()]
    clock.now += COOL_DOWN_SECONDS
    assert known(keys, "new")
    assert not known(keys, "old")


@pytest.mark.parametrize(
    "body", [None, b"<html>", b"{}", b"[]", b'{"keys": 1}', b'{"keys": []}' + b" " * MAX_ANSWER_BYTES]
)
def test_while_the_issuer_is_down_the_last_good_keys_are_used_and_queries_are_rare(keys, issuer, clock, body):
    assert known(keys, "old")
    issuer.body, issuer.status = body, 200 if body else 503
    clock.now += FRESH_SECONDS
    assert [known(keys, "old") for _ in range(20)] == [True] * 20
    assert issuer.n_requests == 2
    issuer.body, issuer.status = None, 200
    clock.now += COOL_DOWN_SECONDS
    assert known(keys, "old")
    assert issuer.n_requests == 3


def test_keys_expire_without_their_issuer(keys, issuer, clock):
    assert known(keys, "old")
    issuer.status = 503
    clock.now += STALE_SECONDS
    with pytest.raises(KeysUnavailable):
        known(keys, "old")


def test_an_issuer_that_has_never_answered_is_queried_once_per_cool_down(clock):
    asked: list[int] = []

    def fetch() -> bytes:
        asked.append(1)
        raise OSError("refused")

    keys = KeySet(fetch, clock)
    for _ in range(10):
        with pytest.raises(KeysUnavailable):
            known(keys, "old")
    assert len(asked) == 1


async def test_waiting_requests_share_one_query_even_if_one_of_them_leaves(issuer):
    issuer.delay_seconds = 0.2
    keys = KeySet(lambda: fetch_document(issuer.url))
    waiting = [asyncio.create_task(keys.key("old")) for _ in range(50)]
    await asyncio.sleep(0.05)
    waiting[0].cancel()
    assert None not in await asyncio.gather(*waiting[1:])
    assert issuer.n_requests == 1


def test_a_key_set_with_too_many_keys_or_none_with_a_name():
    assert keys_by_kid(b'{"keys": [{"kty": "EC"}, {"kid": 1}, 7]}') == {}
    with pytest.raises(ValueError, match="not a JWKS"):
        keys_by_kid(b'{"keys": [' + b",".join([b"{}"] * 101) + b"]}")
    with pytest.raises(ValueError, match="not a JWKS"):
        keys_by_kid(b'{"keys":' + b"[" * 200_000)


def test_keys_that_rotate_while_requests_are_under_way_never_let_a_wrong_token_in(connect, issuer, monkeypatch):
    monkeypatch.setattr("src.api.http.jwks.COOL_DOWN_SECONDS", 0.0)
    client = connect(FakeBacktests(), hqg_dash_jwks_url=issuer.url)
    rotated = threading.Event()

    def ask(number: int) -> tuple[str, int]:
        if number == 30:
            issuer.keys = [NEW.public_jwk()]
            rotated.set()
        key = NEW if number % 2 else OLD
        answer = client.post(BACKTEST, json=REQUEST, headers={"Authorization": f"Bearer {key.token()}"})
        return key.kid, answer.status_code

    with ThreadPoolExecutor(4) as clients:
        statuses = list(clients.map(ask, range(60)))
    assert rotated.is_set()
    assert {status for _, status in statuses} == {200, 401}
    assert all(status == 401 for kid, status in statuses[:20] if kid == "new")
    assert all(status == 200 for kid, status in statuses[40:] if kid == "new")
    assert statuses[0] == ("old", 200)
