"""The SCIM endpoints: every view reads, acts, answers."""

import re
from collections.abc import Callable, Mapping
from functools import partial, wraps
from inspect import unwrap
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request
from scim2_models import ForbiddenException, NotImplementedException, SensitiveException
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import MethodNotAllowed, NotFound

from scim_server import provisioning
from scim_server.account.refusals import Refused
from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.documents import location
from scim_server.protocol.searches import Search, read_query, read_search
from scim_server.provisioning import Caller
from scim_server.provisioning.reading import is_partial, missing
from scim_server.web.answers import (
    asked_projection,
    check_accepts_scim,
    conditions,
    nothing,
    read_json,
    resource,
    scim_json,
    scim_service,
)
from scim_server.web.auth import WRITE, identify, scope_to_read

BASE_PATH = "/scim/v2"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ALL_METHODS = (*METHODS, "OPTIONS", "TRACE")
_IDENTIFIER = re.compile(r"[A-Za-z0-9._~-]{1,253}")
"""What an id can look like: those of users are short, that of a domain is its name."""

View = Callable[..., Response]


class SensitiveQuery(SensitiveException):
    """A filter in a URL of an account that wants none there: 403 (RFC 7644 section 7.5.2, erratum 6893)."""

    status = 403


def reads(view: View) -> View:
    """Run a view with a caller who may read, on one connection."""

    @wraps(view)
    def reading(*args: Any, **kwargs: Any) -> Response:
        caller = identify(scope_to_read(kwargs.get("endpoint")))
        check_accepts_scim()
        with scim_service().database.reading(caller.account_id):
            return view(caller, *args, **kwargs)

    return reading


def lists(view: View) -> View:
    """Run a view with a caller who may read, on the replica where that has all that the account wrote.

    One resource by its id is no work that is worth the two questions whether it has.
    """

    @wraps(view)
    def listing(*args: Any, **kwargs: Any) -> Response:
        caller = identify(scope_to_read(kwargs.get("endpoint")))
        check_accepts_scim()
        service = scim_service()
        if service.replica is not None:
            return service.replica.read(caller.account_id, partial(view, caller, *args, **kwargs))
        with service.database.reading(caller.account_id):
            return view(caller, *args, **kwargs)

    return listing


def writes(view: View) -> View:
    """Run a view with a caller who may write."""

    @wraps(view)
    def writing(*args: Any, **kwargs: Any) -> Response:
        caller = identify(WRITE)
        check_accepts_scim()
        return view(caller, *args, **kwargs)

    return writing


@reads
def read_resource(caller: Caller, endpoint: Endpoint, identifier: str) -> Response:
    """GET one resource, or 304 when the client has its version."""
    chosen = asked_projection(endpoint)
    stored = provisioning.read(scim_service(), caller, endpoint, checked(endpoint, identifier), chosen)
    if conditions().is_known(stored.version):
        return nothing(stored.version, 304)
    return resource(endpoint, stored, chosen)


@lists
def list_resources(caller: Caller, endpoint: Endpoint) -> Response:
    """GET a page of resources."""
    return _page(caller, endpoint, _query(caller, endpoint.path))


def _query(caller: Caller, path: str) -> Search:
    """Read the query of the URL; an account may want no filter there, which logs on the way may keep (PRI-03)."""
    if "filter" in request.args and caller.policies.filters_in_url == "refused":
        raise SensitiveQuery(detail=f"this account allows no filter in a URL; POST it to {path}/.search")
    return read_query(_arguments(caller))


def _arguments(caller: Caller) -> Mapping[str, str]:
    """Return the parameters of the URL, read as the profile of the connection has it."""
    query = caller.profile.rewrite_query(request.query_string)
    return request.args if query == request.query_string else MultiDict(parse_qsl(query.decode(errors="replace"), True))


@lists
def search_resources(caller: Caller, endpoint: Endpoint) -> Response:
    """POST a search (RFC 7644 section 3.4.3)."""
    return _page(caller, endpoint, read_search(read_json(), caller.profile.tolerance))


def _page(caller: Caller, endpoint: Endpoint, asked: Search) -> Response:
    return scim_json(provisioning.search(scim_service(), caller, endpoint, asked))


@lists
def list_root(caller: Caller) -> Response:
    """GET a page of the resources of all types (A-40)."""
    return _root_page(caller, _query(caller, ""))


@lists
def search_root(caller: Caller) -> Response:
    """POST a search over all types (RFC 7644 section 3.4.3)."""
    return _root_page(caller, read_search(read_json(), caller.profile.tolerance))


def _root_page(caller: Caller, asked: Search) -> Response:
    return scim_json(provisioning.search_root(scim_service(), caller, asked))


@writes
def create_resource(caller: Caller, endpoint: Endpoint) -> Response:
    """POST a new resource."""
    chosen = asked_projection(endpoint)
    stored = provisioning.create(scim_service(), caller, endpoint, read_json())
    return resource(endpoint, _complete(caller, endpoint, stored, chosen), chosen, 201)


@writes
def put_resource(caller: Caller, endpoint: Endpoint, identifier: str) -> Response:
    """PUT a whole resource."""
    chosen = asked_projection(endpoint)
    identifier = checked(endpoint, identifier)
    stored = provisioning.put(scim_service(), caller, endpoint, identifier, read_json(), conditions())
    return resource(endpoint, _complete(caller, endpoint, stored, chosen), chosen)


@writes
def patch_resource(caller: Caller, endpoint: Endpoint, identifier: str) -> Response:
    """PATCH a resource; a group of many members, or a client that prefers it, is answered without a body (A-27)."""
    chosen = asked_projection(endpoint)
    identifier = checked(endpoint, identifier)
    stored = provisioning.patch(scim_service(), caller, endpoint, identifier, read_json(), conditions())
    minimal = "return=minimal" in request.headers.get("Prefer", "").replace(" ", "").lower()
    large = endpoint.path == "/Groups" and not caller.profile.shows_group(stored.member_count)
    if not chosen.attributes and (minimal or large):
        return nothing(stored.version)
    return resource(endpoint, _complete(caller, endpoint, stored, chosen), chosen)


@writes
def delete_resource(caller: Caller, endpoint: Endpoint, identifier: str) -> Response:
    """DELETE a resource for good."""
    provisioning.delete(scim_service(), caller, endpoint, checked(endpoint, identifier), conditions())
    return Response(status=204)


def _complete(caller: Caller, endpoint: Endpoint, stored: Any, chosen: Any) -> Any:
    if not is_partial(endpoint, chosen):
        return stored
    with scim_service().database.reading(caller.account_id):
        return provisioning.complete(scim_service(), caller, endpoint, [stored], chosen)[0]


def checked(endpoint: Endpoint, identifier: str) -> str:
    """Return an id that could be one; another is answered 404 before a database sees it."""
    if not _IDENTIFIER.fullmatch(identifier):
        raise missing(endpoint, re.sub(r"[^ -~]", "?", identifier))
    return identifier


@reads
def unknown_path(caller: Caller, path: str = "") -> Response:
    """Answer a path that nothing is served at: 404 as a SCIM error (HTP-08)."""
    raise NotFound


@reads
def not_offered(caller: Caller, **_: Any) -> Response:
    """Answer what the RFC has and this server does not announce: 501."""
    raise NotImplementedException(detail=f"{request.path} is not offered; see ServiceProviderConfig")


@reads
def refuse_method(caller: Caller, allowed: tuple[str, ...], endpoint: Endpoint | None = None, **_: Any) -> Response:
    """Answer a method that a path does not have: 405 with Allow, and OPTIONS with Allow alone (A-38)."""
    if request.method == "OPTIONS":
        response = Response(status=204)
        response.headers["Allow"] = ", ".join((*allowed, "OPTIONS"))
        return response
    raise method_lacking(request.method, allowed, endpoint)


def method_lacking(
    method: str, allowed: tuple[str, ...], endpoint: Endpoint | None = None
) -> Refused | MethodNotAllowed:
    """Return the error for a method that a path does not have."""
    if endpoint is not None and endpoint.is_read_only and "GET" in allowed and method in METHODS:
        return Refused("R32", "E29", resource=endpoint.name)
    return MethodNotAllowed(valid_methods=list(allowed))


def of_oneself(view: View) -> View:
    """Serve a view of a user at /Me: of the one that the token stands for (RFC 7644 section 3.11)."""
    of_a_user = unwrap(view)

    @wraps(of_a_user)
    def standing(caller: Caller, endpoint: Endpoint) -> Response:
        if caller.user_id is None:
            raise NotImplementedException(detail="the token stands for no user; read /Users/{id}")
        response: Response = of_a_user(caller, endpoint, caller.user_id)
        if request.method != "DELETE":
            response.headers["Location"] = location(endpoint, caller.user_id, scim_service().base_url)
        return response

    return standing


@writes
def delete_oneself(caller: Caller, endpoint: Endpoint, identifier: str) -> Response:
    """Refuse to delete oneself: the log goes with the user, and is the account's (R1, R22, R28)."""
    raise ForbiddenException(
        detail="a token that stands for a user may not delete the user, whose log would be destroyed; "
        "an administrator may (R1)"
    )


def me() -> dict[str, View]:
    """Return the views of /Me; nobody registers there."""
    return {
        "GET": reads(of_oneself(read_resource)),
        "PUT": writes(of_oneself(put_resource)),
        "PATCH": writes(of_oneself(patch_resource)),
        "DELETE": writes(of_oneself(delete_oneself)),
        "POST": not_offered,
    }


def blueprint(endpoints: list[Endpoint]) -> Blueprint:
    """Return the routes of the served resource types."""
    scim = Blueprint("scim", __name__, url_prefix=BASE_PATH)
    for endpoint in endpoints:
        some: dict[str, View] = {"GET": list_resources}
        one: dict[str, View] = {"GET": read_resource}
        if not endpoint.is_read_only:
            some |= {"POST": create_resource}
            one |= {"PUT": put_resource, "PATCH": patch_resource, "DELETE": delete_resource}
        serve(scim, endpoint.path, some, endpoint=endpoint)
        serve(scim, f"{endpoint.path}/.search", {"POST": search_resources}, endpoint=endpoint)
        serve(scim, f"{endpoint.path}/<identifier>", one, endpoint=endpoint)
        if endpoint.path == "/Users":
            serve(scim, "/Me", me(), endpoint=endpoint)
    serve(scim, "/", {"GET": list_root})
    serve(scim, "/.search", {"POST": search_root})
    serve(scim, "/<path:path>", dict.fromkeys(ALL_METHODS, unknown_path))
    return scim


def serve(scim: Blueprint, rule: str, views: dict[str, View], **defaults: Any) -> None:
    """Route each method of a path to its view, and every other one to a SCIM 405."""
    allowed = tuple(sorted({*views, *(("HEAD",) if "GET" in views else ())}))
    others = [method for method in ALL_METHODS if method not in views]
    for method, view in [*views.items(), *((other, refuse_method) for other in others)]:
        scim.add_url_rule(
            rule,
            endpoint=f"{method} {rule}".replace(".", "_"),
            view_func=view,
            methods=[method],
            defaults={**defaults, **({"allowed": allowed} if view is refuse_method else {})},
            provide_automatic_options=False,
            strict_slashes=False,
        )
