"""Sorting (RFC 7644 section 3.4.2.3)."""

from typing import Any

from conformance.names import ENTERPRISE, USER
from conformance.registry import check, equal, expect
from conformance.scim import Scim, query


def row(scim: Scim) -> tuple[str, dict[str, str]]:
    """A filter that finds four users, and their names by id."""

    def build() -> tuple[str, dict[str, str]]:
        word = scim.name("row")
        rows = {"c": "cherry", "a": "Apple", "b": "banana", "none": None}
        made = {}
        for key, shown in rows.items():
            named = {"displayName": shown, "title": shown, "name": {"familyName": shown}} if shown else {}
            mails = [{"value": f"{word}-{key}@{scim.domain}", "type": "work", "primary": True}] if shown else []
            made[scim.user(userName=f"{word}-{key}@{scim.domain}", emails=mails, **named)["id"]] = key
        return f'userName sw "{word}-"', made

    found: tuple[str, dict[str, str]] = scim.once("row", build)
    return found


def order(scim: Scim, **parameters: Any) -> list[str]:
    condition, names = row(scim)
    page = scim.read(f"/Users{query(filter=condition, **parameters)}")
    return [names.get(one.get("id"), "?") for one in page.get("Resources") or []]


@check("RFC 7644 §3.4.2.3", "sort", "filter", "User.displayName")
def ascending_by_default(scim: Scim) -> None:
    """SRT-01 MUST: sortBy sorts upwards whatever the case of the letters, and missing values come last."""
    equal(order(scim, sortBy="displayName"), ["a", "b", "c", "none"], "the order")
    equal(order(scim, sortBy="displayName", sortOrder="ascending"), ["a", "b", "c", "none"], "the order")


@check("RFC 7644 §3.4.2.3", "sort", "filter", "User.displayName")
def descending(scim: Scim) -> None:
    """SRT-02 MUST: sortOrder=descending turns the order round, and missing values come first."""
    equal(order(scim, sortBy="displayName", sortOrder="descending"), ["none", "c", "b", "a"], "the order")


@check("RFC 7644 §3.4.2.3; RFC 7643 §2.4", "sort", "filter", "User.emails")
def lists_sort_by_primary(scim: Scim) -> None:
    """SRT-03 MUST: a multi-valued attribute sorts by its primary value."""
    equal(order(scim, sortBy="emails.value")[:3], ["a", "b", "c"], "the order")


@check("RFC 7644 §3.4.2.3; RFC 7644 §3.10", "sort", "filter", "User.name")
def parts_and_qualified_names_sort(scim: Scim) -> None:
    """SRT-04 MUST: sortBy takes sub-attributes, names with their URN, and any case."""
    for name in ("name.familyName", f"{USER}:name.familyName", "NAME.FAMILYNAME"):
        equal(order(scim, sortBy=name), ["a", "b", "c", "none"], f"the order by {name}")


@check("RFC 7644 §3.4.2.3", "sort", "filter")
def times_sort(scim: Scim) -> None:
    """SRT-06 MUST: sortBy meta.created is the order of creation."""
    equal(order(scim, sortBy="meta.created"), ["c", "a", "b", "none"], "the order")


@check("RFC 7644 §3.4.2.3; RFC 7644 §3.4.2.4", "sort", "filter", "User.displayName")
def sorted_pages_join(scim: Scim) -> None:
    """SRT-07 MUST: the pages of a sorted list, one after the other, are the sorted list."""
    joined = [one for start in (1, 3) for one in order(scim, sortBy="displayName", startIndex=start, count=2)]
    equal(joined, ["a", "b", "c", "none"], "the order")


@check("RFC 7644 §3.4.2.3; RFC 7644 §3.9", "sort", "filter", "User.title")
def hidden_attributes_sort(scim: Scim) -> None:
    """SRT-08 MUST: sorting works by an attribute that is not returned."""
    equal(order(scim, sortBy="title", attributes="userName"), ["a", "b", "c", "none"], "the order")


@check("RFC 7644 §3.12", "sort")
def unknown_orders_are_refused(scim: Scim) -> None:
    """SRT-09 POLICY: an unknown sortOrder or sortBy is refused."""
    for parameters in ({"sortBy": "userName", "sortOrder": "sideways"}, {"sortBy": "noSuchAttribute"}):
        scim.refused("GET", f"/Users{query(**parameters)}")


@check("RFC 7643 §7", "sort")
def order_alone_changes_nothing(scim: Scim) -> None:
    """SRT-10 MUST: sortOrder without sortBy is no error."""
    scim.read("/Users?sortOrder=descending&count=1")


@check("RFC 7644 §3.10", "sort", "filter", "enterprise")
def extensions_sort(scim: Scim) -> None:
    """SRT-11 MUST: sortBy takes an attribute of an extension by its URN."""
    word = scim.name("srt")
    made = {}
    for key in ("b", "a"):
        user = scim.user(
            userName=f"{word}-{key}@{scim.domain}", schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"department": key}}
        )
        made[user["id"]] = key
    condition = f'userName sw "{word}-"'
    found = scim.find(condition, sortBy=f"{ENTERPRISE}:department")
    equal([made.get(one["id"]) for one in found], ["a", "b"], "the order")


@check("RFC 7644 §3.4.2.3")
def sorting_never_breaks(scim: Scim) -> None:
    """SRT-12 POLICY: where sorting is not announced sortBy is ignored or refused."""
    status = scim.send("GET", "/Users?sortBy=userName&count=1").status
    expect(status in (200, 400, 403, 501), f"answered {status}")


@check("RFC 7644 §3.4.2.3", "sort", "filter")
def user_names_sort(scim: Scim) -> None:
    """SRT-13 MUST: sortBy userName sorts by it."""
    equal(order(scim, sortBy="userName"), ["a", "b", "c", "none"], "the order")
