"""An issuer of tokens: real keys, and a real HTTP server on 127.0.0.1 that publishes them."""

import contextlib
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jose import jwk, jwt


class SigningKey:
    """A key pair with a name.

    Args:
        kid: its name.
        algorithm: "RS256" or "ES256".
    """

    def __init__(self, kid: str, algorithm: str = "ES256") -> None:
        self.kid = kid
        self.algorithm = algorithm
        private = (
            rsa.generate_private_key(65537, 2048) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())
        )
        self.private_pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self.public_pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def public_jwk(self, **changes: Any) -> dict[str, Any]:
        """What the issuer publishes."""
        fields = jwk.construct(self.public_pem, self.algorithm).to_dict()
        plain = {name: value.decode() if isinstance(value, bytes) else value for name, value in fields.items()}
        return {**plain, "kid": self.kid, "use": "sig", **changes}

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token signed with this key; a claim that is set to None is left out."""
        return jwt.encode(
            claims(**changes), self.private_pem, self.algorithm, headers={"kid": self.kid, **(header or {})}
        )


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a valid token, with changes."""
    now = int(time.time())
    said = {"sub": "person-1", "exp": now + 600, "iat": now, "aud": "authenticated", **changes}
    return {name: value for name, value in said.items() if value is not None}


def raw_token(header: dict[str, Any], payload: Any, signature: bytes = b"") -> str:
    """A token of exactly these parts."""
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class Issuer:
    """Publishes keys at `url`. A test may change its answers while it serves.

    Attributes:
        keys: what it publishes. body: what it answers instead, where set. status: with which status.
        delay_seconds: how long each answer takes. n_requests: number of requests.
    """

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.body: bytes | None = None
        self.status = 200
        self.delay_seconds = 0.0
        self.n_requests = 0
        self._lock = threading.Lock()
        self.url = ""

    def answer(self) -> tuple[int, bytes]:
        """The answer to the next request."""
        with self._lock:
            self.n_requests += 1
        time.sleep(self.delay_seconds)
        return self.status, json.dumps({"keys": self.keys}).encode() if self.body is None else self.body


@contextlib.contextmanager
def publishing(issuer: Issuer) -> Iterator[Issuer]:
    """The issuer behind a real server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = issuer.answer()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Tests read the log of the service, not this one."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()
