"""Extensions that a server announces beside the enterprise one (RFC 7643 section 3.3)."""

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.names import ENTERPRISE, USER
from conformance.registry import check, equal, expect
from conformance.scim import Scim, op


def custom(scim: Scim) -> str:
    """The URN of the first extension of users that is not the enterprise one."""
    types = [one for one in scim.capabilities.types if one.get("schema") == USER]
    named = [str(one.get("schema")) for type_ in types for one in type_.get("schemaExtensions") or []]
    own = [one for one in named if one != ENTERPRISE and one in scim.capabilities.schemas]
    scim.need(own, "users have no extension of the server's own")
    return own[0]


def plain(scim: Scim, urn: str, kind: str, **characteristics: Any) -> Iterator[Mapping[str, Any]]:
    for one in scim.capabilities.schemas[urn].get("attributes") or []:
        fits = all(one.get(key) == value for key, value in characteristics.items())
        if one.get("type") == kind and not one.get("multiValued") and fits:
            yield one


@check("RFC 7643 §3.3")
def own_values_round_trip(scim: Scim) -> None:
    """EXT-01 MUST: a value of the server's own extension is kept under its URN, which is in schemas."""
    urn = custom(scim)
    canonical = [one for one in plain(scim, urn, "string", mutability="readWrite") if one.get("canonicalValues")]
    scim.need(canonical, "no attribute tells which values it takes")
    name, value = canonical[0]["name"], canonical[0]["canonicalValues"][0]
    answer = scim.send("POST", "/Users", scim.person(schemas=[USER, urn], **{urn: {name: value}}))
    scim.need(answer.status == 201, f"{name} {value!r} is refused here: {answer.status}")
    equal((answer.value.get(urn) or {}).get(name), value, name)
    expect(urn in answer.value["schemas"], f"schemas is {answer.value['schemas']}")


@check("RFC 7643 §2.3.1; RFC 7643 §7")
def canonical_values_are_not_guessed(scim: Scim) -> None:
    """EXT-02 POLICY: a value that is not canonical is refused, or kept as it was sent."""
    urn = custom(scim)
    canonical = [one for one in plain(scim, urn, "string", mutability="readWrite") if one.get("canonicalValues")]
    scim.need(canonical, "no attribute tells which values it takes")
    name = canonical[0]["name"]
    answer = scim.send("POST", "/Users", scim.person(schemas=[USER, urn], **{urn: {name: "no-such-value"}}))
    kept = (answer.value or {}).get(urn, {}).get(name)
    expect(answer.status == 400 or kept == "no-such-value", f"answered {answer.status} with {kept!r}")


@check("RFC 7643 §2.3")
def wrong_types_are_refused(scim: Scim) -> None:
    """EXT-03 MUST: a value of the wrong type in the server's own extension is not kept."""
    urn = custom(scim)
    switches = list(plain(scim, urn, "boolean", mutability="readWrite"))
    scim.need(switches, "the extension has no boolean")
    body = scim.person(schemas=[USER, urn], **{urn: {switches[0]["name"]: "maybe"}})
    answer = scim.send("POST", "/Users", body)
    expect(answer.status in (201, 400), f"answered {answer.status}")
    kept = (answer.value or {}).get(urn, {})
    expect(answer.status == 400 or kept.get(switches[0]["name"]) != "maybe", "it was kept")


@check("RFC 7643 §3.3")
def top_level_names_are_not_the_extension(scim: Scim) -> None:
    """EXT-05 MUST: an attribute of an extension at the top level of a body is not taken for it."""
    urn = custom(scim)
    switches = list(plain(scim, urn, "boolean", mutability="readWrite"))
    scim.need(switches, "the extension has no boolean")
    answer = scim.send("POST", "/Users", scim.person(**{switches[0]["name"]: True}))
    expect(answer.status in (201, 400), f"answered {answer.status}")
    expect((answer.value or {}).get(urn, {}).get(switches[0]["name"]) is not True, "it was taken")


@check("RFC 7643 §7; RFC 7644 §3.5.2", "patch")
def read_only_values_are_refused(scim: Scim) -> None:
    """EXT-06 MUST: a readOnly attribute of the server's own extension is ignored by POST and refused by PATCH."""
    urn = custom(scim)
    found = list(plain(scim, urn, "string", mutability="readOnly"))
    scim.need(found, "the extension has no readOnly text")
    name = found[0]["name"]
    user = scim.user(schemas=[USER, urn], **{urn: {name: "forged"}})
    expect((user.get(urn) or {}).get(name) != "forged", f"{name} was taken")
    scim.refuse_patch(f"/Users/{user['id']}", op("replace", f"{urn}:{name}", "forged"), kind="mutability")
