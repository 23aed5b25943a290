"""Each filter requirement of protocol.md (FLT-*) that the store answers for, the traps, the limits, the refusals."""

import re
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from scim2_models import InvalidFilterException

from scim_server.protocol.catalogue import ACCOUNT_GROUP, ACCOUNT_USER, ENTERPRISE, USER, Catalogue, Endpoint
from scim_server.store import pages
from scim_server.store.database import Database, execute
from scim_server.store.dialects import DIALECTS
from scim_server.store.filters import condition, lookup, parse_filter
from scim_server.store.tables import user
from scim_server.store.values import Expression, Op, successor

from .rows import BASE, DAY, add_group, add_log, add_user, found

Find = Callable[[str], str]

PEOPLE = {
    "anna": {
        "userName": "Anna@Example.com",
        "externalId": "Ext-1",
        "name": {"givenName": "Anna", "familyName": "Éluard"},
        "displayName": "100% Anna",
        "title": "Director",
        "emails": [
            {"value": "anna@work.example", "type": "work", "primary": True},
            {"value": "anna@home.example", "type": "home"},
        ],
        "phoneNumbers": [{"value": "+41 79 123", "type": "mobile"}],
        "timezone": "Europe/Paris",
        ENTERPRISE: {"department": "Sales", "manager": {"value": "bob"}},
        ACCOUNT_USER: {"role": "administrator", "smsCountryCode": "+41", "timeZone": "Europe/Paris"},
    },
    "bob": {
        "userName": "bob@example.com",
        "externalId": "ext-1",
        "name": {"familyName": "o_b"},
        "displayName": "_x_ bob",
        "title": "agent",
        "userType": "Employee",
        "timezone": "UTC",
        "emails": [{"value": "bob@home.example", "type": "home"}],
        "entitlements": [{"value": "Parking", "type": "site"}],
        "roles": [],
        ENTERPRISE: {"department": "sales"},
    },
    "carl": {
        "userName": "carl@example.com",
        "active": False,
        "name": {},
        "displayName": "",
        "title": "",
        "emails": [],
        "userType": "employee",
        ACCOUNT_USER: {"kind": "sharedMailbox"},
    },
    "dora": {"userName": "dora@example.com", "nickName": 'say "hi" \\ \u00e9'},
}
STATE = {
    "anna": {"licence_type": "pro", "licence_status": "activated", "licence_assigned_at": 20_000 * DAY, "version": 12},
    "carl": {"activations_used": 3, "licence_reset_required": True, "licence_pending_type": "sharedMailbox"},
    "dora": {"activations_used": 3},
}


@pytest.fixture(scope="module")
def account(database: Database, new_account: Callable[[], str], catalogue: Catalogue) -> str:
    """An account of four users and two groups, beside another one whose users have the same ids and all of it."""
    users, groups = catalogue.endpoints["/Users"], catalogue.endpoints["/Groups"]
    account_id, other = new_account(), new_account()
    with database.transaction(None):
        for number, (identifier, document) in enumerate(PEOPLE.items()):
            moments = {"created": (10 + number) * DAY, "modified": (10 + number) * DAY + number}
            add_user(account_id, users, document, identifier, **{**moments, **STATE.get(identifier, {})})
            everything = {**PEOPLE["anna"], "userName": f"{number}@example.com"}
            add_user(other, users, everything, identifier, **STATE["anna"])
            add_log(other, identifier, DAY)
        add_log(account_id, "anna", 5 * DAY)
        add_log(account_id, "anna", None)
        extension = {ACCOUNT_GROUP: {"licenseType": "pro", "permissions": ["billing", "logs"], "sharedMailbox": "carl"}}
        staff = {"displayName": "Staff", "externalId": "G-1", **extension}
        add_group(account_id, groups, staff, ["anna", "bob"], "staff")
        add_group(account_id, groups, {"displayName": "empty"}, [], "empty")
        add_group(other, groups, {"displayName": "Staff"}, list(PEOPLE), "staff")
        add_group(other, groups, {"displayName": "Empty"}, list(PEOPLE), "empty")
    return account_id


@pytest.fixture
def find(database: Database, account: str, users: Endpoint) -> Find:
    """Give the ids of the users that a filter finds, in alphabetical order."""
    return lambda text: " ".join(sorted(found(database, users, account, text)))


@pytest.fixture
def find_groups(database: Database, account: str, groups: Endpoint) -> Find:
    return lambda text: " ".join(sorted(found(database, groups, account, text)))


ALL = "anna bob carl dora"
EXT = ACCOUNT_USER


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('userName eq "ANNA@example.COM"', "anna", id="FLT-01"),
        pytest.param('userName eq "ａnna@example.com"', "anna", id="A-37-width"),
        pytest.param('externalId eq "Ext-1"', "anna", id="FLT-02"),
        pytest.param('id eq "anna" or id eq "BOB"', "anna", id="FLT-03"),
        pytest.param('userType ne "Employee"', "anna dora", id="FLT-04-05"),
        pytest.param('not (userType eq "Employee")', "anna dora", id="FLT-05-not"),
        pytest.param('not (title eq "x")', ALL, id="not-of-missing"),
        pytest.param('not (not (title eq "x"))', "", id="not-not-of-missing"),
        pytest.param('not (title gt "a")', "carl dora", id="not-of-missing-order"),
        pytest.param('emails.type ne "work"', "bob carl dora", id="FLT-06"),
        pytest.param('not (emails.type eq "work")', "bob carl dora", id="FLT-06-not"),
        pytest.param('displayName co "100%"', "anna", id="FLT-07-co"),
        pytest.param('displayName co "1%a"', "", id="FLT-07-no-wildcard"),
        pytest.param('displayName sw "_x_"', "bob", id="FLT-07-sw"),
        pytest.param('name.familyName ew "_b"', "bob", id="FLT-07-ew"),
        pytest.param('name.familyName sw "é"', "anna", id="FLT-08-fold"),
        pytest.param('externalId sw "EXT" or externalId co "XT-" or externalId ew "T-1"', "", id="FLT-08-exact"),
        pytest.param('externalId sw "ext"', "bob", id="FLT-08-exact-sw"),
        pytest.param("title pr", "anna bob", id="FLT-09-scalar"),
        pytest.param("name pr", "anna bob", id="FLT-09-complex"),
        pytest.param("emails pr", "anna bob", id="FLT-09-empty-array"),
        pytest.param("roles pr", "", id="FLT-09-empty-array-only"),
        pytest.param("active pr and id pr and meta pr", ALL, id="FLT-09-always"),
        pytest.param(f"{ENTERPRISE} pr", "anna bob", id="FLT-09-extension"),
        pytest.param('title gt "F" or title le "b"', "bob carl", id="FLT-10"),
        pytest.param('meta.created ge "1970-01-13T00:00:00Z"', "carl dora", id="FLT-11"),
        pytest.param('meta.lastModified eq "1970-01-12T00:00:00.000001Z"', "bob", id="FLT-11-itself"),
        pytest.param('meta.created eq "1970-01-13T05:30:00+05:30"', "carl", id="FLT-12"),
        pytest.param('meta.created lt "1970-01-11T00:00:00.0000010Z"', "anna", id="FLT-12-fraction"),
        pytest.param('meta.created eq "1970-01-13T00:00:00"', "carl", id="S28-naive-is-UTC"),
        pytest.param("active eq false", "carl", id="FLT-13"),
        pytest.param("emails[primary eq true]", "anna", id="FLT-13-sub"),
        pytest.param('active eq "False" and active ne "TRUE"', "carl", id="FLT-15"),
        pytest.param('title eq "agent" or active eq true and userName sw "anna"', "anna bob", id="FLT-16"),
        pytest.param('not(title pr) And (USERNAME SW "C" oR userName Sw "d")', "carl dora", id="FLT-17"),
        pytest.param(f'{USER.upper()}:USERNAME eq "bob@example.com"', "bob", id="FLT-18"),
        pytest.param(f'{ENTERPRISE}:department eq "SALES"', "anna bob", id="FLT-19"),
        pytest.param(f'{ENTERPRISE}:manager.value eq "bob"', "anna", id="FLT-20"),
        pytest.param('manager eq "bob"', "anna", id="Entra-manager"),
        pytest.param('department eq "sales" and not (manager pr)', "bob", id="Entra-bare-names"),
        pytest.param('emails.value eq "ANNA@home.example"', "anna", id="FLT-21"),
        pytest.param('emails.type eq "home"', "anna bob", id="FLT-21-type"),
        pytest.param('emails[type eq "work" and value co "@home"]', "", id="FLT-22"),
        pytest.param('emails[type eq "home" and value co "@home"]', "anna bob", id="FLT-22-same"),
        pytest.param('emails[not (type eq "home") or (primary eq true and value sw "x")]', "anna", id="FLT-23"),
        pytest.param('emails[type eq "work"].value eq "anna@work.example"', "anna", id="Entra-path-after-brackets"),
        pytest.param('emails co "@work"', "anna", id="FLT-24"),
        pytest.param(r'nickName eq "SAY \"HI\" \\ \u00E9"', "dora", id="FLT-29"),
        pytest.param('name.familyName eq "e\u0301luard"', "anna", id="FLT-30"),
        pytest.param("nickName eq null", "anna bob carl", id="FLT-31"),
        pytest.param("nickName ne null", "dora", id="A-21"),
        pytest.param("emails eq null", "carl dora", id="S29-empty-is-missing"),
        pytest.param("emails ne null", "anna bob", id="A-21-list"),
        pytest.param("emails[primary eq null]", "anna bob", id="A-21-element"),
        pytest.param('meta.resourceType eq "User"', ALL, id="FLT-35-type"),
        pytest.param('meta.resourceType ne "User" or meta.resourceType sw "G"', "", id="FLT-35-other-type"),
        pytest.param(f'schemas eq "{ENTERPRISE}"', "anna bob", id="FLT-35-schemas"),
        pytest.param(f'schemas ne "{ENTERPRISE}"', "carl dora", id="FLT-35-schemas-ne"),
        pytest.param('schemas co ":core:" and schemas[value ew "secureexchanges:2.0:User"]', ALL, id="FLT-35-co"),
        pytest.param(f"{EXT}:logEntryCount eq 2", "anna", id="FLT-36-not-returned"),
        pytest.param(f'{EXT}:lastActivityAt gt "1970-01-01T00:00:00Z"', "anna", id="FLT-36-log"),
        pytest.param(f"{EXT}:lastActivityAt eq null", "bob carl dora", id="FLT-36-null"),
        pytest.param('groups.value eq "staff"', "anna bob", id="FLT-38-value"),
        pytest.param('groups.display eq "STAFF"', "anna bob", id="FLT-38-display"),
        pytest.param('groups[display sw "st" and type eq "direct"]', "anna bob", id="FLT-38-element"),
        pytest.param('groups.type eq "indirect" or groups.display eq "empty"', "", id="FLT-38-none"),
        pytest.param('groups ne "staff"', "carl dora", id="FLT-38-ne"),
        pytest.param("not (groups pr)", "carl dora", id="FLT-38-pr"),
        pytest.param(f'groups.$ref eq "{BASE}/Groups/staff"', "anna bob", id="FLT-38-ref"),
        pytest.param("not(title  pr)  and  active   eq   true", "dora", id="FLT-39"),
        pytest.param(f"{EXT}:activationsUsed gt 2", "carl", id="FLT-43-numbers"),
        pytest.param(f"{EXT}:activationsUsed lt 10.0", "carl", id="FLT-43-no-text-compare"),
        pytest.param(f'{EXT}:licenseType eq "PRO"', "anna", id="FLT-44-word"),
        pytest.param(f'{EXT}:licensePendingType eq "sharedmailbox"', "carl", id="FLT-44-camel-case"),
        pytest.param(f"{EXT}:licenseType ne null and {EXT}:licenseAssignedAt pr", "anna", id="FLT-44-pr"),
        pytest.param(f'{EXT}:smsCountryCode eq "+41"', "anna", id="FLT-44-folded"),
        pytest.param(f"{EXT}:licenseResetRequired eq false", "anna bob dora", id="false-though-not-sent"),
        pytest.param(f'{EXT}:timeZone eq "europe/PARIS"', "anna", id="timeZone"),
        pytest.param(f'{EXT}:timeZone sw "utc"', "bob", id="alias-of-timezone"),
        pytest.param('entitlements eq "pro"', "anna", id="licence-is-an-entitlement"),
        pytest.param('entitlements[type eq "license" and value eq "PRO"]', "anna", id="licence-element"),
        pytest.param('entitlements[type eq "license" and value eq "parking"]', "", id="licence-same-element"),
        pytest.param('entitlements.type eq "site" or entitlements pr', "anna bob", id="stored-entitlement"),
        pytest.param("entitlements[primary eq null]", "anna bob", id="licence-is-not-primary"),
        pytest.param('meta.version eq "W/\\"12\\""', "anna", id="version"),
        pytest.param('meta.version ne "W/\\"12\\""', "bob carl dora", id="version-ne"),
        pytest.param('meta.version sw "W/\\"1"', ALL, id="version-sw"),
        pytest.param(f'meta.location eq "{BASE}/Users/bob"', "bob", id="location"),
        pytest.param(f'meta.location ne "{BASE}/Groups/bob"', ALL, id="location-of-another-type"),
        pytest.param('title co ""', "anna bob carl", id="empty-text-is-in-every-text"),
        pytest.param('title sw "" and title ew ""', "anna bob carl", id="empty-text-at-both-ends"),
        pytest.param('emails[value sw ""]', "anna bob", id="empty-prefix-of-an-indexed-value"),
        pytest.param('emails[value sw "ANNA@H"] and phoneNumbers sw "+41 79"', "anna", id="indexed-prefix"),
        pytest.param('x509Certificates.value eq "QUJD"', "", id="binary"),
    ],
)
def test_filter_finds(find: Find, text: str, expected: str) -> None:
    assert find(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('displayName eq "STAFF"', "staff", id="FLT-37-name"),
        pytest.param('externalId eq "G-1"', "staff", id="FLT-37-externalId"),
        pytest.param('members.value eq "anna"', "staff", id="FLT-37-value"),
        pytest.param('members[value eq "bob"]', "staff", id="FLT-37-element"),
        pytest.param('members eq "bob"', "staff", id="Entra-members"),
        pytest.param('members eq "carl"', "", id="FLT-37-member-elsewhere"),
        pytest.param('members ne "bob"', "empty", id="FLT-37-ne"),
        pytest.param("not (members pr)", "empty", id="FLT-37-pr"),
        pytest.param('members[type eq "user" and display sw "100%"]', "staff", id="FLT-37-display"),
        pytest.param('members.display eq "dora@example.com"', "", id="FLT-37-display-elsewhere"),
        pytest.param(f'members.$ref eq "{BASE}/Users/anna"', "staff", id="FLT-37-ref"),
        pytest.param(f"{ACCOUNT_GROUP}:memberCount ge 2", "staff", id="FLT-44-count"),
        pytest.param(f'{ACCOUNT_GROUP}:permissions eq "LOGS"', "staff", id="FLT-44-list-in-an-extension"),
        pytest.param(f'{ACCOUNT_GROUP}:permissions ne "logs"', "empty", id="FLT-44-list-ne"),
        pytest.param(f'{ACCOUNT_GROUP}:permissions[value sw "bill"]', "staff", id="FLT-44-list-element"),
        pytest.param(f'{ACCOUNT_GROUP}:sharedMailbox eq "carl"', "staff", id="FLT-44-reference"),
        pytest.param(f'{ACCOUNT_GROUP}:licenseType eq "Pro" and schemas co "secure"', "staff", id="FLT-44-word"),
    ],
)
def test_group_filter_finds(find_groups: Find, text: str, expected: str) -> None:
    assert find_groups(text) == expected


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        pytest.param("active gt true", "active: 'gt' does not apply to the type boolean", id="FLT-14"),
        pytest.param('x509Certificates.value ge "QUJD"', "'ge' does not apply to the type binary", id="FLT-14-binary"),
        pytest.param('active eq "yes"', "active: 'yes' is not true or false", id="FLT-15"),
        pytest.param("active eq 1", "active: the number 1 is not true or false", id="FLT-15-number"),
        pytest.param('userName regex "a"', "invalid syntax", id="FLT-25"),
        pytest.param("userName eq bob", "invalid syntax", id="FLT-27"),
        pytest.param("userName eq 'bob'", "invalid syntax", id="FLT-27-single"),
        pytest.param("", "invalid syntax", id="FLT-28"),
        pytest.param('nope eq "x"', "User has no attribute 'nope'; see /Schemas", id="FLT-32"),
        pytest.param("emails.nope pr", "User has no attribute 'emails.nope'", id="FLT-32-sub"),
        pytest.param('emails[nope eq "x"]', "emails has no sub-attribute 'nope'", id="FLT-32-element"),
        pytest.param(f'emails[{USER}:value eq "x"]', "emails has no sub-attribute 'urn:", id="FLT-32-qualified"),
        pytest.param('urn:example:x:y eq "x"', "User has no attribute 'urn:example:x:y'", id="FLT-32-urn"),
        pytest.param('licenseType eq "pro"', "User has no attribute 'licenseType'", id="FLT-32-bare-name"),
        pytest.param('name eq "x"', "complex: compare one of its sub-attributes, such as name.formatted", id="FLT-33"),
        pytest.param('addresses co "x"', "addresses is complex", id="FLT-33-list"),
        pytest.param(f'{ENTERPRISE} eq "x"', "is complex", id="FLT-33-extension"),
        pytest.param('name[givenName eq "x"]', "name has one value", id="value-path-of-a-singular"),
        pytest.param('emails[type eq "a" and value[x pr]]', "invalid syntax", id="FLT-40"),
        pytest.param("title eq 5", "title: the number 5 is not a string", id="FLT-42-number"),
        pytest.param("title co true", "title: true is not a string", id="FLT-42-boolean"),
        pytest.param("meta.created gt 5", "meta.created: the number 5 is not a dateTime", id="FLT-42-epoch"),
        pytest.param('meta.created gt "2020-13-01T00:00:00Z"', "is not a dateTime such as", id="FLT-42-month"),
        pytest.param('meta.created gt "2020-01-01"', "is not a dateTime such as", id="FLT-42-date"),
        pytest.param('meta.created gt "0"', "is not a dateTime such as", id="FLT-42-digit"),
        pytest.param('meta.created gt "0001-01-01T00:00:00+23:59"', "is not a dateTime such as", id="FLT-42-too-early"),
        pytest.param('meta.created co "2020"', "'co' does not apply to the type dateTime", id="S28"),
        pytest.param(f'{EXT}:activationsUsed eq "3"', "'3' is not an integer", id="FLT-42-text"),
        pytest.param(f"{EXT}:activationsUsed eq 1.5", "the number 1.5 is not an integer", id="FLT-42-fraction"),
        pytest.param(f"{EXT}:activationsUsed lt 1{'0' * 400}", "the number given is not an integer", id="FLT-42-huge"),
        pytest.param(f"{EXT}:activationsUsed co 1", "'co' does not apply to the type integer", id="FLT-42-co"),
        pytest.param("title gt null", "title: 'gt' does not apply to null", id="A-21"),
        pytest.param('x509Certificates.value eq "$$$"', "'$$$' is not base64", id="binary"),
        pytest.param('meta.location sw "https"', "'sw' does not apply to the URLs", id="location"),
        pytest.param(r'title eq "a\u0000b"', "title: no value has the character U+0000", id="ROB-10"),
        pytest.param(r'emails[value co "\ud800"]', "emails.value: no value has the character U+D800", id="ROB-11"),
        pytest.param('title eq "\ud800"', "title: no value has the character U+D800", id="ROB-11-raw"),
    ],
)
def test_filter_is_refused(find: Find, text: str, detail: str) -> None:
    with pytest.raises(InvalidFilterException) as refusal:
        find(text)
    assert detail in refusal.value.detail
    refusal.value.detail.encode()  # a lone surrogate in it could not be sent


@pytest.mark.parametrize("name", ["password", f"{USER}:PASSWORD", f"{EXT}:licenseTransferTo"])
@pytest.mark.parametrize("rest", ['eq "x"', 'ne "x"', 'sw "x"', "pr", "eq null", "eq 5"])
def test_what_is_never_shown_cannot_be_asked_for(find: Find, name: str, rest: str) -> None:
    """FLT-34, FLT-46: no filter is an oracle."""
    with pytest.raises(InvalidFilterException, match=f"(?i){name.rpartition(':')[2]} is never shown"):
        find(f'userName sw "a" or {name} {rest}')


HOSTILE = [
    *"%_*?.^$+|()[]{}\\/'\"`;:&<>#!=~@,",
    *("--", "/*", "${7*7}", "{{7*7}}", "' or '1'='1", "%00", "\U0001f600", "\U0010ffff"),
]


@pytest.fixture(scope="module")
def hostile(database: Database, new_account: Callable[[], str], catalogue: Catalogue) -> str:
    """An account with one user for each string that some language takes for more than itself."""
    account_id = new_account()
    with database.transaction(None):
        for number, text in enumerate(HOSTILE):
            names = {"displayName": f"a{text}b", "title": f"a{text}b", "emails": [{"value": f"a{text}b"}]}
            add_user(account_id, catalogue.endpoints["/Users"], names, f"{number}")
        add_user(account_id, catalogue.endpoints["/Users"], {"displayName": "axb", "title": "axb"}, "plain")
    return account_id


@pytest.mark.parametrize("name", ["displayName", "title", "emails.value", "emails[value"])
def test_metacharacters_match_literally(database: Database, hostile: str, users: Endpoint, name: str) -> None:
    """ROB-16, ROB-17: every hostile text is found again as itself, by each operator and in each place."""
    close = "]" if "[" in name else ""
    for number, text in enumerate(HOSTILE):
        written = text.replace("\\", "\\\\").replace('"', '\\"')
        for literal in (f'eq "a{written}b"', f'co "a{written}b"', f'sw "a{written}"', f'ew "{written}b"'):
            hits = found(database, users, hostile, f"{name} {literal}{close}")
            same = {str(other) for other, one in enumerate(HOSTILE) if literal[:2] == "sw" and one.startswith(text)}
            same |= {str(other) for other, one in enumerate(HOSTILE) if literal[:2] == "ew" and one.endswith(text)}
            assert hits == same | {str(number)}, literal


def test_or_never_leaves_the_account(
    database: Database, users: Endpoint, groups: Endpoint, account: str, new_account: Callable[[], str]
) -> None:
    """A condition that holds for everybody still finds nobody of another account."""
    empty = new_account()
    for endpoint, text in ((users, 'userName pr or id pr or not (title eq "x")'), (groups, "id pr or members pr")):
        assert found(database, endpoint, empty, text) == set()
        assert found(database, endpoint, account, text)


@pytest.mark.parametrize(
    "text",
    [
        'emails.value eq "a"', 'emails[value sw "a" and type eq "b"]', 'groups.value eq "a"', 'groups.display co "a"',
        "groups pr", f"{EXT}:logEntryCount gt 1", f"{EXT}:lastActivityAt pr", 'phoneNumbers sw "a"',
    ],
)  # fmt: skip
def test_every_sub_select_names_the_account(users: Endpoint, text: str) -> None:
    for dialect in DIALECTS:
        statement = str(sa.select(user.c.id).where(condition(users, parse_filter(users, text), "A", dialect)))
        tables = re.findall('FROM ("group"|membership|user_value|user_log)', statement)
        assert 0 < len(tables) == statement.count("account_id = ")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        pytest.param(f'userName eq "{"x" * 8192}"', "longer than 8192 bytes", id="ROB-13"),
        pytest.param(f'userName eq "{"é" * 4096}"', "longer than 8192 bytes", id="ROB-13-bytes"),
        pytest.param(" or ".join(["id pr"] * 201), "201 terms; at most 200", id="ROB-14"),
        pytest.param(" or ".join(["id pr"] * 5000), "longer than 8192 bytes", id="ROB-14-5000"),
        pytest.param("not(" * 1600 + "id pr" + ")" * 1600, "nests more than", id="ROB-15-not"),
        pytest.param("not (" * 17 + "id pr" + ")" * 17, "nests more than 16", id="ROB-15-cap"),
        pytest.param("emails[" * 500 + "id pr" + "]" * 500, "nests more than", id="ROB-15-brackets"),
        pytest.param("(" * 4000 + "id pr" + ")" * 3999, "nests more than", id="ROB-15-unbalanced"),
    ],
)
def test_limits_are_named(users: Endpoint, text: str, detail: str) -> None:
    with pytest.raises(InvalidFilterException) as refusal:
        parse_filter(users, text)
    assert detail in refusal.value.detail
    assert len(refusal.value.detail) < 300


def test_parentheses_around_one_expression_are_harmless_up_to_a_depth(find: Find, users: Endpoint) -> None:
    assert find("(" * 64 + "title pr" + ")" * 64) == "anna bob"
    with pytest.raises(InvalidFilterException, match="nests more than"):
        parse_filter(users, "(" * 2000 + "title pr" + ")" * 2000)


@pytest.mark.parametrize(
    "term",
    [
        'title eq "x"', "not (emails pr)", 'emails[type eq "x" and value eq "y"]', 'groups.display eq "x"', "name pr",
        "entitlements eq null", 'schemas co "x"', 'displayName sw "x"', 'emails[value sw "x"]',
    ],
)  # fmt: skip
@pytest.mark.parametrize("joiner", [" or ", " and "])
def test_as_many_terms_as_accepted_run(find: Find, term: str, joiner: str) -> None:
    """SQLite's expressions stay less than 1,000 deep, and PostgreSQL's planner has not hundreds of joins to order."""
    begun = time.monotonic()
    find(joiner.join([term] * (200 // (term.count("[") + 1))))
    assert time.monotonic() - begun < 15  # half a second when nothing else runs


@pytest.mark.parametrize("core", ['title eq "x"', 'emails[not (type eq "x") or value eq "y"]', "addresses pr"])
def test_as_deep_as_accepted_runs(database: Database, users: Endpoint, account: str, core: str) -> None:
    """SQLite's parser has a stack of 100 entries; the statement around the filter needs some of them."""
    text, depth = core, 16 - 3 * core.count("[")
    while depth > 1:
        text = f"not (active eq true {'and' if depth % 4 else 'or'} ({text}))"
        depth -= 2
    where = condition(users, parse_filter(users, text), account, database.dialect)
    page = sa.select(user.c.id).where(user.c.account_id == account, where).limit(1)
    with database.reading(None):
        execute(sa.select(user.c.document).where(user.c.account_id == account, user.c.id.in_(page))).all()


def test_unknown_attribute_has_no_value_at_the_root(database: Database, users: Endpoint, account: str) -> None:
    """A-19: a search over all resource types names attributes that only some of them have."""

    def finds(text: str) -> bool:
        where = condition(users, parse_filter(users, text, strict=False), account, database.dialect)
        with database.reading(None):
            return bool(execute(sa.select(user.c.id).where(user.c.account_id == account, where)).all())

    assert not any(map(finds, ['members eq "anna"', "members pr", 'members[value eq "anna"]']))
    assert not any(map(finds, ['nope gt "a"', "nope ne null"]))
    assert all(map(finds, ['nope ne "a"', "nope eq null", "not (members pr)"]))


@pytest.mark.parametrize("text", ['title eq "x"', 'emails.type eq "x"', 'manager eq "x"', "active eq true"])
def test_equalities_are_a_containment_on_postgresql(users: Endpoint, text: str) -> None:
    """One GIN index then answers every equality."""
    where = str(condition(users, parse_filter(users, text), "A", "postgresql").compile())
    assert (" @> " in where) is (text != "active eq true")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('USERNAME eq "ANNA@example.com"', ["anna"]),
        (f'{USER}:externalId Eq "ext-1"', ["bob"]),
        ('displayName eq "100\\u0025 anna"', ["anna"]),
        ('( displayName eq "" )', ["carl"]),
        ('id eq "nobody"', []),
    ],
)
def test_lookup_finds_what_the_condition_finds(
    database: Database, users: Endpoint, account: str, find: Find, text: str, expected: list[str]
) -> None:
    asked = lookup(users, text)
    assert asked is not None
    with database.reading(None):
        page = pages.look_up(account, users, asked, 0, 10)
    assert [one.id for one in page.resources] == expected == find(text).split()


@pytest.mark.parametrize(
    "text",
    ['userName ne "a"', 'userName sw "a"', 'title eq "a"', 'not (id eq "a")', 'id eq "a" or id pr', "active eq true"],
)
def test_other_filters_are_no_lookup(users: Endpoint, text: str) -> None:
    assert lookup(users, text) is None


def test_literals_are_parameters(users: Endpoint) -> None:
    """Filters of one shape share one statement of SQLAlchemy's cache, and no literal is ever part of the SQL."""
    for text in ('userName eq "{}"', 'emails[type eq "{}" and value sw "{}"]', f'{ENTERPRISE}:department co "{{}}"'):
        for dialect in DIALECTS:
            filters = (parse_filter(users, text.format(word, word)) for word in ("aaa", "b"))
            first, second = (str(condition(users, one, "bbb", dialect)) for one in filters)
            assert first == second
            assert not re.search("aaa|bbb", first)


@pytest.mark.parametrize("text", ['title gt "a"', 'emails[type le "a"]', 'meta.version lt "a"', 'manager ge "a"'])
def test_texts_order_by_code_point_on_any_postgresql(users: Endpoint, text: str) -> None:
    """The server of the tests orders by code point anyhow, those of customers by a language."""
    assert 'COLLATE "C"' in str(condition(users, parse_filter(users, text), "A", "postgresql").compile())


@pytest.mark.parametrize(
    ("prefix", "after"),
    [("a", "b"), ("az", "a{"), ("\ud7ff", "\ue000"), ("a\U0010ffff", "b"), ("\U0010ffff", None), ("", None)],
)
def test_successor_of_a_prefix(prefix: str, after: str | None) -> None:
    assert successor(prefix) == after


@pytest.mark.parametrize("op", [op for op in Op if op is not Op.ne])
def test_no_leaf_is_ever_null(database: Database, op: Op) -> None:
    leaf = Expression(sa.cast(sa.null(), sa.Text()), DIALECTS[database.dialect]).test(op, "a")
    with database.reading(None):
        assert execute(sa.select(sa.case((leaf.is_(None), "NULL"), (leaf, "true"), else_="false"))).scalar() == "false"
