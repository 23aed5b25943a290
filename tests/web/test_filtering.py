"""Filters over the wire: protocol.md 4.9. What each means in SQL has its own tests in tests/store."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from tests.web.conftest import ENTERPRISE, EXT, SEARCH, USER, Api, op

MALFORMED = (
    "",
    " ",
    "userName",
    "userName eq",
    'eq "x"',
    'userName "x"',
    'userName eq "x" and',
    'and userName eq "x"',
    'userName eq "x" or or id pr',
    '(userName eq "x"',
    'userName eq "x")',
    "()",
    "not",
    "not userName pr",
    'userName eq "x',
    "userName eq 'x'",
    "userName eq bjensen",
    'userName eq "x" garbage',
    'userName pr "x"',
    "userName pr pr",
    'emails[type eq "work"',
    'emails type eq "work"]',
    "emails[]",
    'emails[type eq "work"].value',
    'emails[type eq "work"] eq "x"',
    'emails[ims[type eq "x"]]',
    'userName eq "x",',
    'userName == "x"',
    'userName regex "x"',
    'userName like "x"',
    'userName gt "x" gt "y"',
    "userName eq [1]",
    'userName eq {"a":1}',
    'userName eq "\\x"',
    'userName eq "\\ud800"',
    'userName eq "\x00"',
    '\x00 eq "x"',
    "userName eq tru",
    "userName eq 1.2.3",
    '1userName eq "x"',
    'user name eq "x"',
    'userName.. eq "x"',
    ".userName pr",
)
UNFIT = (
    'nope eq "x"',
    "nope pr",
    'name eq "x"',
    'user_name eq "x"',
    'emails.nope eq "x"',
    'emails[nope eq "x"]',
    "active gt true",
    "active ge true",
    "active lt false",
    "active le false",
    'x509Certificates.value le "AAEC"',
    'active co "t"',
    'active eq "perhaps"',
    "userName eq 5",
    "userName eq true",
    "meta.created gt 5",
    'meta.created gt "yesterday"',
    'meta.created eq "2026-02-31T00:00:00Z"',
    'meta.created co "2026"',
    "password pr",
    'password eq "x"',
    'password sw "a"',
    'x509Certificates.value gt "AAEC"',
    f'{EXT}:licenseTransferTo eq "x"',
    f'{EXT}:activationsUsed eq "5"',
    f'{ENTERPRISE}:nope eq "x"',
    'urn:example:nope:x eq "y"',
    "title gt null",
)


@pytest.fixture
def people(api: Api) -> dict[str, str]:
    """Three users who differ in everything: id by name."""
    return {
        "ava": api.user(
            "ava",
            externalId="aBc",
            title="Tour Guide",
            emails=[{"value": "v@x.example", "type": "home"}, {"value": "w@y.example", "type": "other"}],
            **{ENTERPRISE: {"department": "Sales", "manager": {"value": "M1"}}, EXT: {"licenseType": "pro"}},
        )["id"],
        "bob": api.user(
            "bob",
            externalId="ABC",
            active=False,
            emails=[{"value": "w@x.example", "type": "home"}],
            ims=[{"value": "bob", "type": "xmpp"}, {"value": "b", "type": "icq", "primary": True}],
            displayName='100% "Bob" \\ É_b',
        )["id"],
        "cat": api.user(
            "cat",
            title="clerk",
            nickName=None,
            phoneNumbers=[],
            name={"givenName": "C"},
            roles=[{"value": "administrator"}],
        )["id"],
    }


FOUND = (
    ('userName sw "AVA"', "ava"),  # FLT-01
    ('externalId eq "abc"', ""),  # FLT-02
    ('externalId sw "aB"', "ava"),  # FLT-08
    ('title ne "CLERK"', "ava bob"),  # FLT-04, FLT-05
    ('emails.type ne "other"', "bob cat"),  # FLT-06
    ('displayName co "100%"', "bob"),  # FLT-07
    ('displayName ew "_B"', "bob"),  # FLT-07, FLT-08
    ('displayName co "% \\"bob\\" \\\\"', "bob"),  # FLT-29
    ('displayName co "\\u00e9"', "bob"),  # FLT-29, FLT-30
    ("title pr", "ava cat"),  # FLT-09
    ("name pr", "cat"),  # FLT-09
    ("nickName pr", ""),  # FLT-09
    ("phoneNumbers pr", ""),  # FLT-09
    ("not (roles pr)", "ava bob"),  # FLT-09
    ("emails pr", "ava bob"),
    (f"{ENTERPRISE} pr", "ava"),
    ('title gt "D"', "ava"),  # FLT-10
    ('title ge "CLERK"', "ava cat"),  # FLT-10
    ('title lt "TOUR"', "cat"),  # FLT-10
    ('title le "tour guide"', "ava cat"),  # FLT-10
    ('meta.created gt "2000-01-01T05:30:00+05:30"', "ava bob cat"),  # FLT-11, FLT-12
    ("active eq false", "bob"),  # FLT-13
    ("ims[primary eq true]", "bob"),  # FLT-13
    ('ims[primary eq true and value eq "bob"]', ""),  # FLT-13, FLT-22
    ("emails[primary eq true]", ""),  # FLT-13
    ('active eq "False"', "bob"),  # FLT-15, A-22
    ("active ne true", "bob"),
    ('userName sw "cat" or userName sw "ava" and active eq false', "cat"),  # FLT-16
    ('(userName sw "cat" or userName sw "bob") and active eq false', "bob"),
    ("not (active eq true)", "bob"),
    ("not(title pr)", "bob"),  # FLT-39
    ("TITLE PR AND NOT (ACTIVE EQ FALSE)", "ava cat"),  # FLT-17
    (f'{USER.upper()}:userName sw "bob"', "bob"),  # FLT-18
    (f'{ENTERPRISE}:department eq "SALES"', "ava"),  # FLT-19
    (f'{ENTERPRISE}:manager.value eq "M1"', "ava"),  # FLT-20
    (f'{ENTERPRISE}:manager.value eq "m1"', ""),
    ('emails.value eq "W@X.example"', "bob"),  # FLT-21
    ('emails[type eq "home" and value sw "w"]', "bob"),  # FLT-22
    ('emails[value eq "W@x.example"]', "bob"),  # IPS-01
    ('emails[type eq "other" and value eq "w@y.example"]', "ava"),  # IPS-01, FLT-22
    ('emails[type eq "home" and value eq "w@y.example"]', ""),  # IPS-01, FLT-22
    ('emails[(type eq "home" or type eq "other") and not (value sw "v")]', "ava bob"),  # FLT-23
    ('emails co "y.ex"', "ava"),  # FLT-24, A-20
    ("externalId eq null", "cat"),  # FLT-31
    ('meta.resourceType eq "User"', "ava bob cat"),  # FLT-35
    (f'schemas eq "{ENTERPRISE}"', "ava"),
    (f'{EXT}:licenseType eq "Pro"', "ava"),  # FLT-44
    (f"{EXT}:licenseType pr", "ava"),
    (f'{EXT}:role eq "administrator"', "cat"),
    ('roles.value eq "administrator"', "cat"),
    ('id eq "nobody"', ""),
)


def test_filters_find(api: Api, people: dict[str, str]) -> None:
    """The names of those who are found stand beside the filters; by GET and by `.search`."""
    for condition, expected in FOUND:
        wanted = [people[name] for name in expected.split()]
        assert [one["id"] for one in api.find(condition)] == wanted, condition
        page = api.post("/Users/.search", {"schemas": [SEARCH], "filter": condition}, status=200)
        assert [one["id"] for one in page["Resources"]] == wanted, condition


def test_id_is_found_case_exactly(api: Api, people: dict[str, str]) -> None:
    """FLT-03."""
    assert [one["id"] for one in api.find(f'id eq "{people["bob"]}"')] == [people["bob"]]
    assert api.find(f'id eq "{people["bob"].upper()}"') == []


def test_time_that_was_shown_finds_its_resource(api: Api, people: dict[str, str]) -> None:
    """FLT-11."""
    created = api.get(f"/Users/{people['bob']}")["meta"]["created"]
    assert [one["id"] for one in api.find(f'meta.created eq "{created}"')] == [people["bob"]]
    assert [one["id"] for one in api.find(f'meta.created lt "{created}"')] == [people["ava"]]
    assert [one["id"] for one in api.find(f'meta.created ge "{created}"')] == [people["bob"], people["cat"]]
    assert [one["id"] for one in api.find(f'meta.created gt "{created}"')] == [people["cat"]]
    assert [one["id"] for one in api.find(f'meta.created le "{created}"')] == [people["ava"], people["bob"]]


def test_time_is_the_same_instant_however_it_is_written(api: Api, people: dict[str, str]) -> None:
    """FLT-12: another offset, a longer fraction, a lower-case zone."""
    created = datetime.fromisoformat(api.get(f"/Users/{people['bob']}")["meta"]["created"])
    east = created.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()
    west = created.astimezone(timezone(timedelta(hours=-8))).isoformat()
    utc = created.isoformat().replace("+00:00", "")
    for text in (east, west, f"{utc}Z", f"{utc}000Z", f"{utc}z", f"{utc}-00:00"):
        assert [one["id"] for one in api.find(f'meta.created eq "{text}"')] == [people["bob"]], text
    unencoded = quote(f'meta.created eq "{east}"', safe="+")
    strict = api.token_for(profile="strict")
    strict.refuse("GET", f"/Users?filter={unencoded}", kind="invalidFilter")  # its + is a blank
    found = api.get(f"/Users?filter={unencoded}")["Resources"]  # beside %20 it is none
    assert [one["id"] for one in found] == [people["bob"]]


def test_every_attribute_of_the_account_can_be_asked_for(api: Api, people: dict[str, str]) -> None:
    """FLT-44: by its presence, and by the value that is shown; `licenseResetRequired` is false where it is not."""
    shown = api.get(f"/Users/{people['ava']}")[EXT]
    for attribute in api.get(f"/Schemas/{EXT}")["attributes"]:
        name = f"{EXT}:{attribute['name']}"
        if attribute["returned"] != "default":  # never shown, or counted when it is asked for
            continue
        found = [one["id"] for one in api.find(f"{name} pr")]
        assert (people["ava"] in found) is (attribute["name"] in {*shown, "licenseResetRequired"}), name
        if attribute["name"] in shown:
            value = orjson.dumps(shown[attribute["name"]]).decode()
            assert people["ava"] in [one["id"] for one in api.find(f"{name} eq {value}")], name


def test_filter_does_not_depend_on_what_is_shown(api: Api, people: dict[str, str]) -> None:
    """FLT-36."""
    found = api.find('title eq "clerk"', attributes="displayName")
    assert found == [{"schemas": found[0]["schemas"], "id": people["cat"]}]


@pytest.mark.parametrize("blank", ["+", "%20", "%20%20"])
def test_blanks_may_be_written_in_both_ways(api: Api, people: dict[str, str], blank: str) -> None:
    """FLT-41, FLT-39."""
    page = api.get(f"/Users?filter=title{blank}eq{blank}%22tour{'+' if blank == '+' else '%20'}guide%22")
    assert [one["id"] for one in page["Resources"]] == [people["ava"]]


def test_groups_are_found_by_name_and_by_member(api: Api, people: dict[str, str]) -> None:
    """FLT-37, FLT-38, IPS-06."""
    sales = api.group("Sales", people["ava"], people["bob"], externalId="g-1")
    tours = api.group("Tours", people["ava"])
    for condition, expected in (
        ('displayName eq "sales"', [sales]),
        ('externalId eq "g-1"', [sales]),
        ('externalId eq "G-1"', []),
        (f'members.value eq "{people["bob"]}"', [sales]),
        (f'members[value eq "{people["ava"]}"]', [sales, tours]),
        (f'displayName eq "tours" and members eq "{people["bob"]}"', []),
        (f'id eq "{sales["id"]}" and members[value eq "{people["bob"]}"]', [sales]),
        ("members pr", [sales, tours]),
    ):
        assert [one["id"] for one in api.find(condition, "/Groups")] == [one["id"] for one in expected]
    assert [one["id"] for one in api.find(f'groups.value eq "{tours["id"]}"')] == [people["ava"]]
    assert [one["id"] for one in api.find('groups.display eq "SALES"')] == [people["ava"], people["bob"]]


def test_account_may_want_no_filter_in_a_url(new_account: Callable[..., Api]) -> None:
    """PRI-03, A-41; erratum 6893: 403 sensitive, while lists without one and `.search` work."""
    api = new_account(filters__inUrl="refused")
    ava = api.user()
    for path in ("/Users", "/Groups", ""):
        detail = api.refuse("GET", f"{path or '/'}?filter=userName+eq+%22ava%22", status=403, kind="sensitive")
        assert "ava" not in detail
        assert f"{path}/.search" in detail
    assert api.get("/Users?sortBy=userName")["Resources"] == [ava]
    search = {"schemas": [SEARCH], "filter": f'userName eq "{ava["userName"]}"'}
    assert api.post("/Users/.search", search, status=200)["Resources"] == [ava]


def test_malformed_filters_are_refused(api: Api) -> None:
    """FLT-25 to FLT-28, FLT-40, A-36: by GET and by `.search`, and told in the journal."""
    for text in MALFORMED:
        api.refuse("GET", f"/Users?filter={quote(text)}", kind="invalidFilter")
        api.refuse("POST", "/Users/.search", {"schemas": [SEARCH], "filter": text}, kind="invalidFilter")
    assert len(api.refusals()) == 2 * len(MALFORMED)


def test_filters_that_do_not_fit_the_schema_are_refused(api: Api) -> None:
    """FLT-14, FLT-32, FLT-33, FLT-34, FLT-42, FLT-46, A-19, A-31: never everybody, never nobody."""
    api.user("ava", password="abc")
    for text in UNFIT:
        api.refuse("GET", f"/Users?filter={quote(text)}", kind="invalidFilter")


METACHARACTERS = (
    "'", '"', "\\", "%", "_", "*", "?", ".", "^", "$", "[", "]", "(", ")", "{", "}", "|", "+", "-", "/", "<", ">", "&",
    "#", ";", ":", "=", "~", "`", "@", "!", ",", "' OR '1'='1", "'; DROP TABLE user;--", "${7*7}", "{{7*7}}", "%00",
    "*)(uid=*", "\t", "\n",
)  # fmt: skip


def test_metacharacters_are_stored_and_found_as_they_are(api: Api) -> None:
    """ROB-16, ROB-17, FLT-07: each is found in the one user who has it, by every text operator."""
    plain = api.user("plain", displayName="plain", title="x")["id"]
    path = f"/Users/{api.user('odd')['id']}"
    for text in METACHARACTERS:
        value = f"a{text}z"
        assert api.patch(path, op("replace", "displayName", value))["displayName"] == value
        for verb, literal in (("eq", value), ("co", text), ("sw", f"A{text}"), ("ew", f"{text}Z")):
            found = api.find(f"displayName {verb} {orjson.dumps(literal).decode()}", attributes="id")
            assert [f"/Users/{one['id']}" for one in found] == [path], (verb, text)
        assert api.find(f"displayName eq {orjson.dumps(text).decode()}") == []
    assert api.get(f"/Users/{plain}")["displayName"] == "plain"


@pytest.mark.parametrize(
    "text",
    [
        " or ".join(f'userName eq "u{n}"' for n in range(5000)),
        " and ".join("id pr" for _ in range(3000)),
        "(" * 2000 + "id pr" + ")" * 2000,
        "not (" * 2000 + "id pr" + ")" * 2000,
        "emails[" * 2000 + "type pr" + "]" * 2000,
        'userName eq "' + "x" * 60_000 + '"',
        "(" * 60_000,
        "a." * 4000 + "b pr",
        "userName eq " + "9" * 5000,
        "userName eq " + "[" * 3000,
    ],
    ids=lambda text: text[:20],
)
def test_overgrown_filter_is_refused_quickly(api: Api, text: str) -> None:
    """ROB-13, ROB-14, ROB-15, LIM-02."""
    api.refuse("GET", f"/Users?filter={quote(text)}", kind="invalidFilter")
    api.refuse("POST", "/Users/.search", {"schemas": [SEARCH], "filter": text}, kind="invalidFilter")
    assert api.get("/Users")["totalResults"] == 0


def test_long_filters_of_sense_are_answered(api: Api) -> None:
    """LIM-02: what an IdP may ask in one go."""
    ava = api.user()["id"]
    many = " or ".join(f'id eq "{one}"' for one in (*(f"x{n}" for n in range(150)), ava))
    assert [one["id"] for one in api.find(many)] == [ava]
    wild = "%_*" * 1500
    assert api.find(f'displayName co "{wild}"') == []  # ROB-42


def test_numbers_compare_as_numbers(api: Api) -> None:
    """FLT-43."""
    mailbox: Any = {"kind": "sharedMailbox", "licenseType": "sharedMailbox"}
    one = api.user("desk", ext=mailbox)
    allowed = one[EXT]["activationsAllowed"]
    for condition, found in (
        (f"eq {allowed}", True),
        (f"eq {allowed}.0", True),
        (f"gt {allowed - 1}", True),
        (f"lt {allowed}", False),
        ("lt 1e400", None),
        ("gt " + "9" * 400, None),
    ):
        text = f"{EXT}:activationsAllowed {condition}"
        if found is None:
            api.refuse("GET", f"/Users?filter={quote(text)}", kind="invalidFilter")
        else:
            assert bool(api.find(text)) is found
