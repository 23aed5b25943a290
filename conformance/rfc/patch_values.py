"""What PATCH does to values (RFC 7644 sections 3.5.2.1 to 3.5.2.3)."""

from conformance.registry import check, equal, expect
from conformance.scim import Json, Scim, op


def mails(scim: Scim) -> tuple[str, Json, Json]:
    """The path of a user with two e-mails, and the two."""
    work = {"value": scim.mail("work"), "type": "work", "primary": True}
    home = {"value": scim.mail("home"), "type": "home"}
    return f"/Users/{scim.user(emails=[work, home])['id']}", work, home


def values(user: Json) -> set[str]:
    return {one.get("value") for one in user.get("emails") or []}


@check("RFC 7644 §3.5.2.1; RFC 7644 §3.5.2.3", "patch", "User.title")
def plain_values_are_set(scim: Scim) -> None:
    """PAT-06 MUST: add and replace set a plain attribute, whether it had a value or not."""
    path = f"/Users/{scim.user()['id']}"
    for verb, value in (("add", "One"), ("add", "Two"), ("replace", "Three")):
        equal(scim.patch(path, op(verb, "title", value)).get("title"), value, f"title after {verb}")
    equal(scim.patch(path, op("replace", "displayName", "Ava")).get("displayName"), "Ava", "displayName")


@check("RFC 7644 §3.5.2.1", "patch", "User.emails")
def add_appends(scim: Scim) -> None:
    """PAT-07 MUST: add to a multi-valued attribute appends, and keeps the others."""
    path, work, home = mails(scim)
    new = {"value": scim.mail("new"), "type": "other"}
    found = scim.patch(path, op("add", "emails", [new]))
    equal(values(found), {work["value"], home["value"], new["value"]}, "emails")


@check("RFC 7644 §3.5.2.1", "patch", "User.emails")
def add_again_adds_nothing(scim: Scim) -> None:
    """PAT-08 MUST: adding a value that is there already succeeds, without a new lastModified."""
    path, work, home = mails(scim)
    before = scim.read(path)
    after = scim.patch(path, op("add", "emails", [home]))
    equal(values(after), {work["value"], home["value"]}, "emails")
    equal(after["meta"]["lastModified"], before["meta"]["lastModified"], "lastModified")


@check("RFC 7644 §3.5.2.1", "patch", "User.emails")
def add_again_makes_no_duplicate(scim: Scim) -> None:
    """PAT-70 SHOULD: adding a value that is there already leaves one, and no second one."""
    path, _, home = mails(scim)
    equal(len(scim.patch(path, op("add", "emails", [home]))["emails"]), 2, "the number of e-mails")


@check("RFC 7644 §3.5.2.1; RFC 7644 §3.5.2.3", "patch")
def objects_without_path_are_merged(scim: Scim) -> None:
    """PAT-09 MUST: add and replace without a path merge the object into the resource."""
    user = scim.user(displayName="Before")
    path = f"/Users/{user['id']}"
    found = scim.patch(path, op("replace", value={"displayName": "After"}))
    equal((found.get("displayName"), found.get("userName")), ("After", user["userName"]), "what is there")
    found = scim.patch(path, op("add", value={"displayName": "Again"}))
    equal((found.get("displayName"), found.get("userName")), ("Again", user["userName"]), "what is there")


@check("RFC 7644 §3.5.2.1; RFC 7644 §3.5.2.3", "patch", "User.name")
def complex_values_are_merged(scim: Scim) -> None:
    """PAT-10 MUST: a path names a sub-attribute; a complex value that is replaced keeps what is not named."""
    path = f"/Users/{scim.user(name={'givenName': 'Ava', 'familyName': 'Lee'})['id']}"
    found = scim.patch(path, op("replace", "name.givenName", "Eva"))
    equal((found["name"]["givenName"], found["name"]["familyName"]), ("Eva", "Lee"), "name")
    found = scim.patch(path, op("replace", "name", {"givenName": "Iva"}))
    equal((found["name"]["givenName"], found["name"].get("familyName")), ("Iva", "Lee"), "name")
    found = scim.patch(path, op("add", "name", {"familyName": "Low"}))
    equal((found["name"].get("givenName"), found["name"]["familyName"]), ("Iva", "Low"), "name")


@check("RFC 7644 §3.5.2.2", "patch")
def remove_needs_a_path(scim: Scim) -> None:
    """PAT-11 MUST: remove without a path is answered 400 noTarget."""
    scim.refuse_patch(f"/Users/{scim.user()['id']}", op("remove"), kind="noTarget")


@check("RFC 7644 §3.5.2.2", "patch", "User.emails")
def remove_removes(scim: Scim) -> None:
    """PAT-12 MUST: remove takes away a plain value, one of several by a value path, and all of them."""
    path, _, home = mails(scim)
    scim.patch(path, op("add", "displayName", "Ava"))
    expect("displayName" not in scim.patch(path, op("remove", "displayName")), "displayName is still there")
    found = scim.patch(path, op("remove", 'emails[type eq "work"]'))
    equal(values(found), {home["value"]}, "emails")
    expect(not scim.patch(path, op("remove", "emails")).get("emails"), "emails are still there")


@check("RFC 7644 §3.5.2.2", "patch")
def remove_of_nothing_succeeds(scim: Scim) -> None:
    """PAT-13 POLICY: removing what is not there succeeds."""
    scim.patch(f"/Users/{scim.user()['id']}", op("remove", "displayName"))


@check("RFC 7644 §3.5.2.2", "patch")
def required_values_are_not_removed(scim: Scim) -> None:
    """PAT-14 MUST: removing userName or id is answered 400, and neither goes."""
    user = scim.user()
    path = f"/Users/{user['id']}"
    for name in ("userName", "id"):
        scim.refuse_patch(path, op("remove", name))
    equal(scim.read(path).get("userName"), user["userName"], "userName")


@check("RFC 7644 §3.5.2.2", "patch")
def required_values_are_named_mutability(scim: Scim) -> None:
    """PAT-15 SHOULD: removing the required userName is refused as mutability."""
    error = scim.refuse_patch(f"/Users/{scim.user()['id']}", op("remove", "userName"))
    equal(error.get("scimType"), "mutability", "scimType")


@check("RFC 7644 §3.5.2.3", "patch", "User.emails")
def lists_are_replaced(scim: Scim) -> None:
    """PAT-16 MUST: replace of a multi-valued attribute replaces all its values."""
    path, _, _ = mails(scim)
    new = scim.mail("new")
    equal(values(scim.patch(path, op("replace", "emails", [{"value": new, "type": "work"}]))), {new}, "emails")


@check("RFC 7644 §3.5.2.3", "patch", "User.emails")
def value_paths_replace_what_they_find(scim: Scim) -> None:
    """PAT-17 MUST: replace with a value path changes the values that it finds, and only those."""
    path, work, _ = mails(scim)
    new = scim.mail("new")
    found = scim.patch(path, op("replace", 'emails[type eq "home"].value', new))
    equal(values(found), {work["value"], new}, "emails")


@check("RFC 7644 §3.5.2.3", "patch", "User.emails")
def value_paths_without_a_match(scim: Scim) -> None:
    """PAT-18 POLICY: replace with a value path that finds nothing is refused as noTarget, or creates the value."""
    path, work, home = mails(scim)
    new = scim.mail("new")
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
    answer = scim.send("PATCH", path, {**body, "Operations": [op("replace", 'emails[type eq "other"].value', new)]})
    expect(answer.status in (200, 204, 400), f"answered {answer.status}")
    wanted = {work["value"], home["value"]} | (set() if answer.status == 400 else {new})
    equal(values(scim.read(path)), wanted, "emails")


@check("RFC 7644 §3.5.2", "patch", "User.emails")
def one_value_stays_primary(scim: Scim) -> None:
    """PAT-19 MUST: setting primary on one value takes it from the others."""
    path, _, home = mails(scim)
    found = scim.patch(path, op("replace", 'emails[type eq "home"].primary', True))
    primary = [one["value"] for one in found["emails"] if one.get("primary") is True]
    equal(primary, [home["value"]], "what is primary")


@check("RFC 7643 §2.5", "patch", "User.title")
def null_unassigns(scim: Scim) -> None:
    """PAT-37 MUST: null, and an empty array, as the value of a replace unassign the attribute."""
    path = f"/Users/{scim.user(title='Engineer', emails=[{'value': scim.mail('mail'), 'type': 'work'}])['id']}"
    expect(scim.patch(path, op("replace", "title", None)).get("title") is None, "title is still there")
    expect(not scim.patch(path, op("replace", "emails", [])).get("emails"), "emails are still there")


@check("RFC 7644 §3.5.2.1", "patch", "User.emails")
def one_object_is_one_value(scim: Scim) -> None:
    """PAT-46 MUST: an object that is added to a multi-valued attribute is one more value."""
    path, work, home = mails(scim)
    new = {"value": scim.mail("new"), "type": "other"}
    equal(values(scim.patch(path, op("add", "emails", new))), {work["value"], home["value"], new["value"]}, "emails")


@check("RFC 7644 §3.5.2.2", "patch", "User.emails.display")
def parts_of_values_are_removed(scim: Scim) -> None:
    """PAT-47 MUST: remove with a value path and a sub-attribute takes away that sub-attribute only."""
    mail = {"value": scim.mail("mail"), "type": "work", "display": "Shown"}
    path = f"/Users/{scim.user(emails=[mail])['id']}"
    found = scim.patch(path, op("remove", 'emails[type eq "work"].display'))
    kept = (found.get("emails") or [{}])[0]
    equal((kept.get("value"), kept.get("display")), (mail["value"], None), "value and display")


@check("RFC 7644 §3.5.2.3", "patch")
def user_names_are_replaced(scim: Scim) -> None:
    """PAT-56 MUST: replace of userName renames, and the id stays."""
    user, new = scim.user(), scim.mail("renamed")
    found = scim.patch(f"/Users/{user['id']}", op("replace", "userName", new))
    equal((found["id"], found["userName"]), (user["id"], new), "id and userName")


@check("RFC 7643 §4.1.1", "patch", "User.active")
def active_is_switched(scim: Scim) -> None:
    """PAT-57 MUST: replace of active deactivates a user and brings them back."""
    path = f"/Users/{scim.user()['id']}"
    for value in (False, True):
        expect(scim.patch(path, op("replace", "active", value)).get("active") is value, f"active is not {value}")
