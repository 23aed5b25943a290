"""Every error as a SCIM error (RFC 7644 section 3.12), and every refusal in the journal.

HTTP's numbers for the account's refusals are here and nowhere else (rules.md 2.0).
"""

import logging
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import orjson
from flask import Flask, Response, g, request
from scim2_models import SCIMException
from sqlalchemy.exc import OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from scim_server.account.guard import Held
from scim_server.account.refusals import Refused
from scim_server.provisioning import Caller
from scim_server.provisioning.guarding import why
from scim_server.provisioning.refusals import record_refusal
from scim_server.store.database import OutOfTime
from scim_server.store.resources import Stale
from scim_server.web.answers import SCIM_JSON, scim_service
from scim_server.web.auth import Unauthorized
from scim_server.web.braking import PAUSED_FOR, Later

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
STATE_CONFLICTS = frozenset({"E5", "E7", "E10", "E12", "E18", "E25", "E31"})
"""Refusals that the account's state causes: the same request may succeed later. 409 without scimType."""
STATUSES = {
    **dict.fromkeys(STATE_CONFLICTS, (409, None)),
    "E3": (409, "uniqueness"),
    "E27": (409, "uniqueness"),
    "E22": (400, "mutability"),
    "E23": (404, None),
    "E29": (405, None),
}
"""The status and scimType of each refusal; the others are 400 invalidValue."""

REFUSALS = {"mutability": "E22"}
"""The refusals of the catalogue that the protocol tells, by their scimType: read-only and immutable attributes."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})

log = logging.getLogger("scim_server")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked when an error came of it: a request, or one operation of a bulk."""

    method: str
    path: str
    """From the root of the server, as the URL of a request has it."""
    body: Any = None


@dataclass(frozen=True, slots=True)
class Told:
    """An error as the client is told it and, if it is a refusal, the journal."""

    status: int
    detail: str
    scim_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    is_refusal: bool = False
    rule: str | None = None
    error: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The SCIM error; ``status`` is a string in it (erratum 7916)."""
        kind = {"scimType": self.scim_type} if self.scim_type else {}
        return {"schemas": [ERROR], "status": str(self.status), **kind, "detail": _clean(self.detail)}


def install(app: Flask) -> None:
    """Have the application answer every error as a SCIM error."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response:
    """Answer a request that failed, its refusal recorded: all of writes, the 400s of reads."""
    asked = Asked(request.method, request.path, g.get("body"))
    tells = told(error, asked)
    caller = g.get("caller")
    if caller is not None and (request.method not in ("GET", "HEAD", "OPTIONS") or tells.status == 400):
        record(caller, asked, tells)
    response = Response(orjson.dumps(tells.body), status=tells.status, content_type=SCIM_JSON)
    response.headers.extend(tells.headers)
    return response


def record(caller: Caller, asked: Asked, tells: Told) -> None:
    """Write an error into the journal if it is a refusal."""
    if tells.is_refusal:
        what = (asked.method, asked.path, asked.body)
        record_refusal(scim_service(), caller, *what, tells.status, tells.detail, tells.rule, tells.error)


@singledispatch
def told(error: Exception, asked: Asked) -> Told:
    """Return an error as it is told. What is none of the sorts below is a bug: nothing of it is told but to the log."""
    log.error("request %s failed", g.request_id, exc_info=error)
    return Told(500, f"the server failed to carry out the request; tell its operator: request {g.request_id}")


@told.register
def _refused(error: Refused, asked: Asked) -> Told:
    status, scim_type = STATUSES.get(error.error, (400, "invalidValue"))
    allow = (("Allow", "GET, HEAD"),) if status == 405 else ()
    return Told(status, error.detail, scim_type, allow, is_refusal=True, rule=error.rule, error=error.error)


@told.register
def _scim(error: SCIMException, asked: Asked) -> Told:
    kind = error.scim_type or None
    return Told(error.status, str(error), kind, is_refusal=True, error=REFUSALS.get(error.scim_type, kind))


@told.register
def _unauthorized(error: Unauthorized, asked: Asked) -> Told:
    return Told(error.status, str(error), headers=(("WWW-Authenticate", error.challenge),), is_refusal=True)


@told.register
def _http(error: HTTPException, asked: Asked) -> Told:
    return Told(error.code or 500, error.description or error.name, is_refusal=True)


@told.register
def _nothing_there(error: NotFound, asked: Asked) -> Told:
    return Told(404, f"there is nothing at {asked.path[:200]}")


@told.register
def _too_large(error: RequestEntityTooLarge, asked: Asked) -> Told:
    detail = f"the body is larger than {request.max_content_length} bytes; send it in parts"
    return Told(413, detail, is_refusal=True)


@told.register
def _method(error: MethodNotAllowed, asked: Asked) -> Told:
    if asked.method not in _METHODS:
        return Told(501, f"the method {asked.method[:40]} is not known here")
    allow = ("Allow", ", ".join(sorted(error.valid_methods or ())))
    return Told(405, f"{asked.method} is not offered at {asked.path[:200]}", headers=(allow,), is_refusal=True)


@told.register
def _later(error: Later, asked: Asked) -> Told:
    """Tell that a request was held off; the journal is told of many at once (provisioning/floods.py)."""
    return Told(error.status, str(error), headers=(("Retry-After", str(error.seconds)),))


@told.register
def _held(error: Held, asked: Asked) -> Told:
    return Told(503, why(error, g.caller), headers=(("Retry-After", str(PAUSED_FOR)),))


@told.register
def _busy(error: Stale, asked: Asked) -> Told:
    return Told(503, "too many requests change this resource at once; retry", headers=(("Retry-After", "1"),))


@told.register
def _out_of_time(error: OutOfTime, asked: Asked) -> Told:
    """Tell that the time of a request is over; whatever it had written is rolled back (LIM-03)."""
    over = f"the database worked on this longer than {scim_service().limits.seconds:g} seconds"
    if _is_filtered(asked):
        way_out = "narrow the filter, by eq or sw on userName, externalId or id, or ask in several requests"
        return Told(400, f"{over}: {way_out}", "tooMany", is_refusal=True, error="tooMany")
    log.warning("request %s: %s", g.request_id, over)
    detail = f"{over}; nothing was changed, retry. Request {g.request_id}"
    return Told(503, detail, headers=(("Retry-After", "5"),))


def _is_filtered(asked: Asked) -> bool:
    """Whether a request is a search with a filter."""
    if asked.method in ("GET", "HEAD"):
        return "filter" in request.args
    is_search = asked.path.rstrip("/").endswith("/.search")
    return is_search and any(name.lower() == "filter" for name in asked.body or ())


@told.register(OperationalError)
@told.register(TimeoutError)
def _database_unavailable(error: OperationalError | TimeoutError, asked: Asked) -> Told:
    log.error("request %s: the database did not answer", g.request_id, exc_info=error)
    detail = f"the database is not available; retry. Request {g.request_id}"
    return Told(503, detail, headers=(("Retry-After", "5"),))


def _clean(detail: str) -> str:
    """Replace what UTF-8 cannot carry, which only a hostile request brings."""
    return detail.encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")
