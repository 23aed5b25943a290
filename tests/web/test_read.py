"""Reading one resource and choosing what of it is shown: protocol.md 4.6, 4.7."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.web.conftest import ENTERPRISE, EXT, USER, Api

ALWAYS = {"schemas", "id"}
PERSON: dict[str, Any] = {
    "displayName": "Ava Cole",
    "name": {"familyName": "Cole", "givenName": "Ava"},
    "emails": [
        {"value": "a@else.example", "type": "home"},
        {"value": "b@else.example", "type": "other", "display": "B"},
    ],
    ENTERPRISE: {"department": "Dep", "manager": {"value": "boss"}},
}


@pytest.fixture
def path(api: Api) -> str:
    return f"/Users/{api.user('ava', **PERSON)['id']}"


def test_resource_is_at_its_address_with_its_version(api: Api, path: str) -> None:
    """GET-01."""
    user = api.get(path)
    assert user["meta"]["location"].endswith(path)
    assert api.response.headers["ETag"] == user["meta"]["version"]
    assert api.response.headers["Content-Location"] == user["meta"]["location"]


def test_id_is_case_exact(api: Api, path: str) -> None:
    """GET-02, CRT-21."""
    group = f"/Groups/{api.group()['id']}"
    for one in (path, group):
        api.refuse("GET", one[:8] + one[8:].upper(), status=404)
        api.get(one)


def test_filter_on_one_resource_is_ignored(api: Api, path: str) -> None:
    """FLT-45."""
    api.user("bob")
    assert api.get(f"{path}?filter=" + quote(f'userName eq "{api.mail("bob")}"')) == api.get(path)
    assert api.get(f"{path}?filter=((&count=x&startIndex=y&sortBy=") == api.get(path)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("userName", {"userName"}),
        ("USERNAME", {"userName"}),
        (f"{USER}:userName", {"userName"}),
        (f"{USER.upper()}:username", {"userName"}),
        ("userName,displayName", {"userName", "displayName"}),
        ("userName, displayName ,,", {"userName", "displayName"}),
        ("userName,nonsense,x.y.z,urn:example:a", {"userName"}),
        ("nonsense", set()),
        ("password", set()),
        ("title", set()),
        ("meta", {"meta"}),
        (ENTERPRISE, {ENTERPRISE}),
        (f"{ENTERPRISE}:department", {ENTERPRISE}),
        (ENTERPRISE.upper(), {ENTERPRISE}),
        ("id,schemas", set()),
        ('emails[type eq "home"]', set()),
    ],
)
def test_attributes_name_what_is_shown(api: Api, path: str, asked: str, shown: set[str]) -> None:
    """PRJ-01, PRJ-02, PRJ-04, PRJ-05, PRJ-07, PRJ-09, PRJ-13, ETG-06: and the version stays the same."""
    whole = api.get(path)
    version = api.response.headers["ETag"]
    part = api.get(f"{path}?attributes={quote(asked)}")
    assert set(part) == ALWAYS | shown
    assert all(part[name] == whole[name] for name in {*shown, "id"} - {ENTERPRISE, "schemas"})
    assert api.response.headers["ETag"] == version


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("name.givenName", {"name": {"givenName": "Ava"}}),
        ("NAME.GIVENNAME", {"name": {"givenName": "Ava"}}),
        (f"{USER}:name.givenName", {"name": {"givenName": "Ava"}}),
        ("name.givenName,name.familyName", {"name": {"familyName": "Cole", "givenName": "Ava"}}),
        ("name,name.givenName", {"name": {"familyName": "Cole", "givenName": "Ava"}}),
        ("emails.type", {"emails": [{"type": "home"}, {"type": "other"}]}),
        ("emails.display", {"emails": [{"display": "B"}]}),
        ("name.middleName", {}),
        (f"{ENTERPRISE}:department", {ENTERPRISE: {"department": "Dep"}}),
        (f"{ENTERPRISE}:manager.value", {ENTERPRISE: {"manager": {"value": "boss"}}}),
        (f"{ENTERPRISE}:manager.displayName", {}),
        (f"{EXT}:kind", {EXT: {"kind": "person"}}),
    ],
)
def test_sub_attributes_are_chosen_in_every_element(api: Api, path: str, asked: str, expected: Any) -> None:
    """PRJ-03, PRJ-05, PRJ-10."""
    part = api.get(f"{path}?attributes={asked}")
    assert {name: value for name, value in part.items() if name not in ALWAYS} == expected


def test_meta_can_be_chosen_in_part(api: Api, path: str) -> None:
    """PRJ-11."""
    user = api.get(path)
    part = api.get(f"{path}?attributes=meta.lastModified")
    assert part["meta"] == {"lastModified": user["meta"]["lastModified"]}


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [
        ("displayName", {"displayName"}),
        ("id,schemas,displayName", {"displayName"}),
        (f"{USER}:emails,NAME", {"emails", "name"}),
        (ENTERPRISE, {ENTERPRISE}),
        ("meta", {"meta"}),
        ("nonsense,,", set()),
    ],
)
def test_excluded_attributes_are_left_out(api: Api, path: str, left_out: str, missing: set[str]) -> None:
    """PRJ-05, PRJ-06, PRJ-07: what is always returned stays."""
    whole = api.get(path)
    part = api.get(f"{path}?excludedAttributes={left_out}")
    assert part == {name: value for name, value in whole.items() if name not in missing}


def test_sub_attributes_can_be_excluded(api: Api, path: str) -> None:
    """PRJ-05, PRJ-06."""
    part = api.get(f"{path}?excludedAttributes=name.givenName,emails.value,{ENTERPRISE}:department")
    assert part["name"] == {"familyName": "Cole"}
    assert part["emails"] == [{"type": "home"}, {"type": "other", "display": "B"}]
    assert part[ENTERPRISE] == {"manager": {"value": "boss"}}


@pytest.mark.parametrize("target", ["{path}", "/Users", "/Groups"])
def test_both_parameters_at_once_are_refused(api: Api, path: str, target: str) -> None:
    """PRJ-08, A-17."""
    query = "?attributes=userName&excludedAttributes=name"
    api.refuse("GET", target.format(path=path) + query, kind="invalidValue")


def test_list_is_projected_in_the_same_way(api: Api, path: str) -> None:
    """PRJ-11, LST-10."""
    for query in (
        "attributes=name.givenName,meta.version",
        "excludedAttributes=emails,meta",
        f"attributes={ENTERPRISE}",
    ):
        assert api.get(f"/Users?{query}")["Resources"] == [api.get(f"{path}?{query}")]


def test_members_can_be_left_out_and_asked_for(api: Api) -> None:
    """PRJ-12."""
    ava = api.user()
    group = api.group("Sales", ava["id"])
    path = f"/Groups/{group['id']}"
    assert [one["value"] for one in group["members"]] == [ava["id"]]
    assert "members" not in api.get(f"{path}?excludedAttributes=members")
    assert set(api.get(f"{path}?attributes=members")) == ALWAYS | {"members"}
    assert api.get(f"{path}?attributes=members.value")["members"] == [{"value": ava["id"]}]
    assert "members" not in api.get(f"{path}?attributes=displayName")
    assert "members" not in api.get("/Groups?excludedAttributes=members")["Resources"][0]
    assert api.get("/Groups?attributes=members.value")["Resources"][0]["members"] == [{"value": ava["id"]}]


def test_groups_of_a_user_can_be_left_out_and_asked_for(api: Api) -> None:
    """PRJ-12, GRP-03."""
    ava = api.user()
    group = api.group("Sales", ava["id"])
    assert api.get(f"/Users/{ava['id']}?attributes=groups.display")["groups"] == [{"display": "Sales"}]
    assert "groups" not in api.get(f"/Users/{ava['id']}?excludedAttributes=groups")
    assert api.get(f"/Users/{ava['id']}?attributes=groups")["groups"][0]["value"] == group["id"]


def test_attributes_that_are_never_returned_stay_hidden(api: Api) -> None:
    """PRJ-13, EXT-06."""
    user = api.user("ava", password="hunter2-Secret", ext={"licenseType": "pro"})
    for query in ("", f"?attributes=password,{EXT}:licenseTransferTo", f"?attributes={EXT}", "?excludedAttributes=id"):
        found = api.get(f"/Users/{user['id']}{query}")
        assert "password" not in found
        assert "licenseTransferTo" not in found.get(EXT, {})
