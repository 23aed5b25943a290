"""The guard of an account: what it counts, when it holds, what an administrator's decision does."""

from dataclasses import replace

import pytest

from scim_server.account import guard
from scim_server.account.effects import (
    LicenceAssigned,
    LicenceReleased,
    LicenceWithdrawn,
    UserDeactivated,
    UserDeleted,
    UserReactivated,
)
from scim_server.account.guard import MINUTE, UNGUARDED, Held, Watch
from scim_server.account.policies import Policies, policies_from
from scim_server.account.thresholds import Threshold, threshold

NOW = 1_000_000 * MINUTE
THREE = Policies(guard_deactivations="3", guard_deletions="off")


def admitted(
    watch: Watch, number: int, policies: Policies = THREE, at: int = NOW, kind: str = "deactivations"
) -> Watch:
    return guard.admit(watch, {kind: number}, policies, "c", at)


def held(watch: Watch, number: int = 1, policies: Policies = THREE, at: int = NOW, kind: str = "deactivations") -> Held:
    with pytest.raises(Held) as raised:
        admitted(watch, number, policies, at, kind)
    return raised.value


def trip(watch: Watch, number: int = 1, at: int = NOW) -> Watch:
    return guard.tripped(watch, held(watch, number, at=at), ("User", "u"), "c", at)


@pytest.mark.parametrize(
    ("text", "size", "limit"),
    [
        ("50", 10, 50),
        ("0", 10, 0),
        ("20%", 10, 2),
        ("20%", 4, 0),
        ("20% min 20 max 500", 10, 20),
        ("20% min 20 max 500", 1000, 200),
        ("20% min 20 max 500", 100_000, 500),
        (" 20%  MIN 3 ", 100, 20),
        ("5% max 10", 1000, 10),
    ],
)
def test_threshold_is_a_number_or_a_share_within_bounds(text: str, size: int, limit: int) -> None:
    read = threshold(text)
    assert isinstance(read, Threshold)
    assert read.limit(size) == limit


@pytest.mark.parametrize("text", ["", "x", "-1", "0%", "101%", "20% max 5 min 1", "20% min 9 max 8", "1.5"])
def test_other_texts_are_no_threshold(text: str) -> None:
    with pytest.raises(ValueError):
        threshold(text)


def test_the_change_that_is_one_too_many_is_held_and_told() -> None:
    watch = admitted(admitted(Watch(), 2), 1)
    told = held(watch).trip
    assert (told.kind, told.number, told.limit, told.since, told.connection_id) == ("deactivations", 4, 3, NOW, "c")
    assert guard.told(told, THREE) == (
        "4 users deactivated within 60 minutes would be more than the 3 that the account's policy "
        "guard.deactivations allows"
    )


def test_one_request_for_more_than_may_be_is_held_whole() -> None:
    assert held(Watch(), 4).trip.number == 4
    assert admitted(Watch(), 3)


def test_what_happened_is_forgotten_after_the_window_and_never_before() -> None:
    watch = admitted(Watch(), 3)
    held(watch, at=NOW + 60 * MINUTE - 1)
    assert guard.counted(admitted(watch, 1, at=NOW + 61 * MINUTE), "deactivations", THREE, NOW + 61 * MINUTE) == 1


def test_a_window_is_kept_in_a_bounded_number_of_parts() -> None:
    watch, many = Watch(), Policies(guard_deactivations="1000000")
    for second in range(0, 4 * 3600, 10):
        watch = admitted(watch, 1, many, NOW + second * 1_000_000)
    assert len(watch.counted["deactivations"]) <= guard.PARTS + 1
    assert guard.counted(watch, "deactivations", many, NOW + 4 * 3600 * 1_000_000) in range(355, 368)


def test_a_tripped_guard_holds_every_guarded_change_until_it_is_decided() -> None:
    watch = trip(admitted(Watch(), 3))
    later = NOW + 600 * MINUTE
    assert held(watch, at=later).trip == watch.trip
    assert held(watch, kind="groupClears", at=later).trip == watch.trip
    assert trip(watch, at=later).held == {"c": 2}
    assert trip(watch, at=later).targets == [("User", "u")]


def test_those_who_are_held_are_remembered_up_to_a_number() -> None:
    watch = admitted(Watch(), 3)
    for number in range(200):
        watch = guard.tripped(watch, held(watch), ("User", str(number)), "c", NOW)
    assert (len(watch.targets), watch.held) == (guard.NOTED, {"c": 200})


def test_an_approval_lets_any_number_through_until_its_time_is_over() -> None:
    watch = guard.approved(NOW + MINUTE, None)
    for _ in range(100):
        watch = admitted(watch, 7)
    assert guard.counted(watch, "deactivations", THREE, NOW) == 0
    held(admitted(watch, 3, at=NOW + MINUTE), at=NOW + MINUTE)


def test_an_approval_of_a_number_ends_with_it() -> None:
    watch = admitted(guard.approved(NOW + MINUTE, 5), 5)
    watch = admitted(watch, 3)
    tripped = trip(watch)
    assert (tripped.open_until, tripped.open_for) == (None, None)


def test_a_held_change_that_meets_an_approval_trips_nothing() -> None:
    refused = held(admitted(Watch(), 3))
    approved = guard.approved(NOW + MINUTE, None)
    assert guard.tripped(approved, refused, ("User", "u"), "c", NOW) == approved


def test_a_kind_that_is_off_is_neither_counted_nor_held() -> None:
    effects = [UserDeleted(), UserDeactivated()]
    assert guard.losses(effects, THREE) == {"deactivations": 1}
    assert guard.losses(effects, policies_from(UNGUARDED), cleared=1) == {}


def test_what_a_change_takes_is_counted_once() -> None:
    """A licence that goes with its user, or with the deactivation, is no withdrawal of its own; that of a group is."""
    of_deletion = [UserDeleted(), LicenceWithdrawn("pro", reason="delete")]
    of_absence = [UserDeactivated(), LicenceReleased("pro")]
    of_group = [LicenceReleased("pro", "group"), LicenceWithdrawn("eco")]
    policies = Policies()
    assert guard.losses(of_deletion, policies) == {"deletions": 1}
    assert guard.losses(of_absence, policies) == {"deactivations": 1}
    assert guard.losses(of_group, policies) == {"licenseWithdrawals": 2}
    assert guard.losses([UserReactivated(), LicenceAssigned("pro")], policies) == {}
    assert guard.losses([], policies, cleared=1) == {"groupClears": 1}


@pytest.mark.parametrize(
    ("before", "removed", "is_cleared"),
    [(0, 0, False), (1, 0, False), (1, 1, True), (9, 8, False), (9, 9, True), (10, 5, False), (10, 6, True)],
)
def test_a_group_is_emptied_by_the_loss_of_all_or_of_most_of_many(before: int, removed: int, is_cleared: bool) -> None:
    assert guard.is_cleared(before, removed) is is_cleared


def test_the_size_of_an_account_is_asked_for_where_it_decides_and_kept_for_a_while() -> None:
    policies = Policies(guard_deactivations="20% min 3 max 500")
    watch = admitted(Watch(), 3, policies)
    one = {"deactivations": 1}
    assert guard.in_doubt(Watch(), one, policies, NOW) == frozenset()
    assert guard.in_doubt(watch, one, policies, NOW) == {"users"}
    assert guard.in_doubt(watch, one, replace(policies, guard_deactivations="3"), NOW) == frozenset()
    watch = guard.sized(watch, "users", 20, NOW)
    assert guard.in_doubt(watch, one, policies, NOW + MINUTE) == frozenset()
    assert guard.in_doubt(watch, one, policies, NOW + guard.SIZE_HOLDS) == {"users"}
    held(admitted(watch, 1, policies), 1, policies)
