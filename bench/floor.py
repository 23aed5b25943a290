"""The floor: the least that a Flask server must do to answer the same requests, one SQL statement each.

No authentication, no validation, no rules, no journal; the stored JSON text is sent as it is.
"""

import os
import re
import uuid
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from flask import Flask, Response, request

from bench.floor_store import Rows, Store, open_store

DATABASE = "BENCH_FLOOR_DATABASE"
INSERT = "INSERT INTO person (id, name_key, external_id, document) VALUES (?, ?, ?, ?)"

_FILTER = re.compile(r'(userName|externalId) eq "([^"]*)"')
_MEMBER = re.compile(r'members\[value eq "([^"]*)"\]')
_BY_ID = "SELECT document FROM person WHERE id = ?"
_LOOKUPS = {
    "userName": "SELECT document FROM person WHERE name_key = ?",
    "externalId": "SELECT document FROM person WHERE external_id = ?",
}
_COUNT = "(SELECT count(*) FROM person)"
_PAGE = f"SELECT document, {_COUNT}, number FROM person ORDER BY number LIMIT ? OFFSET ?"
_AFTER = f"SELECT document, {_COUNT}, number FROM person WHERE number > ? ORDER BY number LIMIT ?"
_UPDATES = {
    "sqlite": "UPDATE person SET document = json_set(document, '$.' || ?, ?) WHERE id = ? RETURNING document",
    "postgresql": "UPDATE person SET document = jsonb_set(document::jsonb, ARRAY[?::text], to_jsonb(?::text))::text"
    " WHERE id = ? RETURNING document",
}
_REPLACE = "UPDATE person SET name_key = ?, external_id = ?, document = ? WHERE id = ?"
_DELETE = "DELETE FROM person WHERE id = ? RETURNING id"
_TEAM = "SELECT document FROM team WHERE id = ?"
_TEAM_MEMBERS = "SELECT team.document, person_id FROM team LEFT JOIN member ON team_id = id WHERE id = ?"
_JOIN = "INSERT INTO member (team_id, person_id) VALUES (?, ?)"
_LEAVE = "DELETE FROM member WHERE team_id = ? AND person_id = ?"

application = Flask("floor", static_folder=None)


@lru_cache(maxsize=1)
def _store() -> Store:
    return open_store(os.environ[DATABASE])


def _rows(statement: str, *parameters: object) -> Rows:
    return _store().rows(statement, *parameters)


def _answer(text: str | bytes, status: int = 200) -> Response:
    return Response(text, status=status, content_type="application/scim+json")


def _resource(rows: Rows) -> Response:
    return _answer(rows[0][0]) if rows else _answer("{}", 404)


@application.get("/scim/v2/Users/<identifier>")
def read(identifier: str) -> Response:
    """Send the stored text of one user, unless the client has it."""
    rows = _rows(_BY_ID, identifier)
    tag = request.headers.get("If-None-Match")
    if tag and rows and orjson.dumps(tag).decode() in rows[0][0]:
        return Response(status=304)
    return _resource(rows)


@application.get("/scim/v2/Users")
def search() -> Response:
    """Send a page of all users, or the user of a userName or an externalId."""
    start, number = int(request.args.get("startIndex", 1)), int(request.args.get("count", 100))
    following = ""
    if found := _FILTER.fullmatch(request.args.get("filter", "")):
        value = found[2].casefold() if found[1] == "userName" else found[2]
        rows = _rows(_LOOKUPS[found[1]], value)
        total: object = len(rows)
    elif (cursor := request.args.get("cursor")) is not None:
        found_rows = _rows(_AFTER, int(cursor or 0), number + 1)
        rows, total = found_rows[:number], found_rows[0][1] if found_rows else 0
        following = f'"nextCursor":"{rows[-1][2]}",' if len(found_rows) > number else ""
    else:
        rows = _rows(_PAGE, number, start - 1)
        total = rows[0][1] if rows else 0
    return _answer(
        f'{{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],{following}"totalResults":{total},'
        f'"startIndex":{start},"itemsPerPage":{len(rows)},"Resources":[{",".join([row[0] for row in rows])}]}}'
    )


def row_of(document: dict[str, Any], identifier: str, base: str) -> tuple[str, str, str | None, str]:
    """Return the row of a user as it was sent: id, key of the name, externalId, text."""
    now = datetime.now(UTC).isoformat()
    document["id"] = identifier
    document["meta"] = {
        "resourceType": "User",
        "created": now,
        "lastModified": now,
        "location": f"{base}Users/{identifier}",
        "version": 'W/"1"',
    }
    text = orjson.dumps(document).decode()
    return identifier, document["userName"].casefold(), document.get("externalId"), text


def _base() -> str:
    return f"{request.host_url}scim/v2/"


@application.post("/scim/v2/Users")
def create() -> Response:
    """Insert a user as it was sent."""
    row = row_of(orjson.loads(request.get_data()), str(uuid.uuid4()), _base())
    _rows(INSERT, *row)
    return _answer(row[3], 201)


@application.post("/scim/v2/Bulk")
def bulk() -> Response:
    """Insert users as they were sent, in one transaction."""
    operations = orjson.loads(request.get_data())["Operations"]
    base = _base()
    rows = [row_of(one["data"], str(uuid.uuid4()), base) for one in operations]
    _store().insert_all(INSERT, rows)
    done = [
        {"method": "POST", "bulkId": one["bulkId"], "location": f"{base}Users/{row[0]}", "status": "201"}
        for one, row in zip(operations, rows, strict=True)
    ]
    schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]
    return _answer(orjson.dumps({"schemas": schemas, "Operations": done}))


@application.patch("/scim/v2/Users/<identifier>")
def patch(identifier: str) -> Response:
    """Replace one attribute within the stored text."""
    operation = orjson.loads(request.get_data())["Operations"][0]
    return _resource(_rows(_UPDATES[_store().dialect], operation["path"], operation["value"], identifier))


@application.put("/scim/v2/Users/<identifier>")
def put(identifier: str) -> Response:
    """Put what was sent in the place of the stored text."""
    _, *row = row_of(orjson.loads(request.get_data()), identifier, _base())
    _rows(_REPLACE, *row, identifier)
    return _answer(row[2])


@application.delete("/scim/v2/Users/<identifier>")
def delete(identifier: str) -> Response:
    """Delete a user."""
    return Response(status=204 if _rows(_DELETE, identifier) else 404)


@application.get("/scim/v2/Groups/<identifier>")
def read_group(identifier: str) -> Response:
    """Send a group, with its members unless they are left out."""
    if request.args.get("excludedAttributes") == "members":
        return _resource(_rows(_TEAM, identifier))
    rows = _rows(_TEAM_MEMBERS, identifier)
    document, users = orjson.loads(rows[0][0]), f"{_base()}Users/"
    document["members"] = [{"value": one, "$ref": users + one, "type": "User"} for _, one in rows if one]
    return _answer(orjson.dumps(document))


@application.patch("/scim/v2/Groups/<identifier>")
def patch_group(identifier: str) -> Response:
    """Add or remove one member."""
    operation = orjson.loads(request.get_data())["Operations"][0]
    if operation["op"] == "add":
        _rows(_JOIN, identifier, operation["value"][0]["value"])
    elif named := _MEMBER.fullmatch(operation["path"]):
        _rows(_LEAVE, identifier, named[1])
    return Response(status=204)
