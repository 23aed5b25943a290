"""Real processes, each with its application and its connections, on one PostgreSQL: one winner, nobody lost (P6)."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest

from scim_server.store.database import execute
from scim_server.store.tables import user as user_table

from .conftest import EXT, GEXT, PATCH_OP, USER, Api, op
from .invariants import World, check
from .processes import SWEEP, Crew, Request, crew

SIZE = 4
TYPE = f"{EXT}:licenseType"


@pytest.fixture(scope="module")
def database_url(make_url: Callable[[str], str]) -> str:
    """PostgreSQL alone: SQLite has one writer at a time."""
    return make_url("postgresql")


@pytest.fixture(scope="module")
def processes(app: Any, database_url: str) -> Iterator[Crew]:
    with crew(database_url, SIZE) as started:
        yield started


def patch(path: str, *operations: dict[str, Any]) -> Request:
    return "PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)}


def replace(user: str, name: str, value: Any) -> Request:
    return patch(f"/Users/{user}", op("replace", f"{EXT}:{name}" if name != "active" else name, value))


def create(api: Api, name: str, **extension: Any) -> Request:
    return "POST", "/Users", {"schemas": [USER], "userName": api.mail(name), EXT: extension}


def move(verb: str, group: str, *users: str) -> Request:
    return patch(f"/Groups/{group}", op(verb, "members", [{"value": one} for one in users]))


def people(api: Api, number: int, **extension: Any) -> list[str]:
    return [api.user(f"u{n}", ext=extension)["id"] for n in range(number)]


def giving(api: Api, licence_type: str, *members: str) -> str:
    return str(api.group(f"{licence_type} {len(members)}", *members, **{GEXT: {"licenseType": licence_type}})["id"])


def after(api: Api, statuses: list[list[int]]) -> tuple[Counter[int], World]:
    """How often each status came, and the account as it is then, in which everything adds up."""
    counted = Counter(chain(*statuses))
    assert all(status < 500 for status in counted), counted
    return counted, check(api)


def test_last_seats_go_to_as_many_as_there_are(processes: Crew, new_account: Callable[..., Api]) -> None:
    api = new_account(licences=3)
    work = [[create(api, f"u{one}.{n}", licenseType="pro") for n in range(4)] for one in range(SIZE)]
    statuses, world = after(api, processes.at_once(api, *work))
    assert statuses == {201: 3, 409: 4 * SIZE - 3}
    assert (len(world.users), world.pools["pro"].assigned) == (3, 3)
    assert api.done().count("license.assigned") == 3


def test_one_of_two_administrators_is_demoted(processes: Crew, new_account: Callable[..., Api]) -> None:
    for _ in range(3):
        api = new_account()
        users = people(api, 2, role="administrator")
        work = [[replace(one, "role", "standard")] for one in users] + [[]] * (SIZE - 2)
        statuses, world = after(api, processes.at_once(api, *work))
        assert statuses == {200: 1, 409: 1}
        assert len(world.administrators) == 1


def test_one_of_the_last_administrators_stays(processes: Crew, new_account: Callable[..., Api]) -> None:
    for _ in range(3):
        api = new_account()
        users = people(api, SIZE, role="administrator")
        ways = [
            replace(users[0], "role", "standard"),
            replace(users[1], "role", "standard"),
            replace(users[2], "active", False),
            ("DELETE", f"/Users/{users[3]}", None),
        ]
        statuses, world = after(api, processes.at_once(api, *([way] for way in ways)))
        assert statuses[409] == 1
        assert len(world.administrators) == 1


def test_licence_is_transferred_or_withdrawn(processes: Crew, new_account: Callable[..., Api]) -> None:
    """Whoever comes first: the other finds no licence any more, and one log is destroyed once or not at all."""
    for _ in range(3):
        api = new_account()
        ava, bob, cat = people(api, 3)
        api.patch(f"/Users/{ava}", op("replace", TYPE, "pro"))
        api.write_log(ava, 4)
        transfers = [[replace(ava, "licenseTransferTo", one)] for one in (bob, cat)]
        withdrawals = [[replace(ava, "licenseType", "none")]] * 2
        answers = processes.at_once(api, *transfers, *withdrawals)
        _, world = after(api, answers)
        transferred = [one for one in answers[:2] if one == [200]]
        assert answers[2:] == [[200], [200]]
        assert sorted(answers[:2]) in ([[200], [400]], [[400], [400]])
        assert world.pools["pro"].assigned == len(transferred)
        assert world.logs.get(ava, 0) == (0 if transferred else 4)
        assert api.done().count("logs.purged") == len(transferred)


def test_two_licensing_groups_give_the_same_seats(processes: Crew, new_account: Callable[..., Api]) -> None:
    api = new_account(licences=5)
    users = people(api, 24)
    one, other = giving(api, "pro"), giving(api, "pro", users[0])
    parts = [users[start::6] for start in range(6)]
    work = [
        [move("add", one, *part) for part in parts],
        [move("add", other, *reversed(part)) for part in reversed(parts)],
        [move("remove", one, *part) for part in parts[:3]],
        [replace(user, "licenseType", "eco") for user in users[3:6]] + [("DELETE", f"/Users/{users[0]}", None)],
    ]
    statuses, world = after(api, processes.at_once(api, *work))
    assert statuses.keys() == {200, 204}
    assert world.pools["pro"].available == 0
    statuses, world = after(
        api,
        processes.at_once(
            api,
            [("DELETE", f"/Groups/{one}", None)],
            [move("remove", other, *part) for part in parts[:5]],
            [replace(user, "active", False) for user in users[12:]],
            [replace(user, "active", True) for user in users[12:]],
        ),
    )
    assert statuses.keys() == {200, 204}


def test_types_of_groups_change_while_members_come_and_go(processes: Crew, new_account: Callable[..., Api]) -> None:
    api = new_account(licences=4)
    users = people(api, 16)
    groups = [giving(api, kind, *users[n : n + 8]) for n, kind in enumerate(("eco", "advanced", "pro"))]
    kinds = [
        [patch(f"/Groups/{group}", op("replace", f"{GEXT}:licenseType", kind)) for kind in ("pro", "eco", "none", last)]
        for group, last in zip(groups, ("eco", "advanced", "pro"), strict=True)
    ]
    moves = [move(verb, group, *users[4:12]) for verb in ("add", "remove", "add") for group in reversed(groups)]
    titles = [patch(f"/Users/{user}", op("replace", "title", "x")) for user in users]
    work = [kinds[0] + moves, moves + kinds[1], kinds[2] + titles, titles + kinds[2]]
    statuses, world = after(api, processes.at_once(api, *work))
    assert statuses.keys() <= {200, 204}
    assert all(row.licence_type for row in world.groups.values())


def test_member_is_removed_while_it_is_licensed_directly(processes: Crew, new_account: Callable[..., Api]) -> None:
    api = new_account(licences=8)
    users = people(api, 8)
    group = giving(api, "pro", *users)
    work = [
        [move("remove", group, user) for user in users],
        [replace(user, "licenseType", "eco") for user in users],
        [replace(user, "licenseType", "eco") for user in reversed(users)],
        [patch(f"/Users/{user}", op("replace", "title", "Boss")) for user in users],
    ]
    statuses, world = after(api, processes.at_once(api, *work))
    assert statuses == {200: 32}
    assert (world.pools["eco"].assigned, world.pools["pro"].assigned) == (8, 0)
    assert {(one.licence_type, one.licence_source) for one in world.users.values()} == {("eco", "direct")}


def test_seat_of_the_absent_is_released_once(processes: Crew, new_account: Callable[..., Api]) -> None:
    api = new_account(licences=12, deactivation__licensePolicy="releaseAfterGrace", licenseShortage__direct="pend")
    away = people(api, 10, licenseType="pro")
    for user in away:
        api.patch(f"/Users/{user}", op("replace", "active", False))
    waiting = [api.user(f"w{n}", ext={"licenseType": "pro"})["id"] for n in range(6)]
    with api.database.transaction(api.account_id):
        mine = (user_table.c.account_id == api.account_id, user_table.c.deactivated_at.is_not(None))
        execute(
            user_table.update().where(*mine).values(deactivated_at=user_table.c.deactivated_at - 40 * 86_400_000_000)
        )
    requests = [create(api, f"new{n}", licenseType="pro") for n in range(4)]
    returns = [replace(away[0], "active", True), ("DELETE", f"/Users/{away[1]}", None)]
    answers = processes.at_once(api, [SWEEP, SWEEP], [SWEEP], requests, returns)
    released = [entry.target_id for entry in api.journal() if entry.action == "license.released"]
    assert sorted(released) == sorted(away)
    assert sum(answers[0] + answers[1]) <= len(away)
    assert (answers[2], answers[3]) == ([201] * 4, [200, 204])
    world = check(api)
    assert {world.users[one].licence_status for one in waiting} == {"assigned"}
    assert world.pools["pro"].assigned == 6 + 4 + 1


def test_whatever_is_asked_at_once_adds_up(processes: Crew, new_account: Callable[..., Api]) -> None:
    """Random requests about the same few users and groups, in every process in another order."""
    for seed in range(2):
        api = new_account(licences=3, licenseShortage__direct="pend")
        users = people(api, 12)
        groups = [giving(api, kind) for kind in ("eco", "advanced", "pro")] + [api.group("Plain")["id"]]
        work = [storm(random.Random(f"{seed} {one}"), api, users, groups) for one in range(SIZE)]
        statuses, _ = after(api, processes.at_once(api, *work))
        assert statuses.keys() <= {0, 200, 201, 204, 400, 404, 409}


def storm(chance: random.Random, api: Api, users: list[str], groups: list[str], requests: int = 25) -> list[Request]:
    """Requests of every kind, some of which are refused."""

    def one() -> Request:
        user, group = chance.choice(users), chance.choice(groups)
        some = chance.sample(users, 4)
        kind = chance.choice(("eco", "advanced", "pro", "none"))
        ways = {
            "profile": replace(user, "smsCountryCode", chance.choice(("CA", "FR"))),
            "licence": replace(user, "licenseType", kind),
            "active": replace(user, "active", chance.random() < 0.6),
            "role": replace(user, "role", chance.choice(("standard", "administrator"))),
            "transfer": replace(user, "licenseTransferTo", some[0]),
            "create": create(api, f"new{chance.random()}", licenseType=kind),
            "delete": ("DELETE", f"/Users/{user}", None),
            "add": move("add", group, *some),
            "remove": move("remove", group, *some),
            "replace": move("replace", group, *some),
            "put": ("PUT", f"/Groups/{group}", {"displayName": group, "members": [{"value": some[0]}]}),
            "gives": patch(f"/Groups/{group}", op("replace", f"{GEXT}:licenseType", kind)),
            "sweep": SWEEP,
        }
        return ways[chance.choice([name for name in ways if name != "delete" or chance.random() < 0.2])]

    return [one() for _ in range(requests)]
