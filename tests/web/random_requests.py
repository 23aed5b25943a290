"""Random requests, as Hypothesis draws them: ordinary ones from the schemas, mutated ones, and hostile ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from scim_server.protocol.catalogue import Attribute, Catalogue, Endpoint
from tests.web.conftest import PATCH_OP, SEARCH

ENDPOINTS = Catalogue().endpoints
CANARY = "canary-9f3a"
"""Stands in every hostile text that could come back where it does not belong."""

HOSTILE = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202eevil\u202c", "\u200b", "\ufeff", "x" * 65_536, "é" * 600,
    "İıßﬁΣς", "e\u0301" * 300, "👩‍👩‍👧‍👦", f"\r\nX-Injected: {CANARY}", "\n\n<script>", f'"{CANARY}', "\\", "'; DROP TABLE user;--",
    "%s%n%00", "${jndi:ldap://x}", "{{7*7}}", "../../etc/passwd", "[" * 500, "(" * 500, "__class__", "$ref", "null", "true",
    "NaN", "-0", "9" * 400, "0x10", "٣", "2026-13-45T99:99:99Z", "javascript:alert(1)", "\x7f\x1b[31m", "a" * 513, "𝔘𝔫𝔦",
    "*", "%", "_", "urn:", "urn:ietf:params:scim:schemas:core:2.0:User", "userName", "\u2028", "\uffff",
)  # fmt: skip
hostile = st.integers(0, len(HOSTILE) - 1).map(lambda number: HOSTILE[number])  # which has a short repr
texts = st.one_of(st.text(max_size=20), st.text("ab@. ", max_size=12), hostile)
numbers = st.one_of(
    st.integers(-3, 200), st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 1.5, 1e308, -0.0, 1e-320])
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
junk = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(texts, st.sampled_from(["value", "type", "primary", "id", "schemas"])), inner, max_size=4
        ),
    ),
    max_leaves=8,
)


@dataclass(frozen=True)
class Request:
    """What is sent. ``{0}`` in its path stands for the id of a resource that there is, chosen by ``pick``."""

    method: str
    path: str
    query: bytes = b""
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    pick: int = 0


# -- resources --------------------------------------------------------------------------------------------------------


def value_of(attribute: Attribute) -> st.SearchStrategy[Any]:
    """A value that fits an attribute."""
    if attribute.sub_attributes:
        one: st.SearchStrategy[Any] = complex_of(attribute.sub_attributes)
    elif attribute.canonical:
        one = st.sampled_from(attribute.canonical)
    else:
        one = {
            "boolean": st.booleans(),
            "integer": st.integers(-(2**31), 2**31),
            "decimal": st.floats(allow_nan=False, allow_infinity=False),
            "dateTime": st.just("2026-01-31T08:00:00Z"),
            "reference": st.sampled_from(["https://x.example/y", "{0}"]),
            "binary": st.just("MII="),
        }.get(attribute.type, st.one_of(st.text(max_size=12), st.sampled_from(["ava", "Europe/Berlin", "de", "{0}"])))
    return st.lists(one, max_size=3) if attribute.multi_valued else one


def complex_of(attributes: Mapping[str, Attribute]) -> st.SearchStrategy[dict[str, Any]]:
    """An object of some of the attributes, one in twenty of which has a value that does not fit."""
    names = st.lists(st.sampled_from(sorted(attributes)), unique=True, max_size=5)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({attributes[one].name: nearly(attributes[one]) for one in chosen})
    )


def nearly(attribute: Attribute) -> st.SearchStrategy[Any]:
    return st.integers(0, 19).flatmap(lambda dice: junk if dice == 7 else value_of(attribute))


def resource_of(endpoint: Endpoint) -> st.SearchStrategy[dict[str, Any]]:
    """A resource that is likely to be accepted."""
    name = "displayName" if endpoint.path == "/Groups" else "userName"
    names = st.text("abcdefghijklmnop0123456789", min_size=4, max_size=9)
    return st.builds(
        lambda required, rest, schemas: {**rest, **required, **schemas},
        st.fixed_dictionaries({name: names}),
        complex_of(endpoint.attributes),
        st.integers(0, 19).flatmap(
            lambda dice: (
                st.fixed_dictionaries({"schemas": junk}) if dice == 7 else st.just({"schemas": [endpoint.schema]})
            )
        ),
    )


# -- filters ----------------------------------------------------------------------------------------------------------


def names_of(endpoint: Endpoint) -> st.SearchStrategy[str]:
    """A path in attribute notation, of an attribute that there is in nine of ten cases."""
    urns = sorted(attribute.urn for attribute in endpoint.by_urn.values())
    short = [urn.rsplit(":", 1)[1] for urn in urns]
    known = st.sampled_from(short)
    return st.one_of(*[known] * 7, st.sampled_from(urns), known.map(str.upper), hostile)


def literals() -> st.SearchStrategy[str]:
    return st.one_of(scalars, st.just("{0}"), st.just("2026-01-31T08:00:00Z")).map(json.dumps)


def comparisons(endpoint: Endpoint) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "EQ", "xx"])
    return st.one_of(
        st.builds("{} {} {}".format, names_of(endpoint), operators, literals()), names_of(endpoint).map("{} pr".format)
    )


def filters(endpoint: Endpoint) -> st.SearchStrategy[str]:
    """A filter by the grammar (RFC 7644 section 3.4.2.2), one in ten of which is damaged."""
    lists = sorted(one.name for one in endpoint.attributes.values() if one.multi_valued) or ["emails"]
    inner = st.sampled_from(
        ['type eq "work"', 'value co "a"', "primary eq true", "value pr", 'value eq "{0}" or type pr']
    )
    grammar = st.recursive(
        st.one_of(comparisons(endpoint), st.builds("{}[{}]".format, st.sampled_from(lists), inner)),
        lambda term: st.one_of(
            st.builds("{} {} {}".format, term, st.sampled_from(["and", "or", "AND"]), term),
            term.map("not ({})".format),
            term.map("({})".format),
        ),
        max_leaves=5,
    )
    return st.one_of(*[grammar] * 8, st.builds(damaged_text, grammar, st.integers(0, 2**30), texts), texts)


def damaged_text(text: str, dice: int, other: str) -> str:
    at = dice % (len(text) + 1)
    return (text[:at] + other + text[at + dice % 3 :])[:70_000]


# -- requests ---------------------------------------------------------------------------------------------------------


def operations(endpoint: Endpoint) -> st.SearchStrategy[dict[str, Any]]:
    """One PATCH operation: of an attribute with a value that mostly fits, of a value path, or odd."""
    attributes = endpoint.by_urn
    verbs = st.sampled_from(["add", "replace", "remove", "Add", "Replace", "move"])
    plain = st.sampled_from(sorted(attributes)).flatmap(
        lambda urn: st.fixed_dictionaries(
            {"op": verbs, "path": st.sampled_from([attributes[urn].urn, attributes[urn].urn.rsplit(":", 1)[1]])},
            optional={"value": nearly(attributes[urn])},
        )
    )
    paths = st.one_of(
        st.builds("{}[{}]{}".format, st.sampled_from(["emails", "members", "roles", "addresses", "x"]), filters(endpoint), st.sampled_from(["", ".value", ".type", ".x"])),
        names_of(endpoint),
    )  # fmt: skip
    odd = st.fixed_dictionaries(
        {"op": st.one_of(verbs, junk)}, optional={"path": st.one_of(paths, junk), "value": junk}
    )
    whole = st.fixed_dictionaries({"op": verbs, "value": complex_of(endpoint.attributes)})
    return st.one_of(plain, plain, plain, whole, odd)


def patches(endpoint: Endpoint) -> st.SearchStrategy[Any]:
    ordinary = st.lists(operations(endpoint), max_size=3).map(lambda some: {"schemas": [PATCH_OP], "Operations": some})
    odd = st.fixed_dictionaries({}, optional={"schemas": junk, "Operations": junk, "operations": junk})
    return st.one_of(*[ordinary] * 19, odd)


def parameters(endpoint: Endpoint) -> st.SearchStrategy[dict[str, Any]]:
    """What a search asks for."""
    names = st.lists(names_of(endpoint), max_size=3).map(",".join)
    return st.fixed_dictionaries(
        {},
        optional={
            "filter": filters(endpoint),
            "sortBy": names_of(endpoint),
            "sortOrder": st.sampled_from(["ascending", "descending", "Descending"] * 4 + ["x"]),
            "startIndex": st.one_of(*[st.integers(0, 9)] * 5, numbers),
            "count": st.one_of(*[st.integers(0, 9)] * 5, numbers, hostile),
            "attributes": names,
            "x": texts,
        },
    ).flatmap(lambda asked: st.sampled_from([asked] * 6 + [_renamed(asked), asked | {"excludedAttributes": "emails"}]))


def _renamed(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the attributes left out instead."""
    return {"excludedAttributes" if name == "attributes" else name: value for name, value in asked.items()}


def encoded(query: Mapping[str, Any]) -> bytes:
    pairs = ((name, str(value).encode("utf-8", "surrogatepass")) for name, value in query.items())
    return "&".join(f"{name}={quote_from_bytes(value[:8000])}" for name, value in pairs).encode("ascii")


def written(document: Any, dice: int) -> bytes:
    """A document as JSON, in a form that the dice choose, or damaged."""
    text = json.dumps(document, ensure_ascii=dice % 2 == 0 or _has_surrogates(document)).encode("utf-8")
    at = dice % (len(text) + 1)
    damages = {
        40: text[:at],
        41: text[:at] + b"\xff" + text[at:],
        42: text[:at] + b"[" * 3000 + text[at:],
        43: text[:at] + b"1" + b"0" * 5000 + text[at:],
        44: text[:at] + text[at + 1 :],
        45: text + text,
        46: text.decode().encode("utf-16"),
        47: text.replace(b'"value"', b'"Value"').replace(b"true", b'"True"'),
    }
    return damages.get(dice // 7 % 60, text)


def _has_surrogates(document: Any) -> bool:
    return "\\ud" in json.dumps(document)


HEADERS = {
    "Accept": ["text/html", "*/*", "application/json;q=0", "application/json", ",;=", "x" * 5000],
    "If-Match": ["*", 'W/"1"', '"1"', 'W/"2", W/"3"', "1", '"' * 200, "\xff", CANARY],
    "If-None-Match": ["*", 'W/"1"', ",", CANARY],
    "Prefer": ["return=minimal", "respond-async", CANARY],
    "Content-Type": ["application/json", "text/plain", "application/scim+json; charset=x", "\x01", "", CANARY],
    "Content-Encoding": ["gzip", "identity", CANARY],
    "Authorization": [
        "",
        "Bearer",
        f"Bearer {CANARY}",
        "Bearer a b",
        "Basic eDp5",
        "Bearer \xff",
        "bearer " + "x" * 600,
        '"',
    ],
    "X-Forwarded-Host": [CANARY],
    "X-HTTP-Method-Override": ["DELETE"],
    "X-Request-Id": [CANARY],
    "Host": [CANARY, "", "a b", "[::1"],
    "Origin": [f"https://{CANARY}"],
    "Range": ["bytes=0-1", "bytes=-"],
    "Cookie": ["=;;=" * 100],
}
headers = st.one_of(
    *[st.just(())] * 4,
    st.lists(st.sampled_from(sorted(HEADERS)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(HEADERS[name]))), max_size=3).map(tuple),
)  # fmt: skip
picks = st.integers(0, 999)


def _of(endpoint: Endpoint) -> list[st.SearchStrategy[Request]]:
    """The requests that an endpoint knows."""
    path, one = endpoint.path, f"{endpoint.path}/{{0}}"
    dice = st.integers(0, 2**16)
    query = st.one_of(st.just(b""), parameters(endpoint).map(encoded))
    bodies = st.builds(written, st.one_of(*[resource_of(endpoint)] * 19, junk), dice)
    searches = parameters(endpoint).map(lambda asked: {"schemas": [SEARCH], **asked, **_listed(asked)})
    return [
        st.builds(Request, st.just("GET"), st.just(path), parameters(endpoint).map(encoded), st.none(), headers, picks),
        st.builds(Request, st.sampled_from(["GET", "HEAD"]), st.just(one), query, st.none(), headers, picks),
        st.builds(Request, st.just("POST"), st.just(path), query, bodies, headers, picks),
        st.builds(Request, st.just("PUT"), st.just(one), query, bodies, headers, picks),
        st.builds(Request, st.just("PATCH"), st.just(one), query, st.builds(written, patches(endpoint), dice), headers, picks),
        st.builds(Request, st.just("POST"), st.just(f"{path}/.search"), query, st.builds(written, searches, dice), headers, picks),
        st.builds(Request, st.just("DELETE"), st.just(one), query, st.none(), headers, picks),
    ]  # fmt: skip


def _listed(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Names as lists, as a search in a body has them."""
    return {name: asked[name].split(",") for name in ("attributes", "excludedAttributes") if name in asked}


def paths() -> st.SearchStrategy[str]:
    """A path as bytes escape it; some are where something is served."""
    raw = st.one_of(hostile, st.text(max_size=10)).map(
        lambda text: quote_from_bytes(text.encode("utf-8", "surrogatepass"))[:9000]
    )
    known = ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Me", "/Bulk", "/.search", *ENDPOINTS]
    places = st.sampled_from(known)
    return st.one_of(
        places,
        st.builds("{}/{}".format, places, raw),
        raw.map("/{}".format),
        st.builds("{}/{}/{}".format, places, raw, raw),
    )


anything = st.builds(
    Request,
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FOO", "get"]),
    paths(),
    st.one_of(
        st.just(b""),
        st.dictionaries(st.sampled_from(["filter", "count", "attributes"]), texts, max_size=2).map(encoded),
    ),
    st.one_of(st.none(), st.builds(written, junk, st.integers(0, 2**16))),
    headers,
    picks,
)
USERS, GROUPS = _of(ENDPOINTS["/Users"]), _of(ENDPOINTS["/Groups"])
requests = st.one_of(*USERS, USERS[4], USERS[0], *GROUPS, *(_of(one)[0] for one in ENDPOINTS.values()), anything)
