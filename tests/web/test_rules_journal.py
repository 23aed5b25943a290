"""What the journal tells of a write and of its refusal (R29), and how many log entries a user has (R28)."""

from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from scim_server.store import journal

from .conftest import EXT, USER, Api, op

LOGS = f"{EXT}:logEntryCount"
ACTIVITY = f"{EXT}:lastActivityAt"


def entries_of(api: Api, user: str) -> list[Any]:
    """What an administrator finds who searches the journal by a userName or an id."""
    with api.database.reading(api.account_id):
        return journal.read(api.account_id, user)


def changes(entry: Any) -> list[Any]:
    told: list[Any] = orjson.loads(entry.changes)
    return told


def test_r29_success_names_actor_target_request_and_changes(api: Api) -> None:
    ava = api.user("ava", phoneNumbers=[{"type": "mobile", "value": "514 555 0100"}])
    after = api.patch(f"/Users/{ava['id']}", op("replace", "title", "Boss"), op("replace", "active", False))
    assert after["title"] == "Boss"
    entry = next(one for one in api.journal() if one.action == "user.updated")
    assert (entry.outcome, entry.actor_type, entry.actor) == ("success", "scimToken", "idp-default")
    assert (entry.target_type, entry.target_id, entry.target_name) == ("User", ava["id"], ava["userName"])
    assert entry.request_id == api.response.headers["X-Request-Id"]
    assert {"attribute": "active", "from": True, "to": False} in changes(entry)
    assert {"attribute": "title"} in changes(entry)
    assert "Boss" not in entry.changes


def test_r29_no_number_no_token_no_password(api: Api) -> None:
    phone = [{"type": "mobile", "value": "+15145550123"}]
    ava = api.user("ava", phoneNumbers=phone, password="t0p-secret")
    path = f"/Users/{ava['id']}"
    api.patch(path, op("replace", "phoneNumbers", [{"type": "mobile", "value": "+15145550199"}]))
    api.patch(path, op("replace", f"{EXT}:twoFactorEnabled", True))
    api.refuse_patch(path, op("remove", "phoneNumbers"), kind="invalidValue")
    api.refuse_patch(path, op("add", "phoneNumbers", [{"value": 15145550177}]), kind="invalidValue")
    api.refuse_patch(path, op("add", "phoneNumbers[value eq '+15145550166']", {}), kind="invalidPath")
    api.get("/Users?filter=phoneNumbers.value+eq+15145550155", status=400)
    api.refuse_patch(path, op("add", "password", 455501555), kind="invalidValue")
    everything = " ".join(str(value) for entry in api.journal() for value in entry)
    for secret in ("5145550", "455501555", "t0p-secret", str(api.token)):
        assert secret not in everything


def test_r29_refused_creation_is_found_by_the_name(api: Api) -> None:
    body = {"schemas": [USER], "UserName": api.mail("Ava"), EXT: {"licenseType": "gold"}}
    detail = api.refuse("POST", "/Users", body, kind="invalidValue")
    (entry,) = entries_of(api, api.mail("ava"))
    assert (entry.action, entry.outcome, entry.status) == ("request.refused", "refused", 400)
    assert (entry.rule, entry.error, entry.detail, entry.target_id) == ("R5", "E4", detail, None)
    assert changes(entry) == [{"method": "POST", "path": "/scim/v2/Users"}]
    assert entry.request_id == api.response.headers["X-Request-Id"]


def test_r29_refused_patch_is_found_by_name_and_id(api: Api) -> None:
    ava = api.user("ava")
    api.refuse_patch(f"/Users/{ava['id']}", op("replace", f"{EXT}:role", "x"), kind="invalidValue")
    for user in (ava["id"], ava["userName"], ava["userName"].upper()):
        assert [entry.action for entry in entries_of(api, user)] == ["user.created", "request.refused"]


def test_r29_rename_is_found_under_both_names(api: Api) -> None:
    ava = api.user("ava")
    api.patch(f"/Users/{ava['id']}", op("replace", "userName", api.mail("chen")))
    assert [entry.action for entry in entries_of(api, api.mail("chen"))] == [
        "user.created", "user.updated", "user.renamed",
    ]  # fmt: skip
    assert [entry.action for entry in entries_of(api, ava["userName"])] == ["user.created"]


def test_r29_receiver_of_a_transfer_is_found(api: Api) -> None:
    ava, bob = api.user("ava", ext={"licenseType": "pro"}), api.user("bob")
    api.patch(f"/Users/{ava['id']}", op("replace", f"{EXT}:licenseTransferTo", bob["id"]))
    received = entries_of(api, bob["userName"])[-1]
    assert (received.action, received.target_id) == ("license.received", bob["id"])
    assert changes(received) == [{"attribute": "licenseType", "to": "pro"}, {"attribute": "user", "from": ava["id"]}]
    (told,) = [entry for entry in api.journal() if entry.action == "license.transferred"]
    assert changes(told) == [
        {"attribute": "licenseType", "to": "pro"},
        {"attribute": "user", "from": ava["id"], "to": bob["id"]},
    ]


def test_r29_protocol_refusals_are_recorded_too(api: Api) -> None:
    ava = api.user("ava")
    api.refuse_patch(f"/Users/{ava['id']}", op("replace", "id", "x"), kind="mutability")
    api.refuse("PUT", f"/Users/{ava['id']}", b"{", kind="invalidSyntax")
    api.refuse("DELETE", "/Users/nobody", status=404)
    api.refuse("POST", "/Users/.search", {"schemas": []}, kind="invalidSyntax")
    assert [(entry.status, entry.error, entry.target_id) for entry in api.refusals()] == [
        (400, "E22", ava["id"]),
        (400, "invalidSyntax", ava["id"]),
        (404, "E23", "nobody"),
        (400, "invalidSyntax", None),
    ]


def test_r29_ignored_attributes_are_named(api: Api) -> None:
    ava = api.user("ava", adreses=[{"formatted": "1 Main"}], ext={"licenceType": "pro"})
    told = changes(api.journal()[0])
    assert {"attribute": "adreses", "ignored": True} in told
    assert {"attribute": f"{EXT}:licenceType", "ignored": True} in told
    assert ava[EXT]["licenseStatus"] == "none"


def test_r29_a_write_and_its_entry_stand_together(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the journal cannot be written, nothing is."""

    def fail(*_: Any) -> None:
        raise sa.exc.IntegrityError("journal", None, Exception("full"))

    ava = api.user("ava", ext={"licenseType": "eco"})
    monkeypatch.setattr(journal, "write", fail)
    api.call("PATCH", f"/Users/{ava['id']}", {"Operations": [op("replace", f"{EXT}:licenseType", "pro")]}, status=500)
    api.call("DELETE", f"/Users/{ava['id']}", status=500)
    monkeypatch.undo()
    assert api.get(f"/Users/{ava['id']}") == ava
    assert (api.pool("eco").assigned, api.pool("pro").assigned) == (1, 0)


# Log counts (R28)


def test_r28_log_count_is_served_on_request(api: Api) -> None:
    ava, bob = api.user("ava"), api.user("bob")
    api.write_log(ava["id"], 3)
    path = f"/Users/{ava['id']}"
    assert {"logEntryCount", "lastActivityAt"}.isdisjoint(api.get(path)[EXT])
    shown = api.get(f"{path}?attributes={LOGS},{ACTIVITY}")
    assert shown == {
        "schemas": [USER, EXT],
        "id": ava["id"],
        EXT: {"logEntryCount": 3, "lastActivityAt": "1970-01-01T00:00:03.000000Z"},
    }
    assert api.get(f"/Users/{bob['id']}?attributes={LOGS},{ACTIVITY}")[EXT] == {"logEntryCount": 0}
    assert api.get(f"{path}?attributes=userName,{LOGS.lower()}")[EXT] == {"logEntryCount": 3}
    assert "logEntryCount" not in api.get(f"{path}?excludedAttributes=title")[EXT]


def test_r28_log_count_in_lists_searches_and_after_writes(api: Api) -> None:
    ids = [api.user(name)["id"] for name in ("ava", "bob", "cleo")]
    for number, identifier in enumerate(ids):
        api.write_log(identifier, number)
    page = api.get(f"/Users?attributes={LOGS}")
    assert [one[EXT]["logEntryCount"] for one in page["Resources"]] == [0, 1, 2]
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "attributes": [LOGS]}
    found = api.post("/Users/.search", search, status=200)
    assert [one[EXT]["logEntryCount"] for one in found["Resources"]] == [0, 1, 2]
    after = api.patch(f"/Users/{ids[2]}?attributes={LOGS}", op("replace", "title", "x"))
    assert after[EXT] == {"logEntryCount": 2}


def test_r28_log_count_costs_one_statement_and_only_when_asked_for(api: Api) -> None:
    for name in ("ava", "bob"):
        api.user(name)
    with counted(api) as plain:
        api.get("/Users?attributes=userName")
    with counted(api) as asked:
        api.get(f"/Users?attributes=userName,{LOGS},{ACTIVITY}")
    assert not [one for one in plain if "user_log" in one]
    assert len([one for one in asked if "user_log" in one]) == 1


class counted:
    """The statements that SQLAlchemy runs in the block."""

    def __init__(self, api: Api) -> None:
        self.engine, self.statements = api.database.engine, []

    def __enter__(self) -> list[str]:
        sa.event.listen(self.engine, "before_cursor_execute", self._note)
        return self.statements

    def __exit__(self, *_: Any) -> None:
        sa.event.remove(self.engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.statements.append(statement)


@pytest.mark.parametrize("name", ["logEntryCount", "lastActivityAt"])
def test_r28_log_counts_cannot_be_written(api: Api, name: str) -> None:
    ava = api.user("ava", ext={name: "2026-01-01T00:00:00Z" if name == "lastActivityAt" else 7})
    assert name not in ava[EXT]
    api.refuse_patch(f"/Users/{ava['id']}", op("replace", f"{EXT}:{name}", 7), kind="mutability")


def test_r29_refused_change_of_members_is_found_by_each_of_them(api: Api) -> None:
    """Those added and those removed by a path; a value that an operation gives to something else names nobody."""
    ava, bob, eve = (api.user(name) for name in ("ava", "bob", "eve"))
    path = f"/Groups/{api.group('Sales', bob['id'])['id']}"
    added, removed = op("add", "members", [{"value": ava["id"]}]), op("remove", f'members[value eq "{bob["id"]}"]')
    api.refuse_patch(path, added, removed, op("replace", "displayName", 7), kind="invalidValue")
    api.refuse_patch(
        path, op("replace", "displayName", eve["id"]), op("replace", "displayName", 7), kind="invalidValue"
    )
    for user, refusals in ((ava, 1), (bob, 1), (eve, 0)):
        found = [one for one in entries_of(api, user["userName"]) if one.outcome == "refused"]
        assert [(one.target_type, one.status) for one in found] == [("Group", 400)] * refusals, user["userName"]
