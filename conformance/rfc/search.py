"""Searching by POST (RFC 7644 section 3.4.3)."""

from typing import Any

from conformance.names import SEARCH, USER
from conformance.registry import check, equal, expect
from conformance.rfc.lists import SIZE, crowd
from conformance.scim import Json, Scim


def search(scim: Scim, path: str = "/Users", **members: Any) -> Json:
    return scim.call("POST", f"{path}/.search", {"schemas": [SEARCH], **members}, status=200)


def ids(found: Json) -> list[str]:
    return [one["id"] for one in found.get("Resources") or []]


@check("RFC 7644 §3.4.3", "filter")
def search_is_get(scim: Scim) -> None:
    """SEA-01 MUST: POST /Users/.search is answered 200 with what the GET returns."""
    condition, wanted = crowd(scim)
    equal(sorted(ids(search(scim, filter=condition))), sorted(wanted), "what is found")
    equal(sorted(scim.found(condition)), sorted(wanted), "what the GET finds")


@check("RFC 7644 §3.4.3", "filter")
def search_takes_all_parameters(scim: Scim) -> None:
    """SEA-02 MUST: .search honours attributes, excludedAttributes, startIndex and count."""
    condition, _ = crowd(scim)
    page = search(scim, filter=condition, startIndex=2, count=2, attributes=["userName"])
    equal((page.get("totalResults"), page.get("startIndex"), len(ids(page))), (SIZE, 2, 2), "the page")
    expect("displayName" not in page["Resources"][0], "displayName was not asked for")
    page = search(scim, filter=condition, excludedAttributes=["displayName"])
    expect("displayName" not in page["Resources"][0], "displayName was excluded")


@check("RFC 7644 §3.4.3", "filter")
def other_messages_are_no_search(scim: Scim) -> None:
    """SEA-03 POLICY: a .search whose schemas name something else is refused, or read as a search."""
    answer = scim.send("POST", "/Users/.search", {"schemas": [USER], "filter": "userName pr", "count": 1})
    expect(answer.status in (200, 400), f"answered {answer.status}")


@check("RFC 7644 §3.4.3; RFC 7644 §3.12", "filter")
def bad_searches_are_refused(scim: Scim) -> None:
    """SEA-04 MUST: .search with a bad filter, or members of the wrong type, is answered 400."""
    for members in ({"filter": "("}, {"filter": 5}, {"filter": "userName pr", "count": "many"}, {"attributes": 5}):
        scim.refused("POST", "/Users/.search", {"schemas": [SEARCH], **members})


@check("RFC 7644 §3.4.2.1; RFC 7644 §3.4.3", "filter", "groups")
def root_search_covers_all_types(scim: Scim) -> None:
    """SEA-05 POLICY: POST /.search, where it is served, finds resources of every type."""
    user, group = scim.user(), scim.group()
    condition = f'id eq "{user["id"]}" or id eq "{group["id"]}"'
    answer = scim.send("POST", "/.search", {"schemas": [SEARCH], "filter": condition})
    scim.need(answer.status == 200, f"the root is not served: {answer.status}")
    equal(set(ids(answer.value)), {user["id"], group["id"]}, "what is found")


@check("RFC 7644 §3.4.3", "filter", "sort")
def search_sorts(scim: Scim) -> None:
    """SEA-06 MUST: .search honours sortBy and sortOrder."""
    condition, _ = crowd(scim)
    page = search(scim, filter=condition, sortBy="userName", sortOrder="descending")
    names = [one["userName"] for one in page["Resources"]]
    equal(names, sorted(names, reverse=True), "the order")


@check("RFC 7644 §3.2")
def search_is_no_id(scim: Scim) -> None:
    """SEA-07 POLICY: GET /Users/.search is not found, or not allowed."""
    scim.refused("GET", "/Users/.search", status=(404, 405))


@check("RFC 7643 §2.1", "filter")
def members_in_any_case(scim: Scim) -> None:
    """SEA-08 POLICY: the members of a .search may be written in any case."""
    condition, wanted = crowd(scim)
    found = scim.call("POST", "/Users/.search", {"schemas": [SEARCH], "FILTER": condition}, status=200)
    equal(sorted(ids(found)), sorted(wanted), "what is found")


@check("RFC 7644 §3.4.3", "filter", "groups")
def groups_are_searched(scim: Scim) -> None:
    """SEA-10 MUST: POST /Groups/.search finds groups."""
    group = scim.group()
    equal(ids(search(scim, "/Groups", filter=f'displayName eq "{group["displayName"]}"')), [group["id"]], "it")


@check("RFC 7644 §3.4.3")
def searches_create_nothing(scim: Scim) -> None:
    """SEA-11 POLICY: .search is no creation: its 200 has no Location."""
    search(scim, count=1)
    expect(scim.last and not scim.last.header("Location"), "a search has a Location")
