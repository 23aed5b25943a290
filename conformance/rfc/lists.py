"""Lists and pages by index (RFC 7644 section 3.4.2.4)."""

from conformance.names import GROUP, LIST, USER
from conformance.registry import check, equal, expect
from conformance.scim import Json, Scim, query

SIZE = 5


def crowd(scim: Scim) -> tuple[str, list[str]]:
    """A filter that finds five users, and their ids."""

    def build() -> tuple[str, list[str]]:
        word = scim.name("crowd")
        users = [scim.user(userName=f"{word}-{n}@{scim.domain}", displayName=f"Crowd {n}") for n in range(SIZE)]
        return f'userName sw "{word}-"', [one["id"] for one in users]

    found: tuple[str, list[str]] = scim.once("crowd", build)
    return found


def page(scim: Scim, **parameters: object) -> Json:
    return scim.read(f"/Users{query(filter=crowd(scim)[0], **parameters)}")


def ids(found: Json) -> list[str]:
    return [one["id"] for one in found.get("Resources") or []]


@check("RFC 7644 §3.4.2; RFC 7644 §3.4.2.4", "filter")
def pages_are_counted(scim: Scim) -> None:
    """LST-01 MUST: a page has totalResults of the whole, its own itemsPerPage, and startIndex, as integers."""
    found = page(scim, count=2)
    expect(LIST in found.get("schemas", []), f"schemas is {found.get('schemas')!r}")
    told = [found.get(name) for name in ("totalResults", "itemsPerPage", "startIndex")]
    equal((told, len(ids(found))), ([SIZE, 2, 1], 2), "totalResults, itemsPerPage, startIndex and the resources")


@check("RFC 7644 §3.4.2.4", "filter")
def start_below_one_is_one(scim: Scim) -> None:
    """LST-02 MUST: startIndex 0 and below is read as 1."""
    first = ids(page(scim, startIndex=1, count=2))
    for start in (0, -1):
        equal(ids(page(scim, startIndex=start, count=2)), first, f"the page at {start}")


@check("RFC 7644 §3.4.2.4", "filter")
def count_zero_counts(scim: Scim) -> None:
    """LST-03 MUST: count=0 tells totalResults and returns no resource."""
    found = page(scim, count=0)
    equal((found.get("totalResults"), ids(found)), (SIZE, []), "totalResults and resources")


@check("RFC 7644 §3.4.2.4", "filter")
def negative_count_is_zero(scim: Scim) -> None:
    """LST-04 MUST: a negative count is read as 0."""
    found = page(scim, count=-1)
    equal((found.get("totalResults"), ids(found)), (SIZE, []), "totalResults and resources")


@check("RFC 7644 §3.4.2.4", "filter")
def pages_give_each_resource_once(scim: Scim) -> None:
    """LST-05 MUST: going from page to page every resource is returned exactly once."""
    wanted = sorted(crowd(scim)[1])
    for size in (1, 2, 3, 7):
        seen = [one for start in range(1, SIZE + 1, size) for one in ids(page(scim, startIndex=start, count=size))]
        equal(sorted(seen), wanted, f"what pages of {size} give")


@check("RFC 7644 §3.4.2.4", "filter")
def page_beyond_the_end_is_empty(scim: Scim) -> None:
    """LST-06 MUST: a page beyond the end is 200 and empty, with the true totalResults."""
    found = page(scim, startIndex=50, count=2)
    equal((found.get("totalResults"), ids(found)), (SIZE, []), "totalResults and resources")


@check("RFC 7644 §3.12", "filter")
def numbers_are_numbers(scim: Scim) -> None:
    """LST-07 POLICY: startIndex and count that are no integers are refused."""
    for name in ("startIndex", "count"):
        for value in ("abc", "1.5"):
            scim.refused("GET", f"/Users?{name}={value}")


@check("RFC 7644 §3.4.2; RFC 7644 §3.6", "filter")
def totals_follow_deletions(scim: Scim) -> None:
    """LST-08 MUST: totalResults counts what the filter finds, and one less after a deletion."""
    word = scim.name("total")
    first, second = (scim.user(userName=f"{word}-{n}@{scim.domain}") for n in (1, 2))
    condition = f'userName sw "{word}-"'
    equal(scim.found(condition), {first["id"], second["id"]}, "what is found")
    scim.delete(f"/Users/{first['id']}")
    equal(scim.read(f"/Users{query(filter=condition)}").get("totalResults"), 1, "totalResults")


@check("RFC 7644 §3.4.2.3", "filter")
def order_is_stable(scim: Scim) -> None:
    """LST-09 POLICY: the same list has the same order when it is read again."""
    equal(ids(page(scim)), ids(page(scim)), "the order on the second reading")


@check("RFC 7644 §3.4.2; RFC 7643 §3", "filter")
def listed_resources_are_whole(scim: Scim) -> None:
    """LST-10 MUST: a listed resource is what reading it alone returns."""
    one = (page(scim, count=1).get("Resources") or [{}])[0]
    equal(one, scim.read(f"/Users/{one.get('id')}"), "the listed resource")


@check("RFC 7644 §3.4.2.1", "filter", "groups")
def root_covers_all_types(scim: Scim) -> None:
    """LST-11 POLICY: a query at the root, where it is served, finds resources of every type."""
    user, group = scim.user(), scim.group()
    condition = f'id eq "{user["id"]}" or id eq "{group["id"]}"'
    answer = scim.send("GET", f"/{query(filter=condition)}")
    scim.need(answer.status == 200, f"the root is not served: {answer.status}")
    equal({one.get("id") for one in answer.value["Resources"]}, {user["id"], group["id"]}, "what is found")


@check("RFC 7644 §3.4.2.1")
def root_answers_cleanly(scim: Scim) -> None:
    """LST-12 POLICY: the root, where it is not served, answers a SCIM error."""
    condition = 'id eq "nothing"'
    answer = scim.send("GET", f"/{query(filter=condition)}")
    scim.need(answer.status != 200, "the root is served")
    expect(answer.status in (400, 403, 404, 405, 501), f"answered {answer.status}")
    expect(isinstance(answer.value, dict), "the answer is no JSON object")


@check("RFC 7644 §3.4.2.4")
def large_counts_are_clamped(scim: Scim) -> None:
    """LST-13 POLICY: a count above every limit is clamped, not refused."""
    scim.read("/Users?count=2147483648")


@check("RFC 7644 §3.4.2.4", "filter")
def start_is_echoed(scim: Scim) -> None:
    """LST-15 POLICY: startIndex is echoed as it was asked for, beyond the end too."""
    for start in (1, 3, 50):
        equal(page(scim, startIndex=start, count=2).get("startIndex"), start, "startIndex")


@check("RFC 7644 §3.4.2", "filter")
def empty_lists_have_resources(scim: Scim) -> None:
    """LST-16 POLICY: a list that is empty has Resources all the same, as several clients rely on it."""
    condition = f'userName eq "{scim.mail()}"'
    found = scim.read(f"/Users{query(filter=condition)}")
    equal((found.get("Resources"), found.get("totalResults")), ([], 0), "Resources and totalResults")


@check("RFC 7644 §3.4.2")
def lists_keep_to_their_endpoint(scim: Scim) -> None:
    """LST-17 MUST: a list of users holds users only."""
    scim.user()
    for one in scim.read("/Users?count=20").get("Resources") or []:
        expect(USER in one.get("schemas", []), f"schemas is {one.get('schemas')!r}")


@check("RFC 7644 §3.4.2", "groups")
def groups_are_listed(scim: Scim) -> None:
    """LST-18 MUST: GET /Groups lists groups."""
    scim.group()
    found = scim.read("/Groups?count=20")
    expect(found.get("Resources"), "no group is listed")
    for one in found["Resources"]:
        expect(GROUP in one.get("schemas", []), f"schemas is {one.get('schemas')!r}")


@check("RFC 7644 §3.4.2.4", "filter")
def the_last_page_is_short(scim: Scim) -> None:
    """LST-19 MUST: the last page holds what is left, and itemsPerPage says how many that is."""
    found = page(scim, startIndex=SIZE, count=3)
    equal((len(ids(found)), found.get("itemsPerPage")), (1, 1), "the resources and itemsPerPage")
