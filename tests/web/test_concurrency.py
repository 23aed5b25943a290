"""Real threads on a real database: nothing lost, nothing over-assigned, one winner (P6)."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import Any

import orjson
import sqlalchemy as sa
from webtest import TestApp

from scim_server.store.database import execute
from scim_server.store.tables import membership
from tests.web.conftest import EXT, PATCH_OP, Api, op


def send(api: Api, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> int:
    """Send one request and return its status."""
    response = TestApp(api.app, lint=False).request(
        f"/scim/v2{path}",
        method=method,
        headers={
            "Authorization": f"Bearer {api.token}",
            "Content-Type": "application/scim+json",
            **(headers or {}),
        },
        body=orjson.dumps(body) if body is not None else b"",
        expect_errors=True,
    )
    assert response.status_int < 500, response.text
    return response.status_int


def at_once(*calls: Callable[[], int]) -> Counter[int]:
    """Run calls in threads that start together; returns how often each status came."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], int]) -> int:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return Counter(threads.map(run, calls))


def patch(api: Api, path: str, *operations: dict[str, Any], **headers: str) -> Callable[[], int]:
    return lambda: send(api, "PATCH", path, {"schemas": [PATCH_OP], "Operations": operations}, headers)


def create(api: Api, name: str, **extension: Any) -> Callable[[], int]:
    return lambda: send(api, "POST", "/Users", {"userName": api.mail(name), EXT: extension})


def test_last_seat_goes_to_one_of_two(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1)
    for _ in range(3):
        statuses = at_once(*(create(api, f"u{number}", licenseType="pro") for number in range(8)))
        assert statuses == {201: 1, 409: 7}
        assert (api.pool("pro").assigned, api.pool("pro").total) == (1, 1)
        assert api.get("/Users")["totalResults"] == 1
        api.delete(f"/Users/{api.get('/Users')['Resources'][0]['id']}")
        assert api.pool("pro").assigned == 0


def test_seats_hold_while_users_change_type_both_ways(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=4)
    ids = [api.user(f"u{n}", ext={"licenseType": "pro" if n % 2 else "eco"})["id"] for n in range(8)]
    for _ in range(2):
        at_once(
            *(
                patch(api, f"/Users/{one}", op("replace", f"{EXT}:licenseType", kind))
                for one in ids[:4]
                for kind in ("pro", "eco")
            )
        )
    held = Counter(one[EXT]["licenseType"] for one in api.get("/Users")["Resources"])
    assert {kind: api.pool(kind).assigned for kind in ("eco", "pro")} == dict(held)


def test_one_of_two_administrators_stays(new_account: Callable[..., Api]) -> None:
    for _ in range(3):
        api = new_account()
        ids = [api.user(f"admin{n}", ext={"role": "administrator"})["id"] for n in range(2)]
        statuses = at_once(*(patch(api, f"/Users/{one}", op("replace", f"{EXT}:role", "standard")) for one in ids))
        assert statuses == {200: 1, 409: 1}
        assert sorted(api.get(f"/Users/{one}")[EXT]["role"] for one in ids) == ["administrator", "standard"]


def test_deactivation_and_deletion_of_the_last_two_administrators_leave_one(api: Api) -> None:
    ids = [api.user(f"admin{n}", ext={"role": "administrator"})["id"] for n in range(2)]
    statuses = at_once(
        patch(api, f"/Users/{ids[0]}", op("replace", "active", False)),
        lambda: send(api, "DELETE", f"/Users/{ids[1]}"),
    )
    assert statuses[409] == 1
    working = [one for one in api.get("/Users")["Resources"] if one["active"] and one[EXT]["role"] == "administrator"]
    assert len(working) == 1


def test_one_user_name_is_created_once(api: Api) -> None:
    """CON-01, CON-02."""
    names = ["ava"] * 10 + ["AVA", "Ava", "aVa", "avA", "aVA"] * 2
    statuses = at_once(*(create(api, name) for name in names))
    assert statuses == {201: 1, 409: 19}
    assert api.get("/Users")["totalResults"] == 1


def test_parallel_member_adds_lose_nobody(api: Api) -> None:
    """CON-04."""
    ids = [api.user(f"u{n}")["id"] for n in range(24)]
    group = api.group("Sales")["id"]
    calls = [patch(api, f"/Groups/{group}", op("add", "members", [{"value": one}])) for one in ids]
    assert at_once(*calls) == {200: 24}
    found = api.get(f"/Groups/{group}")
    assert {one["value"] for one in found["members"]} == set(ids)
    assert found["urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:Group"]["memberCount"] == 24


def test_parallel_adds_and_removes_end_in_the_right_set(api: Api) -> None:
    """CON-05."""
    ids = [api.user(f"u{n}")["id"] for n in range(12)]
    group = api.group("Sales", *ids[:6])["id"]
    calls = [patch(api, f"/Groups/{group}", op("remove", f'members[value eq "{one}"]')) for one in ids[:6]]
    calls += [patch(api, f"/Groups/{group}", op("add", "members", [{"value": one}])) for one in ids[6:]]
    assert at_once(*calls) == {200: 12}
    assert {one["value"] for one in api.get(f"/Groups/{group}")["members"]} == set(ids[6:])


def test_parallel_patches_of_different_attributes_lose_no_update(api: Api) -> None:
    """CON-06."""
    identifier = api.user()["id"]
    names = ["title", "nickName", "displayName", "userType", "locale", "preferredLanguage", "name.givenName"]
    assert at_once(*(patch(api, f"/Users/{identifier}", op("replace", name, "x")) for name in names)) == {200: 7}
    found = api.get(f"/Users/{identifier}")
    assert [found.get(name) for name in names[:-1]] == ["x"] * 6
    assert found["name"] == {"givenName": "x"}
    assert found["meta"]["version"] == 'W/"8"'


def test_one_of_many_writers_with_the_same_tag_wins(api: Api) -> None:
    """CON-03."""
    identifier = api.user()["id"]
    calls = [
        patch(api, f"/Users/{identifier}", op("replace", "title", f"{n}"), **{"If-Match": 'W/"1"'}) for n in range(6)
    ]
    assert at_once(*calls) == {200: 1, 412: 5}


def test_a_user_is_deleted_once(api: Api) -> None:
    """CON-07."""
    identifier = api.user(ext={"licenseType": "pro"})["id"]
    statuses = at_once(*(lambda: send(api, "DELETE", f"/Users/{identifier}") for _ in range(10)))
    assert statuses == {204: 1, 404: 9}
    assert api.pool("pro").assigned == 0


def test_deleting_members_while_the_group_is_patched_leaves_no_ghost(api: Api) -> None:
    """CON-09."""
    ids = [api.user(f"u{n}")["id"] for n in range(10)]
    group = api.group("Sales")["id"]
    calls = [patch(api, f"/Groups/{group}", op("add", "members", [{"value": one}])) for one in ids]
    calls += [lambda one=one: send(api, "DELETE", f"/Users/{one}") for one in ids]
    statuses = at_once(*calls)
    assert statuses[204] == 10
    found = api.get(f"/Groups/{group}")
    assert found["members"] == []
    assert found["urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:Group"]["memberCount"] == 0
    with api.database.reading(api.account_id):
        rows = execute(sa.select(membership).where(membership.c.account_id == api.account_id)).all()
    assert rows == []


def test_a_deleted_user_is_not_brought_back_by_a_racing_write(api: Api) -> None:
    """CON-08."""
    for number in range(3):
        identifier = api.user(f"u{number}")["id"]
        body = {"userName": api.mail(f"u{number}"), "title": "late"}
        at_once(
            lambda: send(api, "DELETE", f"/Users/{identifier}"),  # noqa: B023 - run within the iteration
            patch(api, f"/Users/{identifier}", op("replace", "title", "late")),
            lambda: send(api, "PUT", f"/Users/{identifier}", body),  # noqa: B023  run in the same turn
            lambda: send(api, "GET", f"/Users/{identifier}"),  # noqa: B023  run in the same turn
        )
        api.get(f"/Users/{identifier}", status=404)


def test_what_was_written_is_read_at_once(api: Api) -> None:
    """CON-12: by its id and by a filter, twenty times by each of five clients."""

    def write_and_read(client: int) -> int:
        missed = 0
        for number in range(20):
            name = api.mail(f"c{client}-{number}")
            created = replace(api).post("/Users", {"userName": name})
            assert replace(api).get(f"/Users/{created['id']}") == created
            missed += replace(api).find(f'userName eq "{name}"') != [created]
        return missed

    assert at_once(*(lambda client=client: write_and_read(client) for client in range(5))) == {0: 5}


def test_pages_walked_while_others_are_created_show_the_untouched(api: Api) -> None:
    """CON-11: everyone who was there is seen, and nobody twice on one page."""
    before = [api.user(f"old{number}")["id"] for number in range(30)]
    stop = Event()

    def churn() -> int:
        number = 0
        while not stop.is_set() and number < 200:
            send(api, "POST", "/Users", {"userName": api.mail(f"new{number}")})
            number += 1
        return number

    def walk() -> int:
        pages = []
        try:
            for start in range(1, 31, 5):
                page = replace(api).get(f"/Users?startIndex={start}&count=5")["Resources"]
                pages.append([one["id"] for one in page])
        finally:
            stop.set()
        assert all(len(set(page)) == len(page) for page in pages)
        assert [one for page in pages for one in page] == before
        return 0

    assert at_once(churn, walk)[0] >= 1


def test_freed_seat_goes_to_one_pending_user_however_many_seats_are_moved(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=2, licenseShortage__direct="pend")
    holders = [api.user(f"holder{n}", ext={"licenseType": "pro"})["id"] for n in range(2)]
    waiting = [api.user(f"waiting{n}", ext={"licenseType": "pro"})["id"] for n in range(4)]
    assert at_once(*(lambda one=one: send(api, "DELETE", f"/Users/{one}") for one in holders)) == {204: 2}
    statuses = [api.get(f"/Users/{one}")[EXT]["licenseStatus"] for one in waiting]
    assert statuses == ["assigned", "assigned", "pending", "pending"]
    assert api.pool("pro").assigned == 2


def test_deletions_beside_removals_from_the_same_groups_count_each_member_once(new_account: Callable[..., Api]) -> None:
    api = new_account()
    for attempt in range(3):
        ids = [api.user(f"u{attempt}-{n}")["id"] for n in range(8)]
        groups = [api.group(f"G{attempt}-{n}", *ids)["id"] for n in range(3)]
        calls = [lambda one=one: send(api, "DELETE", f"/Users/{one}") for one in ids[:6]]
        calls += [
            patch(api, f"/Groups/{group}", op("remove", "members", [{"value": one} for one in ids[:6]]))
            for group in groups
        ]
        at_once(*calls)
        for group in groups:
            shown = api.get(f"/Groups/{group}")
            assert {one["value"] for one in shown["members"]} == set(ids[6:])
            assert shown["urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:Group"]["memberCount"] == 2
