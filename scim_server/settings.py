"""The settings of a server: from the environment (prefix ``SCIM_``) and a TOML file, checked all at once.

The schema is the single truth: `docs/operations.md` shows its table, which a test keeps in step.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, post_load, validate, validates_schema
from marshmallow import fields as kinds

from scim_server.mail.addresses import read_sender
from scim_server.mail.relay import read_relay
from scim_server.setting_kinds import Number, NumberOrOff, read_by
from scim_server.setting_sources import PREFIX, SettingsError, gathered, message
from scim_server.urls import (
    SQLITE,
    absolute,
    check_database,
    check_directory,
    check_external,
    check_portal,
    check_replica,
    sqlite_url,
)

SQLITE_FILE = "scim.sqlite3"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is told at start."""

    database_url: str = field(default_factory=lambda: sqlite_url(Path(SQLITE_FILE)), repr=False)
    external_url: str = "http://127.0.0.1:8000"
    max_body_bytes: int = 1_048_576
    max_page: int = 1000
    default_page: int = 100
    max_patch_operations: int = 1000
    max_members_per_request: int = 20_000
    max_bulk_operations: int = 1000
    max_bulk_bytes: int = 10_485_760
    max_filter_bytes: int = 8192
    max_filter_terms: int = 200
    max_nesting: int = 256
    request_seconds: float = 30
    credential_seconds: int = 2
    tls_client_header: str | None = None
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    portal_url: str | None = None
    extra_schemas: Path | None = None
    rate_limit: int | None = 100
    rate_burst: int = 200
    bulk_at_once: int = 2
    auth_failures: int | None = 60
    trusted_proxies: int = 0
    replica_url: str | None = field(default=None, repr=False)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_minimum: str = "1.2"


DEFAULTS: Mapping[str, Any] = {one.name: one.default for one in fields(Settings)}


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table of settings."""

    name: str
    variable: str
    default: str
    about: str


class SettingsSchema(Schema):
    """The shape of the settings; every value is read from text."""

    class Meta:
        unknown = RAISE

    database_url = kinds.String(
        validate=check_database,
        metadata={
            "about": "Where the data is kept: `sqlite:///FILE`, or `postgresql://USER:PASSWORD@HOST/DATABASE`.",
            "default": f"`{SQLITE}{SQLITE_FILE}` (in the working directory)",
        },
    )
    replica_url = kinds.String(
        validate=check_replica,
        metadata={
            "about": "A hot standby of a PostgreSQL database, which answers lists and searches where it has all that "
            "the account wrote ([read replicas](#read-replicas)).",
            "default": "none",
        },
    )
    external_url = kinds.String(
        validate=check_external,
        metadata={
            "about": "The URL under which clients reach the server, without `/scim/v2`; set it in production.",
            "default": "`http://127.0.0.1:8000`; with `serve` and `demo` their host and port",
        },
    )
    max_body_bytes = Number(1024, 1_073_741_824, "The largest request body, in bytes; a larger one is refused (413).")
    max_page = Number(1, 100_000, "The most resources on one page of a list.")
    default_page = Number(1, 100_000, "The resources on a page when the client names no count; at most `max_page`.")
    max_patch_operations = Number(1, 1_000_000, "The most operations of one PATCH.")
    max_members_per_request = Number(1, 10_000_000, "The most group members that one request may name.")
    max_bulk_operations = Number(
        1, 1_000_000, "The most operations of one request to `/Bulk`; at most `max_patch_operations`."
    )
    max_bulk_bytes = Number(1024, 1_073_741_824, "The largest body of a request to `/Bulk`, in bytes.")
    max_filter_bytes = Number(64, 65_536, "The longest filter, in bytes; a longer one is refused (400 invalidFilter).")
    max_filter_terms = Number(1, 400, "The most terms of one filter.")
    max_nesting = Number(8, 1000, "How deep the JSON of a request body may nest; a deeper one is refused (400).")
    request_seconds = Number(
        1,
        3600,
        "How long the database may work on a request: then a search with a filter is refused (400 tooMany), "
        "and anything else answered 503 with nothing changed.",
    )
    credential_seconds = Number(
        0,
        5,
        "How long a worker goes by what it has looked up of a token: a revocation, another profile and other policies "
        "take effect within that time. 0: it looks at every request.",
    )
    tls_client_header = kinds.String(
        validate=validate.Regexp(r"[A-Za-z][A-Za-z0-9-]{2,63}\Z", error="must be the name of a header."),
        metadata={
            "about": "The header in which the TLS proxy passes the client's certificate on, such as `X-Client-Cert`; "
            "the proxy must set it on every request ([how](authentication.md#mutual-tls)).",
            "default": "none: certificates are not looked at",
        },
    )
    smtp_url = kinds.String(
        validate=read_by(read_relay),
        metadata={
            "about": "The mail server for notifications: `smtp://HOST`, or with TLS `smtps://USER:PASSWORD@HOST:PORT` "
            "or `smtp+starttls://...`.",
            "default": "none: nothing is sent",
        },
    )
    mail_from = kinds.String(
        validate=read_by(read_sender),
        metadata={
            "about": "The address that notifications come from, such as `Secure Mail <no-reply@example.com>`.",
            "default": "none; needed with `smtp_url`",
        },
    )
    portal_url = kinds.String(
        validate=check_portal,
        metadata={
            "about": "Where users find the software; notifications name it.",
            "default": "none: notifications name no place",
        },
    )
    extra_schemas = kinds.String(
        validate=check_directory,
        metadata={
            "about": "A directory of [resource types of your own](resource-types.md), served beside users and groups.",
            "default": "none",
        },
    )

    rate_limit = NumberOrOff(
        1,
        100_000,
        "The requests per second that a connection may send in the long run; more are answered 429. `off`: any number.",
    )
    rate_burst = Number(1, 1_000_000, "The requests that a connection may send at once after it was silent.")
    bulk_at_once = Number(1, 64, "The bulk requests of a connection that run at once; one more is answered 429.")
    auth_failures = NumberOrOff(
        1,
        100_000,
        "The failed authentications per minute that an address may send; more are answered 429. `off`: any number.",
    )
    trusted_proxies = Number(
        0, 16, "The proxies before the server that each add to `X-Forwarded-For` the address that they see."
    )
    tls_certificate = kinds.String(
        metadata={
            "about": "The certificate with which `serve` speaks TLS itself: a PEM file, the server's own certificate "
            "first ([how](#tls-by-the-server-itself)).",
            "default": "none: plain HTTP, for a proxy that speaks TLS",
        },
    )
    tls_key = kinds.String(
        metadata={
            "about": "The private key of that certificate: a PEM file, not encrypted, that only the server can read.",
            "default": "none; needed with `tls_certificate`",
        },
    )
    tls_minimum = kinds.String(
        validate=validate.OneOf(("1.2", "1.3"), error="must be 1.2 or 1.3."),
        metadata={"about": "The earliest version of TLS that `serve` speaks: `1.2` or `1.3`."},
    )

    @validates_schema
    def default_page_is_within_max_page(self, data: Mapping[str, Any], **_: Any) -> None:
        """A page without a count may not be larger than the largest page."""
        largest = data.get("max_page", DEFAULTS["max_page"])
        if data.get("default_page", 1) > largest:
            raise ValidationError(f"must not be more than max_page, which is {largest}.", "default_page")

    @validates_schema
    def bulk_is_within_patch(self, data: Mapping[str, Any], **_: Any) -> None:
        """The number that is announced for a bulk request is taken for that of a PATCH by some, so both honour it."""
        largest = data.get("max_patch_operations", DEFAULTS["max_patch_operations"])
        if data.get("max_bulk_operations", 1) > largest:
            raise ValidationError(
                f"must not be more than max_patch_operations, which is {largest}.", "max_bulk_operations"
            )

    @validates_schema
    def replica_is_of_postgresql(self, data: Mapping[str, Any], **_: Any) -> None:
        """SQLite has no standby."""
        if "replica_url" in data and data.get("database_url", SQLITE).startswith(SQLITE):
            raise ValidationError(f"needs a PostgreSQL database; {PREFIX}DATABASE_URL is SQLite.", "replica_url")

    @validates_schema
    def mail_comes_from_somebody(self, data: Mapping[str, Any], **_: Any) -> None:
        """A mail server needs a sender."""
        if "smtp_url" in data and "mail_from" not in data:
            raise ValidationError(f"needs {PREFIX}MAIL_FROM beside it, the address of the sender.", "smtp_url")

    @validates_schema
    def certificate_has_its_key(self, data: Mapping[str, Any], **_: Any) -> None:
        """TLS needs both files, and clients that come by it."""
        for name, other in (("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")):
            if name in data and other not in data:
                raise ValidationError(f"needs {PREFIX}{other.upper()} beside it.", name)
        if "tls_certificate" in data and not data.get("external_url", "https:").startswith("https:"):
            raise ValidationError(f"must begin with https:, as {PREFIX}TLS_CERTIFICATE is set.", "external_url")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Settings:
        """Return the settings."""
        if "max_page" in data:
            data = {"default_page": min(DEFAULTS["default_page"], data["max_page"])} | data
        if "max_patch_operations" in data:
            least = min(DEFAULTS["max_bulk_operations"], data["max_patch_operations"])
            data = {"max_bulk_operations": least} | data
        if "database_url" in data:
            data = data | {"database_url": absolute(data["database_url"])}
        for name in {"extra_schemas", "tls_certificate", "tls_key"} & data.keys():
            data = data | {name: Path(data[name]).absolute()}
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
    given |= gathered(environ)
    try:
        settings: Settings = SettingsSchema().load({name: text for name, (text, _) in given.items()})
    except ValidationError as error:
        sources = {name: source for name, (_, source) in given.items()}
        raise SettingsError(message(error, sources, DEFAULTS)) from None
    return settings
