"""What the account has and SCIM cannot change: rules.md 4.4, R32, E29."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from scim_server.account.policies import POLICIES, Policies
from scim_server.provisioning.listed import settings
from scim_server.store.database import execute
from scim_server.store.tables import approved_domain
from tests.web.conftest import BASE, LIST, SEARCH, Api, op

ACCOUNT = "urn:ietf:params:scim:schemas:secureexchanges:2.0:"
TYPES = {
    "/LicensePools": "LicensePool",
    "/Entitlements": "Entitlement",
    "/Roles": "Role",
    "/ApprovedDomains": "ApprovedDomain",
    "/AccountSettings": "AccountSettings",
    "/EventRecords": "EventRecord",
    "/UserLogEntries": "UserLogEntry",
    "/UserStatistics": "UserStatistics",
}
COMPUTED = ("/LicensePools", "/Entitlements", "/Roles", "/ApprovedDomains", "/AccountSettings")


@pytest.fixture
def lively(new_account: Callable[..., Api]) -> Api:
    """An account in which everything that is read only has something to show."""
    api = new_account(
        licences=2,
        licenseShortage__direct="pend",
        defaults__timezone="Europe/Paris",
        groupLicenses={"Sales": "pro", "Clerks": "eco"},
    )
    api.user("ava", ext={"role": "administrator", "licenseType": "pro"})
    bob = api.user("bob", ext={"licenseType": "pro"})
    api.user("cem", ext={"licenseType": "pro"})  # waits
    api.patch(f"/Users/{bob['id']}", op("replace", "active", False))  # rests
    api.user("dan", ext={"licenseType": "eco"})
    api.write_log(bob["id"])
    with api.database.transaction(api.account_id):
        asked = {"account_id": api.account_id, "status": "pending", "method": "dnsTxt", "requested_at": 1_000_000}
        execute(approved_domain.insert(), {**asked, "name": f"zz-{api.domain}"})
    return api


def listed(api: Api, path: str, query: str = "") -> list[Any]:
    return list(api.get(f"{path}{query}")["Resources"])


def bare(resource: Any) -> Any:
    """A resource without what every resource has."""
    return {name: value for name, value in resource.items() if name not in ("schemas", "meta")}


def values(document: Any, head: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a document with its path; of what is in a list, each."""
    for name, value in document.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from values(one, f"{head}{name}.")
            else:
                yield f"{head}{name}", one


def test_licence_pools_tell_what_became_of_the_licences(lively: Api) -> None:
    pools = {one["id"]: one for one in listed(lively, "/LicensePools")}
    assert list(pools) == ["eco", "advanced", "pro", "sharedMailbox"]
    assert pools["pro"]["schemas"] == [f"{ACCOUNT}LicensePool"]
    assert bare(pools["pro"]) == {
        "id": "pro", "displayName": "Pro", "licenseType": "pro", "family": "personal", "tier": 3,
        "protectedReturns": True, "total": 2, "assigned": 2, "available": 0, "suspended": 1, "pending": 1,
        "value": "pro", "display": "Pro", "type": "license", "supported": True, "limitedAssignmentsPermitted": True,
        "totalAssignmentsPermitted": 2, "totalAssignmentsUsed": 2,
    }  # fmt: skip
    assert [pools["eco"][name] for name in ("assigned", "available", "suspended", "pending")] == [1, 1, 0, 0]
    assert "tier" not in pools["sharedMailbox"]
    assert pools["sharedMailbox"]["family"] == "shared"
    meta = pools["pro"]["meta"]
    assert meta == {
        "resourceType": "LicensePool",
        "location": f"{BASE}/LicensePools/pro",
        "version": meta["version"],
    }


def test_users_who_wait_but_are_deactivated_are_not_counted_as_pending(lively: Api) -> None:
    (cem,) = lively.find(f'userName eq "{lively.mail("cem")}"')
    lively.patch(f"/Users/{cem['id']}", op("replace", "active", False))
    assert lively.get("/LicensePools/pro")["pending"] == 0


def test_entitlements_are_the_licence_types(lively: Api) -> None:
    """ROL-01."""
    entitlements = {one["id"]: one for one in listed(lively, "/Entitlements")}
    assert list(entitlements) == ["eco", "advanced", "pro", "sharedMailbox"]
    assert entitlements["pro"]["schemas"] == ["urn:okta:scim:schemas:core:1.0:Entitlement"]
    assert bare(entitlements["pro"]) == {
        "id": "pro", "displayName": "Pro", "type": "license", "value": "pro", "display": "Pro", "supported": True,
        "limitedAssignmentsPermitted": True, "totalAssignmentsPermitted": 2, "totalAssignmentsUsed": 2,
    }  # fmt: skip


def test_roles_tell_how_many_active_administrators_there_are(lively: Api) -> None:
    lively.user("eve", ext={"role": "administrator"}, active=False)
    standard, administrator = listed(lively, "/Roles")
    assert standard["schemas"] == ["urn:okta:scim:schemas:core:1.0:Role"]
    common = {"supported": True, "limitedAssignmentsPermitted": False}
    assert bare(standard) == {
        "id": "standard", "displayName": "Standard", "value": "standard", "display": "Standard", **common,
    }  # fmt: skip
    assert bare(administrator) == {
        "id": "administrator", "displayName": "Administrator", "value": "administrator", "display": "Administrator",
        **common, "totalAssignmentsUsed": 1,
    }  # fmt: skip


def test_domains_tell_their_state_and_their_users(lively: Api) -> None:
    approved, pending = listed(lively, "/ApprovedDomains")
    assert approved["schemas"] == [f"{ACCOUNT}ApprovedDomain"]
    assert bare(approved) == {
        "id": lively.domain, "domainName": lively.domain, "status": "approved", "method": "supportProof",
        "requestedAt": approved["requestedAt"], "approvedAt": approved["approvedAt"], "publicProvider": False,
        "userCount": 4,
    }  # fmt: skip
    assert bare(pending) == {
        "id": f"zz-{lively.domain}", "domainName": f"zz-{lively.domain}", "status": "pending", "method": "dnsTxt",
        "requestedAt": "1970-01-01T00:00:01.000000Z", "publicProvider": False, "userCount": 0,
    }  # fmt: skip


def test_users_are_counted_by_the_domain_as_the_name_system_has_it(free: Api) -> None:
    """International names by their IDNA form in any letter case; names that are no addresses by none."""
    with free.database.transaction(free.account_id):
        known = {"account_id": free.account_id, "requested_at": 1}
        execute(approved_domain.insert(), [{**known, "name": name} for name in (f"xn--bcher-kva.{free.domain}",)])
    for name in (f"Ava@B\u00dccher.{free.domain}", f"bob@xn--bcher-kva.{free.domain}", "plain", "@", "a@b@", "x@y@z"):
        free.user(name, userName=name)
    counts = {one["id"]: one["userCount"] for one in listed(free, "/ApprovedDomains")}
    assert counts == {free.domain: 0, f"xn--bcher-kva.{free.domain}": 2}


def test_a_domain_with_a_long_name_is_read_by_it(api: Api) -> None:
    name = ".".join(["a" * 60, "b" * 60, "c" * 60, f"d{api.domain}"])
    with api.database.transaction(api.account_id):
        execute(approved_domain.insert(), {"account_id": api.account_id, "name": name, "requested_at": 1})
    assert api.get(f"/ApprovedDomains/{name}")["domainName"] == name


def test_account_settings_are_the_policies_with_their_defaults(lively: Api) -> None:
    (one,) = listed(lively, "/AccountSettings")
    assert one["schemas"] == [f"{ACCOUNT}AccountSettings"]
    assert bare(one) == {
        "id": lively.account_id,
        "deactivation": {"licensePolicy": "suspend", "graceDays": 30},
        "reactivation": {"restoreLicense": True},
        "withdrawal": {"logPolicy": "retain"},
        "licenseShortage": {"direct": "pend", "group": "pend"},
        "domains": {"enforcement": "strict", "allowPublicProviders": False},
        "timezone": {"enforcement": "strict"},
        "deletion": {"requireDeactivated": False, "auditIdentity": "masked"},
        "filters": {"inUrl": "allowed"},
        "passwords": {"store": "off"},
        "notifications": {"onLicenseAssigned": True},
        "guard": {
            "window": 60,
            **dict.fromkeys(("deactivations", "deletions", "licenseWithdrawals", "groupClears"), "off"),
        },
        "defaults": {"timezone": "Europe/Paris"},  # no licenseType: what is absent is left out
        "groupLicenses": [
            {"displayName": "Sales", "licenseType": "pro"},
            {"displayName": "Clerks", "licenseType": "eco"},
        ],
    }
    before = one["meta"]["version"]
    lively.policy(deactivation__graceDays=7)
    after = lively.get(f"/AccountSettings/{lively.account_id}")
    assert after["deactivation"]["graceDays"] == 7
    assert "groupLicenses" not in after
    assert "defaults" not in after
    assert after["meta"]["version"] != before


def test_no_policy_is_forgotten_in_the_account_settings(api: Api) -> None:
    every = replace(
        Policies(), defaults_licence_type="pro", defaults_timezone="Europe/Paris", group_licences={"Sales": "pro"}
    )
    told = settings(every)
    for key in POLICIES:
        head, dot, tail = key.partition(".")
        assert tail in told[head] if dot else told[head], key
    urn = f"{ACCOUNT}AccountSettings"
    published = {one["name"]: one for one in api.get(f"/Schemas/{urn}")["attributes"]}
    for head, value in told.items():
        parts = {one["name"] for one in published[head]["subAttributes"]}
        for block in value if isinstance(value, list) else [value]:
            assert set(block) == parts, head
    assert set(told) == set(published)


@pytest.mark.parametrize("path", TYPES)
def test_each_resource_of_a_list_is_read_alone_as_it_is_listed(lively: Api, path: str) -> None:
    page = lively.get(path)
    assert page["schemas"] == [LIST]
    assert page["totalResults"] == page["itemsPerPage"] == len(page["Resources"]) > 0
    published = {one["name"] for one in lively.get(f"/Schemas/{page['Resources'][0]['schemas'][0]}")["attributes"]}
    for one in page["Resources"]:
        alone = lively.get(one["meta"]["location"])
        period = {"periodStart", "periodEnd"}  # ends now
        assert {name: alone[name] for name in alone if name not in period} == {
            name: one[name] for name in one if name not in period
        }
        assert one["meta"]["resourceType"] == TYPES[path]
        assert one["meta"]["location"] == f"{BASE}{path}/{one['id']}"
        assert lively.response.headers["ETag"] == one["meta"]["version"]
        assert lively.response.headers["Content-Location"] == one["meta"]["location"]
        assert set(bare(one)) - {"id"} <= published
        assert None not in [value for _, value in values(one)]


@pytest.mark.parametrize("path", TYPES)
def test_known_version_is_not_sent_again(lively: Api, path: str) -> None:
    one = listed(lively, path)[0]
    version = one["meta"]["version"]
    lively.get(f"{path}/{one['id']}", headers={"If-None-Match": version}, status=304)
    assert lively.response.headers["ETag"] == version
    assert lively.response.body == b""
    lively.get(f"{path}/{one['id']}", headers={"If-None-Match": 'W/"1"'})


@pytest.mark.parametrize("path", TYPES)
def test_unknown_id_is_not_found(lively: Api, path: str) -> None:
    for identifier in ("nope", "x" * 300, "%F0%9F%98%80", "a%00b", "PRO"):
        detail = lively.refuse("GET", f"{path}/{identifier}", status=404)
        assert path in detail or "not found" in detail


@pytest.mark.parametrize("path", TYPES)
def test_head_is_a_get_without_a_body(lively: Api, path: str) -> None:
    for target in (path, f"{path}/{listed(lively, path)[0]['id']}"):
        response = lively.send("HEAD", target)
        assert (response.status_int, response.body) == (200, b"")
        assert response.headers["Content-Type"] == "application/scim+json"


@pytest.mark.parametrize("path", TYPES)
def test_options_tell_what_is_allowed(lively: Api, path: str) -> None:
    for target, allowed in ((path, "GET, HEAD"), (f"{path}/nope", "GET, HEAD"), (f"{path}/.search", "POST")):
        lively.call("OPTIONS", target, status=204)
        assert lively.response.headers["Allow"] == f"{allowed}, OPTIONS"


@pytest.mark.parametrize("path", TYPES)
def test_every_write_is_refused_and_told_to_the_journal(lively: Api, path: str) -> None:
    """R32, E29: on the list, on a known and on an unknown resource, whatever is sent."""
    known = listed(lively, path)[0]["id"]
    body = {"schemas": ["x"], "displayName": "x"}
    before = {"/LicensePools", "/ApprovedDomains", "/AccountSettings", "/Roles", "/Users"} - {path}
    with lively.unchanged(*before):
        for target in ("", f"/{known}", "/nope"):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                for sent in (body, b"not JSON", None):
                    detail = lively.refuse(method, path + target, sent, status=405)
                    assert detail == f"{TYPES[path]} is read-only over SCIM; it is managed in the portal."
                    assert lively.response.headers["Allow"] == "GET, HEAD"
                entry = lively.refusals()[-1]
                assert (entry.action, entry.status, entry.rule, entry.error, entry.detail) == (
                    "request.refused", 405, "R32", "E29", detail,
                )  # fmt: skip
                assert (entry.target_type, entry.target_id) == (TYPES[path], target[1:] or None)
                assert orjson.loads(entry.changes) == [{"method": method, "path": f"/scim/v2{path}{target}"}]


@pytest.mark.parametrize("path", TYPES)
def test_writes_need_no_scope_to_be_refused_but_a_credential(lively: Api, anonymous: Api, path: str) -> None:
    reader = lively.token_for("scim.read scim.logs")
    writer = lively.token_for("scim.write")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for target in (path, f"{path}/x"):
            reader.refuse(method, target, {}, status=405)
            writer.refuse(method, target, {}, status=403)
            anonymous.refuse(method, target, {}, status=401)
            assert anonymous.response.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("path", TYPES)
def test_other_methods_of_a_search_are_refused_as_everywhere(lively: Api, path: str) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        lively.refuse(method, f"{path}/.search", {}, status=405)
        assert lively.response.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", TYPES)
def test_search_finds_what_the_list_finds(lively: Api, path: str) -> None:
    one = listed(lively, path)[0]
    asked = {"schemas": [SEARCH], "filter": f'id eq "{one["id"]}"', "attributes": ["meta.version"], "count": 5}
    page = lively.post(f"{path}/.search", asked, status=200)
    assert page["Resources"] == [
        {"schemas": one["schemas"], "id": one["id"], "meta": {"version": one["meta"]["version"]}}
    ]


@pytest.mark.parametrize("path", TYPES)
def test_reading_needs_the_scope(lively: Api, path: str) -> None:
    needed = "scim.logs" if path in ("/UserLogEntries", "/UserStatistics") else "scim.read"
    others = {"scim.read", "scim.write", "scim.logs"} - {needed}
    one = listed(lively, path)[0]["id"]
    without, enough = lively.token_for(" ".join(sorted(others))), lively.token_for(needed)
    for method, target, body in (
        ("GET", path, None),
        ("GET", f"{path}/{one}", None),
        ("POST", f"{path}/.search", {"schemas": [SEARCH]}),
    ):
        detail = without.refuse(method, target, body, status=403)
        assert needed in detail
        challenge = without.response.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer realm="scim", ')
        assert challenge.endswith(f', error="insufficient_scope", scope="{needed}"')
        enough.call(method, target, body, status=200)


@pytest.mark.parametrize("path", COMPUTED)
def test_every_attribute_can_be_filtered(lively: Api, path: str) -> None:
    resources = listed(lively, path)
    asked = 0
    for one in resources:
        for name, value in values(one):
            literal = orjson.dumps(value).decode()
            expected = [each["id"] for each in resources if value in [of for at, of in values(each) if at == name]]
            found = lively.find(f"{name} eq {literal}", path)
            assert [each["id"] for each in found] == expected, (name, value)
            present = [each["id"] for each in resources if name in dict(values(each))]
            assert [each["id"] for each in lively.find(f"{name} pr", path)] == present, name
            asked += 1
    assert asked >= 16
    assert lively.find("not (id pr)", path) == []
    lively.refuse("GET", f"{path}?filter=nope+pr", kind="invalidFilter")
    lively.refuse("GET", f"{path}?filter={quote('id eq')}", kind="invalidFilter")


def test_filters_compare_by_order_by_part_and_without_case(lively: Api) -> None:
    for path, condition, expected in (
        ("/LicensePools", 'available gt 1 and family eq "PERSONAL"', ["advanced"]),
        ("/LicensePools", "pending ge 1 or suspended ge 1", ["pro"]),
        ("/LicensePools", 'not (displayName co "o")', ["advanced"]),
        ("/LicensePools", f'{ACCOUNT}LicensePool:tier le 2 and ID ne "eco"', ["advanced"]),
        ("/ApprovedDomains", 'requestedAt lt "1970-01-02T00:00:00Z"', [f"zz-{lively.domain}"]),
        ("/ApprovedDomains", "userCount eq 4", [lively.domain]),
        ("/Roles", "totalAssignmentsUsed ge 1", ["administrator"]),
        ("/AccountSettings", 'groupLicenses[displayName eq "sales" and licenseType eq "pro"]', [lively.account_id]),
        ("/AccountSettings", 'groupLicenses[displayName eq "sales" and licenseType eq "eco"]', []),
        ("/AccountSettings", "deactivation.graceDays eq 31", []),
    ):
        assert [one["id"] for one in lively.find(condition, path)] == expected, condition


@pytest.mark.parametrize("path", COMPUTED)
def test_every_attribute_sorts(lively: Api, path: str) -> None:
    """LST: missing values come last, and first when descending; ties keep the usual order."""
    resources = listed(lively, path)
    names = {name for one in resources for name, _ in values(one)}
    assert len(names) > 5

    def key(one: Any, name: str) -> Any:
        value = next((of for at, of in values(one) if at == name), None)
        return value.lower() if isinstance(value, str) else value

    for name in names:
        having = [one for one in resources if key(one, name) is not None]
        lacking = [one["id"] for one in resources if key(one, name) is None]
        up = [one["id"] for one in sorted(having, key=lambda one: key(one, name))]
        down = [one["id"] for one in sorted(having, key=lambda one: key(one, name), reverse=True)]
        assert [one["id"] for one in listed(lively, path, f"?sortBy={name}")] == [*up, *lacking], name
        query = f"?sortBy={name}&sortOrder=descending"
        assert [one["id"] for one in listed(lively, path, query)] == [*lacking, *down], name
    lively.refuse("GET", f"{path}?sortBy=nope", kind="invalidValue")


@pytest.mark.parametrize("path", COMPUTED)
def test_lists_are_paged(lively: Api, path: str) -> None:
    everything = listed(lively, path)
    seen = []
    for start in range(1, len(everything) + 1):
        page = lively.get(f"{path}?startIndex={start}&count=1")
        assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (len(everything), start, 1)
        seen += page["Resources"]
    assert seen == everything
    beyond = lively.get(f"{path}?startIndex=99")
    assert (beyond["totalResults"], beyond["startIndex"], beyond["Resources"]) == (len(everything), 99, [])
    assert lively.get(f"{path}?count=0")["Resources"] == []


@pytest.mark.parametrize("path", TYPES)
def test_projection_shows_what_is_asked_for(lively: Api, path: str) -> None:
    one = listed(lively, path)[0]
    name = next(name for name in bare(one) if name not in ("id", "periodStart", "periodEnd"))
    for target in (path, f"{path}/{one['id']}"):
        shown = lively.get(f"{target}?attributes={name}")
        shown = shown["Resources"][0] if target == path else shown
        assert shown == {"schemas": one["schemas"], "id": one["id"], name: one[name]}
        left = lively.get(f"{target}?excludedAttributes={name},meta,id")
        left = left["Resources"][0] if target == path else left
        assert set(left) == set(one) - {name, "meta"}


def test_version_of_a_domain_is_the_same_in_every_projection(lively: Api) -> None:
    version = lively.get(f"/ApprovedDomains/{lively.domain}")["meta"]["version"]
    for query in ("", "?excludedAttributes=userCount", "?attributes=meta.version"):
        assert listed(lively, "/ApprovedDomains", query)[0]["meta"]["version"] == version
    lively.user("one-more")
    assert lively.get(f"/ApprovedDomains/{lively.domain}")["meta"]["version"] != version
