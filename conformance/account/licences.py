"""Licences over SCIM: assigned from pools, changed, withdrawn, transferred."""

from typing import Any

from conformance.names import ACCOUNT, ACCOUNT_GROUP, GROUP, USER
from conformance.registry import check, equal, expect
from conformance.scim import Json, Scim, op

TYPE = f"{ACCOUNT}:licenseType"
PHONE = [{"type": "mobile", "value": "514 555 0100"}]


def seats(scim: Scim, kind: str) -> int:
    """How many licences of a type are free."""
    pools = scim.read("/LicensePools").get("Resources") or []
    return sum(one.get("available", 0) for one in pools if one.get("licenseType") == kind)


def holder(scim: Scim, kind: str, free: int = 1, **attributes: Any) -> Json:
    """A user with a licence, where so many of the type are free."""
    scim.need(seats(scim, kind) >= free, f"fewer than {free} {kind} licences are free")
    extension = {"licenseType": kind, **attributes.pop("extension", {})}
    return scim.user(schemas=[USER, ACCOUNT], **{ACCOUNT: extension}, **attributes)


def licence(user: Json) -> tuple[Any, Any]:
    return user[ACCOUNT].get("licenseType"), user[ACCOUNT].get("licenseStatus")


@check("rules R5, R7; acceptance 4", "account", "patch", suite="account")
def change_of_type_moves_the_seat(scim: Scim) -> None:
    """ACC-04 MUST: from Eco to Pro one Eco licence is free again and one Pro licence fewer, and the logs stay."""
    user = holder(scim, "eco")
    scim.need(seats(scim, "pro") >= 1, "no pro licence is free")
    logs = user[ACCOUNT].get("logEntryCount")
    before = seats(scim, "eco"), seats(scim, "pro")
    after = scim.patch(f"/Users/{user['id']}", op("replace", TYPE, "pro"))
    equal(licence(after)[0], "pro", "licenseType")
    equal((seats(scim, "eco"), seats(scim, "pro")), (before[0] + 1, before[1] - 1), "the free licences")
    equal(after[ACCOUNT].get("logEntryCount"), logs, "logEntryCount")


@check("rules R9; acceptance 5", "account", "patch", suite="account")
def withdrawn_seats_are_free(scim: Scim) -> None:
    """ACC-05 MUST: a licence that is withdrawn, in each of the three ways, is free again, and the user stays."""
    for operation in (op("remove", TYPE), op("replace", TYPE, None), op("replace", TYPE, "none")):
        user = holder(scim, "pro")
        before = seats(scim, "pro")
        equal(licence(scim.patch(f"/Users/{user['id']}", operation)), (None, "none"), "the licence")
        equal(seats(scim, "pro"), before + 1, "the free licences")


@check("rules P3; acceptance 6", "account", suite="account")
def silent_put_keeps_the_licence(scim: Scim) -> None:
    """ACC-06 MUST: a PUT without the extension keeps licence, role and mobile, and clears a title."""
    user = holder(scim, "eco", title="Engineer", phoneNumbers=PHONE)
    body = {"schemas": [USER], "userName": user["userName"], "displayName": "Ava"}
    after = scim.put(f"/Users/{user['id']}", body)
    equal(after[ACCOUNT], user[ACCOUNT], "the extension")
    equal(after.get("phoneNumbers"), user.get("phoneNumbers"), "phoneNumbers")
    expect("title" not in after, "title is still there")


@check("rules R10; acceptance 7", "account", "patch", suite="account")
def bad_transfers_are_refused(scim: Scim) -> None:
    """ACC-07 MUST: a transfer to nobody, to oneself, to a licensed or to an inactive user is refused."""
    source = holder(scim, "pro", 1)
    licensed = holder(scim, "eco", 1)
    inactive = scim.user(active=False)
    path = f"/Users/{source['id']}"
    for target in ("nobody", source["id"], licensed["id"], inactive["id"]):
        scim.refuse_patch(path, op("replace", f"{ACCOUNT}:licenseTransferTo", target), status=(400, 409))
    equal(licence(scim.read(path))[0], "pro", "licenseType of the source")


@check("rules R10, R11; acceptance 8", "account", "patch", suite="account")
def transfers_need_no_seat(scim: Scim) -> None:
    """ACC-08 MUST: a transfer gives the licence to the other user, destroys the logs and changes no total."""
    source, target = holder(scim, "pro"), scim.user()
    before = seats(scim, "pro")
    after = scim.patch(f"/Users/{source['id']}", op("replace", f"{ACCOUNT}:licenseTransferTo", target["id"]))
    equal(licence(after), (None, "none"), "the licence of the source")
    equal(licence(scim.read(f"/Users/{target['id']}")), ("pro", "assigned"), "the licence of the target")
    equal(after[ACCOUNT].get("logEntryCount") or 0, 0, "logEntryCount of the source")
    equal(seats(scim, "pro"), before, "the free licences")


@check("rules R12; acceptance 9", "account", "patch", suite="account")
def renames_keep_the_licence(scim: Scim) -> None:
    """ACC-09 MUST: a new address keeps id, licence and logs."""
    user, name = holder(scim, "eco"), scim.mail("renamed")
    after = scim.patch(f"/Users/{user['id']}", op("replace", "userName", name))
    equal((after["id"], after["userName"], after[ACCOUNT]), (user["id"], name, user[ACCOUNT]), "the user")


@check("rules R16, R17; acceptance 10", "account", "patch", suite="account")
def returns_need_what_they_need(scim: Scim) -> None:
    """ACC-10 MUST: returns by SMS need Pro, a mobile number and a country code; all in one PATCH are accepted."""
    on = op("replace", f"{ACCOUNT}:smsReturnsEnabled", True)
    scim.refuse_patch(f"/Users/{holder(scim, 'advanced')['id']}", on)
    path = f"/Users/{holder(scim, 'pro', 2)['id']}"
    scim.refuse_patch(path, on)
    scim.patch(path, op("add", "phoneNumbers", PHONE))
    scim.refuse_patch(path, on)
    fresh = f"/Users/{scim.user()['id']}"
    steps = [on, op("replace", f"{ACCOUNT}:smsCountryCode", "CA"), op("add", "phoneNumbers", PHONE)]
    after = scim.patch(fresh, *steps, op("replace", TYPE, "pro"))
    expect(after[ACCOUNT].get("smsReturnsEnabled") is True, "smsReturnsEnabled is not true")


@check("rules R18; acceptance 11", "account", "patch", suite="account")
def losing_pro_ends_returns(scim: Scim) -> None:
    """ACC-11 MUST: from Pro to Eco the returns go off; asked to stay on in the same PATCH it is refused."""
    with_returns = {"smsCountryCode": "CA", "smsReturnsEnabled": True}
    user = holder(scim, "pro", phoneNumbers=PHONE, extension=with_returns)
    scim.need(seats(scim, "eco") >= 1, "no eco licence is free")
    path, eco = f"/Users/{user['id']}", op("replace", TYPE, "eco")
    scim.refuse_patch(path, eco, op("replace", f"{ACCOUNT}:smsReturnsEnabled", True))
    equal(licence(scim.read(path))[0], "pro", "licenseType after the refusal")
    after = scim.patch(path, eco)
    equal((licence(after)[0], after[ACCOUNT].get("smsReturnsEnabled")), ("eco", False), "type and returns")


@check("rules R24, R25; acceptance 15", "account", "patch", suite="account")
def reactivation_brings_back(scim: Scim) -> None:
    """ACC-15 MUST: active false ends the use of the licence, and active true brings back what can be."""
    user = holder(scim, "eco")
    path = f"/Users/{user['id']}"
    away = scim.patch(path, op("replace", "active", False))
    expect(licence(away)[1] in ("suspended", "none"), f"licenseStatus is {licence(away)[1]!r}")
    back = scim.patch(path, op("replace", "active", True))
    equal(licence(back), licence(user), "the licence")


@check("rules R27; acceptance 16", "account", "patch", "groups", suite="account")
def licences_follow_groups(scim: Scim) -> None:
    """ACC-16 MUST: from a Pro group to an Eco group, taken out first, the licence ends as Eco and the logs stay."""
    user = scim.user()
    ids = []
    for kind in ("pro", "eco"):
        scim.need(seats(scim, kind) >= 1, f"no {kind} licence is free")
        ids.append(scim.group(schemas=[GROUP, ACCOUNT_GROUP], **{ACCOUNT_GROUP: {"licenseType": kind}})["id"])
    member = [{"value": user["id"]}]
    scim.patch(f"/Groups/{ids[0]}", op("add", "members", member))
    equal(licence(scim.read(f"/Users/{user['id']}"))[0], "pro", "licenseType in the first group")
    logs = scim.read(f"/Users/{user['id']}")[ACCOUNT].get("logEntryCount")
    scim.patch(f"/Groups/{ids[0]}", op("remove", f'members[value eq "{user["id"]}"]'))
    scim.patch(f"/Groups/{ids[1]}", op("add", "members", member))
    after = scim.read(f"/Users/{user['id']}")
    equal((licence(after)[0], after[ACCOUNT].get("logEntryCount")), ("eco", logs), "type and logs")


@check("rules R5, R6; acceptance 3", "account", suite="account")
def pools_are_not_overdrawn(scim: Scim) -> None:
    """ACC-03 MUST: an unknown licence type is refused, and in each pool assigned is never more than total."""
    body = scim.person(schemas=[USER, ACCOUNT], **{ACCOUNT: {"licenseType": "no-such-type"}})
    scim.refused("POST", "/Users", body)
    for pool in scim.read("/LicensePools").get("Resources") or []:
        expect(0 <= pool["assigned"] <= pool["total"], f"{pool.get('licenseType')}: {pool['assigned']} assigned")


@check("rules R6; acceptance 3", "account", "patch", suite="account")
def the_last_seat_goes_once(scim: Scim) -> None:
    """ACC-19 MUST: when no licence of a type is left another assignment is 409, and nobody is created."""
    kind, free = min(((kind, seats(scim, kind)) for kind in ("eco", "advanced", "pro")), key=lambda one: one[1])
    scim.need(0 < free <= 30, f"{free} {kind} licences are free: too many to use up, or none")
    for _ in range(free):
        holder(scim, kind)
    body = scim.person(schemas=[USER, ACCOUNT], **{ACCOUNT: {"licenseType": kind}})
    scim.refused("POST", "/Users", body, status=409)
    equal(scim.found(f'userName eq "{body["userName"]}"'), set(), "what is there afterwards")
