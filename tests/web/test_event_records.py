"""The provisioning journal over SCIM: rules.md 4.4, R29."""

from typing import Any
from urllib.parse import quote

import orjson
import pytest

from scim_server.store import journal
from scim_server.store.identifiers import now
from scim_server.store.journal import Actor, Entry
from tests.web.conftest import EXT, SEARCH, Api, op
from tests.web.test_read_only_resources import bare, values

SCHEMA = "urn:ietf:params:scim:schemas:secureexchanges:2.0:EventRecord"
SEARCHED = (
    "id", "occurredAt", "action", "outcome", "status", "rule", "error", "detail", "actor.type", "actor.value",
    "target.type", "target.value", "target.display", "logEntriesPurged", "requestId",
)  # fmt: skip
"""The attributes that can be filtered and sorted by."""


@pytest.fixture
def busy(api: Api) -> Api:
    """An account in which things were done, refused and destroyed."""
    api.user("keeper", ext={"role": "administrator"})
    ava = api.user("ava", title="Clerk", ext={"licenseType": "pro"})
    api.patch(f"/Users/{ava['id']}", op("replace", f"{EXT}:licenseType", "eco"), op("replace", "active", False))
    api.post("/Users", {"userName": "x@elsewhere.example"}, status=400)
    api.post("/Users", {"userName": api.mail("bob"), "favouriteColour": "red"})
    api.group("Sales", ava["id"])
    api.write_log(ava["id"], 3)
    api.policy(withdrawal__logPolicy="purge")
    api.patch(f"/Users/{ava['id']}", op("replace", f"{EXT}:licenseType", "none"))
    return api


def records(api: Api, query: str = "") -> list[Any]:
    return list(api.get(f"/EventRecords{query}")["Resources"])


def by_action(api: Api, action: str) -> Any:
    return next(one for one in records(api) if one["action"] == action)


def test_records_are_the_journal_oldest_first(busy: Api) -> None:
    told, written = records(busy), busy.journal()
    assert [one["id"] for one in told] == [entry.id for entry in written]
    assert len(told) > 8
    assert all(one["schemas"] == [SCHEMA] for one in told)
    assert {"user.created", "user.updated", "request.refused", "group.created", "logs.purged"} <= {
        one["action"] for one in told
    }


def test_a_change_tells_who_changed_what(busy: Api) -> None:
    (ava,) = busy.find(f'userName eq "{busy.mail("ava")}"')
    about = busy.find(f'target.value eq "{ava["id"]}"', "/EventRecords")
    created = next(one for one in about if one["action"] == "user.created")
    assert bare(created) == {
        "id": created["id"],
        "occurredAt": created["occurredAt"],
        "action": "user.created",
        "outcome": "success",
        "actor": {"type": "scimToken", "value": "idp-default"},
        "target": {"type": "User", "value": ava["id"], "display": busy.mail("ava")},
        "changes": created["changes"],
        "requestId": created["requestId"],
    }
    assert {"attribute": "title"} in created["changes"]  # its value is not kept
    assert {"attribute": "licenseType", "to": "pro"} in created["changes"]
    updated = by_action(busy, "user.updated")["changes"]
    assert {"attribute": "active", "from": "true", "to": "false"} in updated  # what is no text is JSON
    assert {"attribute": "licenseType", "from": "pro", "to": "eco"} in updated


def test_a_refusal_tells_rule_words_and_request(busy: Api) -> None:
    refused = by_action(busy, "request.refused")
    assert bare(refused) == {
        "id": refused["id"],
        "occurredAt": refused["occurredAt"],
        "action": "request.refused",
        "outcome": "refused",
        "status": 400,
        "rule": "R2",
        "error": "E2",
        "detail": refused["detail"],
        "actor": {"type": "scimToken", "value": "idp-default"},
        "target": {"type": "User", "display": "x@elsewhere.example"},
        "request": {"method": "POST", "path": "/scim/v2/Users"},
        "requestId": refused["requestId"],
    }
    assert "elsewhere.example" in refused["detail"]


def test_attributes_that_were_left_out_are_told_as_ignored(busy: Api) -> None:
    ignored = [change for one in records(busy) for change in one.get("changes", ()) if change.get("ignored")]
    assert ignored == [{"attribute": "favouriteColour", "ignored": True}]


def test_destroyed_log_entries_are_counted(busy: Api) -> None:
    assert by_action(busy, "logs.purged")["logEntriesPurged"] == 3
    assert [one["logEntriesPurged"] for one in busy.find("logEntriesPurged ge 3", "/EventRecords")] == [3]


def test_values_that_are_no_text_are_json(api: Api) -> None:
    changes = [{"attribute": "a", "from": None, "to": {"x": [1, "\u00e9"]}}, {"attribute": "b", "from": 1, "to": 2.5}]
    with api.database.transaction(api.account_id):
        entry = Entry("account.policyChanged", "success", "AccountSettings", "x", None, changes)
        journal.write(api.account_id, Actor("portalAdmin", None), [entry], now())
    (record,) = records(api)
    assert record["changes"] == [
        {"attribute": "a", "to": '{"x":[1,"\u00e9"]}'},
        {"attribute": "b", "from": "1", "to": "2.5"},
    ]
    assert record["actor"] == {"type": "portalAdmin"}
    assert record["target"] == {"type": "AccountSettings", "value": "x"}
    assert "requestId" not in record


def test_a_record_leads_from_the_answer_to_its_cause(busy: Api) -> None:
    busy.refuse("POST", "/Users", {"userName": "no"}, kind="invalidValue")
    request_id = busy.response.headers["X-Request-Id"]
    (record,) = busy.find(f'requestId eq "{request_id}"', "/EventRecords")
    assert (record["error"], record["requestId"]) == ("E1", request_id)


def test_name_of_a_deleted_user_is_masked_and_found_masked(busy: Api) -> None:
    (ava,) = busy.find(f'userName eq "{busy.mail("ava")}"')
    busy.delete(f"/Users/{ava['id']}")
    told = orjson.dumps(records(busy)).decode()
    assert busy.mail("ava") not in told
    assert busy.find(f'target.display eq "{busy.mail("ava")}"', "/EventRecords") == []
    masked = busy.find(f'target.display eq "A***@{busy.domain}"', "/EventRecords")
    assert {one["target"]["value"] for one in masked} == {ava["id"]}
    assert "user.deleted" in [one["action"] for one in masked]
    about = busy.find(f'target.value eq "{ava["id"]}"', "/EventRecords")
    assert masked == [one for one in about if "display" in one["target"]]


def test_every_searched_attribute_finds_its_values(busy: Api) -> None:
    told = records(busy)
    for name in SEARCHED:
        having = [(one, dict(values(one))[name]) for one in told if name in dict(values(one))]
        assert having, name
        assert busy.find(f"{name} pr", "/EventRecords", count=1000) == [one for one, _ in having], name
        for _, value in having[:3]:
            literal = orjson.dumps(value).decode()
            expected = [one for one, of in having if of == value]
            assert busy.find(f"{name} eq {literal}", "/EventRecords", count=1000) == expected, (name, value)
            others = busy.find(f"{name} ne {literal}", "/EventRecords", count=1000)
            assert len(others) == len(told) - len(expected), (name, value)


def test_filters_join_and_compare(busy: Api) -> None:
    told = records(busy)
    middle = told[len(told) // 2]["occurredAt"]
    for condition, expected in (
        (f'occurredAt ge "{middle}"', lambda one: one["occurredAt"] >= middle),
        (f'occurredAt lt "{middle}" and outcome eq "SUCCESS"',
         lambda one: one["occurredAt"] < middle and one["outcome"] == "success"),
        ('action sw "user."', lambda one: one["action"].startswith("user.")),
        ('not (action sw "user.") or status eq 400', lambda one: not one["action"].startswith("user.")),
        ("target pr", lambda one: "target" in one),
        ("actor pr and meta pr", lambda one: True),
        ('actor.type ne "system" and actor.value eq "idp-default"', lambda one: True),
        ('detail co "not approved"', lambda one: "not approved" in one.get("detail", "")),
        (f'schemas eq "{SCHEMA}" and meta.resourceType eq "EventRecord"', lambda one: True),
        (f'meta.location eq "{told[0]["meta"]["location"]}"', lambda one: one is told[0]),
        (f'{SCHEMA}:target.type eq "group"', lambda one: one.get("target", {}).get("type") == "Group"),
        (f'target.display eq "{busy.mail("AVA")}"', lambda one: one.get("target", {}).get("display") == busy.mail("ava")),
    ):  # fmt: skip
        wanted = [one for one in told if expected(one)]
        assert busy.find(condition, "/EventRecords", count=1000) == wanted, condition
        assert wanted, condition


@pytest.mark.parametrize(
    "condition",
    [
        "changes pr", 'changes.attribute eq "title"', 'changes[attribute eq "title"]', 'request.method eq "POST"',
        "request pr", 'externalId eq "x"', 'meta.created gt "2026-01-01T00:00:00Z"', 'id pr and meta.version eq "x"',
    ],
)  # fmt: skip
def test_what_has_no_column_says_what_can_be_filtered_by(api: Api, condition: str) -> None:
    detail = api.refuse("GET", f"/EventRecords?filter={quote(condition)}", kind="invalidFilter")
    assert detail.endswith(f"EventRecord can be filtered by {', '.join(SEARCHED)}")


def test_every_searched_attribute_sorts_and_no_other(busy: Api) -> None:
    told = records(busy)
    for name in SEARCHED:
        keys = {one["id"]: dict(values(one)).get(name) for one in told}
        folded = {each: key.lower() if isinstance(key, str) and name != "detail" else key for each, key in keys.items()}
        having, lacking = (
            [each for each in keys if keys[each] is not None],
            [each for each in keys if keys[each] is None],
        )
        up, down = (sorted(having, key=folded.__getitem__, reverse=reverse) for reverse in (False, True))
        assert [one["id"] for one in records(busy, f"?sortBy={name}")] == [*up, *lacking], name
        assert [one["id"] for one in records(busy, f"?sortBy={name}&sortOrder=descending")] == [*lacking, *down], name
    for name in ("changes.to", "request.path", "meta.created", "externalId"):
        detail = busy.refuse("GET", f"/EventRecords?sortBy={name}", kind="invalidValue")
        assert ", ".join(SEARCHED) in detail
    assert [one["id"] for one in records(busy, "?sortBy=meta.resourceType")][: len(told)] == [one["id"] for one in told]


def test_pages_follow_each_other_without_gap_or_overlap(busy: Api) -> None:
    told = records(busy)
    seen = []
    for start in range(1, len(told) + 1, 3):
        page = busy.get(f"/EventRecords?startIndex={start}&count=3")
        assert page["totalResults"] == len(told)
        seen += page["Resources"]
    assert seen == told
    asked = {"schemas": [SEARCH], "filter": 'outcome eq "success"', "startIndex": 2, "count": 2,
             "sortBy": "occurredAt", "sortOrder": "descending"}  # fmt: skip
    page = busy.post("/EventRecords/.search", asked, status=200)
    done = [one for one in told if one["outcome"] == "success"][::-1]
    assert sorted(one["occurredAt"] for one in page["Resources"]) == sorted(one["occurredAt"] for one in done[1:3])
    assert page["totalResults"] == len(done)


def test_telephone_numbers_and_passwords_are_not_told(api: Api) -> None:
    number = "+15550100777"
    api.user("ava", phoneNumbers=[{"value": number, "type": "mobile"}], password="hunter2-Secret")
    api.post("/Users", {"userName": api.mail("bob"), "phoneNumbers": number + "x" * 9, "password": 7}, status=400)
    told = orjson.dumps(records(api)).decode()
    assert number not in told
    assert "hunter2" not in told
