"""Every known way to forge a token, against a real issuer on 127.0.0.1."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode

import pytest

from src.api.http.auth import COOKIE, MAX_TOKEN_CHARACTERS
from tests.fakes.application import BACKTEST, REQUEST
from tests.fakes.backtests import FakeBacktests
from tests.fakes.issuer import Issuer, SigningKey, claims, publishing, raw_token

EC_KEY, RSA_KEY, FOREIGN_KEY = SigningKey("ec-1"), SigningKey("rsa-1", "RS256"), SigningKey("ec-1")
SECRET = "a-shared-secret-of-more-than-thirty-two-bytes"  # noqa: S105 - only of these tests


@pytest.fixture
def issuer():
    with publishing(Issuer(EC_KEY.public_jwk(), RSA_KEY.public_jwk())) as serving:
        yield serving


@pytest.fixture
def guarded(connect, issuer):
    """guarded(**settings): a client of the service with log-in by the issuer's keys."""
    return lambda **settings: connect(FakeBacktests(), hqg_dash_jwks_url=issuer.url, **settings)


def status(client, token: str | None, **headers: str) -> int:
    sent = headers if token is None else {"Authorization": f"Bearer {token}", **headers}
    answer = client.post(BACKTEST, json=REQUEST, headers=sent)
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert list(answer.json()) == ["detail"]
    return answer.status_code


def hs256(payload: dict, secret: bytes, **header: str) -> str:
    unsigned = raw_token({"alg": "HS256", "typ": "JWT", **header}, payload).rsplit(".", 1)[0]
    digest = hmac.new(secret, unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def test_without_a_setting_no_token_is_needed(connect):
    assert status(connect(FakeBacktests()), None) == 200


@pytest.mark.parametrize("key", [EC_KEY, RSA_KEY], ids=["ES256", "RS256"])
def test_a_valid_token_is_accepted(guarded, key):
    assert status(guarded(), key.token()) == 200


def test_the_dashboards_cookie_is_accepted_too(guarded):
    client = guarded()
    client.cookies.set(COOKIE, EC_KEY.token())
    assert status(client, None) == 200
    assert status(client, "forged") == 401, "the header takes precedence over the cookie"


def test_health_and_documentation_stay_open(guarded):
    client = guarded()
    assert {client.get(path).status_code for path in ("/health", "/docs", "/redoc", "/openapi.json")} == {200}


METRICS_TOKEN = "a-token-of-prometheus"  # noqa: S105 - only of these tests


def test_metrics_need_a_valid_token_with_log_in(guarded):
    client = guarded()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {EC_KEY.token()}"}).status_code == 200
    assert client.get("/metrics", headers={"Authorization": f"Bearer {FOREIGN_KEY.token()}"}).status_code == 401


@pytest.mark.parametrize(
    "sent", ["", METRICS_TOKEN, f"Basic {METRICS_TOKEN}", f"Bearer {METRICS_TOKEN}x", "Bearer", "Bearer \xe4"]
)
def test_metrics_with_their_own_token_accept_no_other(connect, guarded, sent):
    headers = {"Authorization": sent.encode("latin-1")}
    for client in (connect(FakeBacktests(), metrics_token=METRICS_TOKEN), guarded(metrics_token=METRICS_TOKEN)):
        assert client.get("/metrics", headers=headers).status_code == 401
        assert client.get("/metrics", headers={"Authorization": f"Bearer {EC_KEY.token()}"}).status_code == 401
        assert client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).status_code == 200


def test_the_metrics_token_is_valid_only_for_metrics(guarded):
    client = guarded(metrics_token=METRICS_TOKEN)
    assert client.get("/api/v1/runs", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).status_code == 401


def test_guessing_the_metrics_token_is_limited(connect):
    client = connect(FakeBacktests(), metrics_token=METRICS_TOKEN, rate_limit_reads_per_minute=2)
    assert [client.get("/metrics").status_code for _ in range(3)] == [401, 401, 429]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", BACKTEST),
        ("POST", "/backtest"),
        ("POST", "/api/v1/validate"),
        ("GET", "/api/v1/health/ready"),
        ("GET", "/api/v1/health/detailed"),
        ("GET", "/a/route/that/does/not/exist"),
    ],
)
def test_everything_else_needs_a_token_before_anything_is_read(guarded, method, path):
    assert guarded().request(method, path, content=b"{").status_code == 401


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "bearer\t", "Bearer a.b", "Bearer a.b.c", "Bearer ...."]
)
def test_a_header_without_a_token_is_refused(guarded, sent):
    assert guarded().post(BACKTEST, json=REQUEST, headers={"Authorization": sent}).status_code == 401


HEADER = {"alg": "ES256", "kid": "ec-1"}
FORGERIES = {
    "signed by another key of the same name": FOREIGN_KEY.token(),
    "an unknown kid": EC_KEY.token(header={"kid": "ec-2"}),
    "no kid": raw_token({"alg": "ES256"}, claims(), b"x" * 64),
    "a kid that is no text": raw_token({"alg": "ES256", "kid": ["ec-1"]}, claims(), b"x" * 64),
    "alg none": raw_token({"alg": "none", "kid": "ec-1"}, claims()),
    "alg None": raw_token({"alg": None, "kid": "ec-1"}, claims()),
    "alg is a list": raw_token({"alg": ["ES256"], "kid": "ec-1"}, claims()),
    "no alg": raw_token({"kid": "ec-1"}, claims()),
    "HS256 with the public key as secret": hs256(claims(), RSA_KEY.public_pem.encode(), kid="rsa-1"),
    "HS256 with an empty secret": hs256(claims(), b"", kid="ec-1"),
    "the algorithm of another key type": EC_KEY.token(header={"kid": "rsa-1"}),
    "expired": EC_KEY.token(exp=int(time.time()) - 3600),
    "without exp": EC_KEY.token(exp=None),
    "exp is true": EC_KEY.token(exp=True),
    "exp is text": EC_KEY.token(exp="99999999999"),
    "not yet valid": EC_KEY.token(nbf=int(time.time()) + 3600),
    "without sub": EC_KEY.token(sub=None),
    "an empty sub": EC_KEY.token(sub=""),
    "a sub that is no text": EC_KEY.token(sub=7),
    "a long sub": EC_KEY.token(sub="x" * 256),
    "a sub with a NUL": EC_KEY.token(sub="a\0b"),
    "a sub with half a surrogate pair": EC_KEY.token(sub="a\ud800"),
    "the name of who runs things without log-in": EC_KEY.token(sub="local"),
    "crit": EC_KEY.token(header={"crit": ["exp"]}),
    "an empty crit": EC_KEY.token(header={"crit": []}),
    "a changed payload": ".".join([EC_KEY.token().split(".")[0], raw_token({}, claims()).split(".")[1], "AAAA"]),
    "no signature": EC_KEY.token().rsplit(".", 1)[0] + ".",
    "too long": EC_KEY.token(filler="x" * MAX_TOKEN_CHARACTERS),
    "a header nested deep": urlsafe_b64encode(b"[" * 4000).decode() + ".e30.AAAA",
    "a payload that is no object": raw_token(HEADER, [1], b"x" * 64),
    "text that is no base64": "é.é.é",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_token_is_refused_that_is(guarded, forgery):
    client = guarded()
    answer = client.post(BACKTEST, json=REQUEST, headers={"Authorization": f"Bearer {forgery}".encode()})
    assert answer.status_code == 401, answer.text
    assert status(client, EC_KEY.token()) == 200


def test_an_infinite_exp_is_refused_without_an_internal_error(guarded):
    token = EC_KEY.token(exp=1e308)
    assert status(guarded(), token) in (200, 401)
    infinite = hs256(json.loads('{"sub": "a", "aud": "authenticated", "exp": 1e999}'), SECRET.encode())
    assert status(guarded(supabase_jwt_secret=SECRET), infinite) == 401


def test_clocks_may_differ_by_no_more_than_the_leeway(guarded):
    client, now = guarded(), int(time.time())
    assert status(client, EC_KEY.token(exp=now - 20)) == 200
    assert status(client, EC_KEY.token(nbf=now + 20)) == 200
    assert status(client, EC_KEY.token(exp=now - 40)) == 401


@pytest.mark.parametrize(
    ("setting", "good", "bad"),
    [
        ({"auth_audience": "hqg"}, {"aud": "hqg"}, {"aud": "other"}),
        ({"auth_audience": "hqg"}, {"aud": ["a", "hqg"]}, {"aud": None}),
        ({"auth_issuer": "https://i"}, {"iss": "https://i"}, {"iss": "https://j"}),
        ({"auth_issuer": "https://i"}, {"iss": "https://i"}, {"iss": None}),
    ],
)
def test_audience_and_issuer_must_match_once_configured(guarded, setting, good, bad):
    client = guarded(**setting)
    assert status(client, EC_KEY.token(**good)) == 200
    assert status(client, EC_KEY.token(**bad)) == 401


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"role": "trader"}, 200),
        ({"roles": ["viewer", "trader"]}, 200),
        ({"app_metadata": {"role": "trader"}}, 200),
        ({"app_metadata": {"roles": ["admin"]}}, 200),
        ({"role": "viewer"}, 403),
        ({}, 403),
        ({"user_metadata": {"role": "admin"}}, 403),
        ({"role": {"trader": 1}}, 403),
    ],
)
def test_only_allowed_roles_get_in(guarded, said, expected):
    assert status(guarded(auth_allowed_roles="admin, trader"), EC_KEY.token(**said)) == expected


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        (EC_KEY.public_jwk(use="enc"), 401),
        (EC_KEY.public_jwk(alg="RS256"), 401),
        (EC_KEY.public_jwk(kty="RSA"), 401),
        (EC_KEY.public_jwk(crv="P-384"), 401),
        (EC_KEY.public_jwk(x="AAAA"), 401),
        (EC_KEY.public_jwk(x=None), 401),
        ({"kid": "ec-1", "kty": "oct", "k": "c2VjcmV0"}, 401),
        ({"kid": "ec-1"}, 401),
    ],
)
def test_a_published_key_that_does_not_fit_is_refused(guarded, issuer, published, expected):
    issuer.keys = [published]
    client = guarded()
    assert status(client, EC_KEY.token()) == expected
    assert status(client, hs256(claims(), b"secret", kid="ec-1")) == 401


def test_one_foreign_key_does_not_invalidate_good_tokens(guarded, issuer):
    strange = [{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AAAA"}, {"kty": "??"}, 7, None, {"kid": 7}]
    issuer.keys = [*strange, EC_KEY.public_jwk()]
    client = guarded()
    assert status(client, EC_KEY.token()) == 200
    assert status(client, EC_KEY.token(header={"kid": "ed"})) == 401


@pytest.mark.parametrize(
    ("said", "expected"), [({}, 200), ({"aud": "other"}, 401), ({"aud": None}, 401), ({"exp": None}, 401)]
)
def test_a_shared_secret_accepts_tokens_for_its_audience(connect, said, expected):
    client = connect(FakeBacktests(), supabase_jwt_secret=SECRET)
    assert status(client, hs256(claims(**said), SECRET.encode())) == expected


def test_a_shared_secret_alone_refuses_other_algorithms(connect):
    client = connect(FakeBacktests(), supabase_jwt_secret=SECRET)
    assert status(client, EC_KEY.token()) == 401
    assert status(client, hs256(claims(), b"another secret")) == 401
    assert status(client, raw_token({"alg": "none"}, claims())) == 401


def test_keys_alone_refuse_a_shared_secret(guarded):
    assert status(guarded(), hs256(claims(), SECRET.encode())) == 401


def test_keys_and_a_shared_secret_may_both_be_on(guarded):
    client = guarded(supabase_jwt_secret=SECRET)
    assert status(client, EC_KEY.token()) == 200
    assert status(client, hs256(claims(), SECRET.encode())) == 200
    assert status(client, hs256(claims(), EC_KEY.public_pem.encode(), kid="ec-1")) == 401


def test_an_issuer_that_has_never_answered_gives_503(guarded, issuer):
    issuer.status = 500
    answer = guarded().post(BACKTEST, json=REQUEST, headers={"Authorization": f"Bearer {EC_KEY.token()}"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


def test_the_log_holds_no_token_and_no_secret(guarded, caplog):
    caplog.set_level("DEBUG")
    client, token = guarded(supabase_jwt_secret=SECRET), EC_KEY.token()
    assert [status(client, token), status(client, token + "x")] == [200, 401]
    assert token not in caplog.text
    assert SECRET not in caplog.text
