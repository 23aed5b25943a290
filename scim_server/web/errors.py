"""Every error as a SCIM error (RFC 7644 section 3.12), and every refusal in the journal.

HTTP's numbers for the account's refusals are here and nowhere else (rules.md 2.0).
"""

import logging

import orjson
from flask import Flask, Response, current_app, g, request
from scim2_models import SCIMException
from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from scim_server.account.refusals import Refused
from scim_server.provisioning import Service
from scim_server.provisioning.refusals import record_refusal
from scim_server.store.database import OutOfTime
from scim_server.store.resources import Stale
from scim_server.web.answers import SCIM_JSON, scim_service
from scim_server.web.auth import Unauthorized

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

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})

log = logging.getLogger("scim_server")


def install(app: Flask) -> None:
    """Have the application answer every error as a SCIM error."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(SCIMException, _scim)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Stale, _busy)
    app.register_error_handler(OutOfTime, _out_of_time)
    app.register_error_handler(OperationalError, _database_unavailable)
    app.register_error_handler(TimeoutError, _database_unavailable)
    app.register_error_handler(Exception, _bug)


def _refused(error: Refused) -> Response:
    status, scim_type = STATUSES.get(error.error, (400, "invalidValue"))
    _record(status, error.detail, error.rule, error.error)
    response = answer(status, error.detail, scim_type)
    if status == 405:
        response.headers["Allow"] = "GET, HEAD"
    return response


def _scim(error: SCIMException) -> Response:
    detail = str(error)
    if isinstance(error, Unauthorized):
        response = answer(error.status, detail)
        response.headers["WWW-Authenticate"] = error.challenge
        return response
    _record(error.status, detail, None, error.scim_type or None)
    return answer(error.status, detail, error.scim_type or None)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    detail = f"there is nothing at {request.path[:200]}" if status == 404 else error.description or error.name
    if isinstance(error, RequestEntityTooLarge):
        detail = f"the body is larger than {current_app.config['MAX_CONTENT_LENGTH']} bytes; send it in parts"
    response = answer(status, detail)
    if isinstance(error, MethodNotAllowed):
        if request.method not in _METHODS:
            return answer(501, f"the method {request.method[:40]} is not known here")
        response = answer(405, f"{request.method} is not offered at {request.path[:200]}")
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    if status != 404:
        _record(status, detail, None, None)
    return response


def _busy(error: Stale) -> Response:
    response = answer(503, "too many requests change this resource at once; retry")
    response.headers["Retry-After"] = "1"
    return response


def _out_of_time(error: OutOfTime) -> Response:
    """Tell that the time of a request is over; whatever it had written is rolled back (LIM-03)."""
    told = f"the database worked on this longer than {scim_service().limits.seconds:g} seconds"
    if _is_filtered():
        detail = f"{told}: narrow the filter, by eq or sw on userName, externalId or id, or ask in several requests"
        _record(400, detail, None, "tooMany")
        return answer(400, detail, "tooMany")
    log.warning("request %s: %s", g.request_id, told)
    response = answer(503, f"{told}; nothing was changed, retry. Request {g.request_id}")
    response.headers["Retry-After"] = "5"
    return response


def _is_filtered() -> bool:
    """Whether the request is a search with a filter."""
    if request.method in ("GET", "HEAD"):
        return "filter" in request.args
    body = g.get("body")
    return request.path.rstrip("/").endswith("/.search") and any(name.lower() == "filter" for name in body or ())


def _database_unavailable(error: DBAPIError | TimeoutError) -> Response:
    log.error("request %s: the database did not answer", g.request_id, exc_info=error)
    response = answer(503, f"the database is not available; retry. Request {g.request_id}")
    response.headers["Retry-After"] = "5"
    return response


def _bug(error: Exception) -> Response:
    log.error("request %s failed", g.request_id, exc_info=error)
    return answer(500, f"the server failed to carry out the request; tell its operator: request {g.request_id}")


def answer(status: int, detail: str, scim_type: str | None = None) -> Response:
    """Return a SCIM error response; ``status`` is a string in its body (erratum 7916)."""
    kind = {"scimType": scim_type} if scim_type else {}
    body = {"schemas": [ERROR], "status": str(status), **kind, "detail": _clean(detail)}
    return Response(orjson.dumps(body), status=status, content_type=SCIM_JSON)


def _clean(detail: str) -> str:
    """Replace what UTF-8 cannot carry, which only a hostile request brings."""
    return detail.encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")


def _record(status: int, detail: str, rule: str | None, error: str | None) -> None:
    """Write a refusal of an identified caller into the journal: all of writes, the 400s of reads."""
    caller = g.get("caller")
    if caller is None or (request.method in ("GET", "HEAD", "OPTIONS") and status != 400):
        return
    service: Service = scim_service()
    record_refusal(service, caller, request.method, request.path, g.get("body"), status, detail, rule, error)
