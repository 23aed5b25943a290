"""Entity tags and conditions (RFC 7644 section 3.14, RFC 9110 section 13)."""

import re

from conformance.names import PATCH_OP, USER
from conformance.registry import check, equal, expect
from conformance.scim import Json, Scim, op

TAG = re.compile(r'(W/)?"[^"]*"\Z')


def put(user: Json, shown: str) -> Json:
    return {"schemas": [USER], "userName": user["userName"], "displayName": shown, "active": True}


def tag(scim: Scim) -> str:
    return (scim.last.header("ETag") if scim.last else None) or ""


@check("RFC 7644 §3.14; RFC 7643 §3.1; RFC 9110 §8.8.3", "etag")
def tags_are_versions(scim: Scim) -> None:
    """ETG-01 MUST: POST, GET and PUT carry an ETag that equals meta.version and is well-formed."""
    user = scim.user()
    path = f"/Users/{user['id']}"
    for found in (user, scim.read(path), scim.put(path, put(user, "x"))):
        expect(TAG.match(str(found["meta"].get("version"))), f"meta.version is {found['meta'].get('version')!r}")
    equal(tag(scim), found["meta"]["version"], "the ETag of PUT")
    found = scim.read(path)
    equal(tag(scim), found["meta"]["version"], "the ETag of GET")
    found = scim.user()
    equal(tag(scim), found["meta"]["version"], "the ETag of POST")


@check("RFC 7644 §3.14; RFC 9110 §13.1.2", "etag")
def unchanged_is_not_modified(scim: Scim) -> None:
    """ETG-02 MUST: If-None-Match with the current tag, in a list or * is 304 without a body; any other is 200."""
    user = scim.user()
    path = f"/Users/{user['id']}"
    version = user["meta"]["version"]
    for value in (version, f'W/"other", {version}', "*"):
        answer = scim.send("GET", path, headers={"If-None-Match": value})
        equal((answer.status, answer.body), (304, b""), f"status and body for {value}")
    equal(scim.send("GET", path, headers={"If-None-Match": 'W/"other"'}).status, 200, "the status for another tag")
    scim.put(path, put(user, "changed"))
    equal(scim.send("GET", path, headers={"If-None-Match": version}).status, 200, "the status after a change")


@check("RFC 7644 §3.14; RFC 9110 §13.1.1", "etag")
def stale_writes_are_refused(scim: Scim) -> None:
    """ETG-03 MUST: If-Match with the current tag lets PUT and DELETE through; a stale one is 412."""
    user = scim.user()
    path = f"/Users/{user['id']}"
    stale = user["meta"]["version"]
    current = scim.put(path, put(user, "one"), headers={"If-Match": stale})["meta"]["version"]
    scim.refused("PUT", path, put(user, "two"), status=412, headers={"If-Match": stale})
    scim.refused("DELETE", path, status=412, headers={"If-Match": stale})
    equal(scim.read(path).get("displayName"), "one", "displayName")
    equal(scim.send("DELETE", path, headers={"If-Match": current}).status, 204, "the status of DELETE")


@check("RFC 7644 §3.14; RFC 9110 §13.1.1", "etag", "patch")
def stale_patches_are_refused(scim: Scim) -> None:
    """ETG-11 MUST: a PATCH with a stale If-Match is 412 and changes nothing; with the current one it is done."""
    user = scim.user()
    path = f"/Users/{user['id']}"
    body = {"schemas": [PATCH_OP], "Operations": [op("replace", "displayName", "one")]}
    stale = user["meta"]["version"]
    scim.call("PATCH", path, body, status=(200, 204), headers={"If-Match": stale})
    body["Operations"] = [op("replace", "displayName", "two")]
    scim.refused("PATCH", path, body, status=412, headers={"If-Match": stale})
    equal(scim.read(path).get("displayName"), "one", "displayName")


@check("RFC 9110 §13.1.1", "etag")
def any_tag_and_lists(scim: Scim) -> None:
    """ETG-04 MUST: If-Match takes * and lists; on what is not there it is 404 or 412."""
    user = scim.user()
    path = f"/Users/{user['id']}"
    current = scim.put(path, put(user, "one"), headers={"If-Match": "*"})["meta"]["version"]
    scim.put(path, put(user, "two"), headers={"If-Match": f'W/"other", {current}'})
    missing = "/Users/00000000-0000-4000-8000-00000000dead"
    scim.refused("PUT", missing, put(user, "x"), status=(404, 412), headers={"If-Match": "*"})


@check("RFC 9110 §8.8.1", "etag")
def versions_do_not_return(scim: Scim) -> None:
    """ETG-05 MUST: every change gives a version that was never there before."""
    user = scim.user()
    path = f"/Users/{user['id']}"
    seen = [user["meta"]["version"], *(scim.put(path, put(user, shown))["meta"]["version"] for shown in "aba")]
    equal(len(set(seen)), 4, "the number of different versions")


@check("RFC 9110 §8.8", "etag")
def versions_stay(scim: Scim) -> None:
    """ETG-06 POLICY: reading a part does not change the version."""
    user = scim.user()
    part = scim.read(f"/Users/{user['id']}?attributes=meta.version")
    equal((part.get("meta") or {}).get("version"), user["meta"]["version"], "meta.version")


@check("RFC 7644 §3.14", "etag", "groups", "patch")
def members_are_versioned(scim: Scim) -> None:
    """ETG-07 MUST: a change of members gives the group a new version."""
    one, group = scim.user()["id"], scim.group()
    found = scim.patch(f"/Groups/{group['id']}", op("add", "members", [{"value": one}]))
    expect(found["meta"]["version"] != group["meta"]["version"], "the version is the old one")


@check("RFC 9110 §13.1.1", "etag")
def malformed_conditions_do_not_write(scim: Scim) -> None:
    """ETG-08 POLICY: a malformed If-Match never lets a write through."""
    user = scim.user(displayName="Before")
    path = f"/Users/{user['id']}"
    status = scim.send("PUT", path, put(user, "After"), headers={"If-Match": "nonsense"}).status
    expect(status in (400, 412), f"answered {status}")
    equal(scim.read(path).get("displayName"), "Before", "displayName")


@check("RFC 9110 §13.1.2", "etag")
def existing_is_not_put(scim: Scim) -> None:
    """ETG-09 POLICY: PUT with If-None-Match: * of what is there is 412."""
    user = scim.user()
    scim.refused("PUT", f"/Users/{user['id']}", put(user, "x"), status=412, headers={"If-None-Match": "*"})


@check("RFC 7644 §3.5.2; RFC 7644 §3.14", "etag", "patch")
def patches_answer_the_new_tag(scim: Scim) -> None:
    """ETG-10 SHOULD: the answer to a PATCH carries the new ETag."""
    user = scim.user()
    path = f"/Users/{user['id']}"
    body = {"schemas": [PATCH_OP], "Operations": [op("replace", "displayName", "x")]}
    scim.call("PATCH", path, body, status=(200, 204))
    answered = tag(scim)
    equal(answered, scim.read(path)["meta"]["version"], "the ETag")
