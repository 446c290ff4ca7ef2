"""The issuer's public keys: fetched when needed, kept through outages, and never fetched on a client's demand."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.request import Request, urlopen

from src.errors import BacktesterError

logger = logging.getLogger(__name__)

FRESH_SECONDS = 300.0
"""How long keys are used before they are fetched again: a revoked key works no longer than this."""

STALE_SECONDS = 24 * 3600.0
"""How long the last good keys are used while the issuer does not answer."""

COOL_DOWN_SECONDS = 10.0
"""Minimum time between two requests to the issuer, for any token and any answer."""

FETCH_SECONDS = 5.0
MAX_ANSWER_BYTES = 256 * 1024
MAX_KEYS = 100

Jwk = Mapping[str, Any]


class KeysUnavailable(BacktesterError):
    """The issuer has never sent keys, or the last ones are too old: no token can be checked."""

    code = "keys_unavailable"
    http_status = 503
    retry_after_seconds = int(COOL_DOWN_SECONDS)


class KeySet:
    """Public keys by kid. Belongs to one event loop.

    Args:
        fetch: returns the JWKS document; blocks, and raises OSError or ValueError if it fails.
        clock: monotonic seconds.
    """

    def __init__(self, fetch: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, Jwk] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, kid: str) -> Jwk | None:
        """The key with that kid; None if the issuer has none.

        Raises:
            KeysUnavailable: no keys are recent enough to use.
        """
        if not self._is_younger_than(FRESH_SECONDS) or kid not in self._keys:
            await self._refresh()
        if not self._is_younger_than(STALE_SECONDS):
            raise KeysUnavailable("The keys for checking tokens are unavailable at present; try again soon.")
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        """Query the issuer unless it was queried just now; all waiting requests share one query."""
        if self._fetching is None:
            if self._tried_at is not None and self._clock() - self._tried_at < COOL_DOWN_SECONDS:
                return
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._fetch_once())
        # Shielded: if the client that started it leaves, others still wait for it.
        await asyncio.shield(self._fetching)

    async def _fetch_once(self) -> None:
        try:
            self._keys = keys_by_kid(await asyncio.to_thread(self._fetch))
            self._fetched_at = self._clock()
        except (OSError, ValueError) as error:
            logger.warning("could not fetch the issuer's keys, keeping %d: %s", len(self._keys), type(error).__name__)
        finally:
            self._fetching = None

    def _is_younger_than(self, seconds: float) -> bool:
        return self._fetched_at is not None and self._clock() - self._fetched_at < seconds


def keys_by_kid(document: bytes) -> dict[str, Jwk]:
    """The keys of a JWKS document that have a kid; everything else in it is ignored.

    Raises:
        ValueError: it is not a JWKS document.
    """
    try:
        keys = json.loads(document)["keys"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("not a JWKS document") from error
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise ValueError("not a JWKS document")
    named = [key for key in keys if isinstance(key, dict) and isinstance(key.get("kid"), str)]
    return {key["kid"]: key for key in named}


def fetch_document(url: str) -> bytes:
    """Fetch the document at the operator's URL, with limits on time and size.

    Raises:
        OSError, ValueError: it cannot be fetched.
    """
    request = Request(url, headers={"Accept": "application/json"})  # noqa: S310 - settings allow http and https only
    with urlopen(request, timeout=FETCH_SECONDS) as answer:  # noqa: S310 - as above
        document: bytes = answer.read(MAX_ANSWER_BYTES + 1)
    if len(document) > MAX_ANSWER_BYTES:
        raise ValueError("the JWKS document is too large")
    return document
