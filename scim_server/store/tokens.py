"""What a secret of this server looks like: a prefix that scanners know, 256 random bits, and a checksum.

docs/authentication.md shows the regular expression by which leaked ones are found.
"""

import re
import secrets
import string
from zlib import crc32

TOKEN, CLIENT_SECRET, REFRESH = "scim_", "scimcs_", "scimrt_"
"""The prefixes: what a request brings, how an OAuth client authenticates, what a client exchanges for another token."""
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 43, 6
"""Characters of each: 43 of 62 letters and digits hold 256 bits, 6 the CRC-32 of all that is before."""
_CHECKED = re.compile(rf"scim(?:cs|rt)?_[0-9A-Za-z]{{{_RANDOM + _CHECK}}}")
_EARLIER = re.compile(r"scim_[0-9A-Za-z_-]{43}")
"""The tokens of releases before the checksum, which stay valid."""

_SECRETS = re.compile(
    r"(?P<own>scim(?:cs|rt)?_)[0-9A-Za-z_-]{43,}"
    r"|(?P<jwt>eyJ)[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*"
    r"|(?P<url>://[^\s/:@'\"]{0,200}:)[^\s/@'\"]{1,200}(?=@)"
)

_MARKS = (TOKEN, CLIENT_SECRET, REFRESH, "eyJ", "://")
"""Without one of them there is nothing to look for, which nearly every entry of the journal is told by."""


def without_secrets(text: str) -> str:
    """Return a text in which tokens of this server, JWTs and passwords of URLs are blacked out."""
    if not any(mark in text for mark in _MARKS):
        return text
    return _SECRETS.sub(lambda found: f"{found[found.lastgroup or 0]}[redacted]", text)


def new_secret(prefix: str) -> str:
    """Return a new secret of a kind."""
    text = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return text + _checksum(text)


def is_whole(text: str) -> bool:
    """Whether a text may be a secret that was issued here: one that is cut short or mistyped is told without a look."""
    if _CHECKED.fullmatch(text):
        return text[-_CHECK:] == _checksum(text[:-_CHECK])
    return _EARLIER.fullmatch(text) is not None


def _checksum(text: str) -> str:
    number, digits = crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
