"""Groups and their members: protocol.md 4.18, and the members of 4.13."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.web.conftest import BASE, GEXT, GROUP, PATCH_OP, USER, Api, op


@pytest.fixture
def people(api: Api) -> list[str]:
    return [api.user(f"u{n}", displayName=f"User {n}")["id"] for n in range(4)]


def members(resource: Any) -> set[str]:
    return {one["value"] for one in resource["members"]}


def values(ids: list[str]) -> list[dict[str, str]]:
    return [{"value": one} for one in ids]


def test_members_are_named_and_addressed_by_the_server(api: Api, people: list[str]) -> None:
    """GRP-01, GRP-02, GRP-08, A-34: whatever the client says of them."""
    forged = {"value": people[0], "$ref": "https://evil.example/x", "type": "Robot", "display": "Mallory"}
    group = api.post("/Groups", {"schemas": [GROUP], "displayName": "Sales", "members": [forged]})
    expected = {"value": people[0], "$ref": f"{BASE}/Users/{people[0]}", "type": "User"}
    assert group["members"] == [expected]
    assert api.get(f"/Groups/{group['id']}") == group
    shown = api.get(f"/Groups/{group['id']}?attributes=members.value,members.display")["members"]
    assert shown == [{"value": people[0], "display": "User 0"}]
    assert api.get(expected["$ref"])["id"] == people[0]
    after = api.patch(f"/Groups/{group['id']}", op("add", "members", [{**forged, "value": people[1]}]))
    assert after["members"][1] == {"value": people[1], "$ref": f"{BASE}/Users/{people[1]}", "type": "User"}


def test_groups_of_a_user_follow_the_membership(api: Api, people: list[str]) -> None:
    """GRP-03: also a renaming; and nobody writes them on the user."""
    group = api.group("Sales", people[0])
    path = f"/Groups/{group['id']}"
    expected = {"value": group["id"], "$ref": f"{BASE}{path}", "display": "Sales", "type": "direct"}
    assert api.get(f"/Users/{people[0]}")["groups"] == [expected]
    api.patch(path, op("replace", "displayName", "Tours"))
    assert api.get(f"/Users/{people[0]}")["groups"] == [{**expected, "display": "Tours"}]
    api.patch(path, op("remove", f'members[value eq "{people[0]}"]'))
    assert "groups" not in api.get(f"/Users/{people[0]}")
    api.put(f"/Users/{people[0]}", {"schemas": [USER], "userName": api.mail("u0"), "groups": [{"value": group["id"]}]})
    assert api.get(path)["members"] == []


@pytest.mark.parametrize("name", [..., None, "", " ", "\t", 5, [], {}])
def test_group_needs_a_name(api: Api, name: Any) -> None:
    """GRP-05, GRP-09; erratum 5368."""
    body = {"schemas": [GROUP], **({} if name is ... else {"displayName": name})}
    with api.unchanged("/Groups"):
        api.refuse("POST", "/Groups", body, kind="invalidValue")


@pytest.mark.parametrize("nobody", [..., None, []])
def test_group_may_be_empty(api: Api, nobody: Any) -> None:
    """GRP-06, IPS-06: an empty group says so."""
    group = api.post(
        "/Groups", {"schemas": [GROUP], "displayName": "x", **({} if nobody is ... else {"members": nobody})}
    )
    assert group["members"] == []
    assert api.response.headers["Location"] == group["meta"]["location"] == f"{BASE}/Groups/{group['id']}"
    assert api.get(f"/Groups/{group['id']}") == group
    assert api.get("/Groups")["Resources"] == [group]
    assert api.done() == ["group.created"]


def test_name_of_a_group_is_unique(api: Api) -> None:
    """E27: in any case, on every write."""
    sales, tours = api.group("Sales"), api.group("Tours")
    with api.unchanged(f"/Groups/{sales['id']}", f"/Groups/{tours['id']}", "/Groups"):
        api.refuse("POST", "/Groups", {"schemas": [GROUP], "displayName": "SALES"}, status=409, kind="uniqueness")
        api.refuse("PUT", f"/Groups/{tours['id']}", {"displayName": "sales"}, status=409, kind="uniqueness")
        api.refuse_patch(f"/Groups/{tours['id']}", op("replace", "displayName", "Sales"), status=409, kind="uniqueness")
    assert api.patch(f"/Groups/{sales['id']}", op("replace", "displayName", "SALES"))["displayName"] == "SALES"


def test_group_cannot_be_a_member(api: Api, people: list[str]) -> None:
    """GRP-07, E28: neither itself nor another one, so that there are no cycles."""
    other = api.group("Other")
    group = api.group("Sales", people[0])
    path = f"/Groups/{group['id']}"
    with api.unchanged(path):
        for one in (group["id"], other["id"]):
            api.refuse_patch(path, op("add", "members", [{"value": one, "type": "Group"}]), kind="invalidValue")
        api.refuse("PUT", path, {"displayName": "Sales", "members": [{"value": group["id"]}]}, kind="invalidValue")


def test_unknown_members_are_skipped_beside_known_ones(api: Api, people: list[str]) -> None:
    """GRP-04, A-33, E28: and named in the journal; refused when none is known, or by the strict profile."""
    group = api.group("Sales", "ghost", people[0], "phantom")
    path = f"/Groups/{group['id']}"
    assert members(group) == {people[0]}
    assert orjson.loads(api.journal()[-1].changes)[-1] == {"attribute": "members", "skipped": ["ghost", "phantom"]}
    assert members(api.patch(path, op("add", "members", values(["ghost", people[1]])))) == set(people[:2])
    strict = api.token_for(profile="strict")
    with api.unchanged(path, "/Groups"):
        api.refuse("POST", "/Groups", {"displayName": "x", "members": values(["ghost"])}, kind="invalidValue")
        api.refuse_patch(path, op("add", "members", values(["ghost", "phantom"])), kind="invalidValue")
        api.refuse("PUT", path, {"displayName": "x", "members": values(["ghost"])}, kind="invalidValue")
        mixed = values(["ghost", people[2]])
        strict.refuse_patch(path, op("add", "members", mixed), kind="invalidValue")
        for method, target in (("POST", "/Groups"), ("PUT", path)):
            body = {"schemas": [GROUP], "displayName": "x", "members": mixed}
            strict.refuse(method, target, body, kind="invalidValue")


def test_member_named_twice_is_one(api: Api, people: list[str]) -> None:
    """GRP-10, S4."""
    twice = values([people[0], people[0]])
    group = api.post("/Groups", {"displayName": "x", "members": twice})
    path = f"/Groups/{group['id']}"
    assert len(group["members"]) == 1
    full = [{"value": people[0], "type": "User", "display": "x"}, *twice]
    with api.unchanged(path):
        api.patch(path, op("add", "members", full))
        api.put(path, {"displayName": "x", "members": full})
    assert len(api.patch(path, op("replace", "members", [*full, *values([people[1], people[1]])]))["members"]) == 2


def test_members_are_added_removed_and_replaced(api: Api, people: list[str]) -> None:
    """PAT-38, PAT-39, PAT-43, PAT-46: each again changes nothing."""
    path = f"/Groups/{api.group('Sales')['id']}"
    for operation, expected in (
        (op("add", "members", values(people[:2])), people[:2]),
        (op("Add", "members", {"value": people[2]}), people[:3]),
        (op("add", value={"members": values(people[:1])}), people[:3]),
        (op("remove", f'members[value eq "{people[0]}"]'), people[1:3]),
        (op("remove", f'members[value eq "{people[3]}"]'), people[1:3]),
        (op("remove", f'MEMBERS[VALUE EQ "{people[1]}" or value eq "{people[0]}"]'), people[2:3]),
        (op("replace", "members", values(people[1:])), people[1:]),
        (op("replace", value={"members": values(people[:1])}), people[:1]),
        (op("replace", f"{GROUP}:members", values(people[3:])), people[3:]),
        (op("remove", "members"), []),
        (op("add", "members", values(people)), people),
        (op("replace", "members", []), []),
        (op("add", "members", values(people)), people),
        (op("replace", "members", None), []),
    ):
        after = api.patch(path, operation)
        assert members(after) == set(expected), operation
        assert after["displayName"] == "Sales"
        with api.unchanged(path):
            api.patch(path, operation)


def test_removal_with_a_list_removes_exactly_those(api: Api, people: list[str]) -> None:
    """PAT-40, A-01: never everybody; nothing for an empty list."""
    path = f"/Groups/{api.group('Sales', *people)['id']}"
    assert members(api.patch(path, op("Remove", "members", values(people[:1])))) == set(people[1:])
    after = api.patch(path, op("remove", "members", [{"value": people[1], "$ref": None, "display": "x"}]))
    assert members(after) == set(people[2:])
    with api.unchanged(path):
        api.patch(path, op("remove", "members", []))
        api.patch(path, op("remove", "members", values(["ghost"])))
        api.patch(path, op("remove", "members", values(people[:2])))
    assert members(api.patch(path, op("remove", "members", {"value": people[2]}))) == {people[3]}
    assert members(api.token_for(profile="strict").patch(path, op("remove", "members", values(people[3:])))) == set()


def test_renaming_keeps_the_members(api: Api, people: list[str]) -> None:
    """PAT-43, PAT-44: also where the client repeats the id."""
    group = api.group("Sales", *people)
    path = f"/Groups/{group['id']}"
    after = api.patch(path, op("replace", value={"id": group["id"], "displayName": "Tours"}))
    assert (after["displayName"], members(after)) == ("Tours", set(people))
    after = api.patch(path, op("replace", "displayName", "Guides"), op("replace", "externalId", "g"))
    assert (after["displayName"], after["externalId"], members(after)) == ("Guides", "g", set(people))
    with api.unchanged(path):
        api.refuse_patch(path, op("replace", value={"id": "other", "displayName": "x"}), kind="mutability")


@pytest.mark.parametrize(
    "operation",
    [
        op("replace", 'members[value eq "{id}"].value', "x"),
        op("replace", 'members[value eq "{id}"].display', "x"),
        op("remove", 'members[value eq "{id}"].display'),
        op("add", "members.value", "x"),
        op("remove", "members.display"),
    ],
    ids=str,
)
def test_sub_attributes_of_members_are_immutable(api: Api, people: list[str], operation: Any) -> None:
    """PAT-41."""
    path = f"/Groups/{api.group('Sales', people[0])['id']}"
    with api.unchanged(path):
        api.refuse_patch(path, {**operation, "path": operation["path"].format(id=people[0])}, kind="mutability")


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (op("remove", 'members[display eq "User 0"]'), "invalidPath"),
        (op("remove", 'members[value sw "0"]'), "invalidPath"),
        (op("remove", 'members[value eq "a" and display eq "x"]'), "invalidPath"),
        (op("remove", 'members[not (value eq "a")]'), "invalidPath"),
        (op("remove", "members[value pr]"), "invalidPath"),
        (op("remove", "members["), "invalidPath"),
        (op("remove", "members[]"), "invalidPath"),
        (op("remove", "members[value eq 5]"), "invalidPath"),
        (op("remove", "members[value eq null]"), "invalidPath"),
        (op("add", "members"), "invalidValue"),
        (op("add", "members", 5), "invalidValue"),
        (op("add", "members", [5]), "invalidValue"),
        (op("add", "members", [{"value": 5}]), "invalidValue"),
        (op("add", "members", [{"display": "x"}]), "invalidValue"),
        (op("replace", "members", [{"display": "x"}]), "invalidValue"),
        (op("replace", "members", [None]), "invalidValue"),
        (op("replace", "members", [{}]), "invalidValue"),
        (op("replace", f"{GROUP}:members", 5), "invalidValue"),
        (op("add", "members", [{"value": ["a"]}]), "invalidValue"),
        (op("add", "members", [{"value": {"value": {"value": "x"}}}]), "invalidValue"),
        (op("add", "members", [{"value": "a\x00b"}]), "invalidValue"),
        (op("remove", "members", [5]), "invalidValue"),
        (op("remove", "members", [{"display": "x"}]), "invalidValue"),
        (op("replace", "members", "x" * 70_000), "invalidValue"),
        (op("remove", "displayName"), "mutability"),
        (op("replace", "displayName", None), "mutability"),
        (op("replace", "displayName", " "), "invalidValue"),
        (op("add", f"{GEXT}:memberCount", 5), "mutability"),
        (op("replace", f"{GEXT}:kind", "roleGroup"), "mutability"),
        (op("replace", "userName", "x"), "invalidPath"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_wrong_operation_on_a_group_changes_nothing(api: Api, people: list[str], operation: Any, kind: str) -> None:
    """PAT-23 to PAT-26, ROB-36, P2: alone, and after a good one."""
    path = f"/Groups/{api.group('Sales', *people)['id']}"
    with api.unchanged(path):
        api.refuse_patch(path, operation, kind=kind)
        api.refuse_patch(path, op("remove", "members"), op("replace", "displayName", "x"), operation, kind=kind)


@pytest.mark.parametrize("unstorable", ["\\u0000", "\\ud800", "\\u0007"])
def test_unstorable_id_selects_nobody(api: Api, people: list[str], unstorable: str) -> None:
    """ROB-10, ROB-11: in a path."""
    path = f"/Groups/{api.group('Sales', *people)['id']}"
    with api.unchanged(path):
        for verb in ("remove", "add", "replace"):
            operation = op(
                verb, f'members[value eq "{unstorable}"]', *([] if verb == "remove" else [{"value": people[0]}])
            )
            assert 200 <= api.send("PATCH", path, {"Operations": [operation]}).status_int < 500


def test_operations_on_members_are_carried_out_in_their_order(api: Api, people: list[str]) -> None:
    """PAT-21, PAT-42, IPS-06: 60 of them in one request."""
    path = f"/Groups/{api.group('Sales', people[0])['id']}"
    after = api.patch(
        path,
        op("replace", "members", values(people[1:2])),
        op("add", "members", values(people[2:])),
        op("remove", f'members[value eq "{people[2]}"]'),
        op("add", "members", values(people[:1])),
    )
    assert members(after) == {people[0], people[1], people[3]}
    many = [op("add" if n % 2 else "remove", "members", values([people[n % 4]])) for n in range(60)]
    assert members(api.patch(path, *many)) == {people[1], people[3]}


def test_operations_that_cancel_each_other_change_nothing(api: Api, people: list[str]) -> None:
    """PAT-36, ETG-06."""
    path = f"/Groups/{api.group('Sales', people[0])['id']}"
    with api.unchanged(path):
        api.patch(path, op("add", "members", values(people[1:2])), op("remove", "members", values(people[1:2])))
        api.patch(path, op("remove", "members"), op("add", "members", values(people[:1])))


def test_large_group_is_patched_without_an_answer_body(api: Api) -> None:
    """A-27: up to 100 members the whole resource, above them 204 with the tag; `attributes` always brings a body."""
    path = f"/Groups/{api.group('Sales')['id']}"
    ids = [api.user(f"u{n}")["id"] for n in range(101)]
    assert len(api.patch(path, op("add", "members", values(ids[:100])))["members"]) == 100
    assert api.patch(path, op("add", "members", values(ids[100:])), status=204) is None
    assert api.response.headers["ETag"] == api.get(path)["meta"]["version"]
    assert len(api.get(path)["members"]) == 101
    assert api.patch(f"{path}?attributes=displayName", op("replace", "displayName", "S"))["displayName"] == "S"
    assert len(api.put(path, {"displayName": "T"})["members"]) == 101
    assert len(api.patch(path, op("remove", "members", values(ids[:1])))["members"]) == 100
    api.patch(path, op("replace", "displayName", "U"), status=204, headers={"Prefer": "return=minimal"})


def test_thousands_of_unknown_members_are_refused(api: Api) -> None:
    """ROB-36: none of them is known; more than the limit is too much."""
    ghosts = values([f"ghost-{n}" for n in range(5000)])
    path = f"/Groups/{api.group('Sales')['id']}"
    with api.unchanged(path, "/Groups"):
        api.refuse_patch(path, op("add", "members", ghosts), kind="invalidValue")
        api.refuse("POST", "/Groups", {"displayName": "x", "members": ghosts}, kind="invalidValue")
        api.patch(path, op("remove", "members", ghosts))
    most = api.service.limits.members
    crowd = values([f"{n}" for n in range(most + 1)])
    with api.unchanged(path):
        assert str(most) in api.refuse_patch(path, op("add", "members", crowd), status=413)


def test_counts_of_members_are_the_servers(api: Api, people: list[str]) -> None:
    """GRP-01, EXT-06."""
    group = api.group("Sales", people[0], **{GEXT: {"memberCount": 99}})
    path = f"/Groups/{group['id']}"
    assert group[GEXT]["memberCount"] == 1
    assert api.patch(path, op("add", "members", values(people)))[GEXT]["memberCount"] == 4
    api.delete(f"/Users/{people[0]}")
    assert api.get(path)[GEXT]["memberCount"] == 3
    assert api.patch(path, op("remove", "members"))[GEXT]["memberCount"] == 0


@pytest.mark.parametrize("kind", ["robot", "", 5, ["directory"], "sharedMailbox"])
def test_kind_of_a_group_is_one_of_the_known(api: Api, kind: Any) -> None:
    """EXT-02."""
    body = {"displayName": "x", GEXT: {"kind": kind}}
    if kind in ("", ["directory"]):  # unassigned, and one value in a list: both are taken
        assert api.post("/Groups", body)[GEXT]["kind"] == "directory"
    else:
        api.refuse("POST", "/Groups", body, kind="invalidValue")


def test_group_refusals_are_told_with_the_name(api: Api) -> None:
    """LOG-01."""
    api.group("Sales")
    api.refuse("POST", "/Groups", {"schemas": [GROUP], "displayName": "sales"}, status=409, kind="uniqueness")
    entry = api.refusals()[0]
    assert (entry.target_type, entry.target_name, entry.status, entry.error) == ("Group", "sales", 409, "E27")


def test_patch_of_a_group_by_a_reader_is_forbidden(api: Api, people: list[str]) -> None:
    """OAU-11."""
    path = f"/Groups/{api.group('Sales')['id']}"
    reader = replace(api.token_for("scim.read"))
    with api.unchanged(path):
        body = {"schemas": [PATCH_OP], "Operations": [op("add", "members", values(people))]}
        reader.refuse("PATCH", path, body, status=403)
