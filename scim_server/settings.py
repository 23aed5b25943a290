"""The settings of a server: from the environment (prefix ``SCIM_``) and a TOML file, checked all at once.

The schema is the single truth: `docs/operations.md` shows its table, which a test keeps in step.
"""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from marshmallow import RAISE, Schema, ValidationError, post_load, validate, validates_schema
from marshmallow import fields as kinds

from scim_server.mail.addresses import read_sender
from scim_server.mail.relay import read_relay

PREFIX = "SCIM_"
FILE_VARIABLE = "SCIM_SETTINGS_FILE"
OTHER_VARIABLES = frozenset({FILE_VARIABLE, "SCIM_TEST_DATABASE_URL"})
"""Variables that carry the prefix and are no settings."""

SQLITE_FILE = "scim.sqlite3"
SQLITE = "sqlite:///"
POSTGRESQL_SCHEMES = ("postgresql", "postgresql+psycopg")


class SettingsError(Exception):
    """The settings are wrong; the message names each one that is, and the way out."""


def sqlite_url(path: Path) -> str:
    """Return the database URL of an SQLite file."""
    return SQLITE + path.absolute().as_posix()


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is told at start."""

    database_url: str = field(default_factory=lambda: sqlite_url(Path(SQLITE_FILE)))
    external_url: str = "http://127.0.0.1:8000"
    max_body_bytes: int = 1_048_576
    max_page: int = 1000
    default_page: int = 100
    max_patch_operations: int = 1000
    max_members_per_request: int = 20_000
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    portal_url: str | None = None
    extra_schemas: Path | None = None


DEFAULTS: Mapping[str, Any] = {one.name: one.default for one in fields(Settings)}


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table of settings."""

    name: str
    variable: str
    default: str
    about: str


def _check_database(url: str) -> None:
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


def _absolute(url: str) -> str:
    """Return a database URL with the path of an SQLite file made absolute, as the working directory is now."""
    if not url.startswith(SQLITE):
        return url
    path, question, query = url.removeprefix(SQLITE).partition("?")
    return sqlite_url(Path(path)) + question + query


def _check_external(url: str) -> None:
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


def _check_portal(url: str) -> None:
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValidationError("must be a URL such as https://portal.example.com.")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValidationError("must be ASCII without blanks.")


def _check_directory(path: str) -> None:
    if not path or not Path(path).is_dir():
        raise ValidationError(f"'{path}' is no directory.")


def _read_by(reader: Callable[[str], object]) -> Callable[[str], None]:
    """Check a text by reading it."""

    def check(text: str) -> None:
        try:
            reader(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    return check


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None


class _Number(kinds.Integer):
    """A whole number within bounds, in a message that says which."""

    def __init__(self, low: int, high: int, about: str) -> None:
        words = f"must be a whole number from {low} to {high}."
        bounds = validate.Range(min=low, max=high, error=words)
        super().__init__(validate=bounds, error_messages={"invalid": words}, metadata={"about": about})


class SettingsSchema(Schema):
    """The shape of the settings; every value is read from text."""

    class Meta:
        unknown = RAISE

    database_url = kinds.String(
        validate=_check_database,
        metadata={
            "about": "Where the data is kept: `sqlite:///FILE`, or `postgresql://USER:PASSWORD@HOST/DATABASE`.",
            "default": f"`{SQLITE}{SQLITE_FILE}` (in the working directory)",
        },
    )
    external_url = kinds.String(
        validate=_check_external,
        metadata={
            "about": "The URL under which clients reach the server, without `/scim/v2`; set it in production.",
            "default": "`http://127.0.0.1:8000`; with `serve` and `demo` their host and port",
        },
    )
    max_body_bytes = _Number(1024, 1_073_741_824, "The largest request body, in bytes; a larger one is refused (413).")
    max_page = _Number(1, 100_000, "The most resources on one page of a list.")
    default_page = _Number(1, 100_000, "The resources on a page when the client names no count; at most `max_page`.")
    max_patch_operations = _Number(1, 1_000_000, "The most operations of one PATCH.")
    max_members_per_request = _Number(1, 10_000_000, "The most group members that one request may name.")
    smtp_url = kinds.String(
        validate=_read_by(read_relay),
        metadata={
            "about": "The mail server for notifications: `smtp://HOST`, or with TLS `smtps://USER:PASSWORD@HOST:PORT` "
            "or `smtp+starttls://...`.",
            "default": "none: nothing is sent",
        },
    )
    mail_from = kinds.String(
        validate=_read_by(read_sender),
        metadata={
            "about": "The address that notifications come from, such as `Secure Mail <no-reply@example.com>`.",
            "default": "none; needed with `smtp_url`",
        },
    )
    portal_url = kinds.String(
        validate=_check_portal,
        metadata={
            "about": "Where users find the software; notifications name it.",
            "default": "none: notifications name no place",
        },
    )
    extra_schemas = kinds.String(
        validate=_check_directory,
        metadata={
            "about": "A directory of [resource types of your own](resource-types.md), served beside users and groups.",
            "default": "none",
        },
    )

    @validates_schema
    def default_page_is_within_max_page(self, data: Mapping[str, Any], **_: Any) -> None:
        """A page without a count may not be larger than the largest page."""
        largest = data.get("max_page", DEFAULTS["max_page"])
        if data.get("default_page", 1) > largest:
            raise ValidationError(f"must not be more than max_page, which is {largest}.", "default_page")

    @validates_schema
    def mail_comes_from_somebody(self, data: Mapping[str, Any], **_: Any) -> None:
        """A mail server needs a sender."""
        if "smtp_url" in data and "mail_from" not in data:
            raise ValidationError(f"needs {PREFIX}MAIL_FROM beside it, the address of the sender.", "smtp_url")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Settings:
        """Return the settings."""
        if "max_page" in data:
            data = {"default_page": min(DEFAULTS["default_page"], data["max_page"])} | data
        if "database_url" in data:
            data = data | {"database_url": _absolute(data["database_url"])}
        if "extra_schemas" in data:
            data = data | {"extra_schemas": Path(data["extra_schemas"]).absolute()}
        return Settings(**data)


def _table() -> Iterator[Setting]:
    for name, kind in SettingsSchema().fields.items():
        default = kind.metadata.get("default") or f"`{DEFAULTS[name]}`"
        yield Setting(name, PREFIX + name.upper(), default, kind.metadata["about"])


SETTINGS = tuple(_table())
"""The table of settings, in the order in which it is documented."""


def load(environ: Mapping[str, str] | None = None, **defaults: str) -> Settings:
    """Return the settings of the environment, over those of its TOML file, over the caller's defaults.

    SettingsError tells everything that is wrong.
    """
    environ = os.environ if environ is None else environ
    given = {name: (text, name) for name, text in defaults.items()}
    given |= dict(_from_file(environ)) | dict(_from_environment(environ))
    try:
        settings: Settings = SettingsSchema().load({name: text for name, (text, _) in given.items()})
    except ValidationError as error:
        raise SettingsError(_message(error, {name: source for name, (_, source) in given.items()})) from None
    return settings


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Give the settings of the environment: name, then text with the place where it was found."""
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in OTHER_VARIABLES:
            yield variable.removeprefix(PREFIX).lower(), (environ[variable], variable)


def _from_file(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Give the settings of the TOML file that the environment names, if it names one."""
    path = environ.get(FILE_VARIABLE)
    if path is None:
        return
    try:
        document = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{FILE_VARIABLE}: '{path}' cannot be read: {error.strerror}.") from None
    except ValueError as error:  # TOML and UTF-8
        raise SettingsError(f"{FILE_VARIABLE}: '{path}' is not a TOML file: {error}.") from None
    for name, value in document.items():
        yield name, (str(value), f"{name} in {path}")


def _message(error: ValidationError, sources: Mapping[str, str]) -> str:
    """Tell everything that is wrong, each on a line of its own with the place where it stands."""
    lines = ["the settings are not valid."]
    for name, problems in sorted(error.messages_dict.items()):
        text = " ".join(problems) if name in DEFAULTS else _unknown(name)
        lines.append(f"  {sources.get(name, name)}: {text}")
    return "\n".join(lines)


def _unknown(name: str) -> str:
    near = get_close_matches(name.lower(), DEFAULTS, n=1)
    if near:
        return f"is not a setting. Did you mean {PREFIX}{near[0].upper()} ({near[0]} in the file)?"
    return f"is not a setting. Known settings: {', '.join(DEFAULTS)}."
