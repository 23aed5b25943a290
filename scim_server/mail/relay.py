"""Where mail is handed in: the mail server of ``SCIM_SMTP_URL``."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

PLAIN, TLS, STARTTLS = "smtp", "smtps", "smtp+starttls"
PORTS = {PLAIN: 25, TLS: 465, STARTTLS: 587}
"""The schemes, each with the port where none is said (RFC 5321, RFC 8314, RFC 6409)."""


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server, with who we are there."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def read_relay(url: str) -> Relay:
    """Read the URL of a mail server; ValueError says what is wrong and never repeats the password in it."""
    parts, port = _split(url)
    if parts is None or parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("must be a URL such as smtp+starttls://user:password@mail.example.com:587.")
    if parts.path not in {"", "/"} or "?" in url or "#" in url:
        raise ValueError("must end after the host and the port; / ? # in a password are written percent-encoded.")
    user, password = (None if one is None else unquote(one) for one in (parts.username, parts.password))
    if bool(user) != bool(password):
        raise ValueError("must have both a user and a password, or neither.")
    if not all(one.isascii() and one.isprintable() for one in (parts.hostname, user or "", password or "")):
        raise ValueError("must be printable ASCII throughout, percent-decoded too.")
    if user and parts.scheme == PLAIN:
        raise ValueError("must begin with smtps:// or smtp+starttls://: a password crosses a network only under TLS.")
    return Relay(parts.scheme, parts.hostname, port or PORTS[parts.scheme], user or None, password or None)


def _split(url: str) -> tuple[SplitResult | None, int | None]:
    """Return the parts of a URL with its port, or None where it is no URL."""
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:
        return None, None
