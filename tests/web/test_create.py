"""Creation: protocol.md 4.5, and the values of 4.19."""

import re
import unicodedata
from typing import Any

import orjson
import pytest

from tests.web.conftest import BASE, ENTERPRISE, EXT, GEXT, GROUP, SEARCH, USER, Api, op

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
ADSCIM = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"


def body(api: Api, name: str = "ava", /, **more: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": api.mail(name), **more}


def test_creation_answers_the_whole_resource(api: Api) -> None:
    """CRT-01, CRT-02, CRT-23, LOG-01, DAT-01, DAT-02."""
    user = api.user("ava", displayName="Ava")
    location = f"{BASE}/Users/{user['id']}"
    assert api.response.headers["Location"] == user["meta"]["location"] == location
    assert api.response.headers["ETag"] == user["meta"]["version"]
    assert user["schemas"][0] == USER
    assert user["meta"]["resourceType"] == "User"
    assert user["meta"]["created"] == user["meta"]["lastModified"]
    assert INSTANT.fullmatch(user["meta"]["created"])
    assert api.get(location) == user
    assert [(e.action, e.target_id, e.target_name) for e in api.journal()] == [
        ("user.created", user["id"], api.mail("ava"))
    ]


def test_read_only_attributes_of_a_body_are_ignored(api: Api) -> None:
    """CRT-03, EXT-06, SEC-01: of any type, even a wrong one."""
    meta = {"resourceType": "Robot", "created": "1999-01-01T00:00:00Z", "version": "x", "location": "http://evil"}
    for name, more in (
        ("a", {"id": "mine", "meta": meta, "groups": [{"value": "x"}]}),
        ("b", {"id": 5, "meta": "junk", "groups": "x"}),
        ("c", {"ID": [], "Meta": None, "Groups": {}, EXT: {"licenseStatus": "activated", "activationsAllowed": 99}}),
    ):
        user = api.user(name, **more)
        assert user["id"] != "mine"
        assert user["meta"]["resourceType"] == "User"
        assert user["meta"]["location"] == f"{BASE}/Users/{user['id']}"
        assert "groups" not in user
        assert user[EXT]["licenseStatus"] == "none"
        assert "activationsAllowed" not in user[EXT]


def test_user_name_in_use_is_a_conflict(api: Api) -> None:
    """CRT-04, CRT-05, CRT-25, IOP-04: in any case; the first user and the list stay as they are."""
    user = api.user("ava", displayName="First")
    with api.unchanged(f"/Users/{user['id']}", "/Users"):
        for name in ("ava", "AVA", "aVa"):
            api.refuse("POST", "/Users", body(api, name), status=409, kind="uniqueness")
        api.refuse(
            "POST", "/Users", {"schemas": [USER], "userName": user["userName"].upper()}, status=409, kind="uniqueness"
        )
    assert [entry.status for entry in api.refusals()] == [409] * 4


@pytest.mark.parametrize("value", [..., None, "", " ", "\t\n", "\u2003", [], {}])
def test_required_user_name_may_not_be_missing_or_blank(free: Api, value: Any) -> None:
    """CRT-06; the account takes any name, so that it is the protocol that refuses."""
    sent = {"schemas": [USER]} if value is ... else {"schemas": [USER], "userName": value}
    free.refuse("POST", "/Users", sent, kind="invalidValue")
    assert free.get("/Users")["totalResults"] == 0


@pytest.mark.parametrize("schemas", [[], USER, [5], [None], {}, [[USER]], 0, True, [{"value": USER}]])
@pytest.mark.parametrize("path", ["/Users", "/Groups"])
def test_ill_typed_schemas_are_refused(api: Api, path: str, schemas: Any) -> None:
    """CRT-07, ROB-40."""
    sent = {**body(api), "displayName": "x", "schemas": schemas}
    with api.unchanged(path):
        api.refuse("POST", path, sent, kind="invalidSyntax")


def test_schema_of_the_other_type_is_refused(api: Api) -> None:
    """CRT-08."""
    with api.unchanged("/Users", "/Groups"):
        api.refuse("POST", "/Users", {**body(api), "schemas": [GROUP]}, kind="invalidSyntax")
        api.refuse("POST", "/Groups", {"schemas": [USER], "displayName": "x"}, kind="invalidSyntax")


def test_stored_schemas_are_the_servers_own(api: Api) -> None:
    """CRT-09, A-14, ROB-40: unknown URNs, duplicates and other spellings never come back."""
    many = [f"urn:example:{n}" for n in range(1000)]
    for name, schemas in (
        ("a", [USER, USER, "urn:example:unknown", f"{USER} "]),
        ("b", [USER.upper()]),
        ("c", [*many, USER]),
        ("d", [USER, "", "[]"]),
    ):
        user = api.user(name, schemas=schemas)
        assert user["schemas"] == [USER, EXT]
        assert api.get(f"/Users/{user['id']}")["schemas"] == [USER, EXT]


def test_group_with_the_extra_urn_of_a_directory_is_created(api: Api) -> None:
    """CRT-10."""
    group = api.group("Sales", schemas=[GROUP, ADSCIM])
    assert group["schemas"] == [GROUP, GEXT]


def test_body_without_schemas_is_what_the_endpoint_serves(api: Api) -> None:
    """CRT-28, A-13: the default profile takes it, the strict one does not."""
    sent = body(api)
    del sent["schemas"]
    assert api.post("/Users", sent)["schemas"] == [USER, EXT]
    assert api.post("/Groups", {"displayName": "x"})["schemas"] == [GROUP, GEXT]
    strict = api.token_for(profile="strict")
    strict.refuse("POST", "/Users", {**sent, "userName": api.mail("b")}, kind="invalidSyntax")


def test_undefined_attributes_are_left_out_and_told_in_the_journal(api: Api) -> None:
    """CRT-11, A-02, SEC-01: ignored by default, refused by the strict profile."""
    more = {
        "shoeSize": 44,
        "is_admin": True,
        "account_id": "x",
        "__class__": {"a": 1},
        "version": 99,
        "document": "{}",
        "emails": [{"value": "h@else.example", "type": "home", "verified": True}],
        "name": {"familyName": "C", "nick": "x"},
        "urn:example:unknown:2.0:User": {"x": 1},
        ENTERPRISE: {"department": "D", "floor": 3},
    }
    user = api.user("ava", **more)
    assert not {"shoeSize", "is_admin", "account_id", "__class__", "version", "document"} & set(user)
    assert "urn:example:unknown:2.0:User" not in user
    assert user["emails"] == [{"value": "h@else.example", "type": "home"}]
    assert user["name"] == {"familyName": "C"}
    assert user[ENTERPRISE] == {"department": "D"}
    assert api.get(f"/Users/{user['id']}") == user
    ignored = {one["attribute"] for one in _changes(api) if one.get("ignored")}
    assert {"shoeSize", "is_admin", "emails.verified", "name.nick", f"{ENTERPRISE}:floor"} <= ignored
    strict = api.token_for(profile="strict")
    with api.unchanged("/Users"):
        assert "shoeSize" in strict.refuse("POST", "/Users", body(api, "b", shoeSize=44), kind="invalidSyntax")


def _changes(api: Api) -> Any:
    return orjson.loads(api.journal()[0].changes)


def test_names_of_attributes_are_case_insensitive(api: Api) -> None:
    """CRT-12; they come back in the schema's spelling."""
    user = api.post(
        "/Users",
        {
            "SCHEMAS": [USER],
            "USERNAME": api.mail("ava"),
            "Name": {"FAMILYNAME": "Cole"},
            "eMails": [{"VALUE": "h@else.example", "Type": "home"}],
            ENTERPRISE.upper(): {"DEPARTMENT": "D"},
        },
    )
    assert user["userName"] == api.mail("ava")
    assert user["name"] == {"familyName": "Cole"}
    assert user["emails"] == [{"value": "h@else.example", "type": "home"}]
    assert user[ENTERPRISE] == {"department": "D"}


@pytest.mark.parametrize("sent", [{"title": "a", "TITLE": "b"}, {"name": {"givenName": "a", "GIVENNAME": "b"}}])
def test_one_attribute_under_two_spellings_is_refused(api: Api, sent: Any) -> None:
    """ROB-08."""
    with api.unchanged("/Users"):
        api.refuse("POST", "/Users", body(api, **sent), kind="invalidSyntax")


def test_null_and_empty_lists_are_unassigned(api: Api) -> None:
    """CRT-13."""
    user = api.user("ava", title=None, emails=[], name=None, addresses=[None], nickName="", phoneNumbers=[{}], ims=[""])
    assert not {"title", "emails", "name", "addresses", "nickName", "phoneNumbers", "ims"} & set(user)
    assert not [one for one in user.values() if one in (None, [], {}, "")]


@pytest.mark.parametrize(
    "sent",
    [
        {"active": "maybe"},
        {"active": 1},
        {"active": 0},
        {"name": "x"},
        {"name": ["a", "b"]},
        {"emails": 5},
        {"emails": [5]},
        {"emails": [["a"]]},
        {"emails": [{"value": 5}]},
        {"emails": [{"value": "a@b.example", "primary": "perhaps"}]},
        {"title": 5},
        {"title": {"a": 1}},
        {"title": ["a", "b"]},
        {"externalId": 12345},
        {"externalId": False},
        {ENTERPRISE: "x"},
        {ENTERPRISE: {"manager": 5}},
        {EXT: ["x", "y"]},
        {EXT: {"smsReturnsEnabled": "often"}},
        {"x509Certificates": [{"value": "$$$"}]},
        {"x509Certificates": [{"value": "-_-_"}]},
        {"photos": [{"value": "javascript:alert(1)"}]},
        {"photos": [{"value": " java\n\tscript:alert(1)"}]},
        {"photos": [{"value": "\u0020VBScript:x"}]},
        {"profileUrl": "data:text/html,x"},
    ],
    ids=str,
)
def test_value_of_the_wrong_type_is_refused(api: Api, sent: Any) -> None:
    """CRT-14, CRT-25, EXT-03, USR-05."""
    with api.unchanged("/Users"):
        api.refuse("POST", "/Users", body(api, **sent), kind="invalidValue")


def test_two_primary_values_are_refused(api: Api) -> None:
    """CRT-15."""
    two = [{"value": f"{n}@else.example", "type": "home", "primary": True} for n in range(2)]
    with api.unchanged("/Users"):
        api.refuse("POST", "/Users", body(api, emails=two), kind="invalidValue")


def test_password_is_taken_and_never_seen_again(api: Api) -> None:
    """CRT-16, PRJ-13, A-50: nor in the database."""
    user = api.user("ava", password="hunter2-Secret")
    path = f"/Users/{user['id']}"
    for seen in (
        user,
        api.put(path, body(api, password="hunter2-Second")),
        api.patch(path, op("replace", "password", "hunter2-Third")),
        api.patch(path, op("replace", value={"password": "hunter2-Fourth", "title": "x"})),
        api.post("/Users/.search", {"schemas": [SEARCH], "attributes": ["password"]}, status=200),
        api.get(path),
        api.get(f"{path}?attributes=password,userName"),
        api.get("/Users"),
        api.journal(),
    ):
        assert "hunter2" not in str(seen)
        assert '"password"' not in orjson.dumps(seen, default=str).decode()
    with api.database.reading(api.account_id) as connection:
        rows = connection.exec_driver_sql('SELECT * FROM "user"').all()
    assert "hunter2" not in str(rows)


def test_extension_without_its_urn_in_schemas_is_taken(api: Api) -> None:
    """CRT-17, A-15."""
    user = api.user("ava", **{ENTERPRISE: {"department": "D"}})
    assert user["schemas"] == [USER, ENTERPRISE, EXT]
    assert user[ENTERPRISE] == {"department": "D"}


def test_urn_of_an_extension_without_its_block_is_not_kept(api: Api) -> None:
    """CRT-17, PUT-10: schemas says what is there."""
    user = api.user("ava", schemas=[USER, ENTERPRISE], **{ENTERPRISE: {}})
    assert user["schemas"] == [USER, EXT]
    assert ENTERPRISE not in user


def test_manager_is_kept_and_named_by_the_server(api: Api) -> None:
    """CRT-18, GRP-02, A-34, S14: the name and the address are the manager's own, whatever was sent."""
    boss = api.user("boss", displayName="The Boss")
    sent = {"value": boss["id"], "displayName": "Mallory", "$ref": "https://evil.example/x"}
    user = api.user("ava", **{ENTERPRISE: {"manager": sent, "employeeNumber": "7"}})
    expected = {"value": boss["id"], "$ref": boss["meta"]["location"], "displayName": "The Boss"}
    assert user[ENTERPRISE] == {"manager": expected, "employeeNumber": "7"}
    stranger = api.user("bob", **{ENTERPRISE: {"manager": {**sent, "value": "unknown"}}})
    assert stranger[ENTERPRISE]["manager"] == {"value": "unknown"}


def test_external_id_is_case_exact_and_not_unique(api: Api) -> None:
    """CRT-19, CRT-20, A-32, FLT-02."""
    first, second, third = (
        api.user(name, externalId=value) for name, value in (("a", "aBc"), ("b", "aBc"), ("c", "ABC"))
    )
    assert first["externalId"] == "aBc"
    assert {one["id"] for one in api.find('externalId eq "aBc"')} == {first["id"], second["id"]}
    assert [one["id"] for one in api.find('externalId eq "ABC"')] == [third["id"]]
    assert api.find('externalId eq "abc"') == []


def test_ids_are_unique_url_safe_and_stable(api: Api) -> None:
    """CRT-21, MT-03."""
    resources = [*(api.user(f"u{n}") for n in range(5)), *(api.group(f"g{n}") for n in range(5))]
    ids = [one["id"] for one in resources]
    assert len(set(ids)) == 10
    assert all(re.fullmatch(r"[A-Za-z0-9_.~-]{20,}", one) and "bulkid" not in one.lower() for one in ids)
    assert api.patch(f"/Users/{ids[0]}", op("replace", "userName", api.mail("new")))["id"] == ids[0]


def test_creation_answers_what_is_asked_for(api: Api) -> None:
    """CRT-22, PRJ-08: both parameters at once are refused before anything is created."""
    user = api.post("/Users?attributes=userName", body(api, displayName="A"))
    assert set(user) == {"schemas", "id", "userName"}
    assert api.response.headers["Location"].endswith(user["id"])
    user = api.post("/Users?excludedAttributes=displayName,meta", body(api, "bob", displayName="B"))
    assert not {"displayName", "meta"} & set(user)
    with api.unchanged("/Users"):
        api.refuse("POST", "/Users?attributes=id&excludedAttributes=name", body(api, "eve"), kind="invalidValue")


def test_refused_creation_leaves_nothing(api: Api) -> None:
    """CRT-25; the journal tells of the refusal, by the name of the user who was not created."""
    with api.unchanged("/Users", "/Groups"):
        api.refuse("POST", "/Users", body(api, active="perhaps"), kind="invalidValue")
        api.refuse("POST", "/Users", {"schemas": [USER], "userName": "ava@nowhere.example"}, kind="invalidValue")
        api.refuse(
            "POST",
            "/Groups",
            {"schemas": [GROUP], "displayName": "x", "members": [{"value": "y"}]},
            kind="invalidValue",
        )
    told = [(entry.target_name, entry.status) for entry in api.refusals()]
    assert told == [(api.mail("ava"), 400), ("ava@nowhere.example", 400), ("x", 400)]


def test_same_value_twice_is_stored_once(api: Api) -> None:
    """CRT-26, GRP-10."""
    one = {"value": "h@else.example", "type": "home"}
    bob = api.user("bob")
    assert api.user("ava", emails=[one, one, {"type": "home", "value": "h@else.example"}])["emails"] == [one]
    assert len(api.group("g", bob["id"], bob["id"])["members"]) == 1


def test_user_name_is_kept_as_sent(api: Api) -> None:
    """CRT-27."""
    assert api.user("AvA.Cole")["userName"] == api.mail("AvA.Cole")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("José", unicodedata.normalize("NFD", "José")),
        ("éva", "ÉVA"),
        ("ava", "ＡＶＡ"),
        ("Ωmega", "ωmega"),
        ("ﾃｽﾄ", "テスト"),
    ],
)
def test_prepared_user_names_collide(free: Api, first: str, second: str) -> None:
    """USR-06, USR-07, USR-09, A-37, ROB-39: and both find the one user."""
    user = free.post("/Users", {"schemas": [USER], "userName": first})
    assert user["userName"] == first
    with free.unchanged("/Users"):
        free.refuse("POST", "/Users", {"schemas": [USER], "userName": second}, status=409, kind="uniqueness")
    for name in (first, second):
        assert [one["id"] for one in free.find(f'userName eq "{name}"')] == [user["id"]]


@pytest.mark.parametrize("name", ["İstanbul", "ıstanbul", "Straße", "ﬁn", "ΣΑΣ", "ẞ", "ǅ", "a\u0130\u0307"])
def test_special_casing_never_fails(free: Api, name: str) -> None:
    """ROB-39: found by itself, and a second one is a conflict."""
    user = free.post("/Users", {"schemas": [USER], "userName": name, "displayName": name})
    free.refuse("POST", "/Users", {"schemas": [USER], "userName": name}, status=409, kind="uniqueness")
    for attribute in ("userName", "displayName"):
        assert [one["id"] for one in free.find(f'{attribute} eq "{name}"')] == [user["id"]]


@pytest.mark.parametrize(
    "char",
    [
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\u200e",
        "\u00ad",
        "\u2060",
        "\u0085",
        "\u2028",
        "\ue000",
        "\ufdd0",
        "\u0378",
        "\u115f",
        "\u200d",
        "\u0007",
        "\u2800",
        "\u00a0",
        "\u2003",
        "\ufe0f",
        "\U000e0100",
    ],
    ids=lambda char: f"U+{ord(char):04X}",
)
def test_user_name_with_an_invisible_character_is_refused(free: Api, char: str) -> None:
    """USR-08, A-37: what PRECIS disallows (RFC 8265 section 3.3)."""
    user = free.post("/Users", {"schemas": [USER], "userName": "bob"})
    with free.unchanged("/Users"):
        free.refuse("POST", "/Users", {"schemas": [USER], "userName": f"av{char}a"}, kind="invalidValue")
        free.refuse_patch(f"/Users/{user['id']}", op("replace", "userName", f"b{char}b"), kind="invalidValue")
        free.refuse("PUT", f"/Users/{user['id']}", {"schemas": [USER], "userName": f"b{char}b"}, kind="invalidValue")


@pytest.mark.parametrize(
    "text",
    ["  outer and  inner blanks ", "<script>alert(1)</script>", "{{7*7}} ${7*7} #{7*7}", "O'Neil; DROP TABLE", "%s %d"],
)
def test_text_is_stored_verbatim(api: Api, text: str) -> None:
    """USR-10."""
    user = api.user("ava", displayName=text, name={"familyName": text}, externalId=text)
    assert (user["displayName"], user["name"]["familyName"], user["externalId"]) == (text, text, text)
    assert api.get(f"/Users/{user['id']}") == user


def test_zone_must_be_known_unless_the_account_says_otherwise(api: Api, free: Api) -> None:
    """USR-02, CUX-03, A-44: the account's own attribute is the same zone under another name."""
    with api.unchanged("/Users"):
        assert "Mars/Phobos" in api.refuse("POST", "/Users", body(api, timezone="Mars/Phobos"), kind="invalidValue")
    for number, zone in enumerate(("Europe/Paris", "UTC", "US/Eastern", "America/Argentina/Buenos_Aires")):
        user = api.user(f"u{number}", timezone=zone)
        assert (user["timezone"], user[EXT]["timeZone"]) == (zone, zone)
    assert (
        free.post("/Users", {"schemas": [USER], "userName": "x", "timezone": "Mars/Phobos"})["timezone"]
        == "Mars/Phobos"
    )


def test_language_locale_and_country_are_kept_as_sent(api: Api) -> None:
    """USR-01, USR-03, USR-04, A-44: the default profile validates none of them."""
    sent = {
        "preferredLanguage": "fr-CA, en;q=0.8, *;q=0.1",
        "locale": "en_US",
        "addresses": [{"country": "USA", "type": "work"}],
    }
    user = api.user("ava", **sent)
    assert {name: user[name] for name in sent} == sent


def test_inactive_user_stays_visible(api: Api) -> None:
    """USR-12, A-47."""
    user = api.user("ava", active=False)
    assert user["active"] is False
    assert api.get(f"/Users/{user['id']}")["active"] is False
    assert [one["id"] for one in api.find(f'userName eq "{api.mail("ava")}"')] == [user["id"]]
    assert [one["id"] for one in api.get("/Users")["Resources"]] == [user["id"]]
    assert api.patch(f"/Users/{user['id']}", op("replace", "active", True))["active"] is True


def test_custom_attribute_outside_of_its_values_is_refused(api: Api) -> None:
    """EXT-02, A-43: the licence type is closed."""
    with api.unchanged("/Users"):
        assert "gold" in api.refuse("POST", "/Users", body(api, **{EXT: {"licenseType": "gold"}}), kind="invalidValue")
        api.refuse("POST", "/Users", body(api, **{EXT: {"role": "king"}}), kind="invalidValue")
        api.refuse("POST", "/Users", body(api, **{EXT: {"kind": "robot"}}), kind="invalidValue")


@pytest.mark.parametrize("label", ["work", "WORK", "Büro", "private mobile", "x" * 100])
def test_type_labels_are_open(free: Api, label: str) -> None:
    """A-43: the canonical values of a core type are suggestions; stored as sent, found in any case."""
    sent = {name: [{"value": "a@b.example", "type": label}] for name in ("emails", "phoneNumbers", "ims", "photos")}
    user = free.post("/Users", {"schemas": [USER], "userName": "ava", **sent})
    assert {name: user[name] for name in sent} == sent
    assert [one["id"] for one in free.find(f'emails[type eq "{label.upper()}"]')] == [user["id"]]


def test_closed_values_are_taken_in_any_case_and_kept_in_their_own(api: Api) -> None:
    """A-43: the kinds and the licence types."""
    user = api.user("desk", ext={"kind": "SHAREDMAILBOX", "licenseType": "SharedMailbox"})
    assert (user[EXT]["kind"], user[EXT]["licenseType"]) == ("sharedMailbox", "sharedMailbox")
    assert api.group("g", **{GEXT: {"kind": "ROLEGROUP"}})[GEXT]["kind"] == "roleGroup"


def test_extension_attributes_at_the_top_level_are_not_the_extension(api: Api) -> None:
    """EXT-05."""
    user = api.user("ava", licenseType="pro", department="D", employeeNumber="7")
    assert "licenseType" not in user[EXT]
    assert ENTERPRISE not in user
    assert not {"licenseType", "department", "employeeNumber"} & set(user)
