"""Lines of the users' logs, one JSON object each, written as entries; what is wrong in them is told by line."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, BinaryIO

import orjson
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from scim_server.cli.telling import plain
from scim_server.cli.texts import PortalError
from scim_server.store import user_logs
from scim_server.store.mapping import micros
from scim_server.store.user_logs import LogEntry

CHUNK = 1000
"""Lines that are in memory at a time."""
LONGEST_LINE = 1024 * 1024
MOST_WRONG = 50
"""Wrong lines that are told at once."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9._~-]{1,64}\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}\Z")

Line = tuple[int, bytes]


class _Count(fields.Integer):
    """A number of things."""

    def __init__(self, name: str, most: int = 2**31 - 1) -> None:
        super().__init__(strict=True, data_key=name, validate=validate.Range(0, most))


class _Instant(fields.AwareDateTime):
    """A time that a log can have; without an offset it is in UTC."""

    def __init__(self, name: str, **options: Any) -> None:
        earliest, latest = datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
        within = validate.Range(min=earliest, max=latest, error="Must be between 1970 and 9999.")
        super().__init__(format="iso", default_timezone=UTC, data_key=name, validate=within, **options)


def _is_printable(text: str) -> None:
    if any(ord(one) < 32 for one in text):
        raise ValidationError("Must not have control characters.")


def _is_shown(kind: str) -> None:
    if kind.lower() == "sesar":
        raise ValidationError("SESAR logs are not shown over SCIM and cannot be imported (R34).")


class LogLineSchema(Schema):
    """The shape of a line; `docs/read-only-resources.md` has its table."""

    class Meta:
        unknown = RAISE

    id = fields.String(
        required=True, validate=validate.Regexp(_IDENTIFIER, error="Must be 1 to 64 letters, digits or . _ ~ -")
    )
    user = fields.String(required=True, validate=validate.Length(1, 512))
    sent_at = _Instant("sentAt", required=True)
    last_activity_at = _Instant("lastActivityAt", allow_none=True)
    expires_at = _Instant("expiresAt", allow_none=True)
    status = fields.String(required=True, validate=validate.OneOf(("open", "notOpened", "expired", "deleted")))
    subject = fields.String(allow_none=True, validate=[validate.Length(max=998), _is_printable])
    kind = fields.String(validate=[validate.Regexp(_WORD, error="Must be a word of ASCII letters."), _is_shown])
    recipients = fields.List(
        fields.String(validate=[validate.Length(1, 320), _is_printable]), validate=validate.Length(max=1000)
    )
    code_type = fields.String(data_key="codeType", validate=validate.OneOf(("none", "password", "sms")))
    file_count = _Count("fileCount")
    byte_count = _Count("byteCount", 2**53)
    open_count = _Count("openCount")
    signature_request_count = _Count("signatureRequestCount")
    signed_file_count = _Count("signedFileCount")


_SCHEMA = LogLineSchema()


def write(account_id: str, stream: BinaryIO) -> tuple[int, int]:
    """Write the entries of a stream in the current transaction, some lines at a time.

    Returns how many are new and how many were known; PortalError tells the lines that are wrong, when the
    transaction is to be rolled back.
    """
    imported = known = 0
    wrong: list[str] = []
    lines = _lines(stream)
    while len(wrong) < MOST_WRONG and (chunk := list(islice(lines, CHUNK))):
        entries, problems = _entries(account_id, chunk)
        wrong += problems
        if not wrong:  # after the first wrong line the others are read only to be told as well
            new = user_logs.write(account_id, entries)
            imported, known = imported + new, known + len(entries) - new
    if wrong:
        raise PortalError("\n  ".join((_heading(len(wrong)), *wrong[:MOST_WRONG])))
    return imported, known


def _heading(wrong: int) -> str:
    if wrong >= MOST_WRONG:
        return f"nothing is imported. The first {MOST_WRONG} wrong lines:"
    return f"nothing is imported, as {wrong} {'line is' if wrong == 1 else 'lines are'} wrong:"


def _lines(stream: BinaryIO) -> Iterator[Line]:
    """Yield the lines with their numbers, blank ones left out; of a line that is too long only the beginning."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if line.strip():
            yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        while len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE + 1)


def _entries(account_id: str, chunk: list[Line]) -> tuple[list[LogEntry], list[str]]:
    """Return the entries of some lines, and what is wrong in the others."""
    loaded: dict[int, Mapping[str, Any]] = {}
    wrong: dict[int, str] = {}
    for number, line in chunk:
        try:
            loaded[number] = _SCHEMA.load(_object(line))
        except ValidationError as error:
            wrong[number] = " ".join(_told(error.messages))
    users = user_logs.owners(account_id, {one["user"] for one in loaded.values()}) if loaded else {}
    for number, one in loaded.items():
        if one["user"] not in users:
            wrong[number] = f"user: the account has no user '{one['user'][:100]}'."
    entries = [_entry(one, users[one["user"]]) for number, one in loaded.items() if number not in wrong]
    return entries, [f"line {number}: {plain(wrong[number])}" for number in sorted(wrong)]


def _object(line: bytes) -> Any:
    if len(line) > LONGEST_LINE:
        raise ValidationError(f"The line is longer than {LONGEST_LINE} bytes.")
    try:
        read = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValidationError(f"The line is not JSON: {error.msg} at character {error.colno}.") from None
    if not isinstance(read, dict):
        raise ValidationError("The line is not a JSON object.")
    return read


def _told(messages: Any, path: str = "") -> Iterator[str]:
    """Yield what is wrong, each with the name of its field: ``sentAt: Not a valid datetime.``"""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _told(inner, path if name == "_schema" else f"{path}.{name}" if path else str(name))
    else:
        yield from (f"{path}: {one}" if path else str(one) for one in messages)


def _entry(loaded: Mapping[str, Any], user_id: str) -> LogEntry:
    values = {name: value for name, value in loaded.items() if name != "user"}
    times = {
        name: micros(value.isoformat())
        for name in ("sent_at", "last_activity_at", "expires_at")
        if (value := values.get(name)) is not None
    }
    return LogEntry(user_id=user_id, **values | times)
