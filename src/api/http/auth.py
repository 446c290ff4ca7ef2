"""Authenticates the user of a token. python-jose checks signatures; this module adds the checks it lacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jose import JOSEError, jwk, jws, jwt
from starlette.requests import Request

from src.api.http.jwks import Jwk, KeySet
from src.api.http.owners import LOCAL_OWNER
from src.errors import BacktesterError
from src.models.plain import is_well_formed

COOKIE = "hqg_auth_token"
MAX_TOKEN_CHARACTERS = 8192
MAX_SUBJECT_CHARACTERS = 255
LEEWAY_SECONDS = 30
"""How far the issuer's clock may differ from ours."""

HMAC_AUDIENCE = "authenticated"

_KEY_TYPES = {"RS256": {"kty": "RSA"}, "ES256": {"kty": "EC", "crv": "P-256"}}
"""The algorithms for public keys, and the properties of their keys."""

_HMAC_ALGORITHM = "HS256"

# A malformed token makes python-jose raise more than its own errors.
_BAD_TOKEN = (JOSEError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Unauthenticated(BacktesterError):
    """The token is missing or cannot be trusted."""

    code = "unauthenticated"
    http_status = 401


class RoleNotAllowed(BacktesterError):
    """The token is valid, but its role may not use this service."""

    code = "role_not_allowed"
    http_status = 403


@dataclass(frozen=True)
class Principal:
    """The authenticated user of a request.

    Attributes:
        subject: the token's sub, stable for one person.
        roles: roles that the issuer assigned, never ones that users can set.
    """

    subject: str
    roles: frozenset[str]


class Authentication:
    """Checks tokens.

    Args:
        keys: the issuer's public keys for RS256 and ES256; None refuses both.
        shared_secret: for HS256 with the audience "authenticated"; empty refuses it.
        audience: required of tokens signed with a public key; empty skips the check.
        issuer: required of all tokens; empty skips the check.
        roles: the roles that are allowed; empty allows every valid token.
    """

    def __init__(
        self,
        *,
        keys: KeySet | None = None,
        shared_secret: str = "",
        audience: str = "",
        issuer: str = "",
        roles: frozenset[str] = frozenset(),
    ) -> None:
        self._keys = keys
        self._shared_secret = shared_secret
        self._audience = audience
        self._issuer = issuer
        self._roles = roles

    @property
    def is_on(self) -> bool:
        """Whether requests need a token."""
        return self._keys is not None or bool(self._shared_secret)

    async def principal(self, request: Request) -> Principal:
        """The authenticated user of the request.

        Raises:
            Unauthenticated, RoleNotAllowed, KeysUnavailable
        """
        token = _token(request)
        if not token:
            raise Unauthenticated(f"Send a token as 'Authorization: Bearer …' or in the cookie {COOKIE}.")
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise Unauthenticated("The token is too long.")
        principal = _principal_of(await self._claims(token))
        if self._roles and not self._roles & principal.roles:
            raise RoleNotAllowed("The token's role may not use this service.")
        return principal

    async def _claims(self, token: str) -> Mapping[str, Any]:
        header = _header(token)
        algorithm = str(header.get("alg"))
        if algorithm == _HMAC_ALGORITHM and self._shared_secret:
            return self._decoded(token, algorithm, self._shared_secret, HMAC_AUDIENCE)
        kid = header.get("kid")
        if self._keys is None or algorithm not in _KEY_TYPES or not isinstance(kid, str):
            raise Unauthenticated("The token cannot be accepted.")
        key = await self._keys.key(kid)
        if key is None or not _fits(key, algorithm):
            raise Unauthenticated("The token's key is unknown.")
        return self._decoded(token, algorithm, dict(key), self._audience)

    def _decoded(self, token: str, algorithm: str, key: Any, audience: str) -> Mapping[str, Any]:
        """The claims of a token, after checking signature, times, audience and issuer.

        Args:
            key: the shared secret, or a JWK that fits the algorithm.
        """
        options = {
            "require_exp": True,
            "require_sub": True,
            "require_aud": bool(audience),
            "require_iss": bool(self._issuer),
            "verify_aud": bool(audience),
            "verify_at_hash": False,
            "leeway": LEEWAY_SECONDS,
        }
        try:
            built = jwk.construct(key, algorithm)
            claims: Mapping[str, Any] = jwt.decode(
                token,
                built,
                algorithms=[algorithm],
                audience=audience or None,
                issuer=self._issuer or None,
                options=options,
            )
        except _BAD_TOKEN as error:
            raise Unauthenticated("The token is invalid or has expired.") from error
        return claims


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return token.strip() if scheme.lower() == "bearer" else ""
    return request.cookies.get(COOKIE, "")


def _header(token: str) -> Mapping[str, Any]:
    try:
        header: Mapping[str, Any] = jws.get_unverified_header(token)
    except _BAD_TOKEN as error:
        raise Unauthenticated("The token is malformed.") from error
    # crit names extensions that must be supported; we support none.
    if "crit" in header:
        raise Unauthenticated("The token cannot be accepted.")
    return header


def _fits(key: Jwk, algorithm: str) -> bool:
    """Whether the key is meant for signatures with that algorithm."""
    wanted = _KEY_TYPES[algorithm]
    is_of_type = all(key.get(name) == value for name, value in wanted.items())
    return is_of_type and key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm


def _principal_of(claims: Mapping[str, Any]) -> Principal:
    subject, expires = claims.get("sub"), claims.get("exp")
    # python-jose also accepts an exp that is text or true.
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise Unauthenticated("The token is invalid or has expired.")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
        raise Unauthenticated("The token's subject cannot be accepted.")
    if not is_well_formed(subject) or "\0" in subject:
        # The subject names an owner in the database, and not every database can store such text.
        raise Unauthenticated("The token's subject cannot be accepted.")
    if subject == LOCAL_OWNER:
        # It would own the runs made before log-in was switched on.
        raise Unauthenticated("The token's subject cannot be accepted.")
    # user_metadata is ignored: users can write it themselves.
    of_issuer = claims.get("app_metadata")
    places = (claims, of_issuer if isinstance(of_issuer, Mapping) else {})
    named = [place.get(name) for place in places for name in ("role", "roles")]
    roles = [role for value in named for role in (value if isinstance(value, list) else [value])]
    return Principal(subject, frozenset(role for role in roles if isinstance(role, str)))
