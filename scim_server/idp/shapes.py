"""What a request looks like, without what it says: the shapes by which a client's silent change is noticed.

A shape is a kind and a few words: ``("op", "Replace")``, ``("path", "value path")``, ``("filter", "userName Eq")``,
``("unknown", "shoeSize")``. Values are never part of one; names come from the schemas, those of unknown attributes
from the client: cut, and only where they look like names.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from scim_server.idp.questions import questions, without_urn
from scim_server.protocol.catalogue import Attribute, Endpoint

Shape = tuple[str, str]
EndpointAt = Callable[[str], Endpoint | None]

KINDS = ("request", "contentType", "op", "path", "filter", "unknown")
"""What shapes tell of, in the order in which they are shown."""
MOST_LOOKED_AT = 200
"""Operations, and names per object, of one body that are looked at: the rest looks alike."""
MOST_OF_ONE_REQUEST = 100
LONGEST_NAME = 80

_NAME = re.compile(r"[A-Za-z$][A-Za-z0-9_$.:-]*")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,40}(; ?charset=\"?[a-z0-9-]{1,12}\"?)?")
_CONTENT = re.compile(r"\[.*?\]", re.DOTALL)


def of_request(
    method: str, route: str, content_type: str, condition: str | None, body: Any, endpoint_at: EndpointAt
) -> tuple[Shape, ...]:
    """Return the shapes of a request to ``route``, such as ``/Users/{id}``; ``body`` is None where none was read."""
    heads = _heads(method, route, content_type)
    if not condition and body is None:
        return heads
    endpoint = endpoint_at("/" + route.split("/")[1])
    shapes: Iterator[Shape] = chain(
        heads,
        _of_filter(endpoint, condition),
        _of_bulk(body, endpoint_at) if route == "/Bulk" else _of_body(method, route, endpoint, body),
    )
    return tuple(islice(dict.fromkeys(shapes), MOST_OF_ONE_REQUEST))


@lru_cache(maxsize=512)
def _heads(method: str, route: str, content_type: str) -> tuple[Shape, ...]:
    heads = (("request", f"{method} {route}"),)
    return (*heads, ("contentType", _media_type(content_type))) if content_type else heads


def _media_type(text: str) -> str:
    return text.lower() if _MEDIA_TYPE.fullmatch(text.lower()) else "another"


def _of_filter(endpoint: Endpoint | None, condition: str | None) -> Iterator[Shape]:
    if condition and endpoint is not None:
        yield from (("filter", one) for one in questions(endpoint, condition))


def _of_body(method: str, route: str, endpoint: Endpoint | None, body: Any) -> Iterator[Shape]:
    if endpoint is None or not isinstance(body, dict):
        return
    if route.endswith("/.search"):
        yield from _of_filter(endpoint, _text(_member(body, "filter")))
    elif method == "PATCH":
        yield from _of_patch(endpoint, body)
    else:
        yield from _unknown(endpoint.attributes, body)


def _of_bulk(body: Any, endpoint_at: EndpointAt) -> Iterator[Shape]:
    """The shapes of the operations in a bulk request."""
    for operation in _objects(_member(body, "operations")):
        method, path = _text(_member(operation, "method")).upper(), _text(_member(operation, "path"))
        yield from _of_body(method, "", endpoint_at("/" + path.strip("/").split("/")[0]), _member(operation, "data"))


def _of_patch(endpoint: Endpoint, body: Mapping[str, Any]) -> Iterator[Shape]:
    for operation in _objects(_member(body, "operations")):
        op, path, value = (_member(operation, name) for name in ("op", "path", "value"))
        if isinstance(op, str):
            yield "op", op if op.lower() in ("add", "replace", "remove") else "another"
        if isinstance(path, str) and path:
            yield from _of_path(endpoint, path, "")
            continue
        yield "path", "none"
        for key in _names(value):
            yield from _of_path(endpoint, key, " as a key")


def _of_path(endpoint: Endpoint, path: str, where: str) -> Iterator[Shape]:
    """The form of a path, or of a key in a value without one; the question that it asks between brackets."""
    if "[" in path:
        yield "path", f"value path{where}"
        yield from _of_filter(endpoint, _CONTENT.search(path) and f"{path.rpartition(']')[0]}]")
        path = _CONTENT.sub("", path)
    else:
        yield "path", f"{_form(endpoint, path)}{where}"
    named = endpoint.named(path) or without_urn(endpoint, path) or _dotted(endpoint, path)
    if not named and path.lower() != "schemas":
        yield from _name("", path)


def _form(endpoint: Endpoint, path: str) -> str:
    if path.lower() in endpoint.attributes:
        return "URN of an extension" if endpoint.attributes[path.lower()].is_extension else "attribute"
    if path.lower().startswith("urn:"):
        return "URN with a dot" if _dotted(endpoint, path) else "URN and attribute"
    if without_urn(endpoint, path):
        return "attribute of an extension without its URN"
    return "sub-attribute" if "." in path else "attribute"


def _dotted(endpoint: Endpoint, path: str) -> bool:
    return any(path.lower().startswith(f"{urn.lower()}.") for urn in endpoint.extensions)


def _unknown(attributes: Mapping[str, Attribute], body: Any, prefix: str = "") -> Iterator[Shape]:
    """The names in an object, and in what it has within, that no schema knows."""
    for name in _names(body):
        attribute = attributes.get(name.lower())
        if attribute is None and (prefix or name.lower() != "schemas"):
            yield from _name(prefix, name)
        elif attribute is not None and attribute.sub_attributes:
            value = body[name]
            for one in islice(value, MOST_LOOKED_AT) if isinstance(value, list) else (value,):
                yield from _unknown(attribute.sub_attributes, one, f"{attribute.name}.")


def _name(prefix: str, name: str) -> Iterator[Shape]:
    if _NAME.fullmatch(name):
        yield "unknown", f"{prefix}{name}"[:LONGEST_NAME]


def _names(value: Any) -> Iterator[str]:
    return islice(value, MOST_LOOKED_AT) if isinstance(value, dict) else iter(())


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    chosen = islice(value, MOST_LOOKED_AT) if isinstance(value, list) else ()
    return (one for one in chosen if isinstance(one, dict))


def _member(body: Any, name: str) -> Any:
    """Return a member of a message, whatever the case of its name."""
    if not isinstance(body, dict):
        return None
    return next((value for key, value in body.items() if key.lower() == name), None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
