"""The message of a PATCH, and what a PATCH does as a whole (RFC 7644 section 3.5.2)."""

from conformance.names import PATCH_OP, USER
from conformance.registry import check, equal, expect
from conformance.scim import Scim, op, query


def path_of(scim: Scim, **attributes: object) -> str:
    return f"/Users/{scim.user(**attributes)['id']}"


@check("RFC 7644 §3.5.2", "patch")
def other_messages_are_refused(scim: Scim) -> None:
    """PAT-01 MUST: a PATCH whose schemas name another message is answered 400."""
    path = path_of(scim, displayName="Before")
    body = {"schemas": [USER], "Operations": [op("replace", "displayName", "After")]}
    scim.refused("PATCH", path, body)
    equal(scim.read(path).get("displayName"), "Before", "displayName")


@check("RFC 7644 §3.5.2", "patch")
def operations_are_an_array(scim: Scim) -> None:
    """PAT-02 MUST: a PATCH without Operations, or with something else than an array, is answered 400."""
    path = path_of(scim)
    for body in ({}, {"Operations": {"op": "add"}}, {"Operations": "x"}, {"Operations": [5]}):
        scim.refused("PATCH", path, {"schemas": [PATCH_OP], **body})


@check("RFC 7644 §3.5.2", "patch")
def operations_are_not_empty(scim: Scim) -> None:
    """PAT-55 POLICY: a PATCH with no operation in it is refused."""
    scim.refused("PATCH", path_of(scim), {"schemas": [PATCH_OP], "Operations": []})


@check("RFC 7644 §3.5.2", "patch")
def unknown_operations_are_refused(scim: Scim) -> None:
    """PAT-03 MUST: an operation without op, or with one that there is not, is answered 400."""
    path = path_of(scim)
    for wrong in ("move", "copy", "test", "", None, 5):
        scim.refuse_patch(path, {"op": wrong, "path": "displayName", "value": "x"})
    scim.refuse_patch(path, {"path": "displayName", "value": "x"})


@check("Entra ID; RFC 7644 §3.5.2", "patch")
def operations_in_any_case(scim: Scim) -> None:
    """PAT-04 POLICY: op may be written Add, Replace and Remove, as Entra ID does."""
    path = path_of(scim)
    equal(scim.patch(path, op("Add", "displayName", "A")).get("displayName"), "A", "displayName")
    equal(scim.patch(path, op("Replace", "displayName", "B")).get("displayName"), "B", "displayName")
    expect("displayName" not in scim.patch(path, op("Remove", "displayName")), "displayName is still there")


@check("RFC 7644 §3.5.2", "patch")
def answers_are_whole_or_empty(scim: Scim) -> None:
    """PAT-05 MUST: PATCH is answered 200 with the whole resource, or 204 without a body; with attributes always 200."""
    path = path_of(scim)
    body = {"schemas": [PATCH_OP], "Operations": [op("replace", "displayName", "After")]}
    answer = scim.send("PATCH", path, body)
    expect(answer.status in (200, 204), f"answered {answer.status}")
    if answer.status == 200:
        equal(answer.value, scim.read(path), "the answer")
    else:
        equal(answer.body, b"", "the body of the 204")
    part = scim.call("PATCH", f"{path}{query(attributes='userName')}", body, status=200)
    expect("userName" in part and "displayName" not in part, f"answered {sorted(part)}")


@check("RFC 7644 §3.5.2", "patch")
def patches_are_atomic(scim: Scim) -> None:
    """PAT-20 MUST: where one operation fails nothing is changed, and meta stays as it was."""
    path = path_of(scim, displayName="Before")
    before = scim.read(path)
    scim.refuse_patch(path, op("replace", "displayName", "After"), op("replace", "id", "forged"))
    equal(scim.read(path), before, "the resource")


@check("RFC 7644 §3.5.2", "patch", "User.title")
def operations_are_sequential(scim: Scim) -> None:
    """PAT-21 MUST: an operation sees what those before it have done."""
    path = path_of(scim)
    found = scim.patch(path, op("add", "title", "One"), op("replace", "title", "Two"), op("add", "displayName", "X"))
    equal((found.get("title"), found.get("displayName")), ("Two", "X"), "title and displayName")
    found = scim.patch(path, op("replace", "title", "Three"), op("remove", "title"))
    expect("title" not in found, "title is still there")


@check("RFC 7644 §3.5.2", "patch")
def read_only_values_are_refused(scim: Scim) -> None:
    """PAT-22 MUST: an operation on a readOnly attribute is answered 400 mutability."""
    path = path_of(scim)
    for name, value in (("id", "forged"), ("meta.created", "1999-01-01T00:00:00Z"), ("groups", [{"value": "x"}])):
        scim.refuse_patch(path, op("replace", name, value), kind="mutability")


@check("RFC 7644 §3.5.2; RFC 7644 §3.12", "patch")
def malformed_paths_are_refused(scim: Scim) -> None:
    """PAT-23 MUST: a path that cannot be read is answered 400, with a scimType that says why, or none."""
    path = path_of(scim)
    for wrong in (
        "emails[",
        "emails]",
        "emails[type eq",
        "emails[]",
        "name..givenName",
        ".name",
        "name.",
        "[x]",
        "a b",
    ):
        # the value is none for e-mails or a name either, and a server may say so first
        scim.refuse_patch(path, op("replace", wrong, "x"), kind="invalidPath invalidFilter noTarget invalidValue")


@check("RFC 7644 §3.12", "patch")
def undefined_paths_are_refused(scim: Scim) -> None:
    """PAT-24 MUST: a path to an attribute that no schema has is answered 400."""
    scim.refuse_patch(path_of(scim), op("replace", "noSuchAttribute", "x"))


@check("RFC 7644 §3.5.2.1", "patch")
def values_are_required(scim: Scim) -> None:
    """PAT-25 MUST: an add without a value is answered 400."""
    scim.refuse_patch(path_of(scim), op("add", "displayName"))


@check("RFC 7644 §3.5.2; RFC 7644 §3.12", "patch")
def wrong_types_change_nothing(scim: Scim) -> None:
    """PAT-26 MUST: a value of the wrong type is answered 400 invalidValue and changes nothing."""
    path = path_of(scim, displayName="Before")
    before = scim.read(path)
    for name, value in (("active", "maybe"), ("displayName", {"a": 1}), ("active", 5), ("emails", 5)):
        scim.refuse_patch(path, op("replace", name, value), kind="invalidValue invalidSyntax")
    equal(scim.read(path), before, "the resource")


@check("RFC 7644 §3.12", "patch")
def names_in_use_are_refused(scim: Scim) -> None:
    """PAT-34 MUST: a PATCH to the userName of another is answered 409 and changes nothing."""
    first, second = scim.user(), scim.user()
    path = f"/Users/{second['id']}"
    scim.refuse_patch(path, op("replace", "userName", first["userName"]), status=409, kind="uniqueness")
    equal(scim.read(path).get("userName"), second["userName"], "userName")
    scim.patch(path, op("replace", "userName", second["userName"].upper()))


@check("RFC 7643 §3.1", "patch")
def last_modified_advances(scim: Scim) -> None:
    """PAT-35 MUST: meta.lastModified advances with a PATCH that changes something, and meta.created stays."""
    user = scim.user(displayName="Before")
    meta = scim.patch(f"/Users/{user['id']}", op("replace", "displayName", "After"))["meta"]
    equal(meta["created"], user["meta"]["created"], "meta.created")
    expect(meta["lastModified"] >= user["meta"]["lastModified"], f"lastModified goes back to {meta['lastModified']}")
    expect(meta != user["meta"], "meta has not changed")


@check("RFC 7644 §3.5.2.1 by extension", "patch")
def nothing_changed_is_nothing_new(scim: Scim) -> None:
    """PAT-36 POLICY: a PATCH that changes nothing keeps lastModified and version."""
    path = path_of(scim, displayName="Same")
    before = scim.read(path)["meta"]
    scim.patch(path, op("replace", "displayName", "Same"), op("remove", "title"))
    equal(scim.read(path)["meta"], before, "meta")


@check("RFC 7644 §3.2", "patch")
def collections_are_not_patched(scim: Scim) -> None:
    """PAT-49 MUST: PATCH of /Users is refused and changes nobody."""
    path = path_of(scim, displayName="Before")
    body = {"schemas": [PATCH_OP], "Operations": [op("replace", "displayName", "After")]}
    scim.refused("PATCH", "/Users", body, status=(400, 403, 404, 405, 501))
    equal(scim.read(path).get("displayName"), "Before", "displayName")


@check("RFC 7644 §3.5.2", "patch")
def schemas_in_a_patch(scim: Scim) -> None:
    """PAT-52 POLICY: a PATCH without schemas is refused, or read as a PATCH."""
    status = scim.send("PATCH", path_of(scim), {"Operations": [op("replace", "displayName", "x")]}).status
    expect(status in (200, 204, 400), f"answered {status}")


@check("RFC 7643 §4.1.1", "patch", "changePassword")
def passwords_are_set(scim: Scim) -> None:
    """PAT-45 MUST: a server that announces changePassword takes a password by PATCH, and does not show it."""
    path = path_of(scim)
    secret = "N3w-secret-of-the-run"
    scim.patch(path, op("replace", "password", secret))
    expect(scim.last and secret.encode() not in scim.last.body, "the password comes back")
