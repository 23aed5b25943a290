"""The wrong shapes that IdPs send become the right ones, and nothing else is touched. Pure: no server, no database."""

from copy import deepcopy
from typing import Any

import pytest
from scim2_models import InvalidValueException

from scim_server.idp import rewrites
from scim_server.protocol.catalogue import ENTERPRISE, Catalogue, Endpoint

CATALOGUE = Catalogue()
USERS, GROUPS = CATALOGUE.endpoints["/Users"], CATALOGUE.endpoints["/Groups"]
ALL: dict[str, Any] = {
    **rewrites.BODY_REWRITES,
    **rewrites.PATCH_REWRITES,
    **rewrites.FILTER_REWRITES,
    **rewrites.QUERY_REWRITES,
}
WITHOUT_COLON = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"


def patched(name: str, operation: dict[str, Any], endpoint: Endpoint = USERS) -> dict[str, Any]:
    """Apply one rewrite; it may not change what it was given."""
    given = deepcopy(operation)
    answer = rewrites.PATCH_REWRITES[name](endpoint, given)
    assert given == operation
    return answer


def operation(op: str, path: Any = None, value: Any = ...) -> dict[str, Any]:
    return {"op": op, "path": path, **({} if value is ... else {"value": value})}


def test_every_rewrite_shows_both_payloads_in_its_docstring() -> None:
    for function in ALL.values():
        assert "wrong: ``" in (function.__doc__ or "")
        assert "right: ``" in (function.__doc__ or "")


def test_every_rewrite_is_registered_under_its_own_name() -> None:
    for name, function in ALL.items():
        assert function.__name__ == name


# The URN of the enterprise extension


def test_enterprise_urn_gets_its_colon() -> None:
    body = {"schemas": [], WITHOUT_COLON: {"department": "Sales"}, "title": "x"}
    right = rewrites.enterprise_urn_without_colon(USERS, body)
    assert right == {"schemas": [], ENTERPRISE: {"department": "Sales"}, "title": "x"}
    assert list(right) == ["schemas", ENTERPRISE, "title"]
    assert WITHOUT_COLON in body


@pytest.mark.parametrize(
    "body", [{}, {"title": "x"}, {ENTERPRISE: {}}, {ENTERPRISE: {"a": 1}, WITHOUT_COLON: {"a": 2}}]
)
def test_enterprise_urn_that_is_right_stays(body: dict[str, Any]) -> None:
    assert rewrites.enterprise_urn_without_colon(USERS, body) == body


# A role as the JSON text of its assignment

ASSIGNMENT = '{"id": "7", "value": "standard", "displayName": "User"}'


def test_role_in_json_text_is_read() -> None:
    body = {"userName": "a", "Roles": [{"value": ASSIGNMENT, "primary": True}]}
    right = {"userName": "a", "Roles": [{"display": "User", "value": "standard", "primary": True}]}
    assert rewrites.role_in_json_text(USERS, body) == right
    wrong = operation("Add", "roles", body["Roles"])
    assert patched("role_value_in_json_text", wrong) == {**wrong, "value": right["Roles"]}
    assert patched("role_value_in_json_text", {"op": "Add", "value": body}) == {"op": "Add", "value": right}


def test_display_that_is_sent_is_kept() -> None:
    roles = [{"value": ASSIGNMENT, "display": "Mine"}]
    assert rewrites.role_in_json_text(USERS, {"roles": roles})["roles"] == [{"value": "standard", "display": "Mine"}]


@pytest.mark.parametrize(
    "roles",
    [
        None,
        "standard",
        [],
        ["standard"],
        [{"value": "standard"}],
        [{"value": "{"}],
        [{"value": "{}"}],
        [{"value": 5}],
        [{"value": '{"a":' * 99999}],
    ],
)
def test_other_roles_stay(roles: Any) -> None:
    assert rewrites.role_in_json_text(USERS, {"roles": roles}) == {"roles": roles}
    assert patched("role_value_in_json_text", operation("add", "roles", roles)) == operation("add", "roles", roles)
    assert patched("role_value_in_json_text", operation("remove", "roles")) == operation("remove", "roles")


# A dot between URN and attribute


@pytest.mark.parametrize("urn", [ENTERPRISE, ENTERPRISE.lower(), ENTERPRISE.upper()])
@pytest.mark.parametrize("tail", ["department", "manager", "manager.value"])
def test_dot_after_urn_becomes_a_colon(urn: str, tail: str) -> None:
    wrong = operation("Replace", f"{urn}.{tail}", "x")
    assert patched("dot_after_urn", wrong) == {**wrong, "path": f"{ENTERPRISE}:{tail}"}


@pytest.mark.parametrize(
    "path",
    [
        None,
        5,
        "",
        "name.familyName",
        ENTERPRISE,
        f"{ENTERPRISE}:manager.value",
        "urn:other:2.0:User.x",
        f"{ENTERPRISE}x.y",
    ],
)
def test_other_dots_stay(path: Any) -> None:
    assert patched("dot_after_urn", operation("add", path, 1)) == operation("add", path, 1)


# An enterprise attribute without its URN


@pytest.mark.parametrize("path", ["manager", "department", "Manager.value", "employeenumber"])
def test_bare_enterprise_name_gets_its_urn(path: str) -> None:
    assert patched("bare_enterprise_name", operation("Add", path, [])) == operation("Add", f"{ENTERPRISE}:{path}", [])


@pytest.mark.parametrize(
    "path", ["title", "name.familyName", 'emails[type eq "work"]', "nothing", "", None, 7, f"{ENTERPRISE}:manager"]
)
def test_names_of_the_core_and_of_nothing_stay(path: Any) -> None:
    assert patched("bare_enterprise_name", operation("add", path, 1)) == operation("add", path, 1)


def test_bare_enterprise_name_means_nothing_to_a_group() -> None:
    given = operation("add", "manager", "x")
    assert patched("bare_enterprise_name", given, GROUPS) == given


# Members wrapped in an object


def test_members_in_a_value_are_taken_out() -> None:
    wrong = operation("remove", "Members", {"members": [{"value": "1"}]})
    assert patched("members_in_value", wrong, GROUPS) == operation("remove", "Members", [{"value": "1"}])


@pytest.mark.parametrize(
    "given",
    [
        operation("remove", "members", [{"value": "1"}]),
        operation("remove", "members", {"value": "1"}),
        operation("add", "members", {"members": [], "more": 1}),
        operation("add", None, {"members": [{"value": "1"}]}),
        operation("remove", "members"),
        operation("replace", "displayName", {"members": []}),
    ],
)
def test_other_values_of_members_stay(given: dict[str, Any]) -> None:
    assert patched("members_in_value", given, GROUPS) == given


# A removal by value


@pytest.mark.parametrize(
    ("value", "selection"),
    [
        ([{"value": "a@b.example"}], '(value eq "a@b.example")'),
        ([{"$ref": None, "value": "a@b.example"}], '(value eq "a@b.example")'),
        ({"value": "a@b.example", "type": "work"}, '(value eq "a@b.example" and type eq "work")'),
        ([{"value": "a"}, {"value": "b"}], '(value eq "a") or (value eq "b")'),
        ("a@b.example", '(value eq "a@b.example")'),
        ([{"type": "work", "primary": True}], '(type eq "work" and primary eq true)'),
        ([{"value": 'quote " and \\'}], '(value eq "quote \\" and \\\\")'),
    ],
)
def test_removal_by_value_becomes_a_selection(value: Any, selection: str) -> None:
    answer = patched("value_of_removal", operation("Remove", "emails", value))
    assert answer == {"op": "Remove", "path": f"emails[{selection}]"}


def test_removal_of_members_is_left_to_the_membership_change() -> None:
    given = operation("Remove", "members", [{"value": "1"}])
    assert patched("value_of_removal", given, GROUPS) == given


@pytest.mark.parametrize(
    "path", ["title", "name.familyName", "active", f"{ENTERPRISE}:manager", 'emails[type eq "work"]']
)
def test_value_of_a_removal_that_has_one_target_is_dropped(path: str) -> None:
    assert patched("value_of_removal", operation("remove", path, "x")) == {"op": "remove", "path": path}


@pytest.mark.parametrize("value", [[], {}, [{}], [{"value": None}], [5], [{"value": {"a": 1}}], [{"value": "a"}, {}]])
def test_removal_by_a_value_that_selects_nothing_is_refused(value: Any) -> None:
    """It must not become the removal of the whole list."""
    with pytest.raises(InvalidValueException, match="selects nothing"):
        patched("value_of_removal", operation("remove", "emails", value))


@pytest.mark.parametrize(
    "given", [operation("add", "emails", []), operation("remove", "emails"), operation("remove", None, [])]
)
def test_everything_else_stays(given: dict[str, Any]) -> None:
    assert patched("value_of_removal", given) == given


@pytest.mark.parametrize(
    ("condition", "right"),
    [
        ('email Co "ava"', 'emails Co "ava"'),
        ('userName eq "email eq x" or Email.value eq "x"', 'userName eq "email eq x" or Emails.value eq "x"'),
        ('email[type eq "work"]', 'emails[type eq "work"]'),
        ('(email pr) and emails co "email "', '(email pr) and emails co "email "'.replace("(email", "(emails")),
        ('urn:x:email eq "1"', 'urn:x:email eq "1"'),
        ('title eq "x"', 'title eq "x"'),
    ],
)
def test_email_is_asked_for_in_the_plural(condition: str, right: str) -> None:
    assert rewrites.FILTER_REWRITES["email_in_filter"](USERS, condition) == right


@pytest.mark.parametrize(
    ("query", "right"),
    [
        (b"filter=userName%20eq%20%22a+b@c%22", b"filter=userName%20eq%20%22a%2Bb@c%22"),
        (b"filter=userName+eq+%22a%2Bb%22", b"filter=userName+eq+%22a%2Bb%22"),
        (b"filter=userName%20eq%20%22a%22", b"filter=userName%20eq%20%22a%22"),
        (b"", b""),
    ],
)
def test_plus_is_a_plus_beside_encoded_blanks(query: bytes, right: bytes) -> None:
    assert rewrites.QUERY_REWRITES["plus_beside_encoded_blanks"](query) == right
