"""PATCH: protocol.md 4.13. The dialogues of single IdPs have their own tests."""

from typing import Any

import pytest

from tests.web.conftest import ENTERPRISE, EXT, PATCH_OP, SEARCH, USER, Api, op

HOME = {"value": "h@else.example", "type": "home", "display": "Home"}
OTHER = {"value": "o@else.example", "type": "other"}
FULL: dict[str, Any] = {
    "displayName": "Ava",
    "title": "Clerk",
    "name": {"givenName": "Ava", "familyName": "Cole"},
    "emails": [HOME, OTHER],
    "ims": [{"value": "ava", "type": "xmpp", "primary": True}],
    ENTERPRISE: {"department": "D", "employeeNumber": "7"},
}


@pytest.fixture
def user(api: Api) -> Any:
    return api.user("ava", **FULL)


@pytest.fixture
def path(user: Any) -> str:
    return f"/Users/{user['id']}"


# -- the message ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schemas", [[], [USER], [SEARCH], PATCH_OP, {}, [5], [None], [[PATCH_OP]], 5, "x"], ids=str)
def test_message_of_another_schema_is_refused(api: Api, path: str, schemas: Any) -> None:
    """PAT-01, PAT-52."""
    with api.unchanged(path):
        body = {"schemas": schemas, "Operations": [op("replace", "title", "x")]}
        api.refuse("PATCH", path, body, kind="invalidSyntax")


def test_message_without_schemas_is_taken_for_what_it_is(api: Api, path: str) -> None:
    """PAT-52, A-13: by default; the strict profile refuses it."""
    body = {"Operations": [op("replace", "title", "x")]}
    assert api.call("PATCH", path, body, status=200)["title"] == "x"
    strict = api.token_for(profile="strict")
    with api.unchanged(path):
        strict.refuse("PATCH", path, {"Operations": [op("replace", "title", "y")]}, kind="invalidSyntax")


@pytest.mark.parametrize(
    "operations", [..., None, [], {}, "x", 5, op("replace", "title", "x"), [None], ["x"], [[]], [5]], ids=str
)
def test_message_without_operations_is_refused(api: Api, path: str, operations: Any) -> None:
    """PAT-02, A-28."""
    body = {"schemas": [PATCH_OP], **({} if operations is ... else {"Operations": operations})}
    with api.unchanged(path):
        api.refuse("PATCH", path, body, kind="invalidSyntax")


@pytest.mark.parametrize("verb", [..., None, "", "move", "copy", "test", "delete", 5, ["add"], {"op": "add"}, " add"])
def test_unknown_operation_is_refused(api: Api, path: str, verb: Any) -> None:
    """PAT-03."""
    operation = {"path": "title", "value": "x", **({} if verb is ... else {"op": verb})}
    with api.unchanged(path):
        api.refuse_patch(path, operation, kind="invalidSyntax")


def test_keywords_are_case_insensitive(api: Api, path: str) -> None:
    """PAT-04; so are the names of the message's members, and extra ones are ignored."""
    api.patch(path, op("Add", "title", "a"), op("REPLACE", "nickName", "b"), op("Remove", "displayName"))
    user = api.get(path)
    assert (user["title"], user["nickName"], "displayName" in user) == ("a", "b", False)
    body = {"SCHEMAS": [PATCH_OP], "operations": [{"OP": "Replace", "PATH": "title", "VALUE": "c", "x": 1}], "id": "x"}
    assert api.call("PATCH", path, body, status=200)["title"] == "c"


# -- the answer -------------------------------------------------------------------------------------------------------


def test_change_is_answered_by_the_whole_resource(api: Api, user: Any, path: str) -> None:
    """PAT-05, PAT-35, ETG-10, A-27."""
    after = api.patch(path, op("replace", "title", "Chief"))
    assert api.response.headers["ETag"] == after["meta"]["version"] != user["meta"]["version"]
    assert api.response.headers["Content-Location"] == user["meta"]["location"]
    assert after["meta"]["created"] == user["meta"]["created"]
    assert after["meta"]["lastModified"] > user["meta"]["lastModified"]
    meta = {"meta": after["meta"]}
    assert after == {**user, "title": "Chief", **meta} == api.get(path)
    assert api.done() == ["user.created", "user.updated"]


def test_answer_shows_what_is_asked_for(api: Api, user: Any, path: str) -> None:
    """PAT-05, A-27: `attributes` always brings a body, `return=minimal` none, but the tag."""
    part = api.patch(f"{path}?attributes=title", op("replace", "title", "a"), headers={"Prefer": "return=minimal"})
    assert part == {"schemas": user["schemas"], "id": user["id"], "title": "a"}
    assert "emails" not in api.patch(f"{path}?excludedAttributes=emails", op("replace", "title", "b"))
    assert api.patch(path, op("replace", "title", "c"), status=204, headers={"Prefer": "Return = Minimal"}) is None
    assert api.response.headers["ETag"] == api.get(path)["meta"]["version"]
    with api.unchanged(path):
        api.refuse_patch(f"{path}?attributes=id&excludedAttributes=id", op("add", "title", "z"), kind="invalidValue")


# -- attributes with one value ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["add", "replace"])
def test_single_value_is_set_whether_it_was_there_or_not(api: Api, path: str, verb: str) -> None:
    """PAT-06, PAT-33."""
    after = api.patch(
        path, op(verb, "title", "T"), op(verb, "nickName", "N"), op(verb, f"{USER.upper()}:USERTYPE", "U")
    )
    assert (after["title"], after["nickName"], after["userType"]) == ("T", "N", "U")
    assert api.patch(path, op(verb, "TITLE", "t"))["title"] == "t"


@pytest.mark.parametrize("verb", ["add", "replace"])
def test_complex_value_is_merged(api: Api, path: str, verb: str) -> None:
    """PAT-10, A-07."""
    after = api.patch(path, op(verb, "name", {"givenName": "Eva", "middleName": "M"}))
    assert after["name"] == {"givenName": "Eva", "familyName": "Cole", "middleName": "M"}
    assert api.patch(path, op(verb, "name.familyName", "Kohl"))["name"]["familyName"] == "Kohl"
    assert api.patch(path, op(verb, "NAME.GIVENNAME", "A"))["name"]["givenName"] == "A"
    assert api.patch(path, op("remove", "name"), op(verb, "name.formatted", "F"))["name"] == {"formatted": "F"}


@pytest.mark.parametrize("verb", ["add", "replace"])
def test_operation_without_a_path_merges_its_value(api: Api, path: str, verb: str) -> None:
    """PAT-09, PAT-28, PAT-29, A-03."""
    after = api.patch(
        path,
        op(
            verb,
            value={
                "title": "T",
                "NICKNAME": "N",
                "name": {"middleName": "M"},
                "name.givenName": "G",
                ENTERPRISE: {"division": "V"},
                f"{ENTERPRISE}:costCenter": "C",
                f"{USER}:userType": "U",
            },
        ),
    )
    assert (after["title"], after["nickName"], after["userType"]) == ("T", "N", "U")
    assert after["name"] == {"givenName": "G", "familyName": "Cole", "middleName": "M"}
    assert after[ENTERPRISE] == {"department": "D", "employeeNumber": "7", "division": "V", "costCenter": "C"}
    assert after["emails"] == FULL["emails"]
    assert set(after) - set(FULL) == {"schemas", "id", "userName", "active", "meta", EXT, "nickName", "userType"}


def test_removal_unassigns(api: Api, path: str) -> None:
    """PAT-12, PAT-13, PAT-47."""
    after = api.patch(path, op("remove", "title"), op("remove", "name.givenName"), op("remove", "emails"))
    assert not {"title", "emails"} & set(after)
    assert after["name"] == {"familyName": "Cole"}
    assert "name" not in api.patch(path, op("remove", "name.familyName"))
    with api.unchanged(path):
        api.patch(
            path, op("remove", "title"), op("remove", "name.givenName"), op("remove", "emails"), op("remove", "name")
        )


@pytest.mark.parametrize("value", [None, [], ""])
def test_nothing_as_a_value_unassigns(api: Api, path: str, value: Any) -> None:
    """PAT-37."""
    after = api.patch(path, op("replace", "title", value), op("replace", "emails", value), op("replace", "name", value))
    assert not {"title", "emails", "name"} & set(after)
    after = api.patch(
        path, op("replace", value={"displayName": value, "ims": value, ENTERPRISE: {"department": value}})
    )
    assert not {"displayName", "ims"} & set(after)
    assert after[ENTERPRISE] == {"employeeNumber": "7"}
    with api.unchanged(path):
        api.patch(path, op("add", "title", value), op("add", value={"emails": value}))


# -- attributes with many values --------------------------------------------------------------------------------------


def test_addition_appends(api: Api, path: str) -> None:
    """PAT-07, PAT-46: as a list and as one object, by both profiles."""
    new = [{"value": "n@else.example", "type": "home"}, {"value": "m@else.example", "type": "home"}]
    assert api.patch(path, op("add", "emails", [new[0]]))["emails"] == [HOME, OTHER, new[0]]
    assert api.patch(path, op("add", "emails", new[1]))["emails"] == [HOME, OTHER, *new]
    strict, third = api.token_for(profile="strict"), {"value": "s@else.example", "type": "home"}
    assert strict.patch(path, op("add", "emails", third))["emails"] == [HOME, OTHER, *new, third]
    fourth = {**third, "value": "t@else.example"}
    assert strict.patch(path, op("add", value={"emails": fourth}))["emails"][-1] == fourth
    group = f"/Groups/{api.group('Sales')['id']}"
    member = strict.patch(group, op("add", "members", {"value": path.rpartition("/")[2]}))["members"]
    assert [one["value"] for one in member] == [path.rpartition("/")[2]]
    with api.unchanged(path):
        strict.refuse_patch(path, op("add", "emails", "a text"), kind="invalidValue")


def test_value_that_is_there_is_not_added_again(api: Api, path: str) -> None:
    """PAT-08: neither by a list, nor by an object, nor without a path."""
    with api.unchanged(path):
        api.patch(
            path, op("add", "emails", [HOME]), op("add", "emails", OTHER), op("add", value={"emails": [OTHER, HOME]})
        )
        api.patch(path, op("add", "title", "Clerk"), op("add", "name", {"givenName": "Ava"}))


def test_replacement_of_a_list_replaces_all_of_it(api: Api, path: str) -> None:
    """PAT-16."""
    assert api.patch(path, op("replace", "emails", [OTHER]))["emails"] == [OTHER]
    assert api.patch(path, op("replace", "emails", HOME))["emails"] == [HOME]
    assert api.patch(path, op("replace", value={"emails": [OTHER, HOME]}))["emails"] == [OTHER, HOME]


def test_elements_are_removed_by_a_value_path(api: Api, path: str) -> None:
    """PAT-12: the last one gone leaves nothing behind."""
    assert api.patch(path, op("remove", 'emails[type eq "HOME"]'))["emails"] == [OTHER]
    assert "emails" not in api.patch(path, op("remove", 'emails[value eq "O@else.example"]'))
    with api.unchanged(path):
        api.patch(path, op("remove", 'emails[type eq "home"]'))


def test_sub_attribute_is_removed_from_the_chosen_element_alone(api: Api, path: str) -> None:
    """PAT-47."""
    after = api.patch(path, op("remove", 'emails[type eq "home"].display'))
    assert after["emails"] == [{"value": HOME["value"], "type": "home"}, OTHER]


def test_replacement_by_value_path_changes_every_match(api: Api, path: str) -> None:
    """PAT-17."""
    two = [{"value": f"{n}@else.example", "type": "home"} for n in range(2)]
    api.patch(path, op("replace", "emails", [*two, OTHER]))
    after = api.patch(path, op("replace", 'emails[type eq "home"].display', "H"))
    assert after["emails"] == [*({**one, "display": "H"} for one in two), OTHER]
    after = api.patch(path, op("replace", 'emails[value sw "1"]', {"value": "new@else.example", "type": "home"}))
    assert [one["value"] for one in after["emails"]] == ["0@else.example", "new@else.example", OTHER["value"]]


def test_value_path_takes_any_filter(api: Api, path: str) -> None:
    """PAT-17, PAT-33, FLT-23."""
    for choice in (
        'emails[type eq "home" and value sw "h"].display',
        'emails[not (type eq "other")].display',
        f'{USER}:EMAILS[TYPE EQ "home" or value ew "nowhere"].DISPLAY',
        "emails[display pr].display",
    ):
        after = api.patch(path, op("replace", choice, choice[-30:]))
        assert after["emails"] == [{**HOME, "display": choice[-30:]}, OTHER]


def test_value_path_without_a_match_creates_what_it_describes(api: Api, path: str) -> None:
    """PAT-31, A-05: by default for add and replace; terms other than eq describe nothing."""
    after = api.patch(path, op("add", 'phoneNumbers[type eq "fax"].value', "+1"))
    assert after["phoneNumbers"] == [{"type": "fax", "value": "+1"}]
    after = api.patch(path, op("replace", 'addresses[type eq "work" and primary eq true].locality', "Rome"))
    assert after["addresses"] == [{"type": "work", "primary": True, "locality": "Rome"}]
    with api.unchanged(path):
        api.refuse_patch(path, op("replace", "photos[value pr].display", "x"), kind="noTarget")
        api.refuse_patch(path, op("replace", 'emails[value co "zzz"].display', "x"), kind="noTarget")


def test_value_path_without_a_match_in_the_strict_profile(api: Api, path: str) -> None:
    """PAT-18, PAT-31: add creates, replace has no target."""
    strict = api.token_for(profile="strict")
    with api.unchanged(path):
        strict.refuse_patch(path, op("replace", 'phoneNumbers[type eq "fax"].value', "+1"), kind="noTarget")
    after = strict.patch(path, op("add", 'phoneNumbers[type eq "fax"].value', "+1"))
    assert after["phoneNumbers"] == [{"type": "fax", "value": "+1"}]


def test_new_primary_value_is_the_only_one(api: Api, path: str) -> None:
    """PAT-19, CRT-15: whichever way it becomes primary."""
    second = {"value": "b", "type": "skype", "primary": True}
    after = api.patch(path, op("add", "ims", [second]))["ims"]
    assert [one for one in after if one.get("primary")] == [second]
    after = api.patch(path, op("replace", 'ims[type eq "xmpp"].primary', True))["ims"]
    assert [one["value"] for one in after if one.get("primary")] == ["ava"]
    after = api.patch(path, op("add", value={"ims": [{"value": "c", "type": "icq", "primary": True}]}))["ims"]
    assert [one["value"] for one in after if one.get("primary")] == ["c"]
    after = api.patch(path, op("replace", 'ims[value eq "b"]', {"primary": "True"}))["ims"]
    assert [one["value"] for one in after if one.get("primary")] == ["b"]
    with api.unchanged(path):
        two = [{"value": f"{n}", "primary": True} for n in range(2)]
        api.refuse_patch(path, op("add", "ims", two), kind="invalidValue")
        api.refuse_patch(path, op("replace", "ims.primary", True), kind="invalidValue")


def test_boolean_text_in_a_value_path_selects_by_the_boolean(api: Api, path: str) -> None:
    """PAT-53, A-22."""
    after = api.patch(path, op("replace", 'ims[primary eq "True"].display', "D"))
    assert after["ims"] == [{"value": "ava", "type": "xmpp", "primary": True, "display": "D"}]


def test_path_may_name_a_sub_attribute_of_all_elements(api: Api, path: str) -> None:
    """PAT-10, PAT-33: without a filter every element is meant."""
    after = api.patch(path, op("replace", "emails.display", "D"))
    assert [one["display"] for one in after["emails"]] == ["D", "D"]
    after = api.patch(path, op("remove", "emails.display"))
    assert not [one for one in after["emails"] if "display" in one]


# -- extensions -------------------------------------------------------------------------------------------------------


def test_extension_comes_and_goes_with_its_attributes(api: Api, path: str) -> None:
    """PAT-27, PAT-33."""
    assert ENTERPRISE not in api.patch(path, op("remove", ENTERPRISE))["schemas"]
    after = api.patch(path, op("add", f"{ENTERPRISE}:department", "D"))
    assert (after["schemas"], after[ENTERPRISE]) == ([USER, ENTERPRISE, EXT], {"department": "D"})
    after = api.patch(path, op("replace", f"{ENTERPRISE.upper()}:COSTCENTER", "C"))
    assert after[ENTERPRISE] == {"department": "D", "costCenter": "C"}
    after = api.patch(path, op("remove", f"{ENTERPRISE}:department"), op("remove", f"{ENTERPRISE}:costCenter"))
    assert ENTERPRISE not in after
    assert after["schemas"] == [USER, EXT]
    after = api.patch(path, op("add", ENTERPRISE, {"division": "V"}))
    assert after[ENTERPRISE] == {"division": "V"}


def test_manager_takes_each_of_its_shapes(api: Api, path: str) -> None:
    """PAT-32, PAT-22: the readOnly name is refused by its path, and filled in by the server."""
    boss = api.user("boss", displayName="Boss")
    expected = {"value": boss["id"], "$ref": boss["meta"]["location"], "displayName": "Boss"}
    manager = f"{ENTERPRISE}:manager"
    for operation in (
        op("add", manager, boss["id"]),
        op("replace", manager, {"value": boss["id"]}),
        op("replace", manager, [{"value": boss["id"]}]),
        op("add", f"{manager}.value", boss["id"]),
        op("replace", value={manager: boss["id"]}),
        op("replace", value={ENTERPRISE: {"manager": {"value": boss["id"], "displayName": "x"}}}),
    ):
        assert api.patch(path, operation)[ENTERPRISE]["manager"] == expected
        assert "manager" not in api.patch(path, op("remove", manager))[ENTERPRISE]
    for nothing in ("", None):
        api.patch(path, op("add", manager, boss["id"]))
        assert "manager" not in api.patch(path, op("replace", manager, nothing))[ENTERPRISE]
    with api.unchanged(path):
        api.refuse_patch(path, op("replace", f"{manager}.displayName", "x"), kind="mutability")


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [
        ("role", "administrator", "standard"),
        ("licenseType", "pro", "eco"),
        ("timeZone", "Europe/Paris", "UTC"),
        ("smsCountryCode", "+1", "+33"),
    ],
)
def test_custom_attributes_are_set_changed_and_removed(api: Api, path: str, name: str, value: str, other: str) -> None:
    """PAT-51, EXT-01."""
    api.user("boss", roles=[{"value": "administrator"}])
    assert api.patch(path, op("add", f"{EXT}:{name}", value))[EXT][name] == value
    assert api.patch(path, op("replace", f"{EXT}:{name.upper()}", other))[EXT][name] == other
    assert api.patch(path, op("replace", value={f"{EXT}:{name}": value}))[EXT][name] == value
    assert api.patch(path, op("replace", value={EXT: {name: other}}))[EXT][name] == other
    assert api.patch(path, op("remove", f"{EXT}:{name}"))[EXT].get(name) in (None, "standard")


def test_custom_switches_are_set_and_unset(api: Api) -> None:
    """PAT-51, EXT-01: the booleans of the extension, on a user who may have them all."""
    phones = [{"value": "+1 555 0100", "type": "mobile"}]
    user = api.user("ava", phoneNumbers=phones, ext={"licenseType": "pro", "smsCountryCode": "+1"})
    path = f"/Users/{user['id']}"
    for name in ("licenseActivated", "smsReturnsEnabled", "microsoftReturnsEnabled", "twoFactorEnabled"):
        for operation, expected in (
            (op("add", f"{EXT}:{name}", True), True),
            (op("replace", f"{EXT}:{name}", False), False),
            (op("replace", value={EXT: {name: True}}), True),
            (op("replace", value={f"{EXT}:{name}": "False"}), False),
            (op("replace", f"{EXT}:{name.upper()}", "True"), True),
            (op("remove", f"{EXT}:{name}"), None),
        ):
            assert bool(api.patch(path, operation)[EXT].get(name)) is bool(expected), (name, operation)


# -- what may not be changed ------------------------------------------------------------------------------------------


READ_ONLY = ("id", "meta", "meta.version", "meta.created", "groups", "groups.value", f"{EXT}:licenseStatus")


def test_read_only_attribute_is_refused(api: Api, path: str) -> None:
    """PAT-14, PAT-22, EXT-06."""
    with api.unchanged(path):
        for name in READ_ONLY:
            for operation in (op("add", name, "x"), op("replace", name, "x"), op("remove", name)):
                api.refuse_patch(path, operation, kind="mutability")


def test_repeated_common_attributes_are_a_no_op(api: Api, user: Any, path: str) -> None:
    """PAT-44, A-04: as keys of a value; another id is refused."""
    with api.unchanged(path):
        same = {"id": user["id"], "schemas": user["schemas"], "meta": user["meta"]}
        api.patch(path, op("replace", value=same))
        api.refuse_patch(path, op("replace", value={"id": "other", "title": "x"}), kind="mutability")
        api.refuse_patch(path, op("replace", value={"groups": [{"value": "x"}]}), kind="mutability")
    assert api.patch(path, op("replace", value={**same, "title": "T"}))["title"] == "T"


@pytest.mark.parametrize("name", ["userName", f"{USER}:userName", "USERNAME"])
def test_required_attribute_cannot_be_removed(api: Api, path: str, name: str) -> None:
    """PAT-14, PAT-15: nor by null or an empty text."""
    with api.unchanged(path):
        api.refuse_patch(path, op("remove", name), kind="mutability")
        api.refuse_patch(path, op("replace", name, None), kind="mutability")
        for blank in ("", "  "):
            api.refuse_patch(path, op("replace", name, blank), kind="invalidValue")
            api.refuse_patch(path, op("add", value={name: blank}), kind="invalidValue")


def test_removal_without_a_path_is_refused(api: Api, path: str) -> None:
    """PAT-11, PAT-50."""
    with api.unchanged(path):
        api.refuse_patch(path, op("remove"), kind="noTarget")
        api.refuse_patch(path, op("remove", ""), kind="noTarget")
        api.refuse_patch(path, op("remove", value={"title": "Clerk"}), kind="noTarget")


def test_empty_path_is_none(api: Api, path: str) -> None:
    """PAT-50."""
    assert api.patch(path, op("replace", "", {"title": "T"}))["title"] == "T"
    with api.unchanged(path):
        api.refuse_patch(path, op("replace", "", "x"), kind="invalidSyntax")


def test_immutable_attribute_keeps_its_value(api: Api, path: str) -> None:
    """PAT-48."""
    with api.unchanged(path):
        api.patch(path, op("replace", f"{EXT}:kind", "person"))
        api.refuse_patch(path, op("replace", f"{EXT}:kind", "sharedMailbox"), kind="mutability")
        api.refuse_patch(path, op("remove", f"{EXT}:kind"), kind="mutability")
        api.refuse_patch(path, op("replace", value={EXT: {"kind": "sharedMailbox"}}), kind="mutability")


# -- what is malformed ------------------------------------------------------------------------------------------------


MALFORMED = (
    "emails[",
    "emails]",
    "emails[]",
    "emails[type]",
    'emails[type eq "work"',
    'emails[type eq "work"]]',
    'emails[type eq "work"]value',
    'emails[type eq "work"].',
    'emails[type eq "work"].value.more',
    'emails[type zz "work"]',
    "emails[type eq work]",
    "name.",
    ".name",
    "name..givenName",
    "name givenName",
    "name/givenName",
    "$.name",
    "1title",
    "title;",
    " ",
    "\t",
    "é",
    "title\x00",
    "urn:",
    "urn:ietf",
    f"{USER}:",
    f"{USER}.title",
    f"{EXT}:",
    "emails[0]",
    "emails[-1]",
    "emails/0",
    "*",
)


def test_malformed_path_is_refused(api: Api, path: str) -> None:
    """PAT-23."""
    with api.unchanged(path):
        for name in MALFORMED:
            for operation in (op("add", name, "x"), op("replace", name, "x"), op("remove", name)):
                api.refuse_patch(path, operation, kind="invalidPath")


UNKNOWN = (
    "nope",
    "name.nope",
    "emails.nope",
    "phone_numbers",
    'emails[type eq "x"].nope',
    "urn:example:x:User:title",
    "urn:example:x:User",
    f"{EXT}:nope",
    f"{USER}:nope",
    "user_name",
    "__class__",
    "title.value",
    "members",
)


def test_path_to_the_unknown_is_refused(api: Api, path: str) -> None:
    """PAT-24."""
    with api.unchanged(path):
        for name in UNKNOWN:
            for operation in (op("add", name, "x"), op("replace", name, "x"), op("remove", name)):
                api.refuse_patch(path, operation, kind="invalidPath")


@pytest.mark.parametrize("verb", ["add", "replace", "remove"])
def test_filter_on_the_unknown_within_a_path_is_refused(api: Api, path: str, verb: str) -> None:
    """PAT-24, A-48."""
    with api.unchanged(path):
        for name in ('emails[nope eq "x"].value', 'emails[emails.type eq "x"].value', "emails[type gt true].value"):
            sent = op(verb, name) if verb == "remove" else op(verb, name, "x")
            assert api.send("PATCH", path, {"Operations": [sent]}).json["scimType"] in ("invalidFilter", "invalidPath")


@pytest.mark.parametrize("given", [5, True, ["title"], {"a": 1}])
def test_path_that_is_no_text_is_refused(api: Api, path: str, given: Any) -> None:
    """PAT-23."""
    with api.unchanged(path):
        api.refuse_patch(path, {"op": "replace", "path": given, "value": "x"}, kind="invalidPath")


def test_unknown_keys_without_a_path_are_ignored_and_told(api: Api, user: Any, path: str) -> None:
    """PAT-24, A-02: a request of nothing else changes nothing; the strict profile refuses."""
    with api.unchanged(path):
        assert api.patch(path, op("replace", value={"shoeSize": 44, "urn:example:x": {"a": 1}, "": 1, " ": 2})) == user
    after = api.patch(path, op("replace", value={"shoeSize": 44, "title": "T"}))
    assert "shoeSize" not in after
    assert '{"attribute":"shoeSize","ignored":true}' in api.journal()[-1].changes
    strict = api.token_for(profile="strict")
    with api.unchanged(path):
        strict.refuse_patch(path, op("replace", value={"shoeSize": 44, "title": "U"}), kind="invalidSyntax")


@pytest.mark.parametrize("verb", ["add", "replace"])
def test_operation_without_a_value_is_refused(api: Api, path: str, verb: str) -> None:
    """PAT-25."""
    with api.unchanged(path):
        api.refuse_patch(path, op(verb, "title"), kind="invalidValue")
        api.refuse_patch(path, op(verb), kind="invalidValue")
        api.refuse_patch(path, op(verb, 'emails[type eq "home"]'), kind="invalidValue")


@pytest.mark.parametrize("value", ["x", 5, None, [], True, ["title"]])
def test_value_without_a_path_must_be_an_object(api: Api, path: str, value: Any) -> None:
    """PAT-26, A-48: the structure of the message."""
    with api.unchanged(path):
        api.refuse_patch(path, op("replace", value=value), kind="invalidSyntax")


UNFIT = (
    ("title", 5),
    ("title", {"a": 1}),
    ("title", ["a", "b"]),
    ("active", "perhaps"),
    ("active", 1),
    ("name", "x"),
    ("name", [1]),
    ("name.givenName", {"a": 1}),
    ("emails", 5),
    ("emails", [5]),
    ("emails", [[HOME]]),
    ('emails[type eq "home"]', 5),
    ('emails[type eq "home"].value', 5),
    ('emails[type eq "home"].value', [1, 2]),
    ('emails[type eq "home"].primary', "perhaps"),
    ('emails[type eq "home"]', [HOME, OTHER]),
    ("emails.primary", "x"),
    (ENTERPRISE, "x"),
    (f"{ENTERPRISE}:department", 5),
    (f"{ENTERPRISE}:manager", 5),
    ("x509Certificates", [{"value": "$$$"}]),
    ("profileUrl", "javascript:alert(1)"),
    ("title", "a\x00b"),
    ("userName", "x" * 600),
    ("displayName", "x" * 600),
    ("nickName", "x" * 70_000),
)


def test_value_of_the_wrong_type_is_refused(api: Api, path: str) -> None:
    """PAT-26, CRT-14: by path and without one."""
    with api.unchanged(path):
        for name, value in UNFIT:
            api.refuse_patch(path, op("replace", name, value), kind="invalidValue")
            api.refuse_patch(path, op("add", name, value), kind="invalidValue")
            if "[" not in name:
                api.refuse_patch(path, op("replace", value={name: value}), kind="invalidValue")


# -- all or nothing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "status", "kind"),
    [
        (op("replace", "active", "perhaps"), 400, "invalidValue"),
        (op("remove", "userName"), 400, "mutability"),
        (op("replace", "photos[value pr].display", "x"), 400, "noTarget"),
        (op("add", "nope", "x"), 400, "invalidPath"),
        (op("replace", "userName", "bob"), 409, "uniqueness"),
        (op("add", f"{EXT}:smsReturnsEnabled", True), 400, "invalidValue"),
    ],
    ids=str,
)
def test_one_bad_operation_undoes_all(api: Api, path: str, bad: Any, status: int, kind: str) -> None:
    """PAT-20, PAT-34, P2."""
    bob = api.user("bob")
    if bad.get("value") == "bob":
        bad = {**bad, "value": bob["userName"]}
    good = [op("replace", "title", "x"), op("remove", "emails"), op("add", f"{EXT}:licenseType", "pro")]
    pool = api.pool("pro")
    with api.unchanged(path, f"/Users/{bob['id']}"):
        for operations in ([*good, bad], [bad, *good], [good[0], bad, *good[1:]]):
            api.refuse_patch(path, *operations, status=status, kind=kind)
    assert api.pool("pro") == pool
    assert [entry.status for entry in api.refusals()] == [status] * 3


def test_operations_see_the_result_of_those_before(api: Api, path: str) -> None:
    """PAT-21."""
    after = api.patch(
        path,
        op("remove", "emails"),
        op("add", "emails", [{"value": "n@else.example", "type": "home"}]),
        op("replace", 'emails[type eq "home"].display', "N"),
        op("add", "title", "a"),
        op("remove", "title"),
        op("add", "title", "b"),
    )
    assert after["emails"] == [{"value": "n@else.example", "type": "home", "display": "N"}]
    assert after["title"] == "b"


def test_patch_that_changes_nothing_keeps_version_and_time(api: Api, user: Any, path: str) -> None:
    """PAT-36, ETG-06, P5, A-26: also there and back again."""
    with api.unchanged(path):
        assert (
            api.patch(path, op("replace", "title", "Clerk"), op("remove", "nickName"), op("add", "emails", [HOME]))
            == user
        )
        assert api.patch(path, op("replace", "title", "x"), op("replace", "title", "Clerk")) == user
        assert api.patch(path, op("add", "nickName", "x"), op("remove", "nickName")) == user
        assert api.patch(path, op("replace", "schemas", ["urn:x"]), op("replace", "active", True)) == user
        assert api.response.headers["ETag"] == user["meta"]["version"]


def test_user_name_in_use_is_a_conflict(api: Api, user: Any, path: str) -> None:
    """PAT-34: in any case; one's own in another case is none."""
    bob = api.user("bob")
    with api.unchanged(path):
        for name in (bob["userName"], bob["userName"].upper()):
            api.refuse_patch(path, op("replace", "userName", name), status=409, kind="uniqueness")
            api.refuse_patch(path, op("replace", value={"userName": name}), status=409, kind="uniqueness")
    assert api.patch(path, op("replace", "userName", user["userName"].upper()))["userName"] == user["userName"].upper()


def test_every_shape_of_deactivation_deactivates(api: Api, path: str) -> None:
    """PAT-30, PAT-54, A-22."""
    for false in (False, "False", "false", "FALSE"):
        for operation in (
            op("Replace", "active", false),
            op("add", f"{USER}:active", false),
            op("replace", "ACTIVE", false),
            op("Replace", value={"active": false}),
            op("replace", value={f"{USER}:active": false}),
        ):
            assert api.patch(path, operation)["active"] is False
            assert api.get(path)["active"] is False
            assert api.done()[-1] == "user.deactivated"
            assert api.patch(path, op("replace", "active", "True"))["active"] is True


def test_many_operations_in_one_patch(api: Api, path: str) -> None:
    """PAT-42, LIM-02: up to the limit, and 413 above it, which changes nothing."""
    most = api.service.limits.patch_operations
    assert api.patch(path, *(op("replace", "title", f"t{n}") for n in range(200)))["title"] == "t199"
    with api.unchanged(path):
        detail = api.refuse_patch(path, *(op("replace", "title", f"x{n}") for n in range(most + 1)), status=413)
    assert str(most) in detail
