"""The public keys of clients: as they were registered, or fetched from where a client publishes them."""

import json
from collections.abc import Callable, Sequence
from http.client import HTTPException
from threading import Lock
from time import monotonic
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

FRESH, STALE, PAUSE = 300.0, 3600.0, 30.0
"""Seconds for which fetched keys are gone by; as long as they cannot be fetched anew; between two attempts."""
TIMEOUT = 5.0
LARGEST = 65_536
"""Bytes of a key set that are read."""
MOST_KEPT = 1000


class BadKeys(Exception):
    """A key set cannot be had, or is none; the message says why."""


class _NoRedirect(HTTPRedirectHandler):
    """A key set is where its client registered it, and nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect."""


_opener = build_opener(_NoRedirect)


def read_keys(text: str | bytes) -> tuple[Key, ...]:
    """Read the public keys of a JSON Web Key Set; BadKeys where it has none that can verify a signature."""
    try:
        document = json.loads(text)
        keys = KeySet.import_key_set(document).keys
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, JoseError) as error:
        raise BadKeys(f"not a JSON Web Key Set ({type(error).__name__})") from None
    usable = tuple(key for key in keys if isinstance(key, RSAKey | ECKey | OKPKey))
    if not usable:
        raise BadKeys("the set has no RSA, EC or OKP key")
    return usable


def fetch(url: str) -> bytes:
    """Fetch a key set, without redirects, bounded in time and in size."""
    try:
        request = Request(url, headers={"Accept": "application/json"})  # noqa: S310  its scheme was checked
        with _opener.open(request, timeout=TIMEOUT) as answer:
            body: bytes = answer.read(LARGEST + 1)
    except (URLError, OSError, HTTPException, ValueError) as error:
        raise BadKeys(f"cannot be fetched ({type(error).__name__})") from None
    if len(body) > LARGEST:
        raise BadKeys(f"is larger than {LARGEST} bytes")
    return body


class FetchedKeys:
    """The key sets that one worker has fetched lately; one at a time, and none more often than is good for it."""

    def __init__(
        self, fetch: Callable[[str], bytes] = fetch, clock: Callable[[], float] = monotonic, pause: float = PAUSE
    ) -> None:
        self._fetch, self._clock, self._pause = fetch, clock, pause
        self._lock = Lock()
        self._kept: dict[str, tuple[float, tuple[Key, ...]]] = {}
        self._tried: dict[str, float] = {}

    def of(self, url: str, kid: str | None) -> Sequence[Key]:
        """Return the keys at a URL, fetched anew when they are old or the one that is named is not among them."""
        with self._lock:
            moment = self._clock()
            age, keys = self._age_and_keys(url, moment)
            is_known = kid is None or any(key.kid == kid for key in keys)
            may_try = moment - self._tried.get(url, float("-inf")) >= self._pause
            if (age >= FRESH or not is_known) and may_try:
                keys = self._renewed(url, moment, keys if age < STALE else ())
            elif age >= STALE:
                keys = ()
            return keys

    def _age_and_keys(self, url: str, moment: float) -> tuple[float, tuple[Key, ...]]:
        kept = self._kept.get(url)
        return (moment - kept[0], kept[1]) if kept else (float("inf"), ())

    def _renewed(self, url: str, moment: float, before: tuple[Key, ...]) -> tuple[Key, ...]:
        if len(self._tried) >= MOST_KEPT:
            self._tried.clear()
            self._kept.clear()
        self._tried[url] = moment
        try:
            keys = read_keys(self._fetch(url))
        except BadKeys:
            return before
        self._kept[url] = moment, keys
        return keys
