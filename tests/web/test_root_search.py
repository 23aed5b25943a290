"""Searches at the root, over all resource types that clients write: LST-11, LST-12, SEA-05, A-19, A-40, MTN-03."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.web.conftest import EXT, GROUP, LIST, SEARCH, USER, Api, op


def root(api: Api, **query: Any) -> Any:
    return api.get(f"/?{urlencode(query)}")


def search(api: Api, **body: Any) -> Any:
    return api.post("/.search", {"schemas": [SEARCH], **body}, status=200)


def ids(page: Any) -> list[str]:
    return [one["id"] for one in page["Resources"]]


@pytest.fixture
def both(api: Api) -> dict[str, str]:
    """Users and groups by turns, in the order of their creation, by their names."""
    made = {}
    for number, name in enumerate(("eve", "Zoo", "bob", "Ant", "ava")):
        if number % 2:
            made[name] = api.group(name, *list(made.values())[:1], externalId="x1")["id"]
        else:
            made[name] = api.user(name, **({"displayName": "Bee", "externalId": "x1"} if name == "bob" else {}))["id"]
    return made


def test_search_covers_all_types_in_the_order_of_creation(api: Api, both: dict[str, str]) -> None:
    """LST-11, SEA-05, A-24: by GET and by POST, as the lists of the types show their resources."""
    page = root(api, filter="id pr")
    assert {name: value for name, value in page.items() if name != "Resources"} == {
        "schemas": [LIST], "totalResults": 5, "startIndex": 1, "itemsPerPage": 5,
    }  # fmt: skip
    shown = {one["id"]: one for path in ("/Users", "/Groups") for one in api.get(path)["Resources"]}
    assert page["Resources"] == [shown[one] for one in both.values()]
    assert search(api, filter="id pr") == page
    assert search(api) == page == api.get("/")
    assert [one["meta"]["resourceType"] for one in page["Resources"]] == ["User", "Group", "User", "Group", "User"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('userName sw "e"', "eve"),
        ('userName pr or displayName eq "ant"', "eve bob Ant ava"),
        ('not (userName pr)', "Zoo Ant"),
        ('userName ne "x"', "eve Zoo bob Ant ava"),
        ("userName eq null", "Zoo Ant"),
        ('displayName co "o"', "Zoo"),
        ('externalId eq "x1"', "Zoo bob Ant"),
        ('meta.resourceType eq "User"', "eve bob ava"),
        (f'schemas eq "{GROUP}"', "Zoo Ant"),
        (f'{USER}:userName sw "a"', "ava"),
        (f'{EXT}:kind eq "person" and active eq true', "eve bob ava"),
        ("members pr", "Zoo Ant"),
        ("members[value pr]", "Zoo Ant"),
        ("nothing.known pr", ""),
        ('unheardOf eq "x"', ""),
        ('not (unheardOf eq "x") and userName sw "b"', "bob"),
    ],
)  # fmt: skip
def test_attribute_that_a_type_does_not_know_has_no_value(
    api: Api, both: dict[str, str], condition: str, expected: str
) -> None:
    """A-19, LST-11."""
    found = root(api, filter=condition)
    assert ids(found) == [both[name] for name in expected.split()]
    assert found["totalResults"] == len(expected.split())
    assert search(api, filter=condition) == found


@pytest.mark.parametrize(
    ("sort_by", "ascending", "descending"),
    [
        ("displayName", "Ant bob Zoo eve ava", "eve ava Zoo bob Ant"),
        ("userName", "ava bob eve Zoo Ant", "Zoo Ant eve bob ava"),
        ("externalId", "Zoo bob Ant eve ava", "eve ava Zoo bob Ant"),
        ("meta.created", "eve Zoo bob Ant ava", "ava Ant bob Zoo eve"),
        ("meta.resourceType", "Zoo Ant eve bob ava", "eve bob ava Zoo Ant"),
        ("active", "eve bob ava Zoo Ant", "Zoo Ant eve bob ava"),
        ("id", "eve Zoo bob Ant ava", "ava Ant bob Zoo eve"),
        (f"{EXT}:activationsAllowed", "eve Zoo bob Ant ava", "eve Zoo bob Ant ava"),
        ("emails.value", "eve Zoo bob Ant ava", "eve Zoo bob Ant ava"),
        ("members.value", "Zoo Ant eve bob ava", "eve bob ava Zoo Ant"),
        ("schemas", "eve Zoo bob Ant ava", "eve Zoo bob Ant ava"),
    ],
)
def test_sorted_over_all_types(api: Api, both: dict[str, str], sort_by: str, ascending: str, descending: str) -> None:
    """LST-11, A-25: what a type does not have is missing."""
    assert ids(root(api, sortBy=sort_by)) == [both[name] for name in ascending.split()]
    assert ids(search(api, sortBy=sort_by, sortOrder="descending")) == [both[name] for name in descending.split()]


@pytest.mark.parametrize("query", [{}, {"sortBy": "displayName"}, {"sortBy": "externalId", "sortOrder": "descending"}])
def test_pages_give_everything_once(api: Api, both: dict[str, str], query: dict[str, str]) -> None:
    """LST-05 over all types."""
    whole = ids(root(api, **query))
    assert sorted(whole) == sorted(both.values())
    for count in (1, 2, 3):
        pages = [root(api, startIndex=start, count=count, **query) for start in range(1, 7, count)]
        assert [one for page in pages for one in ids(page)] == whole
        assert {page["totalResults"] for page in pages} == {5}
    assert root(api, startIndex=9, **query)["Resources"] == []
    assert (root(api, count=0)["totalResults"], root(api, count=0)["Resources"]) == (5, [])


def test_each_type_is_shown_by_its_own_projection(api: Api, both: dict[str, str]) -> None:
    user, group = root(api, count=2, attributes="userName,members")["Resources"]
    assert (set(user), set(group)) == ({"schemas", "id", "userName"}, {"schemas", "id", "members"})
    user, group = search(api, count=2, excludedAttributes=["members", "userName", "meta"])["Resources"]
    assert not {"meta", "userName"} & set(user)
    assert not {"meta", "members"} & set(group)
    assert group["displayName"] == "Zoo"
    counted = root(api, count=2, attributes=f"{EXT}:logEntryCount")["Resources"]
    assert [set(one) for one in counted] == [{"schemas", "id", EXT}, {"schemas", "id"}]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"filter": ""}, "invalidFilter"),
        ({"filter": "nonsense"}, "invalidFilter"),
        ({"filter": "active gt true"}, "invalidFilter"),
        ({"filter": 'emails[nope eq "x"]'}, "invalidFilter"),
        ({"filter": "password pr"}, "invalidFilter"),
        ({"sortBy": "nope"}, "invalidValue"),
        ({"sortBy": "password"}, "invalidValue"),
        ({"sortBy": "name"}, "invalidValue"),
        ({"sortOrder": "up"}, "invalidValue"),
        ({"attributes": "id", "excludedAttributes": "meta"}, "invalidValue"),
        ({"cursor": ""}, "invalidValue"),
        ({"cursor": "x", "startIndex": "1"}, "invalidValue"),
    ],
    ids=str,
)
def test_nonsense_is_refused(api: Api, both: dict[str, str], query: dict[str, str], kind: str) -> None:
    """LST-12: every refusal is a clean SCIM error."""
    api.refuse("GET", f"/?{urlencode(query)}", kind=kind)


def test_nested_and_long_filters_are_answered_or_refused(api: Api, both: dict[str, str]) -> None:
    """LIM-02: the statement over all types is within what either database parses."""
    deep = "userName pr"
    for number in range(16):
        deep = f"({deep}) {'and' if number % 2 else 'or'} displayName pr"
    assert root(api, filter=deep)["totalResults"] == 3
    api.refuse("GET", f"/?{urlencode({'filter': f'({deep}) or title pr'})}", kind="invalidFilter")
    long = " or ".join(f'displayName eq "{number}"' for number in range(199)) + ' or userName sw "e"'
    assert ids(root(api, filter=long)) == [both["eve"]]


def test_everything_at_once_is_too_many(api: Api, both: dict[str, str]) -> None:
    """A-40: without a filter no more than maxResults are told."""
    service = api.service
    api.app.extensions["scim"] = replace(service, limits=replace(service.limits, page=4, default_page=4))
    try:
        assert "filter" in api.refuse("GET", "/", kind="tooMany")
        api.refuse("POST", "/.search", {"schemas": [SEARCH], "count": 1}, kind="tooMany")
        assert root(api, filter="id pr", startIndex=2)["itemsPerPage"] == 4
        api.delete(f"/Users/{both['ava']}")
        assert root(api)["totalResults"] == 4
    finally:
        api.app.extensions["scim"] = service


def test_root_has_its_methods_and_no_others(api: Api) -> None:
    """A-38, LST-12."""
    assert api.call("HEAD", "/", status=200) is None
    for path, methods in (("/", "GET, HEAD, OPTIONS"), ("/.search", "POST, OPTIONS")):
        api.call("OPTIONS", path, status=204)
        assert api.response.headers["Allow"] == methods
    api.refuse("GET", "/.search", status=405)
    api.refuse("POST", "/", {"schemas": [SEARCH]}, status=405)
    api.token_for(profile="strict").refuse("POST", "/.search", {"schemas": [USER]}, kind="invalidSyntax")
    assert api.get("/scim/v2")["totalResults"] == api.get("/scim/v2/")["totalResults"] == 0


def test_root_shows_nothing_of_other_accounts(api: Api, both: dict[str, str], new_account: Callable[..., Api]) -> None:
    """MTN-03: neither resources nor counts, whatever the filter says."""
    other = new_account()
    mine = other.user("own")["id"]
    assert root(other)["totalResults"] == 1
    for condition in ("id pr", 'id pr or id eq "x"', "not (id eq null)", f'id eq "{both["eve"]}" or id pr',
                      f'members.value eq "{both["eve"]}" or userName pr'):  # fmt: skip
        for page in (root(other, filter=condition), search(other, filter=condition, sortBy="displayName")):
            assert (ids(page), page["totalResults"]) == ([mine], 1)
    assert root(other, filter='displayName eq "Zoo"')["totalResults"] == 0


def test_root_needs_a_token_that_may_read(api: Api, anonymous: Api) -> None:
    for method, path, body in (("GET", "/?filter=id+pr", None), ("POST", "/.search", {"schemas": [SEARCH]})):
        anonymous.refuse(method, path, body, status=401)
        api.token_for("scim.write").refuse(method, path, body, status=403)


def test_search_writes_nothing(api: Api, both: dict[str, str]) -> None:
    with api.unchanged("/Users", "/Groups"):
        search(api, filter="id pr")
    api.patch(f"/Users/{both['eve']}", op("replace", "displayName", "Ann"))
    assert ids(root(api, sortBy="displayName", count=1)) == [both["eve"]]
