"""Pages by cursor (RFC 9865)."""

from typing import Any

from conformance.names import SEARCH
from conformance.registry import check, equal, expect
from conformance.rfc.lists import crowd
from conformance.scim import Json, Scim, query


def page(scim: Scim, **parameters: Any) -> Json:
    return scim.read(f"/Users{query(filter=crowd(scim)[0], **parameters)}")


@check("RFC 9865 §2", "cursor", "filter")
def walks_are_complete(scim: Scim) -> None:
    """CUR-01 MUST: following nextCursor gives every resource once, and the last page has none."""
    for size in (1, 2, 5):
        cursor: str | None = ""
        seen: list[str] = []
        pages = 0
        while cursor is not None and pages < 20:
            found = page(scim, cursor=cursor, count=size)
            seen += [one["id"] for one in found.get("Resources") or []]
            cursor, pages = found.get("nextCursor"), pages + 1
        equal(sorted(seen), sorted(crowd(scim)[1]), f"what pages of {size} give")


@check("RFC 9865 §3", "cursor", "filter")
def searches_walk(scim: Scim) -> None:
    """CUR-02 MUST: .search pages by cursor too."""
    condition, wanted = crowd(scim)
    body = {"schemas": [SEARCH], "filter": condition, "count": 3}
    first = scim.call("POST", "/Users/.search", {**body, "cursor": ""}, status=200)
    second = scim.call("POST", "/Users/.search", {**body, "cursor": first["nextCursor"]}, status=200)
    equal(sorted(one["id"] for one in first["Resources"] + second["Resources"]), sorted(wanted), "what is found")


@check("RFC 9865 §2.1", "cursor")
def forged_cursors_are_refused(scim: Scim) -> None:
    """CUR-03 MUST: a cursor that the server did not give is answered 400 invalidCursor."""
    scim.refused("GET", "/Users?cursor=forged&count=1", kind="invalidCursor")


@check("RFC 9865 §2", "cursor", "filter")
def cursors_keep_to_their_query(scim: Scim) -> None:
    """CUR-04 POLICY: a cursor is refused with another filter."""
    cursor = page(scim, cursor="", count=2)["nextCursor"]
    scim.refused("GET", f"/Users{query(filter='userName pr', cursor=cursor, count=2)}", kind="invalidCursor")


@check("RFC 9865 §1; RFC 9865 §2", "cursor", "filter")
def deletions_lose_nothing(scim: Scim) -> None:
    """CUR-05 MUST: a deletion during a walk loses none of the others."""
    word = scim.name("walk")
    ids = [scim.user(userName=f"{word}-{n}@{scim.domain}")["id"] for n in range(4)]
    condition = f'userName sw "{word}-"'
    first = scim.read(f"/Users{query(filter=condition, cursor='', count=2)}")
    seen = [one["id"] for one in first["Resources"]]
    scim.delete(f"/Users/{seen[0]}")
    rest = scim.read(f"/Users{query(filter=condition, cursor=first['nextCursor'], count=2)}")
    equal(sorted(seen + [one["id"] for one in rest["Resources"]]), sorted(ids), "what is found")


@check("RFC 9865 §2.4; RFC 9865 §4", "cursor")
def the_default_method_is_used(scim: Scim) -> None:
    """CUR-06 MUST: without a parameter of paging the announced default method is used."""
    method = scim.capabilities.config["pagination"].get("defaultPaginationMethod", "index")
    found = scim.read("/Users?count=1")
    expect(method == "cursor" or "nextCursor" not in found, "nextCursor without having asked")
    expect(method == "cursor" or "startIndex" in found, "no startIndex")


@check("RFC 9865 §2.4", "cursor")
def both_methods_are_refused(scim: Scim) -> None:
    """CUR-07 POLICY: cursor together with startIndex is refused."""
    scim.refused("GET", "/Users?cursor=&startIndex=1")


@check("RFC 7644 §3.4.2")
def cursors_that_are_not_announced(scim: Scim) -> None:
    """CUR-08 POLICY: where cursors are not announced the parameter is ignored or refused cleanly."""
    scim.need(scim.capabilities.lacking("cursor"), "cursors are announced")
    status = scim.send("GET", "/Users?cursor=&count=1").status
    expect(status in (200, 400, 501), f"answered {status}")
