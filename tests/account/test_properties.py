"""What holds for every request that is not refused."""

from contextlib import suppress
from dataclasses import replace

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from scim_server.account.effects import LicenceTransferred
from scim_server.account.model import Facts, Member
from scim_server.account.policies import Policies
from scim_server.account.refusals import Refused
from scim_server.account.rules import decide, follow_groups, grant, release_after_grace, touches_account

from . import given as an
from .given import ATTRIBUTES, EARLIER, NOW, TYPES, seats

PERSONAL = ["eco", "advanced", "pro", "apiPro", "sesar"]
booleans = st.booleans()
unhurried = settings(deadline=None)

policies = st.builds(
    Policies,
    deactivation_licence_policy=st.sampled_from(["suspend", "release", "releaseAfterGrace"]),
    reactivation_restore_licence=booleans,
    withdrawal_log_policy=st.sampled_from(["retain", "purge"]),
    licence_shortage_direct=st.sampled_from(["reject", "pend"]),
    licence_shortage_group=st.sampled_from(["reject", "pend"]),
    defaults_licence_type=st.sampled_from([None, "eco"]),
)


@st.composite
def accounts(draw):
    free = {type: draw(st.integers(0, 2)) for type in TYPES}
    groups = draw(st.lists(st.sampled_from(PERSONAL), max_size=2))
    return replace(
        an.an_account(free),
        policies=draw(policies),
        active_administrators=draw(st.integers(1, 2)),
        group_types=tuple(groups),
        was_deleted=draw(booleans),
    )


@st.composite
def licences(draw, types, active):
    """The licence fields of a user in one of the states of rules.md 2.0."""
    states = ["none", "pending", "expired"] + (["assigned", "activated"] if active else ["suspended", "released"])
    status, type = draw(st.sampled_from(states)), draw(st.sampled_from(types))
    source = draw(st.sampled_from(["direct", "group"]))
    if status == "none":
        return {}
    if status in {"pending", "released"}:
        reason = "noSeatAvailable" if status == "pending" else "userInactive"
        waiting = {"licence_pending_type": type, "licence_reason": reason, "licence_source": source}
        return waiting | {"licence_status": "pending" if status == "pending" else "none"}
    activated = status == "activated" or (status != "assigned" and draw(booleans))
    return {
        "licence_type": type,
        "licence_status": status,
        "licence_source": source,
        "licence_assigned_at": EARLIER,
        "licence_activated": activated,
        "licence_activated_at": EARLIER if activated else None,
    }


@st.composite
def members(draw):
    kind = draw(st.sampled_from(["person", "person", "person", "sharedMailbox"]))
    active = draw(booleans)
    person = kind == "person"
    licence = draw(licences(PERSONAL if person else ["sharedMailbox"], active))
    pro = licence.get("licence_type") == "pro" and licence["licence_status"] != "expired"
    return Member(
        "u1",
        "anna@acme.example",
        kind=kind,
        active=active,
        role=draw(st.sampled_from(["standard", "administrator"])) if person else "standard",
        mobile="+1 514 555 0100",
        sms_country_code="+1",
        two_factor=person and draw(booleans),
        sms_returns=pro and draw(booleans),
        microsoft_returns=pro and draw(booleans),
        licence_reset_required=draw(booleans),
        deactivated_at=None if active else EARLIER,
        **licence,
    )


requests = st.fixed_dictionaries(
    {},
    optional={
        "user_name": st.sampled_from(["anna@acme.example", "a@acme.example", "a@other.example"]),
        "active": booleans,
        "role": st.sampled_from(["standard", "administrator", "Administrator"]),
        "mobile": st.sampled_from([None, "514 555 0100"]),
        "sms_country_code": st.sampled_from([None, "CA"]),
        "time_zone": st.sampled_from([None, "UTC"]),
        "two_factor": booleans,
        "sms_returns": booleans,
        "microsoft_returns": booleans,
        "licence_type": st.sampled_from([None, "none", "eco", "Pro", "sesar", "sharedmailbox"]),
        "licence_activated": booleans,
    },
)


def ask(before: Member | None, fields: dict, account: Facts):
    """Decide the request, or give the example up where it is refused."""
    said = frozenset(ATTRIBUTES[name] for name in fields)
    after = replace(before or Member("u1", "anna@acme.example"), **fields)
    try:
        return decide(before, after, replace(account, asserted=said))
    except Refused:
        assume(False)


def assert_sound(member: Member) -> None:
    """Assert what the licence states of rules.md 2.0 promise."""
    if member.holds_seat:
        assert member.licence_type in TYPES
        assert member.licence_pending_type in {None, *TYPES} - {member.licence_type}
        assert member.waits is (member.licence_pending_type is not None)
        assert (member.licence_pending_type is None) or member.licence_source == "group"
        assert member.licence_source in {"direct", "group"}
    else:
        assert member.licence_status in {"none", "pending"}
        assert member.licence_type is None
        assert not member.licence_activated
        assert member.licence_activated_at is None
        assert member.licence_assigned_at is None
        assert member.activations_used == 0
        waits = member.licence_status == "pending" or member.licence_reason == "userInactive"
        assert waits is (member.licence_pending_type is not None) is (member.licence_source is not None)
    assert member.licence_activated is (member.licence_activated_at is not None)
    assert (member.licence_status == "activated") <= member.licence_activated
    assert (member.licence_status in {"assigned", "activated"}) <= member.active
    assert (member.licence_status == "suspended") <= (not member.active)
    assert (member.licence_reason == "userInactive") <= (not member.active)
    assert member.active is (member.deactivated_at is None)
    may_return = member.licence_type == "pro" and member.licence_status != "expired"
    assert (member.sms_returns or member.microsoft_returns) <= may_return


def seats_of(*present: Member | None) -> dict[str, int]:
    held = [member.licence_type for member in present if member and member.holds_seat]
    return {type: held.count(type) for type in held}


def difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    changes = {type: after.get(type, 0) - before.get(type, 0) for type in {*before, *after}}
    return {type: number for type, number in changes.items() if number}


@unhurried
@given(st.one_of(st.none(), members()), requests, accounts())
def test_effects_move_exactly_the_seats_that_users_hold(before, fields, account):
    plan = ask(before, fields, account)
    assert seats(plan.effects) == difference(seats_of(before), seats_of(plan.after))


@unhurried
@given(st.one_of(st.none(), members()), requests, accounts())
def test_no_pool_is_overdrawn(before, fields, account):
    plan = ask(before, fields, account)
    for type, number in seats(plan.effects).items():
        assert number <= account.pools[type].available or number < 0


@unhurried
@given(members(), members(), accounts())
def test_transfer_moves_one_seat_from_user_to_user(source, target, account):
    target = replace(target, id="u2")
    said = frozenset({"licenseTransferTo"})
    try:
        plan = decide(source, source, replace(account, transfer_to=target, asserted=said))
    except Refused:
        return
    moved = difference(seats_of(source, target), seats_of(plan.after, plan.transfer_target))
    assert seats(plan.effects) == moved
    assert plan.transfer_target.licence_type == source.licence_type
    assert moved == {} or plan.after.licence_source == "group"  # what the source's groups give it instead (R27)
    assert isinstance(plan.effects[0], LicenceTransferred)
    assert_sound(plan.after)
    assert_sound(plan.transfer_target)


@unhurried
@given(st.one_of(st.none(), members()), requests, accounts())
@example(None, {"active": False, "licence_type": "Pro"}, an.an_account())
def test_every_decision_leaves_a_sound_user(before, fields, account):
    assert_sound(ask(before, fields, account).after)


@unhurried
@given(members(), requests, accounts())
def test_the_same_request_again_changes_nothing(before, fields, account):
    plan = ask(before, fields, account)
    came_to_the_group = plan.after.licence_source == "group" and before.licence_source == "direct"
    assume(not came_to_the_group)  # its licence is now the group's to take back (E12)
    again = ask(plan.after, fields, replace(account, pools=an.pools(**dict.fromkeys(TYPES, 0))))
    assert (again.effects, again.after) == ((), plan.after)


@unhurried
@given(members(), accounts())
def test_saying_what_is_already_so_changes_nothing(before, account):
    plan = ask(before, {name: getattr(before, name) for name in ATTRIBUTES if "licence" not in name}, account)
    assert (plan.effects, plan.after) == ((), before)


@unhurried
@given(st.one_of(st.none(), members()), requests, accounts())
def test_request_that_does_not_touch_the_account_is_decided_without_it(before, fields, account):
    said = frozenset(ATTRIBUTES[name] for name in fields)
    after = replace(before or Member("u1", "anna@acme.example"), **fields)
    assume(not touches_account(before, after, said, account.policies))
    known = replace(account, asserted=said)
    unknown = replace(known, pools={}, active_administrators=0, group_types=())
    assert outcome(before, after, known) == outcome(before, after, unknown)


def outcome(before, after, account):
    try:
        return decide(before, after, account)
    except Refused as refused:
        return refused.detail


@unhurried
@given(members(), accounts())
def test_absence_loses_nothing_where_the_account_suspends(before, account):
    assume(before.active)
    given = (before.licence_type or before.licence_pending_type,) if before.licence_source == "group" else ()
    account = replace(account, policies=Policies(), active_administrators=2, group_types=given)
    absent = ask(before, {"active": False}, account).after
    no_seats = replace(account, pools=an.pools(**dict.fromkeys(TYPES, 0)))
    assert ask(absent, {"active": True}, no_seats).after == before


@unhurried
@given(members(), requests, accounts())
def test_logs_are_destroyed_by_explicit_acts_only(before, fields, account):
    plan = ask(before, fields, account)
    purged = [effect for effect in plan.effects if effect.action == "logs.purged"]
    if purged:
        assert fields["licence_type"] in {None, "none"}
        assert account.policies.withdrawal_log_policy == "purge"


@unhurried
@given(members(), accounts(), st.integers(0, 60))
def test_time_and_free_seats_leave_a_sound_user(member, account, days):
    later = replace(account, now=NOW + days * 86_400_000_000)
    for decision in (grant, release_after_grace):
        with suppress(Refused):
            plan = decision(member, later)
            assert_sound(plan.after)
            assert seats(plan.effects) == difference(seats_of(member), seats_of(plan.after))


@unhurried
@given(members(), accounts(), booleans)
def test_following_the_groups_leaves_a_sound_user_with_the_best_that_is_to_be_had(member, account, may_refuse):
    with suppress(Refused):
        plan = follow_groups(member, account, may_refuse=may_refuse)
        assert_sound(plan.after)
        assert seats(plan.effects) == difference(seats_of(member), seats_of(plan.after))
        assert not [effect for effect in plan.effects if effect.action == "logs.purged"]
        assert (plan.after == member) or member.licence_source != "direct"
        if plan.after.licence_source == "group":
            assert {plan.after.licence_type, plan.after.licence_pending_type} - {None} <= {*account.group_types}
            moved = {type: replace(pool, assigned=pool.assigned + seats(plan.effects).get(type, 0))
                     for type, pool in account.pools.items()}  # fmt: skip
            again = follow_groups(plan.after, replace(account, pools=moved), may_refuse=False)
            assert (again.effects, again.after) == ((), plan.after)
