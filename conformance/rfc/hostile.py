"""Bodies that no client means well with: a server answers 4xx and goes on."""

import json
from typing import Any

from conformance.names import PATCH_OP, SEARCH
from conformance.registry import check, expect
from conformance.scim import Scim, op

BROKEN = (b"{", b"[", b'{"a":', b'{"a" 1}', b"{'a': 1}", b'{"a": 1,}', b"nonsense", b'{"a": 01}', b'"', b"\xff\xfe")
NO_OBJECTS = (b"null", b"[]", b"5", b'"text"', b"true", b'[{"userName": "x"}]')


def survives(scim: Scim, method: str, path: str, body: object = None, **headers: str) -> int:
    """Send something and expect anything but a server error; returns the status."""
    status = scim.send(method, path, body, headers=headers).status
    expect(status < 500 or status == 501, f"{method} {path[:80]} was answered {status}")
    return status


@check("RFC 8259; RFC 7644 §3.12")
def broken_json_is_refused(scim: Scim) -> None:
    """ROB-01 MUST: a body that is no JSON is answered 400 with a SCIM error."""
    for body in BROKEN:
        scim.refused("POST", "/Users", body)


@check("RFC 7644 §3.12")
def empty_bodies_are_refused(scim: Scim) -> None:
    """ROB-02 MUST: an empty body is answered 400 with a SCIM error."""
    for body in (b"", b"   "):
        scim.refused("POST", "/Users", body)


@check("RFC 8259; RFC 7644 §3.12")
def json_that_is_no_object_is_refused(scim: Scim) -> None:
    """ROB-03 MUST: JSON that is no object is answered 400 by POST and PUT."""
    path = f"/Users/{scim.user()['id']}"
    for body in NO_OBJECTS:
        scim.refused("POST", "/Users", body)
        scim.refused("PUT", path, body)


@check("RFC 8259 §9")
def deep_nesting_does_no_harm(scim: Scim) -> None:
    """ROB-04 ROBUST: arrays and objects 2,000 deep are refused without a server error."""
    for body in (b"[" * 2000 + b"]" * 2000, b'{"a":' * 2000 + b"1" + b"}" * 2000):
        survives(scim, "POST", "/Users", body)


@check("RFC 8259 §6")
def huge_numbers_do_no_harm(scim: Scim) -> None:
    """ROB-06 ROBUST: huge numbers do not lead to a server error."""
    for number in (b"1" + b"0" * 400, b"1e400", b"-0", b"1" + b"0" * 5000):
        survives(scim, "POST", "/Users", b'{"schemas": [], "userName": ' + number + b"}")


@check("RFC 8259 §6")
def numbers_that_are_none_are_refused(scim: Scim) -> None:
    """ROB-07 ROBUST: NaN and Infinity are no JSON."""
    for word in (b"NaN", b"Infinity"):
        status = survives(scim, "POST", "/Users", b'{"schemas": [], "userName": "x", "x": ' + word + b"}")
        expect(status >= 400, f"answered {status}")


@check("RFC 7643 §2.3.1")
def control_characters_do_no_harm(scim: Scim) -> None:
    """ROB-10 ROBUST: NUL and other control characters do not lead to a server error."""
    for text in ("a\x00b", "a\x07b", "\x00"):
        survives(scim, "POST", "/Users", scim.person(displayName=text))
        survives(scim, "POST", "/Users", scim.person(externalId=text))


@check("RFC 8259 §8.2")
def lone_surrogates_do_no_harm(scim: Scim) -> None:
    r"""ROB-11 ROBUST: half of a character does not lead to a server error, then or when lists are read."""
    body = json.dumps(scim.person(displayName="x")).replace('"x"', '"\\ud800"').encode()
    survives(scim, "POST", "/Users", body)
    scim.read("/Users?count=20")


@check("RFC 8259 §4")
def unusual_names_do_no_harm(scim: Scim) -> None:
    """ROB-37 ROBUST: members with empty, long, dotted and prototype names do no harm."""
    for name in ("", " ", ".", "a.b", "x" * 10_000, "__proto__", "constructor", "__class__", "\u0000"):
        survives(scim, "POST", "/Users", scim.person(**{name: "x"}))


@check("RFC 7643 §3")
def unusual_schemas_do_no_harm(scim: Scim) -> None:
    """ROB-40 ROBUST: schemas of a thousand URNs, of arrays and of objects do no harm."""
    wrong: list[Any] = [[f"urn:x:{n}" for n in range(1000)], [[]], [{}], [None], ["  "], None]
    for value in wrong:
        survives(scim, "POST", "/Users", scim.person(schemas=value))


@check("RFC 7644 §3.8; RFC 8259 §8.1")
def other_encodings_do_no_harm(scim: Scim) -> None:
    """ROB-22 ROBUST: bodies in UTF-16, UTF-32 and Latin-1 are refused or read, without a server error."""
    text = json.dumps(scim.person(displayName="Zoë"), ensure_ascii=False)
    for encoding in ("utf-16", "utf-32", "latin-1"):
        survives(scim, "POST", "/Users", text.encode(encoding))


@check("RFC 9110 §8.4")
def encodings_of_content_do_no_harm(scim: Scim) -> None:
    """ROB-23 ROBUST: a body that says it is gzip and is not does no harm."""
    status = survives(scim, "POST", "/Users", json.dumps(scim.person()).encode(), **{"Content-Encoding": "gzip"})
    expect(status in (201, 400, 415), f"answered {status}")


@check("OWASP API4", "patch")
def hostile_patches_do_no_harm(scim: Scim) -> None:
    """ROB-31 ROBUST: a PATCH with a giant path, nested brackets or odd values does no harm."""
    path = f"/Users/{scim.user()['id']}"
    for wrong in ("a" * 20_000, "emails[" * 500, "__class__", "name.__init__", "(" * 2000, "schemas", "\u0000"):
        body = {"schemas": [PATCH_OP], "Operations": [op("replace", wrong, "x")]}
        survives(scim, "PATCH", path, body)
    scim.read(path)


@check("RFC 7644 §3.4.3")
def hostile_searches_do_no_harm(scim: Scim) -> None:
    """ROB-41 ROBUST: a .search with members of every wrong type does no harm."""
    wrong: list[Any] = [{"filter": {}}, {"attributes": {}}, {"count": []}, {"sortBy": 5}, {"startIndex": "x"}, {"x": 1}]
    for members in wrong:
        survives(scim, "POST", "/Users/.search", {"schemas": [SEARCH], **members})


@check("OWASP API4", "bulk")
def hostile_bulks_do_no_harm(scim: Scim) -> None:
    """ROB-35 ROBUST: a bulk request with operations of every wrong type does no harm."""
    message = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]}
    wrong: list[Any] = [[None], [5], [{}], [{"method": 5}], {"a": 1}, [{"method": "POST", "path": 5, "data": []}]]
    for operations in wrong:
        survives(scim, "POST", "/Bulk", {**message, "Operations": operations})


@check("OWASP API4", "groups")
def hostile_members_do_no_harm(scim: Scim) -> None:
    """ROB-36 ROBUST: a group with members of every wrong type does no harm."""
    wrong: list[Any] = ["x", 5, {"value": "x"}, [5], [None], [{}], [{"value": 5}], [{"value": None}], [[{}]]]
    for members in wrong:
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": scim.name("group")}
        survives(scim, "POST", "/Groups", {**body, "members": members})
