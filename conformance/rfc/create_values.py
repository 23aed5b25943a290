"""What becomes of the values of a new resource (RFC 7643 section 2)."""

import json

from conformance.names import ENTERPRISE, USER
from conformance.registry import check, equal, expect
from conformance.scim import Scim

SECRET = "S3cret-of-the-conformance-run"


@check("RFC 7643 §2.1")
def names_are_case_insensitive(scim: Scim) -> None:
    """CRT-12 MUST: the names of attributes in a body may be written in any case."""
    name = scim.mail()
    user = scim.make("/Users", {"schemas": [USER], "USERNAME": name, "Name": {"FAMILYNAME": "Lee"}})
    equal((user.get("userName"), (user.get("name") or {}).get("familyName")), (name, "Lee"), "what was stored")


@check("RFC 7643 §2.5")
def null_is_unassigned(scim: Scim) -> None:
    """CRT-13 MUST: null and an empty array mean that an attribute has no value."""
    user = scim.user(displayName=None, emails=[], name=None)
    for name in ("displayName", "emails", "name"):
        expect(not user.get(name), f"{name} is {user.get(name)!r}")


@check("RFC 7643 §2.3")
def wrong_types_are_not_kept(scim: Scim) -> None:
    """CRT-14 MUST: a value of the wrong JSON type is refused or normalised, and never kept as it is."""
    for wrong in ({"active": "maybe"}, {"name": "x"}, {"emails": "x"}, {"displayName": {"a": 1}}, {"emails": [1]}):
        answer = scim.send("POST", "/Users", scim.person(**wrong))
        expect(answer.status in (201, 400), f"{wrong} was answered {answer.status}")
        name, value = next(iter(wrong.items()))
        expect(answer.status == 400 or answer.value.get(name) != value, f"{name} was kept as {value!r}")


@check("RFC 7643 §2.4")
def one_value_is_primary(scim: Scim) -> None:
    """CRT-15 MUST: at most one value of an attribute is primary."""
    pair = [{"value": scim.mail("mail"), "type": kind, "primary": True} for kind in ("work", "home")]
    answer = scim.send("POST", "/Users", scim.person(emails=pair))
    expect(answer.status in (201, 400), f"answered {answer.status}")
    kept = [one for one in (answer.value or {}).get("emails") or [] if one.get("primary") is True]
    expect(len(kept) <= 1, "two e-mails are primary")


@check("RFC 7643 §4.1.1; RFC 7643 §7")
def passwords_are_never_returned(scim: Scim) -> None:
    """CRT-16 MUST: a password is returned by no POST, GET, list or PUT."""
    user = scim.user(password=SECRET)
    path = f"/Users/{user['id']}"
    scim.read(f"{path}?attributes=password,userName")
    seen = [user, scim.read(path), scim.last and scim.last.value, scim.read("/Users?count=50")]
    seen.append(scim.put(path, {"schemas": [USER], "userName": user["userName"], "active": True, "password": SECRET}))
    expect(SECRET not in json.dumps(seen), "the password comes back")
    expect(not any("password" in one for one in seen if isinstance(one, dict)), "password is a member of an answer")


@check("RFC 7643 §3.3", "enterprise")
def extensions_name_their_schema(scim: Scim) -> None:
    """CRT-17 MUST: a resource that has an extension names its URN in schemas."""
    answer = scim.send("POST", "/Users", scim.person(**{ENTERPRISE: {"department": "Sales"}}))
    expect(answer.status in (201, 400), f"answered {answer.status}")
    scim.need(answer.status == 201, "an extension whose URN is not in schemas is refused")
    kept = ENTERPRISE in answer.value
    expect(not kept or ENTERPRISE in answer.value["schemas"], f"schemas is {answer.value['schemas']}")


@check("RFC 7643 §4.3", "enterprise")
def enterprise_values_round_trip(scim: Scim) -> None:
    """CRT-18 MUST: enterprise attributes round trip, and manager.displayName of the client is not taken."""
    boss = scim.user(displayName="The boss")
    manager = {"value": boss["id"], "displayName": "Forged"}
    values = {"employeeNumber": "701", "department": "Sales", "division": "North", "manager": manager}
    user = scim.user(schemas=[USER, ENTERPRISE], **{ENTERPRISE: values})
    kept = user.get(ENTERPRISE) or {}
    for name in ("employeeNumber", "department", "division"):
        equal(kept.get(name), values[name], name)
    equal((kept.get("manager") or {}).get("value"), boss["id"], "manager.value")
    expect(kept["manager"].get("displayName") != "Forged", "manager.displayName of the client was taken")


@check("RFC 7643 §3.1")
def external_ids_are_verbatim(scim: Scim) -> None:
    """CRT-19 MUST: externalId is kept as it was sent."""
    text = scim.name("AbC-ü-")
    equal(scim.read(f"/Users/{scim.user(externalId=text)['id']}").get("externalId"), text, "externalId")


@check("RFC 7643 §2.4")
def values_are_not_doubled(scim: Scim) -> None:
    """CRT-26 SHOULD: the same type and value is not returned twice."""
    mail = {"value": scim.mail("mail"), "type": "work"}
    answer = scim.send("POST", "/Users", scim.person(emails=[mail, mail]))
    expect(answer.status in (201, 400), f"answered {answer.status}")
    expect(len((answer.value or {}).get("emails") or []) <= 1, "the same e-mail is there twice")


@check("RFC 7643 §7")
def case_is_kept(scim: Scim) -> None:
    """CRT-27 POLICY: userName is returned in the case in which it was sent."""
    name = scim.mail("MiXed")
    equal(scim.user(userName=name).get("userName"), name, "userName")


@check("RFC 7643 §2.3.2")
def booleans_stay_booleans(scim: Scim) -> None:
    """CRT-32 MUST: active is a JSON boolean in every answer."""
    for value in (True, False):
        user = scim.user(active=value)
        expect(scim.read(f"/Users/{user['id']}").get("active") is value, f"active is not {value}")


@check("RFC 7643 §2.4")
def several_values_are_kept(scim: Scim) -> None:
    """CRT-33 MUST: all values of a multi-valued attribute are kept with their types."""
    mails = [{"value": scim.mail("mail"), "type": kind} for kind in ("work", "home", "other")]
    kept = scim.read(f"/Users/{scim.user(emails=mails)['id']}").get("emails") or []
    equal(
        {(one.get("value"), one.get("type")) for one in kept}, {(one["value"], one["type"]) for one in mails}, "emails"
    )
