"""What a request brings and what it is answered: bodies, conditions, representations."""

import re
from typing import Any

import orjson
from flask import Response, current_app, g, request
from scim2_models import InvalidSyntaxException, SCIMException
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge

from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.conditions import Conditions, etag
from scim_server.protocol.documents import Projection, Stored, location, projection, represented
from scim_server.provisioning import Service
from scim_server.web.reception import DRAINED

SCIM_JSON = "application/scim+json"
_CHUNK = 64 * 1024
_TAG = re.compile(r'(?:W/)?"([0-9]+)"')
"""A tag that this server may have given."""


class UnsupportedMediaType(SCIMException):
    """The body is of a type that is not SCIM JSON, or the client accepts nothing that is."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail=detail)
        self.status = status


def scim_service() -> Service:
    """Return the service of the current application."""
    service: Service = current_app.extensions["scim"]
    return service


def read_json() -> Any:
    """Return the JSON of the request's body; raises 413, 415 and invalidSyntax."""
    kind = request.mimetype
    if kind not in ("", SCIM_JSON, "application/json"):
        raise UnsupportedMediaType(415, f"Content-Type '{kind[:100]}' is not supported; send {SCIM_JSON}")
    if request.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise UnsupportedMediaType(415, "Content-Encoding is not supported; send the body as it is")
    try:
        g.body = orjson.loads(_bounded_body())
    except orjson.JSONDecodeError as error:
        raise InvalidSyntaxException(detail=f"the body is not JSON: {error.msg[:100]} at byte {error.pos}") from error
    most = scim_service().limits.nesting
    if _nests_deeper(g.body, most):
        raise InvalidSyntaxException(detail=f"the body nests deeper than {most} levels; send it flatter")
    return g.body


def _nests_deeper(body: Any, most: int) -> bool:
    """Whether arrays and objects nest deeper than so many levels, looked at level by level."""
    level = [[body]]
    for _ in range(most + 1):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if type(inner) in (dict, list)
        ]
    return bool(level)


def _bounded_body() -> bytes:
    """Read the body by its length or as it comes in chunks, never more than the limit.

    The stream is read piecewise: granian's refuses to be read to its end in one call.
    """
    most = request.max_content_length or 0
    if (request.content_length or 0) > most:
        _drain(0)
        raise RequestEntityTooLarge
    parts, size = [], 0
    while part := request.stream.read(_CHUNK):
        size += len(part)
        if size > most:
            _drain(size)
            raise RequestEntityTooLarge
        parts.append(part)
    if size < (request.content_length or 0):  # the connection ended before the body did (ROB-25)
        raise InvalidSyntaxException(detail=f"the body ended after {size} of {request.content_length} bytes")
    return b"".join(parts)


def _drain(size: int) -> None:
    """Read on and forget, within bounds, where no Reception has done so already."""
    stream = request.environ["wsgi.input"]
    left = (request.content_length or DRAINED) - size
    while left > 0 and size < DRAINED and (part := stream.read(min(_CHUNK, left))):
        size += len(part)
        left -= len(part)


def conditions() -> Conditions:
    """Return the request's If-Match and If-None-Match by their opaque tags (A-10)."""
    return Conditions(_tags("If-Match"), _tags("If-None-Match"))


def _tags(header: str) -> frozenset[str] | None:
    value = request.headers.get(header)
    return None if value is None else tags(value)


def tags(value: str) -> frozenset[str]:
    """Return the opaque tags that a header, or the version of a bulk operation, lists."""
    if value.strip() == "*":
        return frozenset("*")
    # A tag without its quotes is none: it must not let a write through (ETG-08).
    return frozenset(tag[1] for one in value.split(",") if (tag := _TAG.fullmatch(one.strip())))


def asked_projection(endpoint: Endpoint) -> Projection:
    """Return what the request's ``attributes`` and ``excludedAttributes`` choose."""
    if not request.query_string:
        return projection(endpoint, (), ())
    return projection(endpoint, _names("attributes"), _names("excludedAttributes"))


def _names(parameter: str) -> tuple[str, ...]:
    text = request.args.get(parameter, "")
    return tuple(name for one in text.split(",")[:100] if (name := one.strip()))


class Answer(Response):
    """An answer with a body whose headers are ASCII by construction, so that werkzeug need not rewrite URLs."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Return the headers as they are, with the length of the body."""
        self.headers["Content-Length"] = str(sum(map(len, self.response)))
        return self.headers


def scim_json(text: str, status: int = 200) -> Response:
    """Return ready JSON text as a SCIM answer."""
    return Answer(text.encode(), status=status, content_type=SCIM_JSON)


def resource(endpoint: Endpoint, stored: Stored, chosen: Projection, status: int = 200) -> Response:
    """Return a resource with its version and address."""
    base_url = scim_service().base_url
    response = scim_json(represented(endpoint, stored, base_url, chosen), status)
    response.headers["ETag"] = etag(stored.version)
    response.headers["Location" if status == 201 else "Content-Location"] = location(endpoint, stored.id, base_url)
    return response


def nothing(version: int, status: int = 204) -> Response:
    """Return an answer without a body that tells the version."""
    response = Response(status=status)
    del response.headers["Content-Type"]
    response.headers["ETag"] = etag(version)
    return response


def check_accepts_scim() -> None:
    """Refuse a request whose Accept leaves no JSON: 406 (HTP-04)."""
    accept = request.headers.get("Accept", "")
    if accept in ("", "*/*", SCIM_JSON, "application/json"):
        return
    # Parameters such as charset are not compared: there is one JSON, in UTF-8 (RFC 8259 section 8.1).
    ranges = {name.partition(";")[0].strip().lower() for name, quality in request.accept_mimetypes if quality > 0}
    if not ranges & _OFFERED:
        raise UnsupportedMediaType(406, f"Accept: only {SCIM_JSON} and application/json are offered")


_OFFERED = frozenset({SCIM_JSON, "application/json", "application/*", "*/*"})
