"""People of a business account: addresses, roles, second factors, deletion."""

from conformance.account.licences import PHONE, licence, seats
from conformance.names import ACCOUNT, USER
from conformance.registry import check, equal, expect
from conformance.scim import Scim, op


@check("rules R2; acceptance 1", "account", suite="account")
def domains_are_approved_first(scim: Scim) -> None:
    """ACC-01 MUST: a user of a domain that is not approved is answered 400, and the list is unchanged."""
    domains = [one.get("domainName") for one in scim.read("/ApprovedDomains").get("Resources") or []]
    scim.need(scim.domain in domains, f"{scim.domain} is not an approved domain itself")
    before = scim.read("/Users?count=0")["totalResults"]
    body = scim.person(userName=f"{scim.name()}@not-approved.example")
    scim.refused("POST", "/Users", body, kind="invalidValue")
    equal(scim.read("/Users?count=0")["totalResults"], before, "totalResults")


@check("rules R3; acceptance 2", "account", suite="account")
def addresses_are_unique(scim: Scim) -> None:
    """ACC-02 MUST: the same address in other letters is 409 uniqueness."""
    user = scim.user()
    error = scim.refused("POST", "/Users", scim.person(userName=user["userName"].swapcase()), status=409)
    equal(error.get("scimType"), "uniqueness", "scimType")


@check("rules R19; acceptance 12", "account", "patch", suite="account")
def second_factors_need_a_mobile(scim: Scim) -> None:
    """ACC-12 MUST: the mobile number stays while two-factor is on, and may go together with active false."""
    extension = {"smsCountryCode": "CA", "twoFactorEnabled": True}
    path = f"/Users/{scim.user(schemas=[USER, ACCOUNT], phoneNumbers=PHONE, **{ACCOUNT: extension})['id']}"
    removal = op("remove", 'phoneNumbers[type eq "mobile"]')
    scim.refuse_patch(path, removal)
    after = scim.patch(path, removal, op("replace", "active", False))
    expect(not after.get("phoneNumbers"), "the number is still there")


@check("rules R20, R21; acceptance 13", "account", "patch", suite="account")
def administrators_come_and_go(scim: Scim) -> None:
    """ACC-13 MUST: while there is another active administrator a role is given and taken."""
    others = scim.found(f'{ACCOUNT}:role eq "administrator" and active eq true')
    scim.need(others, "the account has no administrator: the first one could not be removed again")
    user = scim.user(schemas=[USER, ACCOUNT], **{ACCOUNT: {"role": "administrator"}})
    equal(user[ACCOUNT].get("role"), "administrator", "role")
    after = scim.patch(f"/Users/{user['id']}", op("replace", f"{ACCOUNT}:role", "standard"))
    equal(after[ACCOUNT].get("role"), "standard", "role")


@check("rules R22, R23; acceptance 14", "account", "patch", suite="account")
def deletion_is_for_good(scim: Scim) -> None:
    """ACC-14 MUST: a deleted user is gone; the address begins anew: no licence, no logs, a reset required."""
    scim.need(seats(scim, "eco") >= 1, "no eco licence is free")
    old = scim.user(schemas=[USER, ACCOUNT], **{ACCOUNT: {"licenseType": "eco"}})
    scim.delete(f"/Users/{old['id']}")
    scim.refused("GET", f"/Users/{old['id']}", status=404)
    new = scim.user(userName=old["userName"])
    expect(new["id"] != old["id"], "the id is the old one")
    equal((licence(new), new[ACCOUNT].get("licenseResetRequired")), ((None, "none"), True), "licence and reset")
    path = f"/Users/{new['id']}"
    scim.patch(path, op("replace", f"{ACCOUNT}:licenseActivated", False))
    equal(licence(scim.patch(path, op("replace", f"{ACCOUNT}:licenseType", "eco"))), ("eco", "assigned"), "licence")
    after = scim.patch(path, op("replace", f"{ACCOUNT}:licenseActivated", True))
    equal(licence(after), ("eco", "activated"), "licence")


@check("rules R30, R32; acceptance 18", "account", "patch", suite="account")
def what_the_portal_decides_is_read_only(scim: Scim) -> None:
    """ACC-18 MUST: readOnly attributes are 400 mutability, and the pools cannot be written."""
    path = f"/Users/{scim.user()['id']}"
    for name, value in (("licenseStatus", "activated"), ("activationsUsed", 0)):
        scim.refuse_patch(path, op("replace", f"{ACCOUNT}:{name}", value), kind="mutability")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        scim.refused(method, "/LicensePools", {"licenseType": "pro", "total": 1000}, status=405)
    expect(scim.last and scim.last.header("Allow"), "405 without Allow")
