"""The floor: the least that a Flask server must do to answer the same requests, one SQL statement each.

No authentication, no validation, no rules, no journal; the stored JSON text is sent as it is.
"""

import os
import re
import sqlite3
import threading
import uuid
from datetime import UTC, datetime

import orjson
from flask import Flask, Response, request

DATABASE = "BENCH_FLOOR_DATABASE"
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "cache_size=-65536")

_BY_NAME = re.compile(r'userName eq "([^"]*)"')
_SCHEMA = """
CREATE TABLE IF NOT EXISTS user (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name_key TEXT NOT NULL UNIQUE, document TEXT NOT NULL
)"""
_BY_ID = "SELECT document FROM user WHERE id = ?"
_LOOKUP = "SELECT document FROM user WHERE name_key = ?"
_PAGE = "SELECT document, (SELECT count(*) FROM user) FROM user ORDER BY number LIMIT ? OFFSET ?"
_INSERT = "INSERT INTO user (id, name_key, document) VALUES (?, ?, ?)"
_UPDATE = "UPDATE user SET document = json_set(document, ?, ?) WHERE id = ? RETURNING document"

application = Flask("floor", static_folder=None)
_local = threading.local()


def _rows(statement: str, *parameters: object) -> list[tuple[str, ...]]:
    """Run one statement, each in a transaction of its own, on the thread's connection."""
    if not hasattr(_local, "connection"):
        _local.connection = sqlite3.connect(os.environ[DATABASE], isolation_level=None)
        for pragma in PRAGMAS:
            _local.connection.execute(f"PRAGMA {pragma}").close()
        _local.connection.execute(_SCHEMA)
    rows: list[tuple[str, ...]] = _local.connection.execute(statement, parameters).fetchall()
    return rows


def _answer(text: str, status: int = 200) -> Response:
    return Response(text, status=status, content_type="application/scim+json")


def _resource(rows: list[tuple[str, ...]]) -> Response:
    return _answer(rows[0][0]) if rows else _answer("{}", 404)


@application.get("/scim/v2/Users/<identifier>")
def read(identifier: str) -> Response:
    """Send the stored text of one user."""
    return _resource(_rows(_BY_ID, identifier))


@application.get("/scim/v2/Users")
def search() -> Response:
    """Send a page of all users, or the user of a userName."""
    found = _BY_NAME.fullmatch(request.args.get("filter", ""))
    start = int(request.args.get("startIndex", 1))
    if found:
        texts = [row[0] for row in _rows(_LOOKUP, found[1].casefold())]
        total: object = len(texts)
    else:
        rows = _rows(_PAGE, int(request.args.get("count", 100)), start - 1)
        texts, total = [row[0] for row in rows], rows[0][1] if rows else 0
    return _answer(
        '{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],'
        f'"totalResults":{total},"startIndex":{start},"itemsPerPage":{len(texts)},"Resources":[{",".join(texts)}]}}'
    )


@application.post("/scim/v2/Users")
def create() -> Response:
    """Insert a user as it was sent."""
    document = orjson.loads(request.get_data())
    identifier, now = str(uuid.uuid4()), datetime.now(UTC).isoformat()
    document["id"] = identifier
    document["meta"] = {
        "resourceType": "User",
        "created": now,
        "lastModified": now,
        "location": f"{request.host_url}scim/v2/Users/{identifier}",
        "version": 'W/"1"',
    }
    text = orjson.dumps(document).decode()
    _rows(_INSERT, identifier, document["userName"].casefold(), text)
    return _answer(text, 201)


@application.patch("/scim/v2/Users/<identifier>")
def patch(identifier: str) -> Response:
    """Replace one attribute within the stored text."""
    operation = orjson.loads(request.get_data())["Operations"][0]
    return _resource(_rows(_UPDATE, f"$.{operation['path']}", operation["value"], identifier))
