"""The guard: whatever door a loss comes through, the one that is too many is held, and nothing of it is done."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from scim_server.account import guard
from scim_server.account.policies import Policies
from scim_server.cli import guarding
from scim_server.cli.portal import Portal
from scim_server.store import guards
from scim_server.store.identifiers import now

from . import bulk
from .conftest import ERROR, EXT, GEXT, GROUP, USER, Api, op
from .processes import Crew, crew

Made = Callable[..., Api]
TYPE = f"{EXT}:licenseType"


def guarded(new_account: Made, **thresholds: str) -> Api:
    """An account that guards the named kinds alone."""
    return new_account(licences=20, **{f"guard__{kind}": text for kind, text in thresholds.items()})


def people(api: Api, number: int, **attributes: Any) -> list[str]:
    return [api.user(f"u{n}", **attributes)["id"] for n in range(number)]


def hold(api: Api, method: str, path: str, body: Any = None) -> str:
    """Send what must be held: 503, Retry-After in whole seconds, a SCIM error that says why; returns its detail."""
    detail = api.refuse(method, path, body, status=503)
    assert api.response.headers["Retry-After"] == "300"
    assert api.response.headers["Content-Type"] == "application/scim+json"
    assert "scimType" not in api.response.json
    assert api.response.json["schemas"] == [ERROR]
    assert "scim-server guard show" in detail
    return detail


def patch(*operations: Any) -> dict[str, Any]:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


def shown(api: Api) -> dict[str, Any]:
    return guarding.show(Portal(api.database), api.account_name)


def counted(api: Api, kind: str) -> int:
    return next(one["counted"] for one in shown(api)["kinds"] if one["kind"] == kind)


def test_deactivation_that_is_one_too_many_is_held_and_changes_nothing(new_account: Made) -> None:
    api = guarded(new_account, deactivations="2")
    ids = people(api, 4)
    for one in ids[:2]:
        api.patch(f"/Users/{one}", op("replace", "active", False))
    with api.unchanged(f"/Users/{ids[2]}"):
        detail = hold(api, "PATCH", f"/Users/{ids[2]}", patch(op("replace", "active", False)))
    assert "3 users deactivated within 60 minutes would be more than the 2" in detail
    assert "guard.deactivations" in detail
    body = {"schemas": [USER], "userName": api.mail("u3"), "active": False}
    with api.unchanged(f"/Users/{ids[3]}"):
        hold(api, "PUT", f"/Users/{ids[3]}", body)
    assert counted(api, "deactivations") == 2


def test_other_changes_go_on_while_the_guard_holds(new_account: Made) -> None:
    api = guarded(new_account, deactivations="0", deletions="5")
    (one,) = people(api, 1)
    hold(api, "PATCH", f"/Users/{one}", patch(op("replace", "active", False)))
    api.patch(f"/Users/{one}", op("replace", "displayName", "Una"))
    api.get(f"/Users/{one}")
    api.user("new")
    hold(api, "DELETE", f"/Users/{one}")  # a guarded change of another kind waits for the decision, too


def test_replay_of_a_deactivation_is_no_loss(new_account: Made) -> None:
    api = guarded(new_account, deactivations="1")
    (one,) = people(api, 1)
    for _ in range(4):
        api.patch(f"/Users/{one}", op("replace", "active", False))
    assert counted(api, "deactivations") == 1


def test_deletion_that_is_one_too_many_is_held(new_account: Made) -> None:
    api = guarded(new_account, deletions="1")
    ids = people(api, 2, ext={"licenseType": "pro"})
    api.delete(f"/Users/{ids[0]}")
    api.write_log(ids[1])
    with api.unchanged(f"/Users/{ids[1]}"):
        hold(api, "DELETE", f"/Users/{ids[1]}")
    assert (api.log_count(ids[1]), api.pool("pro").assigned) == (3, 1)


@pytest.mark.parametrize(
    "withdraw",
    [
        lambda name: ("PATCH", patch(op("remove", TYPE))),
        lambda name: ("PATCH", patch(op("replace", TYPE, "none"))),
        lambda name: ("PATCH", patch(op("replace", EXT, {"licenseType": None}))),
        lambda name: ("PATCH", patch(op("replace", "entitlements", []))),
        lambda name: ("PUT", {"schemas": [USER, EXT], "userName": name, EXT: {"licenseType": "none"}}),
    ],
    ids=["remove", "none", "null", "entitlements", "put"],
)
def test_withdrawal_is_held_in_whatever_words_it_comes(new_account: Made, withdraw: Any) -> None:
    api = guarded(new_account, licenseWithdrawals="0")
    (one,) = people(api, 1, ext={"licenseType": "pro"})
    method, body = withdraw(api.mail("u0"))
    with api.unchanged(f"/Users/{one}"):
        detail = hold(api, method, f"/Users/{one}", body)
    assert "licences withdrawn" in detail
    assert api.pool("pro").assigned == 1


def licensed_group(api: Api, ids: list[str]) -> str:
    return str(api.group("Lawyers", *ids, **{GEXT: {"licenseType": "pro"}})["id"])


LOSSES: list[Any] = [
    lambda ids: ("PATCH", patch(op("replace", "members", []))),
    lambda ids: ("PATCH", patch(op("replace", "members", [{"value": ids[0]}]))),
    lambda ids: ("PATCH", patch(op("remove", "members"))),
    lambda ids: ("PATCH", patch(op("remove", "members", [{"value": one} for one in ids]))),
    lambda ids: ("PATCH", patch(*(op("remove", f'members[value eq "{one}"]') for one in ids))),
    lambda ids: ("PATCH", patch(op("replace", None, {"members": []}))),
    lambda ids: ("PATCH", patch(op("replace", f"{GEXT}:licenseType", "none"))),
    lambda ids: ("PUT", {"schemas": [GROUP], "displayName": "Lawyers", "members": []}),
    lambda ids: ("PUT", {"schemas": [GROUP, GEXT], "displayName": "Lawyers", GEXT: {"licenseType": None}}),
    lambda ids: ("DELETE", None),
]
WORDS = ["[]", "but-one", "remove", "values", "each", "pathless", "type", "put", "put-type", "delete"]


@pytest.mark.parametrize("loss", LOSSES, ids=WORDS)
def test_licences_that_a_group_takes_back_are_counted_each(new_account: Made, loss: Any) -> None:
    """R27: of one request that would withdraw too many nothing is done."""
    api = guarded(new_account, licenseWithdrawals="2")
    ids = people(api, 4)
    group = licensed_group(api, ids)
    assert api.pool("pro").assigned == 4
    method, body = loss(ids)
    with api.unchanged(f"/Groups/{group}", *(f"/Users/{one}" for one in ids)):
        hold(api, method, f"/Groups/{group}", body)
    assert api.pool("pro").assigned == 4


@pytest.mark.parametrize("loss", [one for one, word in zip(LOSSES, WORDS, strict=True) if word not in
                                  ("type", "put-type", "but-one")])  # fmt: skip
def test_group_that_is_emptied_is_held(new_account: Made, loss: Any) -> None:
    api = guarded(new_account, groupClears="1")
    ids = people(api, 2)
    api.delete(f"/Groups/{api.group('First', *ids)['id']}")
    group = str(api.group("Lawyers", *ids)["id"])
    method, body = loss(ids)
    with api.unchanged(f"/Groups/{group}"):
        assert "groups emptied" in hold(api, method, f"/Groups/{group}", body)
    assert len(api.get(f"/Groups/{group}")["members"]) == 2


def test_group_without_members_and_one_who_leaves_are_no_loss(new_account: Made) -> None:
    api = guarded(new_account, groupClears="0")
    ids = people(api, 3)
    group = api.group("Lawyers", *ids)["id"]
    api.patch(f"/Groups/{group}", op("remove", f'members[value eq "{ids[0]}"]'))
    api.delete(f"/Groups/{api.group('Nobody')['id']}")


def test_operations_of_a_bulk_are_held_one_by_one(new_account: Made) -> None:
    api = guarded(new_account, deactivations="2")
    ids = people(api, 4)
    off = [bulk.patch(f"/Users/{one}", op("replace", "active", False)) for one in ids]
    results = bulk.sent(api, *off, bulk.new_user(api, "new"))
    assert [one["status"] for one in results] == ["200", "200", "503", "503", "201"]
    assert "scim-server guard show" in results[2]["response"]["detail"]
    assert [api.get(f"/Users/{one}")["active"] for one in ids] == [False, False, True, True]


def test_journal_says_why_once_and_then_how_many(new_account: Made) -> None:
    api = guarded(new_account, deactivations="0")
    ids = people(api, 6)
    for one in ids:
        hold(api, "PATCH", f"/Users/{one}", patch(op("replace", "active", False)))
    tripped, others = api.refusals()
    assert (tripped.action, tripped.status, tripped.target_id) == ("guard.tripped", 503, ids[0])
    assert "guard.deactivations" in tripped.detail
    assert (others.action, others.status, others.target_type) == ("request.refused", 503, "Connection")
    assert shown(api)["held"] == {"idp-default": 6}


def test_guard_shows_what_was_done_what_is_held_and_for_whom(new_account: Made) -> None:
    api = guarded(new_account, deactivations="1")
    ids = people(api, 2)
    assert shown(api)["state"] == "watching"
    for one, status in zip(ids, (200, 503), strict=True):
        api.patch(f"/Users/{one}", op("replace", "active", False), status=status)
    told = shown(api)
    assert (told["state"], told["connection"], told["held"]) == ("tripped", "idp-default", {"idp-default": 1})
    assert told["targets"] == [{"type": "User", "id": ids[1], "name": api.mail("u1")}]
    assert [(one["action"], one["id"]) for one in told["recent"]] == [("user.deactivated", ids[0])]
    assert told["kinds"][0] == {"kind": "deactivations", "threshold": "1", "limit": 1, "counted": 1}


def test_approval_lets_the_held_changes_through(new_account: Made) -> None:
    api = guarded(new_account, deactivations="0", deletions="0")
    ids = people(api, 3)
    hold(api, "PATCH", f"/Users/{ids[0]}", patch(op("replace", "active", False)))
    told = guarding.approve(Portal(api.database), api.account_name, 1, 2)
    assert (told["state"], told["changesLeft"], told["wasTripped"]) == ("approved", 2, True)
    api.patch(f"/Users/{ids[0]}", op("replace", "active", False))
    api.delete(f"/Users/{ids[1]}")
    hold(api, "DELETE", f"/Users/{ids[2]}")
    assert "guard.approved" in api.actions()


def test_rejection_pauses_who_sent_it_and_the_guard_watches_anew(new_account: Made) -> None:
    api = guarded(new_account, deactivations="1")
    other = api.token_for(profile="okta")
    ids = people(api, 3)
    for one, status in zip(ids[:2], (200, 503), strict=True):
        api.patch(f"/Users/{one}", op("replace", "active", False), status=status)
    told = guarding.reject(Portal(api.database), api.account_name)
    assert told["paused"] == ["idp-default"]
    detail = api.refuse("GET", f"/Users/{ids[0]}", status=503)
    assert "the guard held its changes and they were rejected" in detail
    other.patch(f"/Users/{ids[1]}", op("replace", "active", False))
    assert [one for one in api.actions() if one.startswith(("guard.", "connection.paused"))] == [
        "guard.tripped",
        "guard.rejected",
        "connection.paused",
    ]


def test_guard_of_one_account_holds_nothing_of_another(new_account: Made) -> None:
    api, other = guarded(new_account, deactivations="0"), guarded(new_account, deactivations="1")
    (mine,), (theirs,) = people(api, 1), people(other, 1)
    hold(api, "PATCH", f"/Users/{mine}", patch(op("replace", "active", False)))
    other.patch(f"/Users/{theirs}", op("replace", "active", False))
    assert shown(other)["state"] == "watching"


def test_defaults_let_a_small_account_lose_twenty_in_an_hour(new_account: Made) -> None:
    api = guarded(new_account, deletions=Policies().guard_deletions)
    ids = people(api, 21)
    for one in ids[:20]:
        api.delete(f"/Users/{one}")
    assert "more than the 20" in hold(api, "DELETE", f"/Users/{ids[20]}")


def test_share_of_the_account_is_a_threshold(new_account: Made) -> None:
    api = guarded(new_account, deactivations="50%")
    ids = people(api, 6)
    for one in ids[:3]:
        api.patch(f"/Users/{one}", op("replace", "active", False))
    hold(api, "PATCH", f"/Users/{ids[3]}", patch(op("replace", "active", False)))


@pytest.fixture(scope="module")
def processes(app: Flask, database_url: str) -> Iterator[Crew]:
    with crew(database_url, 2) as started:
        yield started


def test_processes_together_let_through_as_many_as_may_be(new_account: Made, processes: Crew) -> None:
    """Deactivations take the account's lock; the emptying of groups takes none but the guard's."""
    api = guarded(new_account, deactivations="5", groupClears="5")
    ids = people(api, 12)
    groups = [str(api.group(f"G{n}", ids[n])["id"]) for n in range(12)]
    off, empty = patch(op("replace", "active", False)), patch(op("remove", "members"))
    emptying = [[("PATCH", f"/Groups/{one}", empty) for one in groups[n::2]] for n in (0, 1)]
    statuses = sorted(sum(processes.at_once(api, *emptying), []))
    assert statuses == [200] * 5 + [503] * 7
    guarding.approve(Portal(api.database), api.account_name, 1, 0)
    deactivating = [[("PATCH", f"/Users/{one}", off) for one in ids[n::2]] for n in (0, 1)]
    statuses = sorted(sum(processes.at_once(api, *deactivating), []))
    assert statuses == [200] * 5 + [503] * 7
    assert sum(not api.get(f"/Users/{one}")["active"] for one in ids) == 5


def test_a_change_waits_for_another_that_is_being_counted(new_account: Made) -> None:
    """What it is judged by is what the other one has left."""
    api = guarded(new_account, deletions="1")
    (one,) = people(api, 1)
    with api.database.transaction(api.account_id):
        guards.lock(api.account_id)  # which makes the row that the others then wait for
    statuses: list[int] = []
    deletion = threading.Thread(target=lambda: statuses.append(replace(api).send("DELETE", f"/Users/{one}").status_int))
    with api.database.transaction(api.account_id):
        watch = guards.lock(api.account_id)
        deletion.start()
        deletion.join(0.5)
        assert statuses == []
        guards.save(api.account_id, guard.admit(watch, {"deletions": 1}, Policies(guard_deletions="1"), "c", now()))
    deletion.join(20)
    assert statuses == [503]
    api.get(f"/Users/{one}")
