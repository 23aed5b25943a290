"""Accounts, domains and licences at the command line."""

import json
import threading

import pytest

from scim_server import create_app, provisioning
from scim_server.account.policies import Policies
from scim_server.cli.portal import Portal
from scim_server.cli.texts import PortalError
from scim_server.idp.profiles import profiles
from scim_server.settings import Settings
from scim_server.store import resources
from scim_server.store.journal import Actor

EXTENSION = "urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:User"


def test_a_new_account_has_the_default_policies_and_nothing_else(ask):
    created = ask("account", "create", "fresh")
    shown = ask("account", "show", "fresh")
    assert created == {"id": shown["id"], "name": "fresh", "test": False}
    assert (shown["domains"], shown["licences"]) == ([], [])
    assert shown["policies"]["domains.enforcement"] == shown["policies"]["timezone.enforcement"] == "strict"


def test_a_test_account_takes_any_address_and_time_zone(ask):
    ask("account", "create", "lenient", "--test")
    policies = ask("account", "show", "lenient")["policies"]
    assert policies["domains.enforcement"] == policies["timezone.enforcement"] == "off"


def test_the_name_of_an_account_is_unique(run, account):
    refused = run("account", "create", account, code=1)
    assert refused.stdout == ""
    assert refused.stderr.startswith(f"Error: an account '{account}' exists already.")


@pytest.mark.parametrize("name", ["", "  ", "a\x1b[2J", "x" * 101])
def test_a_name_that_nobody_could_read_is_refused(run, name):
    assert "printable" in run("account", "create", name, code=1).stderr


@pytest.mark.parametrize(
    "command",
    [
        ("account", "show", "nobody"),
        ("account", "set", "nobody", "withdrawal.logPolicy=purge"),
        ("domain", "approve", "--account", "nobody", "a.example"),
        ("domain", "list", "--account", "nobody"),
        ("licence", "add", "--account", "nobody", "pro", "1"),
        ("licence", "list", "--account", "nobody"),
        ("token", "issue", "--account", "nobody"),
        ("token", "list", "--account", "nobody"),
        ("token", "revoke", "--account", "nobody", "1"),
        ("connection", "list", "--account", "nobody"),
        ("connection", "show", "--account", "nobody", "idp"),
        ("connection", "set", "--account", "nobody", "idp", "--profile", "okta"),
        ("log", "--account", "nobody"),
    ],
    ids=" ".join,
)
def test_an_account_that_does_not_exist_is_told_with_the_way_out(run, command):
    assert run(*command, code=1).stderr == (
        "Error: there is no account 'nobody'. Create it with: scim-server account create 'nobody'\n"
    )


def test_policies_are_set_and_shown_in_the_words_of_the_rules(ask, account, actions):
    answer = ask("account", "set", account, "deactivation.graceDays=5", "reactivation.restoreLicense=FALSE")
    assert sorted(answer["changed"]) == ["deactivation.graceDays", "reactivation.restoreLicense"]
    policies = ask("account", "show", account)["policies"]
    assert (policies["deactivation.graceDays"], policies["reactivation.restoreLicense"]) == (5, False)
    assert actions() == ["account.created", "account.policyChanged"]


def test_licence_types_in_policies_are_known_in_any_case(ask, run, account):
    ask("account", "set", account, "defaults.licenseType=PRO", 'groupLicenses={"Sales": "ECO"}')
    policies = ask("account", "show", account)["policies"]
    assert (policies["defaults.licenseType"], policies["groupLicenses"]) == ("pro", {"Sales": "eco"})
    assert "'gold' is not a licence type" in run("account", "set", account, "defaults.licenseType=gold", code=1).stderr
    run("account", "set", account, 'groupLicenses={"Sales": "gold"}', code=1)
    run("account", "set", account, "defaults.licenseType=none")


def test_the_same_policy_again_changes_nothing(run, account, actions):
    run("account", "set", account, "withdrawal.logPolicy=purge")
    assert run("account", "set", account, "withdrawal.logPolicy=purge").stdout == "Nothing to change.\n"
    assert actions().count("account.policyChanged") == 1


def test_wrong_policies_are_told_at_once_and_none_is_set(run, ask, account):
    refused = run(
        "account", "set", account, "withdrawal.logPolicy=purge", "foo=1", "deactivation.graceDays=0", code=1
    ).stderr
    assert "'foo' is not a policy" in refused
    assert "deactivation.graceDays: '0' is not allowed" in refused
    assert ask("account", "show", account)["policies"]["withdrawal.logPolicy"] == "retain"


def test_a_policy_without_a_value_is_a_usage_error(run, account):
    assert "KEY=VALUE" in run("account", "set", account, "withdrawal.logPolicy", code=2).stderr
    run("account", "set", account, code=2)


@pytest.mark.parametrize(
    ("text", "name"),
    [("Shop.Example", "shop.example"), ("straße.example", "xn--strae-oqa.example"), ("ÉCOLE.example", None)],
)
def test_a_domain_is_approved_as_the_rules_compare_it(ask, run, account, text, name):
    name = name or "xn--cole-9oa.example"
    answer = ask("domain", "approve", "--account", account, text)
    assert answer == {"domain": name, "status": "approved", "changed": True}
    assert [one["domain"] for one in ask("domain", "list", "--account", account)["domains"]] == [name]
    other = f"{account} rival"
    run("account", "create", other)
    assert "another account" in run("domain", "approve", "--account", other, name, code=1).stderr


def test_a_domain_approved_again_is_no_change(run, ask, account, actions):
    run("domain", "approve", "--account", account, "again.example")
    assert ask("domain", "approve", "--account", account, "AGAIN.example")["changed"] is False
    assert actions().count("domain.approved") == 1


@pytest.mark.parametrize("text", ["", "x", "a@b.example", "https://b.example", "a b.example", "a-.example", "a..b"])
def test_what_is_no_domain_is_refused(run, account, text):
    assert "is not a domain name" in run("domain", "approve", "--account", account, text, code=1).stderr


def test_a_public_provider_is_no_accounts_domain(run, account):
    assert "allowPublicProviders" in run("domain", "approve", "--account", account, "GMail.com", code=1).stderr


def test_two_accounts_that_approve_one_domain_at_once_do_not_both_get_it(run, database_url):
    names = [f"racer {number}" for number in range(4)]
    for name in names:
        run("account", "create", name)
    portal = Portal(create_app(Settings(database_url=database_url)).extensions["scim"].database)
    won = []

    def approve(name):
        try:
            portal.set_domain(name, "raced.example", "approved")
            won.append(name)
        except PortalError:
            pass

    threads = [threading.Thread(target=approve, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    portal.database.engine.dispose()
    assert len(won) == 1


def test_licences_are_added_to_the_pool_of_their_type(ask, account, actions):
    ask("licence", "add", "--account", account, "pro", 2)
    answer = ask("licence", "add", "--account", account, "PRO", 3)
    assert answer == {"type": "pro", "total": 5, "assigned": 0, "available": 5, "added": 3, "granted": []}
    assert [one["total"] for one in ask("licence", "list", "--account", account)["licences"]] == [5]
    assert actions() == ["account.created", "licences.added", "licences.added"]


def test_licences_added_at_once_are_all_there(run, ask, account, database_url):
    portal = Portal(create_app(Settings(database_url=database_url)).extensions["scim"].database)
    threads = [threading.Thread(target=portal.add_licences, args=(account, "eco", 1)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    portal.database.engine.dispose()
    assert ask("licence", "list", "--account", account)["licences"][0]["total"] == 8


@pytest.mark.parametrize("quantity", ["0", "-1", "x", "1.5"])
def test_a_quantity_that_is_no_number_of_licences_is_a_usage_error(run, account, quantity):
    run("licence", "add", "--account", account, "pro", "--", quantity, code=2)


def test_an_unknown_licence_type_is_refused_with_the_known_ones(run, account):
    refused = run("licence", "add", "--account", account, "gold", 1, code=1).stderr
    assert "Known types: eco, advanced, pro" in refused


def test_more_licences_than_a_pool_can_count_are_refused(run, account):
    assert "at most 10000000" in run("licence", "add", "--account", account, "pro", 10**12, code=1).stderr


def test_new_licences_serve_who_waits_for_one(run, ask, account, database_url):
    run("account", "set", account, "domains.enforcement=off", "licenseShortage.direct=pend")
    run("licence", "add", "--account", account, "pro", 1)
    service = create_app(Settings(database_url=database_url)).extensions["scim"]
    caller = provisioning.Caller(
        ask("account", "show", account)["id"],
        Actor("system", None),
        frozenset({"scim.write"}),
        profiles()["default"],
        Policies(domains_enforcement="off", licence_shortage_direct="pend"),
    )
    for name in ("first", "second", "third"):
        body = {"userName": f"{name}@example.com", EXTENSION: {"licenseType": "pro"}}
        provisioning.create(service, caller, service.catalogue.endpoints["/Users"], body)
    service.database.engine.dispose()
    answer = ask("licence", "add", "--account", account, "pro", 1)
    assert answer["granted"] == ["second@example.com"]
    assert (answer["assigned"], answer["available"]) == (2, 0)
    entries = run("log", "--account", account, "--user", "second@example.com", "--json").stdout.splitlines()
    assert json.loads(entries[-1])["action"] == "license.granted"


def test_people_read_a_table(run, account):
    run("licence", "add", "--account", account, "eco", 10)
    assert run("licence", "list", "--account", account).stdout.splitlines() == [
        "TYPE  TOTAL  ASSIGNED  AVAILABLE",
        "eco   10     0         10",
    ]
    assert "eco 0 of 10 assigned" in run("account", "show", account).stdout


def test_a_domain_is_requested_refused_approved_and_withdrawn(run, ask, account, actions):
    def status():
        return [
            (one["status"], one["approvedAt"] is None) for one in ask("domain", "list", "--account", account)["domains"]
        ]

    for command, state in (("request", "pending"), ("refuse", "refused"), ("approve", "approved")):
        assert ask("domain", command, "--account", account, "steps.example")["changed"] is True
        assert ask("domain", command, "--account", account, "steps.example")["changed"] is False
        assert status() == [(state, state != "approved")]
    other = f"{account} rival"
    run("account", "create", other)
    assert "another account" in run("domain", "request", "--account", other, "steps.example", code=1).stderr
    assert ask("domain", "withdraw", "--account", account, "steps.example")["changed"] is True
    assert ask("domain", "withdraw", "--account", account, "steps.example")["changed"] is False
    run("domain", "approve", "--account", other, "steps.example")
    assert actions()[1:] == ["domain.pending", "domain.refused", "domain.approved", "domain.withdrawn"]


def test_licences_that_nobody_holds_are_removed(run, ask, account, actions):
    run("licence", "add", "--account", account, "pro", 3)
    assert ask("licence", "remove", "--account", account, "PRO", 2)["total"] == 1
    refused = run("licence", "remove", "--account", account, "pro", 2, code=1).stderr
    assert refused == "Error: 2 pro cannot be removed: 0 of 1 are assigned. Withdraw licences first, then retry.\n"
    assert "the account has none" in run("licence", "remove", "--account", account, "eco", 1, code=1).stderr
    assert actions()[-1] == "licences.removed"


def test_activations_of_a_shared_mailbox_licence_are_set(run, ask, account, actions):
    assert (
        "whose activations are counted"
        in run("licence", "activations", "--account", account, "sharedMailbox", 9, code=1).stderr
    )
    run("licence", "add", "--account", account, "sharedMailbox", 1)
    assert ask("licence", "activations", "--account", account, "sharedmailbox", 9)["changed"] is True
    assert ask("licence", "activations", "--account", account, "sharedMailbox", 9)["changed"] is False
    assert (
        "whose activations are counted" in run("licence", "activations", "--account", account, "pro", 9, code=1).stderr
    )
    assert actions()[-1] == "licences.activationsSet"


def test_a_type_that_a_policy_gives_is_one_of_the_account_s(ask, account):
    ask("account", "set", account, 'groupLicenses={"Sales": "pro"}', "defaults.licenseType=eco")
    assert [(one["type"], one["total"]) for one in ask("licence", "list", "--account", account)["licences"]] == [
        ("eco", 0),
        ("pro", 0),
    ]


def test_permissions_are_of_role_groups(run, account):
    assert "no role group 'Help'" in run("group", "permit", "--account", account, "Help", "logs", code=1).stderr
    assert (
        "Known permissions: businessManagement"
        in run("group", "permit", "--account", account, "Help", "all", code=1).stderr
    )


def test_passwords_are_forgotten_when_an_account_stops_keeping_them(run, ask, account, database_url):
    run("account", "set", account, "domains.enforcement=off", "passwords.store=on")
    service = create_app(Settings(database_url=database_url)).extensions["scim"]
    account_id = ask("account", "show", account)["id"]
    policies = Policies(domains_enforcement="off", passwords_store="on")
    actor = Actor("system", None)
    caller = provisioning.Caller(account_id, actor, frozenset({"scim.write"}), profiles()["default"], policies)
    body = {"userName": "ava@example.com", "password": "hunter2-Secret"}
    user = provisioning.create(service, caller, service.catalogue.endpoints["/Users"], body)
    kept = []
    for setting in (
        "passwords.store=on",
        "deletion.requireDeactivated=true",
        "passwords.store=off",
        "passwords.store=on",
    ):
        run("account", "set", account, setting)
        with service.database.reading(account_id):
            kept.append(resources.password(account_id, user.id) is not None)
    service.database.engine.dispose()
    assert kept == [True, True, False, False]


def test_a_domain_that_is_not_approved_hinders_no_other_account(run, ask, account):
    other = f"{account} owner"
    run("account", "create", other)
    run("domain", "refuse", "--account", account, "contested.example")
    run("domain", "request", "--account", other, "contested.example")
    run("domain", "approve", "--account", other, "contested.example")
    assert "another account" in run("domain", "approve", "--account", account, "contested.example", code=1).stderr
    assert ask("domain", "list", "--account", account)["domains"][0]["status"] == "refused"
