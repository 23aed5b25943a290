"""The users' message logs over SCIM: rules.md 4.4, R28."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from scim_server.store import user_logs
from scim_server.store.database import execute
from scim_server.store.tables import user_log
from scim_server.store.user_logs import LogEntry
from tests.web.conftest import BASE, EXT, SEARCH, Api, op
from tests.web.test_read_only_resources import bare, values

SCHEMA = "urn:ietf:params:scim:schemas:secureexchanges:2.0:UserLogEntry"
SEARCHED = (
    "id", "user.value", "sentAt", "lastActivityAt", "expiresAt", "status", "kind", "codeType", "fileCount",
    "byteCount", "openCount", "signatureRequestCount", "signedFileCount",
)  # fmt: skip
"""The attributes that can be filtered and sorted by."""
DAY = 86_400_000_000
JANUARY = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z in microseconds."""


def entries(user_id: str, number: int) -> Iterator[LogEntry]:
    """Messages, one a day, of which no two are alike."""
    for n in range(number):
        yield LogEntry(
            id=f"{user_id[-6:]}-{n}",
            user_id=user_id,
            sent_at=JANUARY + n * DAY,
            status=("open", "notOpened", "expired", "deleted")[n % 4],
            last_activity_at=JANUARY + n * DAY + 5 if n % 2 else None,
            expires_at=JANUARY + (n + 30) * DAY if n % 3 else None,
            kind=("message", "signature")[n % 2],
            code_type=("none", "password", "sms")[n % 3],
            file_count=n,
            byte_count=n * 3_000_000_000,
            open_count=n % 5,
            signature_request_count=n % 4,
            signed_file_count=n % 2,
            subject=f"Offer {n}" if n else None,
            recipients=[f"to{n}@client.example", "second@client.example"] if n else [],
        )


@pytest.fixture
def people(api: Api) -> tuple[str, str]:
    """Two users with logs."""
    ava, bob = api.user("ava")["id"], api.user("bob")["id"]
    with api.database.transaction(api.account_id):
        assert user_logs.write(api.account_id, [*entries(ava, 8), *entries(bob, 3)]) == 11
    return ava, bob


def logged(api: Api, query: str = "") -> list[Any]:
    return list(api.get(f"/UserLogEntries{query}")["Resources"])


def test_an_entry_tells_all_of_a_message_but_its_content(api: Api, people: tuple[str, str]) -> None:
    ava, _ = people
    entry = api.get(f"/UserLogEntries/{ava[-6:]}-5")
    assert entry["schemas"] == [SCHEMA]
    assert bare(entry) == {
        "id": f"{ava[-6:]}-5",
        "user": {"value": ava, "$ref": f"{BASE}/Users/{ava}"},
        "sentAt": "2026-01-06T00:00:00.000000Z",
        "lastActivityAt": "2026-01-06T00:00:00.000005Z",
        "expiresAt": "2026-02-05T00:00:00.000000Z",
        "status": "notOpened",
        "subject": "Offer 5",
        "kind": "signature",
        "recipients": ["to5@client.example", "second@client.example"],
        "codeType": "sms",
        "fileCount": 5,
        "byteCount": 15_000_000_000,
        "openCount": 0,
        "signatureRequestCount": 1,
        "signedFileCount": 1,
    }
    least = api.get(f"/UserLogEntries/{ava[-6:]}-0")
    assert {"lastActivityAt", "expiresAt", "subject", "recipients"}.isdisjoint(least)


def test_entries_are_listed_by_the_time_they_were_sent(api: Api, people: tuple[str, str]) -> None:
    told = logged(api)
    assert len(told) == 11
    assert told == sorted(told, key=lambda one: (one["sentAt"], one["id"]))
    pages = [one for start in range(1, 12, 4) for one in logged(api, f"?startIndex={start}&count=4")]
    assert pages == told


def test_entries_of_one_user_in_a_period_are_found(api: Api, people: tuple[str, str]) -> None:
    """R28: the question of the portal, by user and dates."""
    ava, bob = people
    period = 'sentAt ge "2026-01-02T00:00:00Z" and sentAt le "2026-01-04T00:00:00+00:00"'
    for user, numbers in ((ava, (1, 2, 3)), (bob, (1, 2))):
        found = api.find(f'user.value eq "{user}" and {period}', "/UserLogEntries")
        assert [one["id"] for one in found] == [f"{user[-6:]}-{n}" for n in numbers]
    assert len(api.find(f'user.value eq "{ava}"', "/UserLogEntries")) == 8
    assert len(api.find(f'user eq "{bob}"', "/UserLogEntries")) == 3
    assert api.find('user.value eq "nobody"', "/UserLogEntries") == []


def test_every_searched_attribute_finds_its_values(api: Api, people: tuple[str, str]) -> None:
    told = logged(api)
    for name in SEARCHED:
        having = [(one, dict(values(one))[name]) for one in told if name in dict(values(one))]
        assert api.find(f"{name} pr", "/UserLogEntries") == [one for one, _ in having], name
        for _, value in having[:4]:
            literal = orjson.dumps(value).decode()
            expected = [one for one, of in having if of == value]
            assert api.find(f"{name} eq {literal}", "/UserLogEntries") == expected, (name, value)
    assert api.find('STATUS eq "OPEN" and kind ne "signature"', "/UserLogEntries")
    assert len(api.find("byteCount gt 9000000000", "/UserLogEntries")) == 4
    url = f"{BASE}/Users/{people[1]}"
    assert len(api.find(f'user.$ref eq "{url}" and schemas pr and user pr', "/UserLogEntries")) == 3


@pytest.mark.parametrize("condition", ['subject co "Offer"', 'recipients eq "x"', "recipients pr", "subject pr"])
def test_what_has_no_column_says_what_can_be_filtered_by(api: Api, condition: str) -> None:
    detail = api.refuse("GET", f"/UserLogEntries?filter={quote(condition)}", kind="invalidFilter")
    assert detail.endswith(f"UserLogEntry can be filtered by {', '.join(SEARCHED)}")
    name = condition.partition(" ")[0]
    detail = api.refuse("GET", f"/UserLogEntries?sortBy={name}", kind="invalidValue")
    assert detail.endswith(f"only by {', '.join(SEARCHED)}")


def test_every_searched_attribute_sorts(api: Api, people: tuple[str, str]) -> None:
    told = logged(api)
    for name in SEARCHED:
        keys = {one["id"]: dict(values(one)).get(name) for one in told}
        folded = {each: key.lower() if isinstance(key, str) else key for each, key in keys.items()}
        having, lacking = (
            [each for each in keys if keys[each] is not None],
            [each for each in keys if keys[each] is None],
        )
        up, down = (sorted(having, key=folded.__getitem__, reverse=reverse) for reverse in (False, True))
        assert [one["id"] for one in logged(api, f"?sortBy={name}")] == [*up, *lacking], name
        assert [one["id"] for one in logged(api, f"?sortBy={name}&sortOrder=descending")] == [*lacking, *down], name


def test_search_and_projection(api: Api, people: tuple[str, str]) -> None:
    ava, _ = people
    asked = {"schemas": [SEARCH], "filter": f'user.value eq "{ava}" and fileCount ge 6', "attributes": ["user.value"]}
    page = api.post("/UserLogEntries/.search", asked, status=200)
    assert page["totalResults"] == 2
    assert page["Resources"][0] == {"schemas": [SCHEMA], "id": f"{ava[-6:]}-6", "user": {"value": ava}}
    (entry,) = logged(api, "?count=1&excludedAttributes=user.$ref,subject,meta")
    assert set(entry["user"]) == {"value"}
    assert "meta" not in entry


def test_an_entry_is_not_sent_again_until_it_changes(api: Api, people: tuple[str, str]) -> None:
    path = f"/UserLogEntries/{people[0][-6:]}-1"
    version = api.get(path)["meta"]["version"]
    api.get(path, headers={"If-None-Match": version}, status=304)
    with api.database.transaction(api.account_id):
        mine = (user_log.c.account_id == api.account_id, user_log.c.id == path.rpartition("/")[2])
        execute(user_log.update().where(*mine).values(open_count=9))
    assert api.get(path, headers={"If-None-Match": version})["openCount"] == 9


def test_known_entries_are_left_as_they_are(api: Api, people: tuple[str, str]) -> None:
    ava, bob = people
    before = logged(api)
    again = [LogEntry(f"{ava[-6:]}-1", bob, 7, "deleted"), LogEntry("new", bob, JANUARY + 99 * DAY, "open")]
    with api.database.transaction(api.account_id):
        assert user_logs.write(api.account_id, [*again, again[1]]) == 1
        assert user_logs.write(api.account_id, []) == 0
    assert logged(api)[:-1] == before
    assert logged(api)[-1]["id"] == "new"


def test_entries_go_with_the_user_and_by_explicit_acts_alone(api: Api, people: tuple[str, str]) -> None:
    ava, bob = people
    api.patch(f"/Users/{ava}", op("replace", "active", False))
    api.patch(f"/Users/{ava}", op("replace", f"{EXT}:licenseType", "eco"))
    assert len(api.find(f'user.value eq "{ava}"', "/UserLogEntries")) == 8
    api.delete(f"/Users/{ava}")
    assert [one["user"]["value"] for one in logged(api)] == [bob] * 3
    api.refuse("GET", f"/UserLogEntries/{ava[-6:]}-1", status=404)


def test_counts_of_a_user_tell_the_same_as_the_entries(api: Api, people: tuple[str, str]) -> None:
    extension = api.get(f"/Users/{people[0]}?attributes={EXT}:logEntryCount,{EXT}:lastActivityAt")[EXT]
    assert extension == {"logEntryCount": 8, "lastActivityAt": "2026-01-08T00:00:00.000005Z"}


def test_entries_that_the_product_writes_without_counts_are_shown(api: Api) -> None:
    user = api.user()["id"]
    api.write_log(user, 1)
    (entry,) = logged(api)
    assert bare(entry) == {
        "id": entry["id"], "user": {"value": user, "$ref": f"{BASE}/Users/{user}"},
        "sentAt": "1970-01-01T00:00:00.000001Z", "lastActivityAt": "1970-01-01T00:00:01.000000Z", "status": "open",
        "kind": "message", "codeType": "none", "fileCount": 0, "byteCount": 0, "openCount": 0,
        "signatureRequestCount": 0, "signedFileCount": 0,
    }  # fmt: skip
