"""What an account writes links, finds and frees nothing of another's: protocol.md 4.23."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.extra_types import DEVICE
from tests.web import bulk
from tests.web.conftest import BULK_REQUEST, ENTERPRISE, EXT, GEXT, GROUP, SEARCH, USER, op
from tests.web.isolation import World, isolated, nothing, patching, settle, untouched

OWN_USER, OWN_GROUP = "/Users/{own_user}", "/Groups/{own_group}"
REF = "http://localhost/scim/v2/Users/{user}"
TO = f"{EXT}:licenseTransferTo"


def user(**attributes: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": "new@{own_domain}", **attributes}


def group(*members: Any, **attributes: Any) -> dict[str, Any]:
    return {"schemas": [GROUP], "displayName": "New", "members": list(members), **attributes}


def manager(**value: Any) -> dict[str, Any]:
    return {ENTERPRISE: {"manager": value}}


OURS = {"value": "{own_user}"}
MEMBERS: Mapping[str, Any] = {
    "by value": {"value": "{user}"},
    "by value in capitals": {"value": "{USER}"},
    "by value and address": {"value": "{user}", "$ref": REF},
    "by address": {"$ref": REF},
    "by relative address": {"$ref": "../Users/{user}"},
    "with a type": {"value": "{user}", "type": "User"},
    "with a name": {"value": "{user}", "display": "{userName}"},
    "by name": {"value": "{userName}"},
    "by external id": {"value": "{externalId}"},
    "a group": {"value": "{group}", "type": "Group"},
    "a device": {"value": "{device}"},
    "who is not active": {"value": "{resting}"},
}
"""How a member is named."""

WRITES: Mapping[str, tuple[str, str, Any, int]] = {
    "replace members, ours among them": (
        "PATCH", OWN_GROUP, patching(op("replace", "members", [{"value": "{user}"}, OURS])), 200,
    ),
    "ours with an address of theirs": ("POST", "/Groups", group(OURS | {"$ref": REF}, displayName="Ours"), 201),
    "remove a member by a filter": ("PATCH", OWN_GROUP, patching(op("remove", 'members[value eq "{user}"]')), 200),
    "remove a member by a value": ("PATCH", OWN_GROUP, patching(op("remove", "members", [{"value": "{user}"}])), 200),
    "remove by a display": ("PATCH", OWN_GROUP, patching(op("remove", 'members[display eq "{userName}"]')), 400),
    "replace in a member": (
        "PATCH", OWN_GROUP, patching(op("replace", 'members[value eq "{user}"].value', "{own_user}")), 400,
    ),
    "rename as theirs": ("PATCH", OWN_GROUP, patching(op("replace", "displayName", "{name}")), 200),
    "rename back": ("PATCH", OWN_GROUP, patching(op("replace", "displayName", "Own {own_name}")), 200),
    "a group named as theirs": ("POST", "/Groups", group(displayName="{name}", externalId="{externalId}"), 201),
    "a group in their group": ("POST", "/Groups", group(displayName="In", groups=[{"value": "{group}"}]), 201),
    "a mailbox of theirs": (
        "POST", "/Groups", group(schemas=[GROUP, GEXT], **{GEXT: {"kind": "mailboxGroup", "sharedMailbox": "{user}"}}), 400,
    ),
    "a manager": ("POST", "/Users", user(userName="m1@{own_domain}", **manager(value="{user}")), 201),
    "a manager by address": ("POST", "/Users", user(userName="m2@{own_domain}", **manager(**{"$ref": REF})), 201),
    "a manager with an address": (
        "POST", "/Users", user(userName="m3@{own_domain}", **manager(value="{user}", **{"$ref": REF})), 201,
    ),
    "patch a manager": ("PATCH", OWN_USER, patching(op("add", f"{ENTERPRISE}:manager", {"value": "{user}"})), 200),
    "patch a manager's value": ("PATCH", OWN_USER, patching(op("replace", f"{ENTERPRISE}:manager.value", "{user}")), 200),
    "put a manager": ("PUT", OWN_USER, user(userName="eve@{own_domain}", **manager(value="{user}")), 200),
    "transfer a licence": ("PATCH", OWN_USER, patching(op("add", TO, "{user}")), 400),
    "transfer a licence by name": ("PATCH", OWN_USER, patching(op("add", TO, "{userName}")), 400),
    "transfer a licence to one who rests": ("PATCH", OWN_USER, patching(op("replace", None, {EXT: {"licenseTransferTo": "{resting}"}})), 400),
    "a user of their name": ("POST", "/Users", user(userName="{userName}"), 400),
    "a user of their domain": ("POST", "/Users", user(userName="new@{domain}"), 400),
    "rename to their name": ("PATCH", OWN_USER, patching(op("replace", "userName", "{userName}")), 400),
    "an address of theirs": (
        "PATCH", OWN_USER, patching(op("add", "emails", [{"value": "{userName}", "type": "work", "primary": True}])), 400,
    ),
    "a private address of theirs": (
        "PATCH", OWN_USER, patching(op("add", "emails", [{"value": "home@{test}", "type": "home"}])), 200,
    ),
    "an external id of theirs": ("POST", "/Users", user(userName="x1@{own_domain}", externalId="{externalId}"), 201),
    "an id of theirs": ("POST", "/Users", user(userName="x2@{own_domain}", id="{user}", groups=[{"value": "{group}"}]), 201),
    "put with an id of theirs": ("PUT", OWN_USER, user(userName="eve@{own_domain}", id="{user}"), 200),
    "a device's serial number": ("POST", "/Devices", {"schemas": [DEVICE], "displayName": "D", "serialNumber": "{serial}", "slot": 77123}, 201),
    "a device's owner": ("PATCH", "/Devices/{own_device}", patching(op("add", "owner", REF)), 200),
    "search with an id": ("POST", "/.search", {"schemas": [SEARCH], "filter": 'id eq "{user}" or members.value eq "{user}"'}, 200),
    "search for members": ("POST", "/Groups/.search", {"schemas": [SEARCH], "filter": 'members[value eq "{user}"]'}, 200),
    "search for reports": (
        "POST", "/Users/.search", {"schemas": [SEARCH], "filter": f'{ENTERPRISE}:manager.value eq "{{resting}}"'}, 200,
    ),
}  # fmt: skip
"""What is sent, and the status of what comes of it whether the other thing is there or not."""

PAIRS: Mapping[str, Any] = {
    "on paths": [
        bulk.put("/Users/{user}", user()), bulk.patch("/Users/{user}", op("replace", "title", "x")),
        bulk.delete("/Users/{user}"), bulk.delete("/Users/{user}", version="{etag}"), bulk.put("/Groups/{group}", group()),
        bulk.patch("/Groups/{group}", op("add", "members", [{"value": "{own_user}"}])), bulk.delete("/Groups/{group}"),
        bulk.put("/Devices/{device}", {"schemas": [DEVICE], "displayName": "x"}), bulk.delete("/Devices/{device}"),
        bulk.delete("/Places/{place}"), bulk.delete("/EventRecords/{event}"), bulk.delete("/UserLogEntries/{log}"),
        {"method": "GET", "path": "/Users/{user}"}, bulk.delete("/Users/{userName}"), bulk.delete("/{account}/Users/{user}"),
    ],
    "in data": [
        bulk.post("/Groups", "g1", group({"value": "{user}"})), bulk.post("/Groups", "g2", group({"value": "bulkId:u1"})),
        bulk.post("/Users", "u1", user(userName="b1@{own_domain}", **manager(value="{user}"))),
        bulk.post("/Users", "u2", user(userName="b2@{own_domain}", **manager(value="bulkId:u1"))),
        bulk.patch(OWN_GROUP, op("add", "members", [{"value": "bulkId:u1"}, {"value": "{user}"}])),
        bulk.patch(OWN_USER, op("add", TO, "{user}")), bulk.post("/Users", "u3", user(userName="{userName}")),
    ],
    "as bulkIds": [
        bulk.post("/Users", "{user}", user(userName="b3@{own_domain}")),
        bulk.post("/Groups", "{group}", group({"value": "bulkId:{user}"}, displayName="B3")),
        bulk.post("/Groups", "g4", group({"value": "bulkId:{resting}"}, displayName="B4")),
        bulk.patch("/Groups/bulkId:{group}", op("add", "members", [{"value": "{user}"}])),
        bulk.delete("/Users/bulkId:{device}"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def world(database_url: str) -> Iterator[World]:
    with isolated(database_url) as made:
        settle(made)
        for life in (made.asker, made.twin):
            life.words |= {word.upper(): life.words[word].upper() for word in ("user", "userName", "domain")}
            life.others["third"] = life.api.token_for(profile="entra")
            life.words["test"] = life.words["domain"].replace("example", "test")
        yield made


@pytest.fixture(autouse=True)
def _untouched(world: World) -> Iterator[None]:
    with untouched(world):
        yield


@pytest.mark.parametrize("named", MEMBERS)
def test_thing_of_another_account_is_no_member(world: World, named: str) -> None:
    """MTN-05, MTN-10: whatever names it, in whatever request; as one that is not there, it is left out beside others."""
    member = MEMBERS[named]
    for status, method, path, body in (
        (400, "POST", "/Groups", group(member)),
        (201 if "value" in member else 400, "POST", "/Groups", group(OURS, member, displayName=f"With {named}")),
        (400, "PUT", OWN_GROUP, group(member, displayName="Own {own_name}")),
        (400, "PATCH", OWN_GROUP, patching(op("add", "members", [member]))),
        (400, "PATCH", OWN_GROUP, patching(op("add", None, {"members": [member]}))),
        (200 if "value" in member else 400, "PATCH", OWN_GROUP, patching(op("remove", "members", [member]))),
    ):
        answer = world.both(method, path, body)
        assert answer.status == status, (method, body, answer.body)
        if status < 300:
            assert [one["value"] for one in answer.json["members"]] == ["<own_user>"]


@pytest.mark.parametrize(("method", "path", "body", "status"), WRITES.values(), ids=WRITES)
def test_write_is_answered_as_if_there_were_no_other_account(
    world: World, method: str, path: str, body: Any, status: int
) -> None:
    """MTN-04, MTN-05, R2, E6: neither linked, found, nor in the way."""
    answer = world.both(method, path, body)
    assert answer.status == status, answer.body


@pytest.mark.parametrize("operations", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("failures", [None, 1, 3])
def test_bulk_operations_are_answered_as_if_there_were_no_other_account(
    world: World, operations: Any, failures: int | None
) -> None:
    """MTN-06, MTN-05: each for itself."""
    limit = {} if failures is None else {"failOnErrors": failures}
    answer = world.both("POST", "/Bulk", {"schemas": [BULK_REQUEST], "Operations": operations, **limit})
    assert answer.status == 200


ANY_DOMAIN = (
    ("userName", user(userName="{userName}")),
    ("userName in capitals", user(userName="{USERNAME}", externalId="{externalId}")),
    ("address", user(userName="y1@{domain}", emails=[{"value": "{userName}", "type": "work"}])),
    ("home address", user(userName="y2@{domain}", emails=[{"value": "home@{test}", "type": "home"}])),
)


@pytest.mark.parametrize("body", [body for _, body in ANY_DOMAIN], ids=[name for name, _ in ANY_DOMAIN])
def test_names_are_unique_within_an_account_alone(world: World, body: Any) -> None:
    """MTN-04: of accounts that take any domain, so that both may use the same userName; again it is a conflict."""
    with any_domain(world):
        created = world.both("POST", "/Users", body)
        assert created.status == 201, created.body
        assert world.both("POST", "/Users", body).status == 409
        assert world.both("DELETE", f"/Users/{created.json['id']}").status == 404  # a word, of no one
        for life in (world.asker, world.twin):
            name = life.say(body["userName"])
            (found,) = life.api.find(f'userName eq "{name}"')
            life.api.delete(f"/Users/{found['id']}")


@contextmanager
def any_domain(world: World) -> Iterator[None]:
    """Have both take any userName for the while of a block."""
    for life in (world.asker, world.twin):
        life.api.policy(domains__enforcement="off")
    yield
    for life in (world.asker, world.twin):
        life.api.policy(licenseShortage__direct="pend")


CURSORS = ("cursor", "second_cursor")
"""That of another account, and that of another connection of the same one."""


@pytest.mark.parametrize("cursor", CURSORS)
@pytest.mark.parametrize("path", ["/Users", "/Groups", "/Devices", "/EventRecords", "/UserLogEntries"])
def test_cursor_of_another_is_as_one_that_nobody_gave(world: World, cursor: str, path: str) -> None:
    """MTN-09, MTN-11, CUR-03: by whichever of our connections, with the query that it came of or another."""
    theirs = world.asker.others["second"].get("/Users?cursor=&count=1")["nextCursor"]
    world.asker.words["second_cursor"], world.twin.words["second_cursor"] = theirs, nothing("cursor", theirs)
    for by in ("", "third"):
        for query in ("", "&sortBy=id", "&filter=id+pr"):
            refused = world.both("GET", f"{path}?cursor={{{cursor}}}&count=1{query}", by=by)
            assert (refused.status, refused.json["scimType"]) == (400, "invalidCursor")
        body = {"schemas": [SEARCH], "cursor": f"{{{cursor}}}", "count": 1}
        assert world.both("POST", f"{path}/.search", body, by=by).status == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/Users/{user}", None, 403), ("GET", "/Groups/{group}", None, 403), ("DELETE", "/Users/{user}", None, 403),
        ("GET", "/Me?filter=id+eq+%22{user}%22", None, 200), ("GET", "/Me/{user}", None, 403),
        ("PATCH", "/Me", patching(op("add", f"{ENTERPRISE}:manager", {"value": "{user}"})), 200),
        ("PATCH", "/Me", patching(op("add", TO, "{user}")), 403), ("PATCH", "/Me", patching(op("add", "id", "{user}")), 400),
        ("PUT", "/Me", user(userName="{userName}"), 403), ("POST", "/Me", user(userName="{userName}"), 501),
        ("PATCH", "/Me", patching(op("replace", "emails", [{"value": "home@{test}", "type": "home"}])), 200),
        ("DELETE", "/Me", None, 403),
    ],
)  # fmt: skip
def test_user_of_another_account_is_nobody_to_a_user(
    world: World, method: str, path: str, body: Any, status: int
) -> None:
    """MTN-01, MTN-05, ME-01: by a token that stands for a user."""
    answer = world.both(method, path, body, by="user")
    assert answer.status == status, answer.body


LIFE: tuple[tuple[int, str, str, Any], ...] = (
    (201, "POST", "/Users", user(schemas=[USER, EXT], userName="lea@{own_domain}", password="P4ss-of-lea-1", **{EXT: {"licenseType": "eco"}})),
    (200, "PATCH", OWN_USER, patching(op("remove", f"{EXT}:licenseType"))),
    (200, "PATCH", "/Users/{lea}", patching(op("replace", None, {EXT: {"licenseTransferTo": "{own_user}"}}))),
    (200, "PATCH", "/Users/{lea}", patching(op("replace", f"{EXT}:licenseType", "pro"))),
    (200, "PATCH", "/Users/{lea}", patching(op("replace", f"{EXT}:role", "administrator"))),
    (200, "PATCH", OWN_USER, patching(op("replace", "active", False))),
    (200, "PATCH", OWN_USER, patching(op("replace", "active", True))),
    (200, "PATCH", OWN_USER, patching(op("replace", "userName", "evi@{own_domain}"))),
    (200, "PATCH", OWN_USER, patching(op("replace", "userName", "eve@{own_domain}"))),
    (200, "PATCH", OWN_GROUP, patching(op("add", "members", [{"value": "{lea}"}]))),
    (200, "PATCH", OWN_GROUP, patching(op("remove", "members"))),
    (200, "PATCH", OWN_GROUP, patching(op("replace", "displayName", "Sales"))),
    (200, "PATCH", OWN_GROUP, patching(op("replace", "members", [OURS, {"value": "{lea}"}]))),
    (200, "PATCH", OWN_GROUP, patching(op("replace", "displayName", "Own {own_name}"))),
    (200, "PATCH", OWN_GROUP, patching(op("replace", f"{GEXT}:licenseType", "pro"))),
    (201, "POST", "/Users", user(userName="nea@{own_domain}")),
    (200, "PATCH", OWN_GROUP, patching(op("add", "members", [{"value": "{nea}"}]))),
    (200, "PATCH", "/Users/{nea}", patching(op("replace", "active", False))),
    (200, "PATCH", "/Users/{nea}", patching(op("replace", "active", True))),
    (200, "PATCH", OWN_GROUP, patching(op("remove", 'members[value eq "{nea}"]'))),
    (200, "PATCH", OWN_GROUP, patching(op("add", "members", [{"value": "{nea}"}]))),
    (200, "PATCH", OWN_GROUP, patching(op("remove", f"{GEXT}:licenseType"))),
    (204, "DELETE", "/Users/{nea}", None),
    (200, "PUT", "/Devices/{own_device}", {"schemas": [DEVICE], "displayName": "D", "serialNumber": "{serial}2", "slot": 77123}),
    (201, "POST", "/Users", user(userName="old@{own_domain}")),
    (204, "DELETE", OWN_GROUP, None),
    (204, "DELETE", "/Devices/{own_device}", None),
    (204, "DELETE", OWN_USER, None),
)  # fmt: skip
"""What becomes of an account in an ordinary life, with the names of another's things in it."""


def test_ordinary_life_of_an_account_leaves_others_as_they_are(
    database_url: str, make_url: Callable[[str], str]
) -> None:
    """MTN-01, MTN-04, R6, R22: where names, licences, positions in a queue and journals are alike."""
    with isolated(make_url(database_url.partition(":")[0].partition("+")[0])) as world:
        settle(world)
        with untouched(world):
            for status, method, path, body in LIFE:
                answer = world.both(method, path, body)
                assert answer.status == status, (method, path, body, answer.body)
                if method == "POST":
                    for life in (world.asker, world.twin):
                        (made,) = life.api.find(life.say(f'userName eq "{body["userName"]}"'))
                        life.words[body["userName"][:3]] = made["id"]
