"""The account's rules in bulk requests: each operation is judged on the account as the one before has left it (R33)."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
from webtest import TestApp

from tests.web.bulk import delete, id_in, new_group, new_user, patch, put, sent, statuses
from tests.web.conftest import BULK_REQUEST, EXT, GEXT, Api, op
from tests.web.test_concurrency import at_once


def test_last_administrator_stays(api: Api) -> None:
    """R21, R33: per operation, in order; two may change places."""
    first = api.user("first", ext={"role": "administrator"})["id"]
    second = api.user("second")["id"]
    demote = op("replace", f"{EXT}:role", "standard")
    results = sent(
        api,
        patch(f"/Users/{first}", demote),
        delete(f"/Users/{first}"),
        patch(f"/Users/{second}", op("replace", f"{EXT}:role", "administrator")),
        patch(f"/Users/{first}", demote),
        patch(f"/Users/{second}", op("replace", "active", False)),
    )
    assert [int(one["status"]) for one in results] == [409, 409, 200, 200, 409]
    assert "only active administrator" in results[4]["response"]["detail"]
    assert [entry.error for entry in api.refusals()] == ["E18", "E18", "E18"]


def test_last_seat_is_given_once_and_again_when_it_is_free(new_account: Callable[..., Api]) -> None:
    """R5, R6, R33."""
    api = new_account(licences=1)
    results = sent(
        api,
        new_user(api, "a", **{EXT: {"licenseType": "pro"}}),
        new_user(api, "b", **{EXT: {"licenseType": "pro"}}),
        delete("/Users/bulkId:a"),
        new_user(api, "c", **{EXT: {"licenseType": "pro"}}),
    )
    assert [int(one["status"]) for one in results] == [201, 409, 204, 201]
    assert results[1]["response"]["detail"].startswith("No 'pro' licence is available: 1 of 1 are assigned.")
    assert api.pool("pro").assigned == 1


def test_group_gives_its_licence_to_members_of_the_same_request(new_account: Callable[..., Api]) -> None:
    """R27, R33: in the order of the members while seats last."""
    api = new_account(licences=2)
    results = sent(
        api,
        new_group("Sales", "bulkId:a", "bulkId:b", "bulkId:c", **{GEXT: {"licenseType": "pro"}}),
        *(new_user(api, name) for name in "abc"),
        patch("/Groups/bulkId:Sales", op("remove", 'members[value eq "bulkId:a"]')),
    )
    assert [int(one["status"]) for one in results] == [201, 201, 201, 201, 200]
    held = [api.get(one["location"])[EXT].get("licenseType") for one in results[1:4]]
    assert held == [None, "pro", "pro"]
    group = api.get(results[0]["location"])[GEXT]
    assert (group["licensedMemberCount"], group["pendingMemberCount"]) == (2, 0)


def test_unapproved_domain_is_refused_and_its_neighbours_are_not(api: Api) -> None:
    """R2, R33: earlier successes stand, later operations are tried."""
    bad = new_user(api, "b")
    bad["data"]["userName"] = "b@home.example"
    assert statuses(api, new_user(api, "a"), bad, new_user(api, "c")) == [201, 400, 201]
    assert [one["userName"] for one in api.get("/Users")["Resources"]] == [api.mail("a"), api.mail("c")]


def test_refusals_are_in_the_journal_as_those_of_single_requests(api: Api) -> None:
    """R29, R33: rule, error, status, target; every entry has the id of the one request."""
    user = api.user("ava", ext={"role": "administrator"})
    path = f"/Users/{user['id']}"
    bad = new_user(api, "b")
    bad["data"]["userName"] = "b@home.example"
    sent(
        api,
        bad,
        new_user(api, "c"),
        delete(path),
        patch(path, op("replace", "id", "x")),
        put("/Groups/none", {"displayName": "N"}),
        delete("/Users/bulkId:b"),
    )
    told = [
        (one.rule, one.error, one.status, one.target_type, one.target_id, one.target_name, *orjson.loads(one.changes))
        for one in api.refusals()
    ]
    assert told == [
        ("R2", "E2", 400, "User", None, "b@home.example", {"method": "POST", "path": "/scim/v2/Users"}),
        ("R21", "E18", 409, "User", user["id"], user["userName"], {"method": "DELETE", "path": f"/scim/v2{path}"}),
        (None, "E22", 400, "User", user["id"], None, {"method": "PATCH", "path": f"/scim/v2{path}"}),
        (None, None, 404, "Group", "none", "N", {"method": "PUT", "path": "/scim/v2/Groups/none"}),
        (None, None, 409, "User", "bulkId:b", None, {"method": "DELETE", "path": "/scim/v2/Users/bulkId:b"}),
    ]
    of_bulk = [one for one in api.journal() if one.request_id == api.response.headers["X-Request-Id"]]
    assert [one.action for one in of_bulk] == ["request.refused", "user.created", *["request.refused"] * 4]


def test_refusal_of_the_whole_request_is_in_the_journal(api: Api) -> None:
    """R29."""
    api.refuse("POST", "/Bulk", {"schemas": [BULK_REQUEST]}, kind="invalidSyntax")
    (entry,) = api.refusals()
    assert (entry.status, entry.error, entry.target_type) == (400, "invalidSyntax", None)
    assert orjson.loads(entry.changes) == [{"method": "POST", "path": "/scim/v2/Bulk"}]


def test_parallel_bulk_requests_with_the_same_names_have_one_winner_each(api: Api) -> None:
    """CON-10: and every group has the users of the request that created it."""
    names = [f"u{n}" for n in range(6)]

    def request(order: list[str]) -> Callable[[], int]:
        body = {"schemas": [BULK_REQUEST], "Operations": [new_user(api, one) for one in order]}
        body["Operations"].append(new_group("G" + "".join(order), *(f"bulkId:{one}" for one in order[:1])))

        def call() -> int:
            response = TestApp(api.app, lint=False).post(
                "/scim/v2/Bulk",
                orjson.dumps(body),
                headers={"Authorization": f"Bearer {api.token}", "Content-Type": "application/scim+json"},
                expect_errors=True,
            )
            results.extend(response.json["Operations"])
            return response.status_int

        return call

    results: list[Any] = []
    assert at_once(*(request(names[n:] + names[:n]) for n in range(6))) == {200: 6}
    users = [one for one in results if not one["bulkId"].startswith("G")]
    assert Counter(one["status"] for one in users) == {"201": 6, "409": 30}
    assert sorted(one["bulkId"] for one in users if one["status"] == "201") == names
    assert {one["userName"] for one in api.get("/Users")["Resources"]} == {api.mail(one) for one in names}
    assert {one["status"] for one in results} == {"201", "409"}


def test_parallel_bulk_requests_never_give_more_seats_than_there_are(new_account: Callable[..., Api]) -> None:
    """CON-10, P6."""
    api = new_account(licences=3)

    def request(number: int) -> Callable[[], int]:
        users = [new_user(api, f"u{number}-{n}", **{EXT: {"licenseType": "pro"}}) for n in range(3)]
        body = orjson.dumps({"schemas": [BULK_REQUEST], "Operations": users})
        headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/scim+json"}
        return lambda: TestApp(api.app, lint=False).post("/scim/v2/Bulk", body, headers=headers).status_int

    assert at_once(*(request(n) for n in range(4))) == {200: 4}
    assert api.get("/Users")["totalResults"] == 3
    assert (api.pool("pro").assigned, api.pool("pro").total) == (3, 3)


def test_created_resources_are_those_of_the_locations(api: Api) -> None:
    results = sent(api, new_user(api, "a"), new_group("G", "bulkId:a"))
    assert api.get(f"/Users/{id_in(results[0])}")["groups"][0]["value"] == id_in(results[1])
