"""What the server says of itself: ServiceProviderConfig, ResourceTypes, Schemas (RFC 7644 section 4)."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Blueprint, Response, g, request
from scim2_models import ForbiddenException, NotFoundException

from scim_server.protocol.catalogue import Catalogue
from scim_server.protocol.documents import page
from scim_server.provisioning import Caller, Limits
from scim_server.web.answers import check_accepts_scim, scim_json, scim_service
from scim_server.web.auth import READ, Unauthorized, identify
from scim_server.web.scim import reads, serve

CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
Documents = Mapping[str, Mapping[str, Any]]


def install(scim: Blueprint, catalogue: Catalogue, limits: Limits, is_oauth_served: bool) -> None:
    """Add the discovery routes; their documents are the catalogue's, written once."""
    announced = service_provider_config(limits, is_oauth_served)

    def config() -> Response:
        check_accepts_scim()
        _refuse_filter()
        told = {**announced, **_told_to_caller(announced["authenticationSchemes"])}
        return scim_json(_located("ServiceProviderConfig", "/ServiceProviderConfig", told))

    serve(scim, "/ServiceProviderConfig", {"GET": config})
    for kind, documents in (("Schema", catalogue.schemas), ("ResourceType", catalogue.resource_types)):
        path = f"/{kind}s"
        serve(scim, path, {"GET": _listing(kind, path, documents)})
        serve(scim, f"{path}/<identifier>", {"GET": _single(kind, path, documents)})


def _told_to_caller(schemes: list[Any]) -> dict[str, Any]:
    """Return what differs from one account or connection to another; the document is public (A-50)."""
    if "Authorization" not in request.headers:
        return {}
    try:
        keeps = identify(READ).policies.passwords_store == "on"
    except Unauthorized:
        return {}
    told: dict[str, Any] = {"changePassword": {"supported": keeps}}
    return told | ({"authenticationSchemes": [*schemes, _BASIC]} if g.credential.basic else {})


def _listing(kind: str, path: str, documents: Documents) -> Any:
    @reads
    def listing(caller: Caller) -> Response:
        _refuse_filter()
        texts = [_located(kind, f"{path}/{name}", document) for name, document in documents.items()]
        return scim_json(page(texts, len(texts), 1))

    return listing


def _single(kind: str, path: str, documents: Documents) -> Any:
    by_key = {name.lower(): name for name in documents}

    @reads
    def single(caller: Caller, identifier: str) -> Response:
        _refuse_filter()
        name = by_key.get(identifier.lower())
        if name is None:
            raise NotFoundException(detail=f"there is no {kind} '{identifier[:100]}'; see {path}")
        return scim_json(_located(kind, f"{path}/{name}", documents[name]))

    return single


def _refuse_filter() -> None:
    """Refuse a filter on a discovery endpoint: 403 (DSC-12)."""
    if "filter" in request.args:
        raise ForbiddenException(detail="filter is not supported on discovery endpoints; read the whole list")


def _located(kind: str, path: str, document: Mapping[str, Any]) -> str:
    meta = {"resourceType": kind, "location": scim_service().base_url + path}
    return orjson.dumps({**document, "meta": meta}).decode()


_BEARER = {
    "type": "oauthbearertoken",
    "name": "OAuth bearer token",
    "description": "A token of a connection, of an administrator of the account or of an issuer that is trusted.",
    "specUri": "https://www.rfc-editor.org/info/rfc6750",
    "primary": True,
}
_BASIC = {
    "type": "httpbasic",
    "name": "HTTP Basic",
    "description": "The token of the connection as the password, with any user name.",
    "specUri": "https://www.rfc-editor.org/info/rfc7617",
}
_OAUTH = {
    "type": "oauth2",
    "name": "OAuth 2.0",
    "description": "A client of the connection obtains its tokens from /oauth2/token.",
    "specUri": "https://www.rfc-editor.org/info/rfc6749",
}


def service_provider_config(limits: Limits, is_oauth_served: bool = True) -> dict[str, Any]:
    """Return what works here, and nothing else."""
    return {
        "schemas": [CONFIG],
        "patch": {"supported": True},
        # authentik takes maxOperations for the number of operations in a PATCH, which the settings let be no smaller.
        "bulk": {"supported": True, "maxOperations": limits.bulk_operations, "maxPayloadSize": limits.bulk_bytes},
        "filter": {"supported": True, "maxResults": limits.page},
        "changePassword": {"supported": False},  # told to each account as it is
        "sort": {"supported": True},
        "etag": {"supported": True},
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.default_page,
            "maxPageSize": limits.page,
        },
        "authenticationSchemes": [_BEARER, _OAUTH] if is_oauth_served else [_BEARER],
    }
