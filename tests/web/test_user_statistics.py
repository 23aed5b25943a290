"""What users have sent in a period: rules.md 4.4, R30."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from scim_server.protocol.documents import instant
from scim_server.provisioning import statistics
from scim_server.store import user_logs
from scim_server.store.identifiers import now
from scim_server.store.mapping import micros
from scim_server.store.user_logs import LogEntry
from tests.web.conftest import SEARCH, Api
from tests.web.test_read_only_resources import bare
from tests.web.test_user_logs import DAY, JANUARY, entries

SCHEMA = "urn:ietf:params:scim:schemas:secureexchanges:2.0:UserStatistics"
START, END = "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z"
YEAR = f'periodStart ge "{START}" and periodEnd le "{END}"'


@pytest.fixture
def people(api: Api) -> tuple[str, str, str]:
    """Two users with logs in January 2026, and one without."""
    ava, bob, cem = (api.user(name)["id"] for name in ("ava", "bob", "cem"))
    with api.database.transaction(api.account_id):
        user_logs.write(api.account_id, [*entries(ava, 8), *entries(bob, 3)])
    return ava, bob, cem


def test_statistics_add_up_the_log_of_a_user(api: Api, people: tuple[str, str, str]) -> None:
    ava, bob, cem = people
    told = {one["id"]: one for one in api.find(YEAR, "/UserStatistics")}
    assert list(told) == [ava, bob, cem]
    period = {"periodStart": "2026-01-01T00:00:00.000000Z", "periodEnd": "2026-12-31T00:00:00.000000Z"}
    assert told[ava]["schemas"] == [SCHEMA]
    assert bare(told[ava]) == {
        "id": ava, "userName": api.mail("ava"), **period, "messagesSent": 8, "filesSent": 28,
        "bytesSent": 84_000_000_000, "filesSigned": 4, "openRatio": 0.75, "signatureRatio": 0.3333,
    }  # fmt: skip
    assert bare(told[bob]) == {
        "id": bob, "userName": api.mail("bob"), **period, "messagesSent": 3, "filesSent": 3,
        "bytesSent": 9_000_000_000, "filesSigned": 1, "openRatio": 0.6667, "signatureRatio": 0.3333,
    }  # fmt: skip
    assert bare(told[cem]) == {
        "id": cem, "userName": api.mail("cem"), **period, "messagesSent": 0, "filesSent": 0, "bytesSent": 0,
        "filesSigned": 0,
    }  # fmt: skip


def test_bounds_of_the_period_belong_to_it(api: Api, people: tuple[str, str, str]) -> None:
    ava = people[0]
    for bounds, sent in (
        ('periodStart ge "2026-01-02T00:00:00Z" and periodEnd le "2026-01-04T00:00:00Z"', 3),
        ('periodEnd eq "2026-01-04T00:00:00Z" and periodStart eq "2026-01-03T22:00:00-02:00"', 1),
        ('periodStart ge "2026-01-01T00:00:00.000001Z" and periodEnd le "2026-01-01T23:59:59Z"', 0),
        ('periodEnd le "2026-01-04T00:00:00Z"', 4),
        (f'periodStart ge "{START}"', 8),
    ):
        (one,) = api.find(f'id eq "{ava}" and {bounds}', "/UserStatistics")
        assert one["messagesSent"] == sent, bounds
        assert ("openRatio" in one) == (sent > 0)


def test_period_is_the_last_month_unless_said_otherwise(api: Api) -> None:
    user = api.user()["id"]
    moment = now()
    sent = (moment - 60_000_000, moment - 27 * DAY, moment - 32 * DAY)
    with api.database.transaction(api.account_id):
        user_logs.write(api.account_id, [LogEntry(f"m{n}", user, at, "open") for n, at in enumerate(sent)])
    one = api.get(f"/UserStatistics/{user}")
    assert one["messagesSent"] == 2
    end = datetime.fromisoformat(one["periodEnd"])
    assert timedelta() <= end - datetime.fromisoformat(instant(moment)) < timedelta(minutes=1)
    assert timedelta(days=28) <= end - datetime.fromisoformat(one["periodStart"]) <= timedelta(days=31)
    (alone,) = api.find(f'periodEnd eq "{END}"', "/UserStatistics")
    assert alone["periodStart"] == "2026-11-30T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("end", "start"),
    [
        ("2026-03-31T10:00:00.000001Z", "2026-02-28T10:00:00.000001Z"),
        ("2028-03-30T00:00:00.000000Z", "2028-02-29T00:00:00.000000Z"),
        ("2026-01-15T23:59:59.999999Z", "2025-12-15T23:59:59.999999Z"),
        ("1970-01-02T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"),
    ],
)
def test_a_month_back_is_the_same_day_or_the_last_of_a_shorter_month(api: Api, end: str, start: str) -> None:
    user = api.user()["id"]
    (one,) = api.find(f'id eq "{user}" and periodEnd le "{end}"', "/UserStatistics")
    assert (one["periodStart"], one["periodEnd"]) == (start, end)


def test_users_are_named_by_id_and_by_name(api: Api, people: tuple[str, str, str]) -> None:
    ava, bob, cem = people
    for condition, expected in (
        (f'id eq "{bob}"', [bob]),
        (f'userName eq "{api.mail("BOB")}"', [bob]),
        (f'id eq "{cem}" or userName eq "{api.mail("ava")}" or id eq "nobody"', [ava, cem]),
        (f'{YEAR} and (id eq "{cem}" or id eq "{ava}")', [ava, cem]),
        (f'(id eq "{cem}") and ({YEAR})', [cem]),
        ('id eq "nobody"', []),
        (f'{SCHEMA}:id eq "{bob.upper()}"', []),
    ):
        page = api.get(f"/UserStatistics?filter={quote(condition)}")
        assert [one["id"] for one in page["Resources"]] == expected, condition
        assert page["totalResults"] == len(expected)


@pytest.mark.parametrize(
    "condition",
    [
        "id pr", 'id ne "x"', 'not (id eq "x")', "messagesSent gt 3", 'userName sw "a"', f'periodStart le "{START}"',
        f'periodEnd ge "{END}"', f'periodStart gt "{START}"', f'id eq "x" or periodStart ge "{START}"',
        f'id eq "x" or id eq "y" and periodStart ge "{START}"', 'id eq "x" and id eq "y"', "id eq null",
        f'periodStart ge "{START}" and periodStart ge "{START}"', "periodStart eq null", 'openRatio eq 1',
        f'(id eq "x") and (userName eq "y") and periodEnd le "{END}"',
    ],
)  # fmt: skip
def test_a_filter_of_another_shape_says_the_way_out(api: Api, condition: str) -> None:
    detail = api.refuse("GET", f"/UserStatistics?filter={quote(condition)}", kind="invalidFilter")
    assert 'periodStart ge "..."' in detail
    assert 'id eq "..." or userName eq "..."' in detail


@pytest.mark.parametrize(
    "condition",
    [
        'periodStart ge "2026-02-01T00:00:00Z" and periodEnd le "2026-01-01T00:00:00Z"',
        'periodStart ge "9999-01-01T00:00:00Z"', 'periodEnd le "0001-01-01T00:00:00Z"',
        'periodStart ge "1969-12-31T00:00:00Z"', 'periodStart ge "yesterday"', 'nope eq "x"',
    ],
)  # fmt: skip
def test_a_period_that_is_none_is_refused(api: Api, condition: str) -> None:
    api.refuse("GET", f"/UserStatistics?filter={quote(condition)}", kind="invalidFilter")


def test_more_than_twenty_users_are_too_many_for_one_request(api: Api) -> None:
    """R30: with pages of twenty everybody is reached all the same."""
    ids = [api.user(f"u{n:02}")["id"] for n in range(21)]
    named = " or ".join(f'id eq "{one}"' for one in ids)
    for query in ("", "?count=21", "?count=100", f"?filter={quote(named)}", f"?filter={quote(YEAR)}", "?sortBy=id"):
        detail = api.refuse("GET", f"/UserStatistics{query}", kind="tooMany")
        assert "20 users" in detail
        assert "count=20" in detail
        assert 'id eq "..."' in detail
    api.refuse("POST", "/UserStatistics/.search", {"schemas": [SEARCH]}, kind="tooMany")
    first, second = api.get("/UserStatistics?count=20"), api.get("/UserStatistics?count=20&startIndex=21")
    assert [one["id"] for page in (first, second) for one in page["Resources"]] == ids
    assert (first["totalResults"], second["totalResults"]) == (21, 21)
    assert api.get("/UserStatistics?startIndex=2")["itemsPerPage"] == 20
    assert api.get("/UserStatistics?count=0")["totalResults"] == 21
    twenty = " or ".join(f'id eq "{one}"' for one in ids[1:])
    assert len(api.find(twenty, "/UserStatistics", sortBy="userName")) == 20


def test_statistics_sort_by_every_attribute(api: Api, people: tuple[str, str, str]) -> None:
    told = api.find(YEAR, "/UserStatistics")
    names = [name for name in told[0] if name not in ("schemas", "meta")]
    for name in names:
        having, lacking = [one for one in told if name in one], [one for one in told if name not in one]
        up, down = (sorted(having, key=lambda one: one[name], reverse=reverse) for reverse in (False, True))
        assert api.find(YEAR, "/UserStatistics", sortBy=name) == [*up, *lacking], name
        found = api.find(YEAR, "/UserStatistics", sortBy=name, sortOrder="descending", count=2)
        assert found == [*lacking, *down][:2], name
    api.refuse("GET", "/UserStatistics?sortBy=nope", kind="invalidValue")


def test_version_changes_with_the_sums_and_not_with_the_clock(api: Api, people: tuple[str, str, str]) -> None:
    path = f"/UserStatistics/{people[2]}"
    version = api.get(path)["meta"]["version"]
    api.get(path, headers={"If-None-Match": version}, status=304)
    with api.database.transaction(api.account_id):
        user_logs.write(api.account_id, [LogEntry("fresh", people[2], now() - 1_000_000, "open")])
    assert api.get(path, headers={"If-None-Match": version})["messagesSent"] == 1


def test_statistics_disappear_with_the_log(api: Api, people: tuple[str, str, str]) -> None:
    ava, bob, _ = people
    with api.database.transaction(api.account_id):
        user_logs.purge(api.account_id, ava)
    api.delete(f"/Users/{bob}")
    told: dict[str, Any] = {one["id"]: one for one in api.find(YEAR, "/UserStatistics")}
    assert told[ava]["messagesSent"] == 0
    assert bob not in told
    api.refuse("GET", f"/UserStatistics/{bob}", status=404)


def test_the_number_of_users_is_the_rules(api: Api) -> None:
    assert statistics.MOST == 20
    assert micros(START) == JANUARY
