"""Lists, paging, sorting and `.search`: protocol.md 4.8, 4.10, 4.11."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.web.conftest import ENTERPRISE, LIST, PATCH_OP, SEARCH, USER, Api, op


def listed(api: Api, path: str = "/Users", **query: Any) -> Any:
    return api.get(f"{path}?{urlencode(query)}")


def search(api: Api, path: str = "/Users", **body: Any) -> Any:
    return api.post(f"{path}/.search", {"schemas": [SEARCH], **body}, status=200)


def names(page: Any) -> list[str]:
    return [one["userName"].partition("@")[0] for one in page["Resources"]]


@pytest.fixture
def five(api: Api) -> list[str]:
    """Five users in the order of their creation."""
    return [api.user(name)["id"] for name in ("eve", "bob", "ava", "dan", "cat")]


def test_list_has_all_its_members_and_no_others(api: Api, five: list[str]) -> None:
    """LST-01, LST-10, A-24: in the order of creation."""
    page = listed(api, count=2)
    assert {name: value for name, value in page.items() if name != "Resources"} == {
        "schemas": [LIST],
        "totalResults": 5,
        "startIndex": 1,
        "itemsPerPage": 2,
    }
    assert page["Resources"] == [api.get(f"/Users/{one}") for one in five[:2]]


@pytest.mark.parametrize("path", ["/Users", "/Groups"])
def test_empty_list_is_complete_too(api: Api, path: str) -> None:
    """ERR-05, LST-01."""
    empty = {"schemas": [LIST], "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []}
    assert api.get(path) == empty
    assert search(api, path) == empty


PAGES: tuple[tuple[dict[str, Any], int, int, int], ...] = (
    ({"startIndex": 0}, 5, 1, 5),
    ({"startIndex": -7, "count": 2}, 5, 1, 2),
    ({"count": 0}, 5, 1, 0),
    ({"count": -1}, 5, 1, 0),
    ({"startIndex": 4, "count": 10}, 5, 4, 2),
    ({"startIndex": 6}, 5, 6, 0),
    ({"startIndex": 50, "count": 3}, 5, 50, 0),
    ({"startIndex": 50, "count": 0}, 5, 50, 0),
    ({"count": 2**31}, 5, 1, 5),
    ({"count": 10**30, "startIndex": 1}, 5, 1, 5),
    ({"count": " 2 ", "startIndex": "+2"}, 5, 2, 2),
    ({"filter": 'userName sw "a"', "count": 0}, 1, 1, 0),
    ({"filter": 'userName sw "zz"', "startIndex": 3}, 0, 3, 0),
    ({"sortBy": "userName", "startIndex": 9}, 5, 9, 0),
)
"""Queries with the totalResults, startIndex and itemsPerPage of their pages."""


def test_paging_numbers_are_read_as_the_rfc_has_it(api: Api, five: list[str]) -> None:
    """LST-02, LST-03, LST-04, LST-06, LST-13, A-23; the same by GET and by `.search`."""
    for query, total, start, length in PAGES:
        page = listed(api, **query)
        assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (total, start, length), query
        assert len(page["Resources"]) == length
        if not any(isinstance(query.get(name), str) for name in ("count", "startIndex")):
            assert search(api, **{name: value for name, value in query.items() if value != 10**30}) == page


@pytest.mark.parametrize("sort", [{}, {"sortBy": "title"}, {"sortBy": "title", "sortOrder": "descending"}], ids=str)
def test_walking_pages_gives_everyone_once(api: Api, sort: dict[str, str]) -> None:
    """LST-05, LST-09, SRT-07: ties and missing values included; again the same."""
    ids = [api.user(f"u{n}", **({"title": "abc"[n % 3]} if n % 2 else {}))["id"] for n in range(7)]
    whole = [one["id"] for one in listed(api, **sort)["Resources"]]
    assert sorted(whole) == sorted(ids)
    for size in (1, 2, 3, 7, 3):
        pages = [listed(api, startIndex=start, count=size, **sort)["Resources"] for start in range(1, 9, size)]
        assert [one["id"] for page in pages for one in page] == whole


def test_order_is_stable_under_updates(api: Api, five: list[str]) -> None:
    """LST-09, A-24."""
    api.patch(f"/Users/{five[1]}", op("replace", "title", "x"))
    assert [one["id"] for one in api.get("/Users")["Resources"]] == five


@pytest.mark.parametrize("name", ["startIndex", "count"])
def test_number_that_is_none_is_refused(api: Api, name: str) -> None:
    """LST-07, ROB-18; SEA-04 and ROB-41 where a search has it in another type."""
    for text in ("abc", "1.5", "", "1e3", "0x10", "١٢", "1_000", "--1", "9" * 50, "\x00", "null", "1;2"):
        api.refuse("GET", f"/Users?{urlencode({name: text})}", kind="invalidValue")
    for value in ("1", 1.5, True, [1], {}, "x"):
        api.refuse("POST", "/Users/.search", {"schemas": [SEARCH], name: value}, kind="invalidValue")


def test_total_counts_what_the_filter_finds(api: Api, five: list[str]) -> None:
    """LST-08, LST-14."""
    query = {"filter": 'userName co "a"', "count": 1}
    total = listed(api, **query)["totalResults"]
    assert listed(api)["totalResults"] == 5
    api.delete(f"/Users/{five[2]}")
    assert listed(api, **query)["totalResults"] == total - 1
    assert listed(api, startIndex=2, count=2)["totalResults"] == 4
    assert names(listed(api)) == ["eve", "bob", "dan", "cat"]


def test_sort_ignores_case_and_puts_missing_values_last(api: Api) -> None:
    """SRT-01, SRT-02, SRT-04, SRT-08, SRT-10, A-25."""
    for name, title in (("a", "beta"), ("b", "Alpha"), ("c", None), ("d", "GAMMA"), ("e", "alpha")):
        api.user(name, title=title)
    assert names(listed(api, sortBy="title")) == ["b", "e", "a", "d", "c"]
    assert names(listed(api, sortBy=f"{USER.upper()}:TITLE")) == ["b", "e", "a", "d", "c"]
    assert names(listed(api, sortBy="title", sortOrder="DESCENDING")) == ["c", "d", "a", "b", "e"]
    assert names(listed(api, sortOrder="descending")) == ["a", "b", "c", "d", "e"]
    assert [one["id"] for one in listed(api, sortBy="title", attributes="id")["Resources"]] == [
        one["id"] for one in listed(api, sortBy="title")["Resources"]
    ]


def test_sort_by_sub_attributes_extensions_and_times(api: Api) -> None:
    """SRT-03, SRT-04, SRT-06, SRT-11."""
    for name, family, department, mail, second in (
        ("a", "Zed", "One", "m@x.example", {"value": api.mail("a"), "type": "home", "primary": True}),
        ("b", "abel", "Two", "b@x.example", {"value": "z@x.example", "type": "other"}),
        ("c", "Mid", "three", "c@x.example", {"value": "y@x.example", "type": "other"}),
    ):
        emails = [{"value": mail, "type": "home"}, second]
        api.user(name, name={"familyName": family}, emails=emails, **{ENTERPRISE: {"department": department}})
    assert names(listed(api, sortBy="name.familyName")) == ["b", "c", "a"]
    assert names(listed(api, sortBy="emails.value")) == ["a", "b", "c"]
    assert names(listed(api, sortBy=f"{ENTERPRISE}:department")) == ["a", "c", "b"]
    assert names(listed(api, sortBy="meta.created", sortOrder="descending")) == ["c", "b", "a"]


def test_case_exact_attributes_are_sorted_by_code_point(api: Api) -> None:
    """SRT-05."""
    for name, external in (("a", "b"), ("b", "B"), ("c", "a"), ("d", "A"), ("e", "é")):
        api.user(name, externalId=external)
    assert names(listed(api, sortBy="externalId")) == ["d", "b", "c", "a", "e"]


@pytest.mark.parametrize(
    "query",
    [
        {"sortBy": "userName", "sortOrder": "sideways"},
        {"sortOrder": ""},
        {"sortBy": "nope"},
        {"sortBy": "name"},
        {"sortBy": "password"},
        {"sortBy": "user_name"},
        {"sortBy": "id; DROP TABLE user"},
        {"sortBy": 'emails[type eq "work"].value'},
        {"sortBy": "userName,id"},
        {"sortBy": "userName desc"},
        {"sortBy": "\x00"},
        {"sortBy": "x" * 20_000},
        {"sortBy": "." * 500},
        {"sortBy": "(select 1)"},
    ],
    ids=lambda query: str(query)[:40],
)
def test_sort_by_nonsense_is_refused(api: Api, query: dict[str, str]) -> None:
    """SRT-09, SRT-10, ROB-33."""
    api.user()
    api.refuse("GET", f"/Users?{urlencode(query)}", kind="invalidValue")
    api.refuse("POST", "/Users/.search", {"schemas": [SEARCH], **query}, kind="invalidValue")
    assert api.get("/Users")["totalResults"] == 1


def test_search_answers_as_the_list_does(api: Api, five: list[str]) -> None:
    """SEA-01, SEA-02, SEA-06, SEA-08."""
    for query in (
        {},
        {"filter": 'userName co "a"', "sortBy": "userName", "sortOrder": "descending"},
        {"startIndex": 2, "count": 2},
    ):
        assert search(api, **query) == listed(api, **query)
        assert "Location" not in api.response.headers
    chosen = listed(api, attributes="userName,meta.version", sortBy="userName")
    assert search(api, attributes=["userName", "meta.version"], SORTBY="userName") == chosen
    assert search(api, ATTRIBUTES=["userName", "meta.version"], sortby="userName") == chosen
    assert search(api, excludedAttributes=["meta", "emails"]) == listed(api, excludedAttributes="meta,emails")
    assert search(api, Filter='userName sw "bob"')["totalResults"] == 1
    assert search(api, filter=None, sortBy=None, count=None, unknown={"a": [1]})["totalResults"] == 5


def test_search_writes_nothing(api: Api, five: list[str]) -> None:
    """SEA-01."""
    with api.unchanged("/Users"):
        search(api, filter='userName eq "x"')


def test_search_that_does_not_say_so(api: Api) -> None:
    """SEA-03, SEA-09, A-13: taken by default, as suites and clients leave it out; refused by the strict profile."""
    strict = api.token_for(profile="strict")
    for body in ({}, {"schemas": None}, {"schemas": [PATCH_OP]}, {"schemas": [USER]}, {"schemas": ["x"]}):
        assert api.post("/Users/.search", {"filter": "id pr", **body}, status=200)["totalResults"] == 0
        strict.refuse("POST", "/Users/.search", {"filter": "id pr", **body}, kind="invalidSyntax")
    for schemas in ([], SEARCH, {}, [5], [[SEARCH]], [None], 5):
        for driver in (api, strict):
            driver.refuse("POST", "/Users/.search", {"schemas": schemas}, kind="invalidSyntax")
    assert strict.post("/Users/.search", {"schemas": [SEARCH]}, status=200)["totalResults"] == 0


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"filter": "nonsense"}, "invalidFilter"),
        ({"filter": ""}, "invalidFilter"),
        ({"filter": {"a": 1}}, "invalidSyntax"),
        ({"filter": ["id pr"]}, "invalidSyntax"),
        ({"filter": 5}, "invalidSyntax"),
        ({"attributes": {"a": 1}}, "invalidSyntax"),
        ({"attributes": [5]}, "invalidSyntax"),
        ({"attributes": 5}, "invalidSyntax"),
        ({"excludedAttributes": [["id"]]}, "invalidSyntax"),
        ({"sortBy": 5}, "invalidSyntax"),
        ({"sortOrder": 5}, "invalidSyntax"),
        ({"sortOrder": "up"}, "invalidValue"),
        ({"attributes": ["id"], "excludedAttributes": ["id"]}, "invalidValue"),
        ({"filter": "\x00"}, "invalidFilter"),
        ({"filter": 'userName eq "\x00"'}, "invalidFilter"),
    ],
    ids=str,
)
def test_ill_typed_search_is_refused(api: Api, body: Any, kind: str) -> None:
    """SEA-04, ROB-41."""
    api.refuse("POST", "/Users/.search", {"schemas": [SEARCH], **body}, kind=kind)


def test_search_without_an_object_is_refused(api: Api) -> None:
    """ROB-02, ROB-03."""
    for body in (b"", b" ", b"null", b"[]", b'"x"', b"5", b"{", b"true"):
        api.refuse("POST", "/Users/.search", body, kind="invalidSyntax")


def test_repeated_parameters_take_the_first(api: Api, five: list[str]) -> None:
    """ROB-34."""
    page = api.get("/Users?count=1&count=3&startIndex=2&startIndex=x&attributes=id&attributes=name")
    assert (page["itemsPerPage"], page["startIndex"]) == (1, 2)
    assert set(page["Resources"][0]) == {"schemas", "id"}
