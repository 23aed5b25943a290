"""The URLs of the settings: what they must be, in the words in which it is told."""

from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from marshmallow import ValidationError

SQLITE = "sqlite:///"
POSTGRESQL_SCHEMES = ("postgresql", "postgresql+psycopg")


def sqlite_url(path: Path) -> str:
    """Return the database URL of an SQLite file."""
    return SQLITE + path.absolute().as_posix()


def check_database(url: str) -> None:
    """Refuse what is no database URL; the messages never repeat it, because it may hold a password."""
    if url.startswith(SQLITE):
        if url.removeprefix(SQLITE).partition("?")[0] in {"", ":memory:"}:
            raise ValidationError("names no file: sqlite:///scim.sqlite3, or sqlite:////srv/scim/scim.sqlite3.")
        return
    parts = _split(url)
    if parts is None or parts.scheme not in POSTGRESQL_SCHEMES:
        raise ValidationError("must begin with sqlite:///, postgresql:// or postgresql+psycopg://.")
    if len(parts.path) < 2:
        raise ValidationError("names no database: postgresql://user:password@host/database.")


def check_replica(url: str) -> None:
    """Refuse what is no URL of a PostgreSQL database."""
    if url.startswith(SQLITE):
        raise ValidationError("must begin with postgresql:// or postgresql+psycopg://: SQLite has no replicas.")
    check_database(url)


def absolute(url: str) -> str:
    """Return a database URL with the path of an SQLite file made absolute, as the working directory is now."""
    if not url.startswith(SQLITE):
        return url
    path, question, query = url.removeprefix(SQLITE).partition("?")
    return sqlite_url(Path(path)) + question + query


def check_external(url: str) -> None:
    """Refuse what cannot be the URL under which clients reach the server."""
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValidationError("must be a URL such as https://scim.example.com.")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValidationError("must have no query and no fragment.")
    if url.endswith("/"):
        raise ValidationError("must not end in a slash.")
    if parts.path.endswith("/scim/v2"):
        raise ValidationError("must leave out /scim/v2, which the server adds.")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValidationError("must be ASCII without blanks.")


def check_portal(url: str) -> None:
    """Refuse what cannot be the URL of a page for users."""
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValidationError("must be a URL such as https://portal.example.com.")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValidationError("must be ASCII without blanks.")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None


def check_directory(path: str) -> None:
    """Refuse what is no directory that is there."""
    if not path or not Path(path).is_dir():
        raise ValidationError(f"'{path}' is no directory.")
