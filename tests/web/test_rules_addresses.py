"""Who may have which address, over the wire: R1-R4, R12, and that a refused request changes nothing (P2)."""

from collections.abc import Callable
from typing import Any

import pytest

from scim_server.store import accounts
from scim_server.store.database import execute
from scim_server.store.tables import approved_domain

from .conftest import EXT, USER, Api, op


def approve(api: Api, domain: str) -> None:
    with api.database.transaction(api.account_id):
        accounts.set_domain(api.account_id, domain, "approved", 1)


def refused_domain(attribute: str, domain: str) -> str:
    return (
        f"{attribute}: the e-mail domain '{domain}' is not approved for this account. "
        "Have it approved in the portal's domain management, then retry."
    )


def test_r1_account_is_decided_by_the_token(new_account: Callable[..., Api]) -> None:
    """Another account's users do not exist: 404 and empty lists, never 'exists elsewhere'."""
    ours, theirs = new_account(), new_account()
    ava = theirs.user("ava", ext={"licenseType": "pro"})
    for method, body in (("GET", None), ("PUT", ava), ("DELETE", None)):
        ours.refuse(method, f"/Users/{ava['id']}", body, status=404)
    ours.refuse_patch(f"/Users/{ava['id']}", op("replace", "active", False), status=404)
    assert ours.find(f'userName eq "{ava["userName"]}"') == []
    own = ours.user("own", ext={"licenseType": "pro"})
    transfer = op("replace", f"{EXT}:licenseTransferTo", ava["userName"])
    detail = ours.refuse_patch(f"/Users/{own['id']}", transfer, kind="invalidValue")
    assert detail == f"licenseTransferTo: '{ava['userName']}' is not a user of this account. Create the user first."
    assert theirs.get(f"/Users/{ava['id']}") == ava
    assert "request.refused" not in theirs.actions()


def test_r1_scope_is_needed_to_write(api: Api) -> None:
    reader = api.token_for("scim.read")
    body = {"schemas": [USER], "userName": api.mail("ava")}
    reader.refuse("POST", "/Users", body, status=403)
    assert reader.get("/Users")["totalResults"] == 0


@pytest.mark.parametrize("name", ["ava", "ava@", "@x.example", "a b@{d}", "a@b@{d}", "ava.@{d}", "<i>@{d}", "ava@{d}."])
def test_r2_user_name_is_an_address(api: Api, name: str) -> None:
    body = {"schemas": [USER], "userName": name.replace("{d}", api.domain)}
    assert api.refuse("POST", "/Users", body, kind="invalidValue") == "userName must be a valid e-mail address."
    assert [(one.rule, one.error) for one in api.refusals()] == [("R2", "E1")]


def test_r2_parent_does_not_cover_a_sub_domain(api: Api) -> None:
    body = {"schemas": [USER], "userName": f"ava@mail.{api.domain}"}
    assert api.refuse("POST", "/Users", body, kind="invalidValue") == refused_domain("userName", f"mail.{api.domain}")


def test_r2_domain_is_compared_without_case_and_in_idna(api: Api) -> None:
    approve(api, f"xn--bcher-kva.{api.domain}")
    assert api.user("ava", userName=f"ava@{api.domain.upper()}")["userName"] == f"ava@{api.domain.upper()}"
    international = f"ava@Bücher.{api.domain}"
    assert api.user("bob", userName=international)["userName"] == international
    ascii_form = {"schemas": [USER], "userName": f"bob@xn--bcher-kva.{api.domain}"}
    assert api.post("/Users", ascii_form)["userName"] == ascii_form["userName"]


@pytest.mark.parametrize(
    "emails",
    [
        [{"value": "a@elsewhere.example", "type": "work"}],
        [{"value": "a@elsewhere.example", "type": "Work"}],
        [{"value": "a@elsewhere.example", "primary": True}],
        [{"value": "a@elsewhere.example", "type": "home", "primary": "True"}],
    ],
)
def test_r2_work_and_primary_addresses_are_checked(api: Api, emails: list[Any]) -> None:
    body = {"schemas": [USER], "userName": api.mail("ava"), "emails": emails}
    detail = api.refuse("POST", "/Users", body, kind="invalidValue")
    assert detail == refused_domain("emails", "elsewhere.example")
    ava = api.user("ava")
    with api.unchanged(f"/Users/{ava['id']}"):
        api.refuse_patch(f"/Users/{ava['id']}", op("add", "emails", emails), kind="invalidValue")
        api.refuse("PUT", f"/Users/{ava['id']}", body, kind="invalidValue")


def test_r2_other_addresses_are_stored_unchecked(api: Api) -> None:
    emails = [{"value": "not an address", "type": "home"}, {"value": "a@elsewhere.example", "type": "other"}]
    assert api.user("ava", emails=emails)["emails"] == emails


def test_r2_approval_withdrawn_later_does_not_touch_users(api: Api) -> None:
    """The IdP can still edit and deactivate a user whose domain is approved no longer; only new addresses count."""
    old = f"old.{api.domain}"
    approve(api, old)
    work = [{"value": f"ava@{old}", "type": "work"}]
    ava = api.user("ava", userName=f"ava@{old}", emails=work)
    withdraw_approval(api, old)
    path = f"/Users/{ava['id']}"
    api.patch(path, op("replace", "displayName", "Ava"))
    api.patch(path, op("replace", "userName", f"AVA@{old}"))
    assert api.put(path, {**api.get(path), "active": False})["active"] is False
    detail = api.refuse_patch(path, op("replace", "userName", f"ava2@{old}"), kind="invalidValue")
    assert detail == refused_domain("userName", old)
    assert api.user("bob", status=201)


def withdraw_approval(api: Api, domain: str) -> None:
    with api.database.transaction(api.account_id):
        execute(approved_domain.update().where(approved_domain.c.name == domain).values(status="refused"))


def test_r2_pending_domain_does_not_count(api: Api) -> None:
    approve(api, f"x.{api.domain}")
    withdraw_approval(api, f"x.{api.domain}")
    body = {"schemas": [USER], "userName": f"ava@x.{api.domain}"}
    assert api.refuse("POST", "/Users", body, kind="invalidValue") == refused_domain("userName", f"x.{api.domain}")


def test_r2_test_accounts_take_any_user_name(new_account: Callable[..., Api]) -> None:
    api = new_account(domains__enforcement="off")
    assert api.user(userName="VGTXQSDUPIAD")["userName"] == "VGTXQSDUPIAD"


def test_r2_public_providers_only_by_policy(new_account: Callable[..., Api]) -> None:
    body = {"schemas": [USER], "userName": "ava@gmail.com"}
    new_account().refuse("POST", "/Users", body, kind="invalidValue")
    assert new_account(domains__allowPublicProviders=True).post("/Users", body)["userName"] == "ava@gmail.com"


@pytest.mark.parametrize("send", ["put", "patch", "pathless"])
def test_r3_rename_to_a_name_in_use_is_refused(api: Api, send: str) -> None:
    ava, bob = api.user("ava", title="Boss", ext={"licenseType": "eco"}), api.user("bob")
    path, taken = f"/Users/{ava['id']}", api.mail("BOB")
    with api.unchanged(path, f"/Users/{bob['id']}"):
        if send == "put":
            detail = api.refuse("PUT", path, {**ava, "userName": taken}, status=409, kind="uniqueness")
        else:
            name = op("replace", "userName", taken) if send == "patch" else op("replace", None, {"userName": taken})
            operations = (op("replace", "title", "x"), op("replace", f"{EXT}:licenseType", "pro"), name)
            detail = api.refuse_patch(path, *operations, status=409, kind="uniqueness")
    assert detail == f"userName '{taken}' is already in use."
    assert (api.pool("eco").assigned, api.pool("pro").assigned) == (1, 0)
    assert (api.refusals()[-1].rule, api.refusals()[-1].error) == ("R3", "E3")


def test_r3_own_name_in_other_letter_case_is_stored_as_sent(api: Api) -> None:
    ava = api.user("ava")
    after = api.patch(f"/Users/{ava['id']}", op("replace", "userName", api.mail("AVA")))
    assert after["userName"] == api.mail("AVA")
    assert "user.renamed" not in api.done()


def test_r3_inactive_users_reserve_their_name_and_the_external_id_is_free(api: Api) -> None:
    ava = api.user("ava", externalId="7", active=False)
    api.refuse("POST", "/Users", {"schemas": [USER], "userName": ava["userName"]}, status=409, kind="uniqueness")
    api.user("bob", externalId="7")
    assert len(api.find('externalId eq "7"')) == 2


def test_r3_refused_create_leaves_the_seat(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1)
    api.user("ava")
    body = {"schemas": [USER], "userName": api.mail("ava"), EXT: {"licenseType": "pro"}}
    api.refuse("POST", "/Users", body, status=409, kind="uniqueness")
    assert api.pool("pro").assigned == 0
    assert api.user("bob", ext={"licenseType": "pro"})


def test_r4_user_with_only_a_name_has_the_defaults(api: Api) -> None:
    ava = api.user("ava")
    assert ava["active"] is True
    assert ava[EXT] == {
        "kind": "person",
        "role": "standard",
        "licenseActivated": False,
        "licenseStatus": "none",
        "smsReturnsEnabled": False,
        "microsoftReturnsEnabled": False,
        "twoFactorEnabled": False,
    }
    assert set(ava) == {"schemas", "id", "userName", "active", EXT, "meta"}
    assert api.done() == ["user.created"]


def test_r4_default_licence_of_the_account(new_account: Callable[..., Api]) -> None:
    api = new_account(licences=1, defaults__licenseType="eco")
    assert api.user("ava")[EXT]["licenseType"] == "eco"
    assert api.user("bob", ext={"licenseType": "pro"})[EXT]["licenseType"] == "pro"
    assert "licenseType" not in api.user("cleo", ext={"licenseType": "none"})[EXT]
    assert api.user("box", ext={"kind": "sharedMailbox"})[EXT]["licenseStatus"] == "none"
    body = {"schemas": [USER], "userName": api.mail("dora")}
    assert api.refuse("POST", "/Users", body, status=409).startswith("No 'eco' licence is available: 1 of 1 are")


def test_r12_rename_by_put_keeps_everything(api: Api) -> None:
    ava = api.user("ava", roles=[{"value": "administrator"}], ext={"licenseType": "pro", "licenseActivated": True})
    sales = api.group("Sales", ava["id"])
    api.write_log(ava["id"])
    new = {"schemas": [USER], "userName": api.mail("ava.chen"), "roles": ava["roles"]}
    after = api.put(f"/Users/{ava['id']}", new)
    assert (after["id"], after[EXT], after["roles"]) == (ava["id"], ava[EXT], ava["roles"])
    assert after["groups"][0]["value"] == sales["id"]
    assert (api.log_count(ava["id"]), api.pool("pro").assigned) == (3, 1)
    assert "license.transferred" not in api.done()
    api.user("ava")


def test_r12_rename_to_an_unapproved_domain_is_refused(api: Api) -> None:
    ava = api.user("ava")
    with api.unchanged(f"/Users/{ava['id']}"):
        operation = op("replace", "userName", "ava@new.example")
        detail = api.refuse_patch(f"/Users/{ava['id']}", operation, kind="invalidValue")
    assert detail == refused_domain("userName", "new.example")


def test_p2_one_refused_operation_undoes_the_others(api: Api) -> None:
    ava, bob = api.user("ava", title="Clerk", ext={"licenseType": "eco"}), api.user("bob")
    api.write_log(ava["id"])
    with api.unchanged(f"/Users/{ava['id']}", f"/Users/{bob['id']}"):
        api.refuse_patch(
            f"/Users/{ava['id']}",
            op("replace", "title", "Boss"),
            op("replace", f"{EXT}:licenseType", "pro"),
            op("replace", "active", False),
            op("replace", f"{EXT}:role", "emperor"),
            kind="invalidValue",
        )
    assert (api.pool("eco").assigned, api.pool("pro").assigned, api.log_count(ava["id"])) == (1, 0, 3)
