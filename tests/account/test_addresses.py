"""Which addresses a user may have (R2, R12)."""

import pytest

from scim_server.account.rules import domain_of, domains_in_question

from .given import a_licensed_user, a_user, an_account, change, create, refused, told


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("anna@acme.example", "acme.example"),
        ("anna@ACME.Example", "acme.example"),
        ('"a@b"@acme.example', "acme.example"),
        ("anna@bücher.example", "xn--bcher-kva.example"),
        ("anna@BU\u0308CHER.example", "xn--bcher-kva.example"),
        ("anna@xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("anna@faß.example", "xn--fa-hia.example"),
        ("anna", ""),
        ("anna@", ""),
        ("anna@" + "ü" * 300, ""),
    ],
)
def test_domain_is_what_follows_the_last_at(address, domain):
    assert domain_of(address) == domain


def test_sharp_s_is_not_covered_by_double_s():
    assert domain_of("anna@faß.example") != domain_of("anna@fass.example")


def test_domains_in_question_are_those_of_user_name_and_work_addresses():
    new = a_user(work_addresses=("anna@second.example", "a@ACME.example"))
    assert domains_in_question(None, new) == {"acme.example", "second.example"}


def test_only_new_addresses_are_in_question():
    before = a_user(work_addresses=("anna@old.example",))
    after = a_user(work_addresses=("ANNA@old.example", "anna@new.example", "anna@acme.example"))
    assert domains_in_question(before, after) == {"new.example"}


def test_a_deletion_puts_no_domain_in_question():
    assert domains_in_question(a_user(), None) == frozenset()


def test_user_of_an_approved_domain_is_created():
    assert told(create()) == ["user.created"]


@pytest.mark.parametrize("address", ["anna@other.example", "anna@sub.acme.example", "anna@gmail.com"])
def test_unapproved_domain_is_refused(address):
    with refused("E2", "userName", address.partition("@")[2], "Have it approved"):
        create(user_name=address)


def test_work_address_of_an_unapproved_domain_is_refused():
    with refused("E2", "emails", "'other.example'"):
        create(work_addresses=("anna@other.example",))


def test_work_address_that_is_no_address_is_refused():
    with refused("E1", "emails: 'anna'"):
        create(work_addresses=("anna",))


@pytest.mark.parametrize(
    "address",
    [
        "", "anna", "@acme.example", "anna@", "an na@acme.example", "anna@acme example", "anna@@acme.example",
        "anna\n@acme.example", "anna@acme.example\n", "anna\u202e@acme.example", ".anna@acme.example",
        "an..na@acme.example", "anna@acme", "anna@-acme.example", "anna@acme.example.", "a" * 250 + "@acme.example",
        "Anna <anna@acme.example>",
    ],
)  # fmt: skip
def test_user_name_that_is_no_address_is_refused(address):
    with refused("E1", "userName must be a valid e-mail address."):
        create(user_name=address)


@pytest.mark.parametrize(
    "address", ["änne@acme.example", "o'neil+x@acme.example", "anna@ACME.EXAMPLE", "用户@acme.example"]
)
def test_unusual_but_valid_addresses_are_accepted(address):
    assert create(user_name=address).after.user_name == address


def test_update_that_leaves_the_address_alone_succeeds_though_its_domain_is_no_longer_approved():
    leaver = a_user(work_addresses=("anna@acme.example",))
    assert not change(leaver, an_account(approved_domains=frozenset()), active=False).after.active


def test_new_address_of_the_same_person_keeps_everything():
    before = a_licensed_user("pro", role="administrator")
    plan = change(before, user_name="anna.b@acme.example")
    assert told(plan) == ["user.renamed"]
    assert plan.after == a_licensed_user("pro", role="administrator", user_name="anna.b@acme.example")


def test_new_address_of_an_unapproved_domain_is_refused():
    with refused("E2"):
        change(a_licensed_user(), user_name="anna@other.example")


def test_other_letter_case_of_the_address_is_no_new_address():
    plan = change(a_user(), an_account(approved_domains=frozenset()), user_name="Anna@acme.example")
    assert plan.effects == ()
    assert plan.after.user_name == "Anna@acme.example"


@pytest.mark.parametrize("name", ["anna", "a b", "anna@other.example"])
def test_any_user_name_is_accepted_where_domains_are_not_enforced(name):
    assert told(create(an_account(policies={"domains_enforcement": "off"}), user_name=name)) == ["user.created"]


def test_public_providers_are_accepted_where_the_account_allows_them():
    account = an_account(policies={"domains_allow_public_providers": True})
    assert told(create(account, user_name="anna@GMail.com")) == ["user.created"]
    with refused("E2"):
        create(account, user_name="anna@other.example")
