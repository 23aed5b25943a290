"""The public keys that others publish: fetched over HTTPS where an administrator said, kept in mind for a while.

Nothing of a token decides where keys are fetched, and a token with an unknown key has them fetched again only now and
then: whoever invents tokens gets no requests sent. No address is asked while a connection to the database is held.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.client import HTTPException
from ipaddress import ip_address
from threading import Lock
from time import monotonic
from typing import Any
from urllib import request as http
from urllib.parse import urlsplit

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

log = logging.getLogger("scim_server")

FRESH = 600
"""Seconds for which keys are good without another look."""
STALE = 6 * 3600
"""Seconds for which they serve while their issuer does not answer."""
PAUSE = 30
"""Seconds between two looks at one address, whatever comes of them."""
TIMEOUT = 5.0
"""Seconds within which an answer must begin, and end."""
LARGEST = 524_288
"""Bytes of an answer."""
MOST_KEYS, MOST_SETS = 100, 1000
LEAST_RSA = 2048
"""Bits of an RSA key (NIST SP 800-131A)."""
_KINDS = ("RSA", "EC", "OKP")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Unreachable(Exception):
    """A document cannot be fetched; the message says why."""


class _NoRedirects(http.HTTPRedirectHandler):
    """A redirect is an error: an administrator has said where to look."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""
        return


def is_fetchable(url: str) -> bool:
    """Whether a URL may be asked for keys: https, or http on loopback; never a link-local address.

    Those are where clouds keep secrets. Private addresses may be asked: an identity provider of one's own has one, and
    its certificate is verified.
    """
    try:
        parts = urlsplit(url)
        host, is_good = parts.hostname or "", parts.port != 0
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and " " not in url and "@" not in parts.netloc and "#" not in url
    if not host or not is_good or not is_plain:
        return False
    return not _is_link_local(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))


def _is_link_local(host: str) -> bool:
    try:
        return ip_address(host).is_link_local
    except ValueError:
        return False


def fetch(url: str) -> Any:
    """Return a JSON document; raises Unreachable."""
    if not is_fetchable(url):
        raise Unreachable("the URL is neither https nor http on loopback")
    opener = http.OpenerDirector()  # without what reads files
    proxies = http.ProxyHandler({} if urlsplit(url).hostname in _LOOPBACK else None)
    for handler in (proxies, http.HTTPHandler(), http.HTTPSHandler(), http.HTTPDefaultErrorHandler(),
                    http.HTTPErrorProcessor(), _NoRedirects()):  # fmt: skip
        opener.add_handler(handler)
    asked = http.Request(url, headers={"Accept": "application/json", "User-Agent": "scim-server"})  # noqa: S310  # checked
    try:
        with opener.open(asked, timeout=TIMEOUT) as answer:
            if answer.status != 200:
                raise Unreachable(f"the answer is {answer.status}")
            return orjson.loads(_read(answer))
    except (OSError, HTTPException, ValueError) as error:  # of the network, of HTTP, of JSON
        raise Unreachable(f"{type(error).__name__}: {error}"[:200]) from None


def _read(answer: Any) -> bytes:
    """Read an answer piece by piece: one that is too large or too slow is none."""
    parts, size, ends = [], 0, monotonic() + TIMEOUT
    while part := answer.read1(65_536):
        size += len(part)
        if size > LARGEST or monotonic() > ends:
            raise Unreachable(f"the answer is larger than {LARGEST} bytes, or takes longer than {TIMEOUT:g} seconds")
        parts.append(part)
    return b"".join(parts)


def public_keys(document: Any) -> tuple[Key, ...]:
    """Return the keys of a JSON Web Key Set that can verify a signature; the others in it are passed over."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise Unreachable("the answer is not a JSON Web Key Set")
    read = (_key(one) for one in listed[:MOST_KEYS])
    return tuple(one for one in read if one is not None)


def _key(listed: Any) -> Key | None:
    if not isinstance(listed, dict) or listed.get("use", "sig") != "sig" or listed.get("kty") not in _KINDS:
        return None
    if listed["kty"] == "RSA" and len(str(listed.get("n"))) * 6 < LEAST_RSA:
        return None
    try:
        return import_key(listed)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


def of_kid(keys: Iterable[Key], kid: str | None) -> tuple[Key, ...]:
    """Return the keys that a token names: one that names none may be of any."""
    return tuple(key for key in keys if kid is None or key.kid == kid)


@dataclass(slots=True)
class _Set:
    """What is known of one address."""

    keys: tuple[Key, ...] | None = None
    fetched: float = 0.0
    tried: float | None = None
    lock: Lock = field(default_factory=Lock)


class KeySets:
    """The key sets that one worker has fetched."""

    def __init__(self, fetch: Callable[[str], Any] = fetch, clock: Callable[[], float] = monotonic) -> None:
        self._fetch, self._clock = fetch, clock
        self._sets: dict[str, _Set] = {}

    def keys(self, url: str, kid: str | None) -> tuple[Key, ...]:
        """Return the keys at a URL with a kid; none where there is no such key; raises Unreachable."""
        if len(self._sets) > MOST_SETS:
            self._sets.clear()
        known = self._sets.setdefault(url, _Set())
        is_needed = not of_kid(known.keys or (), kid)
        if is_needed or self._clock() - known.fetched >= FRESH:
            self._renew(url, known, is_needed=is_needed)
        if known.keys is None or self._clock() - known.fetched >= STALE:
            raise Unreachable("no keys could be fetched")
        return of_kid(known.keys, kid)

    def _renew(self, url: str, known: _Set, *, is_needed: bool) -> None:
        """Fetch the keys anew, unless that was tried just now; another who is at it is waited for, if need be."""
        if not known.lock.acquire(timeout=2 * TIMEOUT if is_needed else 0):
            return
        try:
            if known.tried is not None and self._clock() - known.tried < PAUSE:
                return
            known.tried = self._clock()
            known.keys, known.fetched = public_keys(self._fetch(url)), self._clock()
        except Unreachable as error:
            log.warning("the keys at %s cannot be fetched: %s", url, error)
        finally:
            known.lock.release()
