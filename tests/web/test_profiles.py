"""What the profile of a connection changes, side by side: protocol.md section 1, docs/protocol.md's first table."""

from dataclasses import dataclass
from typing import Any

import pytest

from scim_server.cli.portal import Portal
from scim_server.idp.profiles import profiles
from tests.web.conftest import ENTERPRISE, EXT, GROUP, PATCH_OP, USER, Api, op


@dataclass(frozen=True)
class Sides:
    """The same account through a tolerant connection and through a strict one, with a user of it."""

    default: Api
    strict: Api
    path: str

    def body(self, name: str = "new", /, **more: Any) -> dict[str, Any]:
        return {"schemas": [USER], "userName": self.default.mail(name), **more}

    def refuse(self, method: str, path: str, body: Any, kind: str) -> str:
        """Assert that the strict side refuses a request, which changes nothing."""
        with self.strict.unchanged(self.path, "/Users", "/Groups"):
            return self.strict.refuse(method, path, body, kind=kind)

    def refuse_patch(self, operation: dict[str, Any], kind: str, path: str | None = None) -> str:
        return self.refuse("PATCH", path or self.path, {"schemas": [PATCH_OP], "Operations": [operation]}, kind)


@pytest.fixture
def sides(api: Api) -> Sides:
    return Sides(api, api.token_for(profile="strict"), f"/Users/{api.user('ava', title='Clerk')['id']}")


def test_undefined_attribute_is_ignored_or_refused(sides: Sides) -> None:
    """A-02, CRT-11: in a body, in a complex value, in an extension, as a key of a PATCH."""
    for number, more in enumerate(
        ({"shoeSize": 44}, {"name": {"nick": "x"}}, {ENTERPRISE: {"floor": 3}}, {"urn:example:x:2.0:User": {"a": 1}})
    ):
        assert "shoeSize" in sides.refuse("POST", "/Users", sides.body(shoeSize=44), "invalidSyntax")
        sides.refuse("POST", "/Users", sides.body(**more), "invalidSyntax")
        sides.refuse("PUT", sides.path, sides.body("ava", **more), "invalidSyntax")
        sides.refuse_patch(op("replace", value=more), "invalidSyntax")
        assert not {"shoeSize", "name", ENTERPRISE} & set(sides.default.user(f"u{number}", **more))
        before = sides.default.get(sides.path)
        assert sides.default.patch(sides.path, op("replace", value=more)) == before


def test_undefined_attribute_in_a_path_is_refused_by_both(sides: Sides) -> None:
    """PAT-24."""
    sides.refuse_patch(op("replace", "shoeSize", 44), "invalidPath")
    sides.default.refuse_patch(sides.path, op("replace", "shoeSize", 44), kind="invalidPath")


def test_missing_schemas_are_implied_or_refused(sides: Sides) -> None:
    """A-13, CRT-28, PUT-15, PAT-52."""
    sent = sides.body()
    del sent["schemas"]
    sides.refuse("POST", "/Users", sent, "invalidSyntax")
    sides.refuse("POST", "/Groups", {"displayName": "x"}, "invalidSyntax")
    sides.refuse("PUT", sides.path, sent, "invalidSyntax")
    sides.refuse("PATCH", sides.path, {"Operations": [op("remove", "title")]}, "invalidSyntax")
    sides.default.post("/Users", sent)
    sides.default.post("/Groups", {"displayName": "x"})
    sides.default.put(sides.path, {**sent, "userName": sides.default.mail("ava")})
    sides.default.call("PATCH", sides.path, {"Operations": [op("remove", "title")]}, status=200)


def test_undefined_schema_is_dropped_or_refused(sides: Sides) -> None:
    """A-14, CRT-09: the strict side takes the schemas of the resource type in any case."""
    sides.refuse("POST", "/Users", sides.body(schemas=[USER, "urn:example:x"]), "invalidSyntax")
    sides.refuse("PUT", sides.path, sides.body("ava", schemas=[USER, GROUP]), "invalidSyntax")
    assert sides.default.user("a", schemas=[USER, "urn:example:x"])["schemas"] == [USER, EXT]
    sides.strict.user("b", schemas=[USER.upper(), EXT, ENTERPRISE])


def test_text_for_a_boolean_is_read_or_refused(sides: Sides) -> None:
    """A-22, PAT-30."""
    sides.refuse("POST", "/Users", sides.body(active="False"), "invalidValue")
    sides.refuse_patch(op("replace", "active", "False"), "invalidValue")
    assert sides.default.user("a", active="False")["active"] is False
    assert sides.default.patch(sides.path, op("replace", "active", "False"))["active"] is False
    assert sides.strict.patch(sides.path, op("replace", "active", True))["active"] is True


def test_empty_text_is_unassigned_or_stored(sides: Sides) -> None:
    """RFC 7643 section 2.5 knows null and [] alone; both sides take those."""
    assert "title" not in sides.default.patch(sides.path, op("replace", "title", ""))
    assert sides.strict.patch(sides.path, op("replace", "title", ""))["title"] == ""
    assert sides.strict.user("a", nickName="")["nickName"] == ""
    for side in (sides.default, sides.strict):
        side.patch(sides.path, op("replace", "title", "Clerk"))
        assert "title" not in side.patch(sides.path, op("replace", "title", None))


def test_bare_value_is_put_in_its_place_or_refused(sides: Sides) -> None:
    """PAT-32, PAT-46: a text for a complex value, an object for a list, a list for one value."""
    manager = f"{ENTERPRISE}:manager"
    home = {"value": "h@else.example", "type": "home"}
    for name, value in (
        (manager, "boss"),
        (manager, [{"value": "boss"}]),
        ("title", ["x"]),
        ("title", [{"value": "x"}]),
    ):
        sides.refuse_patch(op("replace", name, value), "invalidValue")
        sides.default.patch(sides.path, op("replace", name, value))
    user = sides.default.get(sides.path)
    assert (user["title"], user[ENTERPRISE]["manager"]) == ("x", {"value": "boss"})
    sides.refuse("POST", "/Users", sides.body(emails=home), "invalidValue")
    assert sides.default.user("a", emails=home)["emails"] == [home]


@pytest.mark.parametrize("verb", ["add", "replace"])
def test_value_path_without_a_match_creates_or_has_no_target(sides: Sides, verb: str) -> None:
    """A-05, PAT-18, PAT-31: the strict side has no target for a replace."""
    operation = op(verb, 'phoneNumbers[type eq "fax"].value', "+1")
    if verb == "replace":
        sides.refuse_patch(operation, "noTarget")
    else:
        assert sides.strict.patch(sides.path, operation)["phoneNumbers"] == [{"type": "fax", "value": "+1"}]
        sides.strict.patch(sides.path, op("remove", "phoneNumbers"))
    assert sides.default.patch(sides.path, operation)["phoneNumbers"] == [{"type": "fax", "value": "+1"}]


def test_removal_with_a_list_removes_those_members_on_both_sides(sides: Sides) -> None:
    """A-01, PAT-40: never everybody, and nobody where the list is empty."""
    ids = [sides.default.user(f"u{n}")["id"] for n in range(3)]
    for name, side in (("a", sides.default), ("b", sides.strict)):
        path = f"/Groups/{side.group(name, *ids)['id']}"
        side.patch(path, op("remove", "members", []))
        after = side.patch(path, op("remove", "members", [{"value": ids[1]}]))
        assert [one["value"] for one in after["members"]] == [ids[0], ids[2]]


def test_removal_with_a_value_elsewhere_selects_or_is_refused(sides: Sides) -> None:
    """A-01: a value that RFC 7644 section 3.5.2.2 does not know must not remove everything."""
    emails = [{"value": f"{n}@else.example", "type": "home"} for n in range(2)]
    sides.default.patch(sides.path, op("replace", "emails", emails))
    sides.refuse_patch(op("remove", "emails", [emails[0]]), "invalidValue")
    assert sides.default.patch(sides.path, op("remove", "emails", [emails[0]]))["emails"] == emails[1:]
    assert "emails" not in sides.strict.patch(sides.path, op("remove", "emails"))


def test_unknown_members_are_skipped_or_refuse_the_request(sides: Sides) -> None:
    """A-33, E28: where none is known both refuse."""
    ava = sides.path.rpartition("/")[2]
    members = [{"value": ava}, {"value": "nobody"}]
    path = f"/Groups/{sides.default.group('g')['id']}"
    sides.refuse("POST", "/Groups", {"schemas": [GROUP], "displayName": "x", "members": members}, "invalidValue")
    sides.refuse("PUT", path, {"schemas": [GROUP], "displayName": "g", "members": members}, "invalidValue")
    sides.refuse_patch(op("add", "members", members), "invalidValue", path)
    for side in (sides.default, sides.strict):
        side.refuse_patch(path, op("add", "members", members[1:]), kind="invalidValue")
    assert [one["value"] for one in sides.default.patch(path, op("add", "members", members))["members"]] == [ava]


REGIONAL = (
    ("addresses", [{"type": "work", "country": "USA"}], [{"type": "work", "country": "US"}]),
    ("addresses", [{"type": "work", "country": "Narnia"}], [{"type": "work", "country": "ca"}]),
    ("locale", "english please", "en-US"),
    ("locale", "fr-", "en_US"),
    ("preferredLanguage", "French, please!", "fr-CA, en;q=0.8, *;q=0.1"),
    ("preferredLanguage", "fr_CA", "da"),
)


@pytest.mark.parametrize(("name", "wrong", "right"), REGIONAL)
def test_form_of_a_regional_text_is_judged_by_the_strict_side_alone(
    sides: Sides, name: str, wrong: Any, right: Any
) -> None:
    """A-44, USR-01, USR-03, USR-04: what is taken is stored as it was sent."""
    for method, path, who in (("POST", "/Users", "new"), ("PUT", sides.path, "ava")):
        assert name in sides.refuse(method, path, sides.body(who, **{name: wrong}), "invalidValue")
    sides.refuse_patch(op("replace", name, wrong), "invalidValue")
    sides.refuse_patch(op("add", value={name: wrong}), "invalidValue")
    assert sides.strict.patch(sides.path, op("replace", name, right))[name] == right
    assert sides.default.patch(sides.path, op("replace", name, wrong))[name] == wrong


def test_country_is_judged_wherever_a_path_puts_it(sides: Sides) -> None:
    """USR-01: as a sub-attribute, and as a term that describes a new element."""
    sides.strict.patch(sides.path, op("add", "addresses", [{"type": "work", "locality": "Rome"}]))
    for path, value in (
        ('addresses[type eq "work"].country', "Italy"),
        ("addresses.country", "Italy"),
        ('addresses[country eq "Italy"].locality', "Rome"),
    ):
        assert "Italy" in sides.refuse_patch(op("add", path, value), "invalidValue")
    after = sides.strict.patch(sides.path, op("add", 'addresses[type eq "work"].country', "IT"))
    assert after["addresses"] == [{"type": "work", "locality": "Rome", "country": "IT"}]


def test_time_zone_is_left_to_the_account_or_always_judged(free: Api) -> None:
    """A-44, USR-02, R15: in the attribute and in its alias; the refusal is that of the rule."""
    strict = free.token_for(profile="strict")
    for more in ({"timezone": "Mars/Phobos"}, {EXT: {"timeZone": "Romance Standard Time"}}):
        sent = {"schemas": [USER], "userName": f"u{len(str(more))}", **more}
        with strict.unchanged("/Users"):
            detail = strict.refuse("POST", "/Users", sent, kind="invalidValue")
        assert ("Europe/Paris" in detail) is ("Romance" in str(more))
        assert strict.refusals()[-1].error == "E20"
        free.post("/Users", sent)


def test_operation_without_a_path_is_taken_by_both(sides: Sides) -> None:
    """A-03, PAT-09."""
    for side, title in ((sides.default, "a"), (sides.strict, "b")):
        assert side.patch(sides.path, op("replace", value={"title": title}))["title"] == title


def test_empty_patch_is_refused_by_both(sides: Sides) -> None:
    """A-28, PAT-02."""
    for side in (sides.default, sides.strict):
        side.refuse("PATCH", sides.path, {"schemas": [PATCH_OP], "Operations": []}, kind="invalidSyntax")


def test_group_is_answered_the_same_by_both(sides: Sides) -> None:
    """A-27, GRP: the answer of a PATCH, and the conflict of two names."""
    ava = sides.path.rpartition("/")[2]
    path = f"/Groups/{sides.default.group('g', ava)['id']}"
    for side in (sides.default, sides.strict):
        assert side.patch(path, op("replace", "externalId", "x"))["members"]
        side.refuse("POST", "/Groups", {"schemas": [GROUP], "displayName": "G"}, status=409, kind="uniqueness")
        assert (
            side.patch(path, op("replace", "externalId", "x"), status=204, headers={"Prefer": "return=minimal"}) is None
        )
    assert sides.default.get("/ServiceProviderConfig") == sides.strict.get("/ServiceProviderConfig")


@pytest.mark.parametrize("profile", ["default", "strict", "entra", "interop"])
def test_password_is_taken_and_dropped_by_each(api: Api, profile: str) -> None:
    """A-50."""
    side = api.token_for(profile=profile)
    user = side.user("ava", password="hunter2-Secret")
    assert "password" not in user
    assert side.patch(f"/Users/{user['id']}", op("replace", "password", "hunter2-Other")) == user


# -- the other profiles -----------------------------------------------------------------------------------------------


def test_interop_profile_wants_a_path(api: Api) -> None:
    """A-03: draft-zollner-scim-interop-profile; with a path it is as strict as strict."""
    interop = api.token_for(profile="interop")
    path = f"/Users/{api.user('ava')['id']}"
    with interop.unchanged(path):
        for verb in ("add", "replace"):
            interop.refuse_patch(path, op(verb, value={"title": "x"}), kind="invalidPath")
            interop.refuse_patch(path, op(verb, "", {"title": "x"}), kind="invalidPath")
        interop.refuse_patch(path, op("remove"), kind="noTarget")
        interop.refuse_patch(path, op("replace", "active", "False"), kind="invalidValue")
    assert interop.patch(path, op("replace", "title", "x"))["title"] == "x"


def test_entra_profile_takes_an_empty_patch_for_no_change(api: Api) -> None:
    """A-28: 200, and nothing is written; what is no list is refused all the same."""
    entra = api.token_for(profile="entra")
    user = api.user("ava")
    path = f"/Users/{user['id']}"
    with entra.unchanged(path):
        assert entra.patch(path) == user
        for none in (None, {}, "x", [None]):
            entra.refuse("PATCH", path, {"schemas": [PATCH_OP], "Operations": none}, kind="invalidSyntax")


def test_entra_profile_answers_patches_of_groups_without_a_body(api: Api) -> None:
    """A-27: of empty ones too; users, and groups of which something is asked for, are shown."""
    entra = api.token_for(profile="entra")
    user = api.user("ava")
    path = f"/Groups/{api.group('g')['id']}"
    assert entra.patch(path, status=204) is None
    for verb in ("add", "remove"):
        assert entra.patch(path, op(verb, "members", [{"value": user["id"]}]), status=204) is None
        assert entra.response.headers["ETag"] == api.get(path)["meta"]["version"]
    assert entra.patch(f"{path}?attributes=displayName", op("replace", "externalId", "x"))["displayName"] == "g"
    assert entra.patch(f"/Users/{user['id']}", op("replace", "title", "x"))["title"] == "x"


def test_profile_of_a_connection_holds_from_the_next_request_on(api: Api) -> None:
    """Set by an administrator, for the tokens that are there."""
    path = f"/Users/{api.user('ava')['id']}"
    portal = Portal(api.database)
    for profile in ("strict", "default", "interop", "okta"):
        portal.set_connection(api.account_name, "idp-default", profile)
        if profile in ("strict", "interop"):
            api.refuse_patch(path, op("replace", "active", "True"), kind="invalidValue")
        else:
            api.patch(path, op("replace", "active", "True"))
    assert api.actions().count("connection.profileChanged") == 4


@pytest.mark.parametrize("profile", sorted(profiles()))
def test_every_profile_serves_what_the_rfc_has(api: Api, profile: str) -> None:
    side = api.token_for(profile=profile)
    user = side.user("ava", emails=[{"value": side.mail("ava"), "type": "work"}])
    path = f"/Users/{user['id']}"
    assert side.put(path, {**user, "title": "x"})["title"] == "x"
    assert side.patch(path, op("replace", 'emails[type eq "work"].display', "y"))["emails"][0]["display"] == "y"
    group = side.group("g", user["id"])
    side.send("PATCH", f"/Groups/{group['id']}", {"schemas": [PATCH_OP], "Operations": [op("remove", "members")]})
    assert side.get(f"/Groups/{group['id']}")["members"] == []
    assert len(side.find(f'userName eq "{side.mail("ava")}"')) == 1
    side.delete(path)
