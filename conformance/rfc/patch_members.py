"""PATCH of groups (RFC 7644 section 3.5.2, RFC 7643 section 4.2)."""

from conformance.registry import check, equal, expect
from conformance.scim import Json, Scim, op


def people(scim: Scim, number: int) -> list[str]:
    return [scim.user()["id"] for _ in range(number)]


def members(group: Json) -> list[str]:
    return sorted(one["value"] for one in group.get("members") or [])


def path_of(scim: Scim, *ids: str) -> str:
    return f"/Groups/{scim.group(*ids)['id']}"


def listed(*ids: str) -> list[Json]:
    return [{"value": one} for one in ids]


@check("RFC 7644 §3.5.2.1; RFC 7643 §4.2", "patch", "groups")
def members_are_added(scim: Scim) -> None:
    """PAT-38 MUST: members are added and keep those who were there; adding again succeeds."""
    one, two = people(scim, 2)
    path = path_of(scim, one)
    equal(members(scim.patch(path, op("add", "members", listed(two)))), sorted([one, two]), "members")
    equal(set(members(scim.patch(path, op("add", "members", listed(two))))), {one, two}, "members")


@check("RFC 7644 §3.5.2.1", "patch", "groups")
def members_are_added_once(scim: Scim) -> None:
    """PAT-69 SHOULD: adding a member who is there already leaves one, and no second one."""
    one, two = people(scim, 2)
    path = path_of(scim, one, two)
    equal(members(scim.patch(path, op("add", "members", listed(two)))), sorted([one, two]), "members")


@check("RFC 7644 §3.5.2.2", "patch", "groups")
def members_are_removed_by_value_path(scim: Scim) -> None:
    """PAT-63 MUST: members[value eq] removes that member, and the others stay."""
    one, two = people(scim, 2)
    path = path_of(scim, one, two)
    equal(members(scim.patch(path, op("remove", f'members[value eq "{one}"]'))), [two], "members")


@check("RFC 7644 §3.5.2.2", "patch", "groups")
def all_members_are_removed(scim: Scim) -> None:
    """PAT-64 MUST: remove of members without a filter empties the group."""
    equal(members(scim.patch(path_of(scim, *people(scim, 2)), op("remove", "members"))), [], "members")


@check("RFC 7644 §3.5.2.3", "patch", "groups")
def members_are_replaced(scim: Scim) -> None:
    """PAT-65 MUST: replace of members replaces them all."""
    one, two, three = people(scim, 3)
    path = path_of(scim, one, two)
    equal(members(scim.patch(path, op("replace", "members", listed(two, three)))), sorted([two, three]), "members")
    equal(members(scim.patch(path, op("replace", "members", []))), [], "members")


@check("RFC 7644 §3.5.2.2", "patch", "groups")
def removing_nobody_succeeds(scim: Scim) -> None:
    """PAT-39 SHOULD: removing somebody who is no member succeeds and changes nothing."""
    one, two = people(scim, 2)
    path = path_of(scim, one)
    equal(members(scim.patch(path, op("remove", f'members[value eq "{two}"]'))), [one], "members")


@check("Entra ID; RFC 7644 §3.5.2.2", "patch", "groups")
def remove_with_a_list_removes_those(scim: Scim) -> None:
    """PAT-40 POLICY: remove of members with a list of values removes those, and never everybody."""
    one, two = people(scim, 2)
    path = path_of(scim, one, two)
    equal(members(scim.patch(path, op("Remove", "members", listed(one)))), [two], "members")


@check("RFC 7643 §4.2; RFC 7644 §3.5.2", "patch", "groups")
def member_values_are_immutable(scim: Scim) -> None:
    """PAT-41 MUST: the value of a member is not changed in place: 400 mutability."""
    one, two = people(scim, 2)
    path = path_of(scim, one)
    scim.refuse_patch(path, op("replace", f'members[value eq "{one}"].value', two), kind="mutability")
    equal(members(scim.read(path)), [one], "members")


@check("IPSIE AL2", "patch", "groups")
def many_operations_in_one_patch(scim: Scim) -> None:
    """PAT-42 POLICY: one PATCH takes 55 operations on members."""
    one = people(scim, 1)[0]
    path = path_of(scim)
    steps = [op("add", "members", listed(one)), op("remove", f'members[value eq "{one}"]')] * 27
    equal(members(scim.patch(path, *steps, op("add", "members", listed(one)))), [one], "members")


@check("RFC 7644 §3.5.2", "patch", "groups")
def names_and_members_are_apart(scim: Scim) -> None:
    """PAT-43 MUST: renaming a group keeps its members, and changing its members keeps the name."""
    one = people(scim, 1)[0]
    path = path_of(scim, one)
    name = scim.name("renamed")
    equal(members(scim.patch(path, op("replace", "displayName", name))), [one], "members")
    equal(scim.patch(path, op("remove", "members")).get("displayName"), name, "displayName")


@check("RFC 7643 §3.1", "patch", "groups")
def member_changes_are_modifications(scim: Scim) -> None:
    """PAT-66 MUST: a change of members advances the group's lastModified or version."""
    one = people(scim, 1)[0]
    group = scim.group()
    found = scim.patch(f"/Groups/{group['id']}", op("add", "members", listed(one)))
    expect(found["meta"] != group["meta"], "meta has not changed")


@check("RFC 7644 §3.5.2.1", "patch", "groups")
def members_are_added_without_a_path(scim: Scim) -> None:
    """PAT-67 MUST: members are added by a value without a path."""
    one, two = people(scim, 2)
    found = scim.patch(path_of(scim, one), op("add", value={"members": listed(two)}))
    equal(members(found), sorted([one, two]), "members")


@check("RFC 7644 §3.5.2", "patch", "groups")
def add_then_remove_in_one_patch(scim: Scim) -> None:
    """PAT-68 MUST: one PATCH that removes one member and adds another does both."""
    one, two = people(scim, 2)
    path = path_of(scim, one)
    found = scim.patch(path, op("remove", f'members[value eq "{one}"]'), op("add", "members", listed(two)))
    equal(members(found), [two], "members")
