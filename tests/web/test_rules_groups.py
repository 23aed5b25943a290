"""Licences by group over the wire: given, waited for, changed, lost, counted (R27)."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from scim_server.cli.portal import Portal
from scim_server.cli.texts import PortalError
from scim_server.store.database import execute
from scim_server.store.tables import group as group_table
from scim_server.store.tables import membership
from scim_server.store.tables import user as user_table

from .conftest import EXT, GEXT, GROUP, Api, op

TYPE, GTYPE = f"{EXT}:licenseType", f"{GEXT}:licenseType"
ON, OFF = op("replace", "active", True), op("replace", "active", False)


def licence(user: Any) -> tuple[Any, Any, Any]:
    """The licence of a user as it is shown: its type, status and source."""
    return user[EXT].get("licenseType"), user[EXT]["licenseStatus"], user[EXT].get("licenseSource")


def licences(api: Api, *ids: str) -> list[tuple[Any, Any, Any]]:
    return [licence(api.get(f"/Users/{one}")) for one in ids]


def giving(api: Api, licence_type: str | None, *members: str, name: str = "Lawyers") -> str:
    """Create a group that gives a licence; returns its path."""
    block = {GEXT: {"licenseType": licence_type}} if licence_type else {}
    return f"/Groups/{api.group(name, *members, **block)['id']}"


def add(*ids: str) -> dict[str, Any]:
    return op("add", "members", [{"value": one} for one in ids])


def remove(*ids: str) -> dict[str, Any]:
    return op("remove", "members", [{"value": one} for one in ids])


def counts(api: Api, path: str) -> tuple[int, int, int]:
    """How many members a group has, how many hold its licence, how many wait for it."""
    block = api.get(path)[GEXT]
    return block["memberCount"], block["licensedMemberCount"], block["pendingMemberCount"]


def assert_counts_add_up(api: Api) -> None:
    """The kept counts of every group, and of every pool, are those that its rows give."""
    with api.database.reading(api.account_id):
        mine = (membership.c.account_id == api.account_id,)
        users = {row.id: row for row in execute(sa.select(user_table).where(user_table.c.account_id == api.account_id))}
        members = execute(sa.select(membership.c.group_id, membership.c.user_id).where(*mine)).all()
        groups = execute(sa.select(group_table).where(group_table.c.account_id == api.account_id)).all()
    for row in groups:
        own = [users[one.user_id] for one in members if one.group_id == row.id]
        through = [one for one in own if one.licence_source == "group" and row.licence_type]
        licensed = [one for one in through if one.licence_type == row.licence_type]
        pending = [one for one in through if one.licence_pending_type == row.licence_type and one.active]
        kept = (row.member_count, row.licensed_member_count, row.pending_member_count)
        assert kept == (len(own), len(licensed), len(pending)), row.display_name
    held = Counter(one.licence_type for one in users.values() if one.licence_type)
    for kind in ("eco", "advanced", "pro"):
        assert api.pool(kind).assigned == held[kind]


@pytest.fixture(autouse=True)
def _counted(api: Api) -> Any:
    yield
    assert_counts_add_up(api)


@pytest.fixture
def people(api: Api) -> list[str]:
    return [api.user(f"u{n}")["id"] for n in range(6)]


@pytest.mark.parametrize("sent", ["pro", "Pro"])
def test_r27_group_is_created_with_a_licence_for_its_members(api: Api, people: list[str], sent: str) -> None:
    path = giving(api, sent, *people[:2])
    assert licences(api, *people[:3]) == [("pro", "assigned", "group")] * 2 + [(None, "none", None)]
    assert (api.get(path)[GEXT]["licenseType"], counts(api, path)) == ("pro", (2, 2, 0))
    assert [one["displayName"] for one in api.find(f'{GTYPE} eq "PRO"', "/Groups")] == ["Lawyers"]
    assert api.done()[-3:] == ["group.created", "license.assigned", "license.assigned"]
    entry = api.journal()[-1]
    assert (entry.target_id, entry.target_name) == (people[1], api.mail("u1"))
    assert orjson.loads(entry.changes) == [
        {"attribute": "licenseType", "to": "pro"}, {"attribute": "source", "to": "group"},
    ]  # fmt: skip


def test_r27_type_is_set_changed_and_cleared_on_a_group_with_members(api: Api, people: list[str]) -> None:
    path = giving(api, None, *people)
    api.patch(path, op("add", GTYPE, "pro"))
    assert (Counter(licences(api, *people)), counts(api, path)) == (
        {("pro", "assigned", "group"): 5, (None, "pending", "group"): 1},
        (6, 5, 1),
    )
    api.patch(path, op("replace", GTYPE, "Eco"))
    assert Counter(licences(api, *people)) == {("eco", "assigned", "group"): 5, (None, "pending", "group"): 1}
    assert (api.pool("pro").assigned, counts(api, path)) == (0, (6, 5, 1))
    for clearing in (op("remove", GTYPE), op("replace", GTYPE, "none"), op("replace", GTYPE, None)):
        api.patch(path, clearing)
        assert set(licences(api, *people)) == {(None, "none", None)}
        assert ("licenseType" in api.get(path)[GEXT], counts(api, path)) == (False, (6, 0, 0))
        api.patch(path, op("add", GTYPE, "advanced"))
    assert api.pool("advanced").assigned == 5


def test_r27_put_that_does_not_mention_the_licence_keeps_it(api: Api, people: list[str]) -> None:
    """P3: Okta pushes a name and members."""
    path = giving(api, "pro", people[0])
    api.put(path, {"schemas": [GROUP], "displayName": "Lawyers", "members": [{"value": people[1]}]})
    assert licences(api, *people[:2]) == [(None, "none", None), ("pro", "assigned", "group")]
    assert api.put(path, {"schemas": [GROUP], "displayName": "Law", GEXT: {}})[GEXT]["licenseType"] == "pro"
    api.put(path, {"schemas": [GROUP], "displayName": "Law", GEXT: {"licenseType": ""}})
    assert counts(api, path) == (1, 1, 0)
    with api.unchanged(path, f"/Users/{people[1]}"):
        api.put(path, api.get(path))
    api.put(path, {"schemas": [GROUP], "displayName": "Law", GEXT: {"licenseType": "none"}})
    assert licences(api, people[1]) == [(None, "none", None)]


def test_r27_unknown_and_unfit_types_are_refused(api: Api, people: list[str]) -> None:
    path = giving(api, None, people[0])
    with api.unchanged(path):
        for kind, detail in (
            ("gold", "licenseType 'gold' is not a licence type of this account. Known types: eco, advanced, pro, "),
            ("sharedMailbox", "licenseType 'sharedMailbox' cannot be given to a person."),
        ):
            assert api.refuse_patch(path, op("add", GTYPE, kind), kind="invalidValue").startswith(detail)
            body = {"displayName": "x", GEXT: {"licenseType": kind}}
            assert api.refuse("POST", "/Groups", body, kind="invalidValue").startswith(detail)
            assert api.refuse("PUT", path, {**body, "displayName": "Lawyers"}, kind="invalidValue").startswith(detail)
    assert {(one.rule, one.error) for one in api.refusals()} == {("R27", "E4"), ("R27", "E24")}


def test_17_seats_are_given_in_the_order_sent_and_the_oldest_waiting_is_served(
    new_account: Callable[..., Api],
) -> None:
    api = new_account(licences=3)
    path = giving(api, "pro")
    ids = [api.user(f"u{n}")["id"] for n in range(5)]
    order = [ids[3], ids[1], ids[4], ids[2], ids[0]]
    api.call("PATCH", path, {"Operations": [add(*order)]}, status=204, headers={"Prefer": "return=minimal"})
    assert licences(api, *order) == [("pro", "assigned", "group")] * 3 + [(None, "pending", "group")] * 2
    assert counts(api, path) == (5, 3, 2)
    waiting = api.get(f"/Users/{order[3]}")[EXT]
    assert (waiting["licensePendingType"], waiting["licenseStatusReason"]) == ("pro", "noSeatAvailable")
    api.patch(path, remove(order[0]))
    first, then = sorted(order[3:])  # both have waited since the same request: the older user comes first
    assert licences(api, order[0], first, then) == [
        (None, "none", None), ("pro", "assigned", "group"), (None, "pending", "group"),
    ]  # fmt: skip
    assert (counts(api, path), api.done()[-1]) == ((4, 3, 1), "license.granted")
    assert_counts_add_up(api)


@pytest.mark.parametrize("policy", ["retain", "purge"])
@pytest.mark.parametrize("remove_first", [True, False])
def test_16_moving_between_licence_groups_in_any_order_keeps_the_logs(
    new_account: Callable[..., Api], policy: str, remove_first: bool
) -> None:
    api = new_account(withdrawal__logPolicy=policy)
    ava = api.user(ext={"licenseActivated": False})["id"]
    pro, eco = giving(api, "pro", ava, name="Pro"), giving(api, "eco", name="Eco")
    api.patch(f"/Users/{ava}", op("replace", f"{EXT}:licenseActivated", True))
    api.write_log(ava)
    steps = [(pro, remove(ava)), (eco, add(ava))]
    for path, operation in steps if remove_first else reversed(steps):
        api.patch(path, operation)
    status = "assigned" if remove_first else "activated"
    assert licences(api, ava) == [("eco", status, "group")]
    assert (api.log_count(ava), api.pool("pro").assigned, api.pool("eco").assigned) == (3, 0, 1)
    assert (counts(api, pro), counts(api, eco)) == ((0, 0, 0), (1, 1, 0))
    assert "logs.purged" not in api.done()


def test_r27_highest_tier_wins_and_leaving_it_falls_back(api: Api, people: list[str]) -> None:
    ava = people[0]
    eco, pro = giving(api, "eco", ava, name="Eco"), giving(api, "pro", ava, name="Pro")
    giving(api, "advanced", ava, name="Advanced")
    assert licences(api, ava) == [("pro", "assigned", "group")]
    assert [counts(api, path) for path in (eco, pro)] == [(1, 0, 0), (1, 1, 0)]
    api.delete(pro)
    assert licences(api, ava) == [("advanced", "assigned", "group")]
    assert api.done()[-2:] == ["group.deleted", "license.changed"]


def test_r27_lesser_licence_serves_until_the_better_one_is_free(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1)
    holder = api.user("holder", ext={"licenseType": "pro"})
    ava, bob = api.user("ava")["id"], api.user("bob")["id"]
    eco, pro = giving(api, "eco", ava, bob, name="Eco"), giving(api, "pro", ava, name="Pro")
    shown = api.get(f"/Users/{ava}")[EXT]
    assert (shown["licenseType"], shown["licenseStatus"], shown["licensePendingType"]) == ("eco", "assigned", "pro")
    assert shown["licenseStatusReason"] == "noSeatAvailable"
    assert [counts(api, path) for path in (eco, pro)] == [(2, 1, 1), (1, 0, 1)]
    assert licences(api, bob) == [(None, "pending", "group")]
    api.delete(f"/Users/{holder['id']}")  # Pro goes to Ava, whose Eco goes to Bob
    assert licences(api, ava, bob) == [("pro", "assigned", "group"), ("eco", "assigned", "group")]
    assert {"licensePendingType", "licenseStatusReason"}.isdisjoint(api.get(f"/Users/{ava}")[EXT])
    assert [counts(api, path) for path in (eco, pro)] == [(2, 1, 0), (1, 1, 0)]
    assert api.done()[-2:] == ["license.changed", "license.granted"]
    assert_counts_add_up(api)


def test_r27_lesser_seat_that_becomes_free_serves_who_waits_for_a_better_one(
    new_account: Callable[..., Api],
) -> None:
    """Nobody stays without a licence while one that a group gives is free; the place in the queue is kept."""
    api = new_account(licences=1)
    for kind in ("eco", "advanced", "pro"):
        api.user(f"holder.{kind}", ext={"licenseType": kind})
    ava, bob = api.user("ava")["id"], api.user("bob")["id"]
    paths = [giving(api, kind, ava, name=kind) for kind in ("eco", "advanced", "pro")]
    giving(api, "eco", bob, name="Others")
    assert licences(api, ava, bob) == [(None, "pending", "group")] * 2
    portal, done = Portal(api.database), len(api.done())
    portal.add_licences(api.account_name, "eco", 1)
    assert licences(api, ava, bob) == [("eco", "assigned", "group"), (None, "pending", "group")]
    assert api.done()[done:] == ["licences.added", "license.assigned"]
    portal.add_licences(api.account_name, "advanced", 1)  # Ava's Eco goes to Bob
    assert licences(api, ava, bob) == [("advanced", "assigned", "group"), ("eco", "assigned", "group")]
    assert [counts(api, path) for path in paths] == [(1, 0, 0), (1, 1, 0), (1, 0, 1)]
    assert api.get(f"/Users/{ava}")[EXT]["licensePendingType"] == "pro"
    portal.add_licences(api.account_name, "pro", 1)
    assert licences(api, ava, bob) == [("pro", "assigned", "group"), ("eco", "assigned", "group")]
    assert_counts_add_up(api)


def test_r27_direct_licence_wins_and_gives_way_to_the_group_s_when_withdrawn(api: Api, people: list[str]) -> None:
    ava = api.user("ava", ext={"licenseType": "eco", "licenseActivated": True})["id"]
    path = giving(api, "pro", ava)
    assert (licences(api, ava), counts(api, path)) == ([("eco", "activated", "direct")], (1, 0, 0))
    api.write_log(ava)
    after = api.patch(f"/Users/{ava}", op("remove", TYPE))
    assert (licence(after), api.log_count(ava), counts(api, path)) == (("pro", "activated", "group"), 3, (1, 1, 0))
    detail = api.refuse_patch(f"/Users/{ava}", op("remove", TYPE), status=409)
    assert detail == "This licence comes from group 'Lawyers'. Change the group membership instead."
    target = op("replace", f"{EXT}:licenseTransferTo", people[0])
    assert api.refuse_patch(f"/Users/{ava}", target, status=409) == detail
    assert {(one.rule, one.error) for one in api.refusals()} == {("R9", "E12"), ("R10", "E12")}
    after = api.patch(f"/Users/{ava}", op("replace", TYPE, "advanced"))
    assert (licence(after), counts(api, path)) == (("advanced", "activated", "direct"), (1, 0, 0))


def test_r27_account_may_refuse_members_for_whom_no_seat_is_left(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, licenseShortage__group="reject")
    ids = [api.user(f"u{n}")["id"] for n in range(2)]
    path = giving(api, "pro")
    with api.unchanged(path, *(f"/Users/{one}" for one in ids)):
        detail = api.refuse_patch(path, add(*ids), status=409)
    assert detail.startswith("No 'pro' licence is available: 1 of 1 are assigned.")
    assert (api.refusals()[-1].rule, api.refusals()[-1].error) == ("R6", "E5")
    assert api.get(path)["members"] == []
    api.patch(path, add(ids[0]))
    body = {"displayName": "x", "members": [{"value": one} for one in ids], GEXT: {"licenseType": "pro"}}
    api.refuse("POST", "/Groups", body, status=409)
    plain = giving(api, None, *ids, name="Plain")
    with api.unchanged(plain):
        api.refuse_patch(plain, op("add", GTYPE, "pro"), status=409)
    assert_counts_add_up(api)


@pytest.mark.parametrize("policy", ["suspend", "release", "releaseAfterGrace"])
def test_r27_absent_member_keeps_a_seat_only_where_the_account_suspends(
    new_account: Callable[..., Api], policy: str
) -> None:
    api = new_account(deactivation__licensePolicy=policy)
    ava, away = api.user("ava")["id"], api.user("away", active=False)["id"]
    path = giving(api, "pro", ava, away)
    assert licences(api, away) == [(None, "none", "group")]
    api.patch(f"/Users/{ava}", OFF)
    suspended = policy != "release"
    assert licences(api, ava) == [("pro", "suspended", "group") if suspended else (None, "none", "group")]
    assert (api.pool("pro").assigned, counts(api, path)) == (int(suspended), (2, int(suspended), 0))
    for one in (ava, away):
        assert licence(api.patch(f"/Users/{one}", ON)) == ("pro", "assigned", "group")
    assert counts(api, path) == (2, 2, 0)
    api.patch(f"/Users/{ava}", OFF)
    api.patch(path, remove(ava))
    assert licences(api, ava) == [(None, "none", None)]
    assert licence(api.patch(f"/Users/{ava}", ON)) == (None, "none", None)
    assert_counts_add_up(api)


def test_r27_types_that_cannot_be_ranked_leave_the_first(api: Api, people: list[str]) -> None:
    api.buy("sesar", 3)
    eco, sesar = giving(api, "eco", people[0], name="Eco"), giving(api, "sesar", people[0], name="Sesar")
    shown = api.get(f"/Users/{people[0]}")
    assert (licence(shown), shown[EXT]["licenseStatusReason"]) == (("eco", "assigned", "group"), "typeConflict")
    conflict = api.journal()[-1]
    assert (conflict.action, orjson.loads(conflict.changes)[1]) == (
        "license.conflict", {"attribute": "others", "to": ["sesar"]},
    )  # fmt: skip
    api.patch(eco, remove(people[0]))
    assert licences(api, people[0]) == [("sesar", "assigned", "group")]
    assert counts(api, sesar) == (1, 1, 0)


def test_r18_losing_pro_with_the_group_switches_returns_off(api: Api, people: list[str]) -> None:
    path = giving(api, "pro", people[0])
    api.patch(f"/Users/{people[0]}", op("replace", f"{EXT}:microsoftReturnsEnabled", True))
    api.patch(path, remove(people[0]))
    assert api.get(f"/Users/{people[0]}")[EXT]["microsoftReturnsEnabled"] is False
    assert api.done()[-2:] == ["license.released", "security.returns.autoDisabled"]


def test_r27_deleted_member_frees_the_seat_for_the_next(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1)
    ava, bob = api.user("ava")["id"], api.user("bob")["id"]
    path = giving(api, "pro", ava, bob)
    assert counts(api, path) == (2, 1, 1)
    api.delete(f"/Users/{ava}")
    assert (licences(api, bob), counts(api, path)) == ([("pro", "assigned", "group")], (1, 1, 0))
    assert_counts_add_up(api)


def test_r27_replacing_members_serves_who_waits_before_who_comes(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1)
    ava, bob, cat = (api.user(name)["id"] for name in ("ava", "bob", "cat"))
    path = giving(api, "pro", ava, bob)
    api.patch(path, op("replace", "members", [{"value": one} for one in (cat, bob)]))
    assert licences(api, ava, bob, cat) == [
        (None, "none", None), ("pro", "assigned", "group"), (None, "pending", "group"),
    ]  # fmt: skip
    assert_counts_add_up(api)


def test_r27_seat_that_passes_from_who_leaves_to_who_comes_is_counted_once(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1)
    ava, bob = api.user("ava")["id"], api.user("bob")["id"]
    path, other = giving(api, "pro", ava), giving(api, "pro", bob, name="Others")
    api.patch(path, op("replace", "members", [{"value": bob}]))
    assert licences(api, ava, bob) == [(None, "none", None), ("pro", "assigned", "group")]
    assert [counts(api, one) for one in (path, other)] == [(1, 1, 0)] * 2
    assert_counts_add_up(api)


def test_r27_echo_is_no_change_after_the_group_took_back_a_licence_that_was_sent_as_an_entitlement(
    api: Api, people: list[str]
) -> None:
    path, user = giving(api, "pro", people[0]), f"/Users/{people[0]}"
    shown = api.patch(user, op("add", 'entitlements[type eq "license"].value', "PRO"))
    assert (licence(shown)[2], shown["entitlements"][0]["value"]) == ("group", "PRO")
    api.patch(path, remove(people[0]))
    shown = api.get(user)
    assert "entitlements" not in shown
    with api.unchanged(user):
        api.put(user, shown)
        api.patch(user, op("remove", "entitlements"))


def test_r27_account_gives_a_licence_to_new_groups_by_their_name(new_account: Callable[..., Api]) -> None:
    """IdPs cannot send the extension on groups."""
    api = new_account(groupLicenses={"Lawyers": "pro", "Staff": "eco"})
    ava = api.user("ava")["id"]
    assert api.get(giving(api, None, ava, name="LAWYERS"))[GEXT]["licenseType"] == "pro"
    assert licences(api, ava) == [("pro", "assigned", "group")]
    assert "licenseType" not in api.get(giving(api, None, ava, name="Others"))[GEXT]
    assert "licenseType" not in api.get(giving(api, "none", name="Staff"))[GEXT]


def test_r27_members_by_the_thousand_cost_a_bounded_number_of_statements(api: Api) -> None:
    row = api.user("seed")
    with api.database.transaction(api.account_id):
        template = dict(execute(sa.select(user_table).where(user_table.c.id == row["id"])).one()._mapping)
        ids = [f"bulk-{api.account_id}-{n}" for n in range(2500)]
        rows = [{**template, "id": one, "user_name_key": one, "user_name": one} for one in ids]
        execute(user_table.insert(), rows)
    api.buy("eco", 2000)
    path = giving(api, "eco")
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(api.database.engine, "before_cursor_execute", note)
    try:
        api.patch(path, add(*ids), status=204)
    finally:
        sa.event.remove(api.database.engine, "before_cursor_execute", note)
    assert len(seen) < 60, Counter(one.split("(")[0][:60] for one in seen)
    assert counts(api, path) == (2500, 2005, 495)
    api.delete(path)
    assert api.pool("eco").assigned == 0


def test_r31_role_group_has_the_permissions_that_the_portal_gives(api: Api, people: list[str]) -> None:
    """Membership is SCIM's and effective at once; an IdP cannot mint permissions."""
    block = {GEXT: {"kind": "roleGroup", "permissions": ["billing"]}}
    path = f"/Groups/{api.group('Helpdesk', people[0], **block)['id']}"
    assert "permissions" not in api.get(path)[GEXT]
    portal = Portal(api.database)
    name = api.account_name
    assert portal.permit(name, "HELPDESK", ["LOGS", "billing"])["permissions"] == ["billing", "logs"]
    assert api.get(path)[GEXT]["permissions"] == ["billing", "logs"]
    assert [one["id"] for one in api.find(f'{GEXT}:permissions eq "LOGS"', "/Groups")] == [api.get(path)["id"]]
    api.refuse_patch(path, op("add", f"{GEXT}:permissions", ["purchasing"]), kind="mutability")
    api.put(path, {"displayName": "Desk", "members": [{"value": people[1]}], GEXT: {"permissions": []}})
    assert api.get(path)[GEXT]["permissions"] == ["billing", "logs"]
    assert [one["display"] for one in api.get(f"/Users/{people[1]}")["groups"]] == ["Desk"]
    assert portal.permit(name, "Desk", [])["changed"] is True
    assert "permissions" not in api.get(path)[GEXT]
    api.group("Plain")
    with pytest.raises(PortalError):
        portal.permit(name, "Plain", ["logs"])


def test_r26_group_of_a_mailbox_s_users_names_a_mailbox(api: Api, people: list[str]) -> None:
    mailbox = api.user("office", ext={"kind": "sharedMailbox"})["id"]
    body = {"displayName": "Office", GEXT: {"kind": "sharedMailboxUsers", "sharedMailbox": mailbox}}
    path = f"/Groups/{api.post('/Groups', body)['id']}"
    assert api.get(path)[GEXT]["sharedMailbox"] == mailbox
    with api.unchanged(path):
        for wrong in (people[0], "nobody"):
            detail = api.refuse_patch(path, op("replace", f"{GEXT}:sharedMailbox", wrong), kind="invalidValue")
            assert detail.startswith(f"sharedMailbox: '{wrong}' is not the id of a shared mailbox of this account.")
            other = {"displayName": "x", GEXT: {"sharedMailbox": wrong}}
            api.refuse("POST", "/Groups", other, kind="invalidValue")
    api.delete(f"/Users/{mailbox}")
    api.patch(path, op("replace", "displayName", "Still"))


def test_r26_activations_bought_are_shown_on_the_mailboxes(api: Api) -> None:
    mailbox = api.user("office", ext={"kind": "sharedMailbox", "licenseType": "sharedMailbox"})
    assert mailbox[EXT]["activationsAllowed"] == 5
    Portal(api.database).set_activations(api.account_name, "sharedMailbox", 7)
    assert api.get(f"/Users/{mailbox['id']}")[EXT]["activationsAllowed"] == 7


def test_r27_account_gives_a_licence_to_the_groups_that_are_there(api: Api, people: list[str]) -> None:
    path, other = giving(api, None, *people[:2], name="Sales"), giving(api, "eco", name="Staff")
    Portal(api.database).set_policies(api.account_name, {"groupLicenses": '{"SALES": "pro", "Staff": "pro"}'})
    assert (licences(api, *people[:2]), counts(api, path)) == ([("pro", "assigned", "group")] * 2, (2, 2, 0))
    assert api.get(other)[GEXT]["licenseType"] == "eco"
    assert api.done()[-4:] == ["account.policyChanged", "group.updated", "license.assigned", "license.assigned"]


def test_r27_member_who_is_served_by_one_who_leaves_is_counted_once(new_account: Callable[..., Api]) -> None:
    """Who comes waits through another group for the seat that who leaves sets free."""
    api = new_account(licences=1)
    ava, bob = (api.user(name)["id"] for name in ("ava", "bob"))
    first, second = giving(api, "pro", ava, name="First"), giving(api, "pro", bob, name="Second")
    api.put(first, {"displayName": "First", "members": [{"value": bob}]})
    assert (counts(api, first), counts(api, second)) == ((1, 1, 0), (1, 1, 0))
    assert_counts_add_up(api)


def test_r27_type_and_members_change_in_one_request(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1)
    ava, bob, cat = (api.user(name)["id"] for name in ("ava", "bob", "cat"))
    first = giving(api, "advanced", ava, name="First")
    giving(api, "advanced", bob, name="Advanced")
    giving(api, "eco", bob, cat, name="Eco")
    api.put(first, {"displayName": "First", "members": [{"value": cat}], GEXT: {"licenseType": "eco"}})
    assert licences(api, ava, bob, cat) == [
        (None, "none", None), ("advanced", "assigned", "group"), ("eco", "assigned", "group"),
    ]  # fmt: skip
    assert_counts_add_up(api)


def test_r6_freed_seat_goes_to_who_waits_before_others_of_the_same_request(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1)
    ava, bob, old = (api.user(name)["id"] for name in ("ava", "bob", "old"))
    first, second = giving(api, "pro", ava, name="First"), giving(api, "pro", old, name="Second")
    api.patch(second, add(bob))
    api.patch(first, add(bob))
    api.patch(first, remove(ava, bob))
    assert licences(api, old, bob) == [("pro", "assigned", "group"), (None, "pending", "group")]
    assert_counts_add_up(api)


def test_r27_policy_that_cannot_be_carried_out_is_told_and_not_set(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, licenseShortage__group="reject")
    giving(api, None, api.user("ava")["id"], api.user("bob")["id"], name="Sales")
    portal, before = Portal(api.database), api.done()
    for text, words in (('{"Sales": "pro"}', "1 of 1"), ('{"Sales": "sharedMailbox"}', "is for mailboxes")):
        with pytest.raises(PortalError, match=words):
            portal.set_policies(api.account_name, {"groupLicenses": text})
    assert api.done() == before
    assert portal.show_account(api.account_name)["policies"]["groupLicenses"] == {}


def test_r29_journal_tells_who_came_and_who_left_but_no_address(api: Api, people: list[str]) -> None:
    ava = api.user("ava")
    path = f"/Groups/{api.group('Helpdesk', people[0])['id']}"
    api.patch(path, remove(people[0]), add(people[1], ava["userName"]))
    told = orjson.loads(api.journal()[-1].changes)
    assert told == [
        {"attribute": "members", "added": 1, "removed": 1, "from": [people[0]], "to": [people[1]]},
        {"attribute": "members", "skipped": [f"a***@{api.domain}"]},
    ]
    api.delete(f"/Users/{people[1]}")
    deleted = next(entry for entry in api.journal() if entry.action == "user.deleted")
    assert orjson.loads(deleted.changes) == [{"attribute": "groups", "from": [path.rpartition("/")[2]]}]
    api.delete(f"/Users/{ava['id']}")
    told_of_ava = [one for one in api.journal() if ava["userName"] in f"{one.changes}{one.detail}{one.target_name}"]
    assert told_of_ava == []
