"""Requests at the same moment: one winner, nobody lost."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from conformance.names import PATCH_OP
from conformance.registry import check, equal, expect
from conformance.scim import Scim, op

AT_ONCE = 6


def together(scim: Scim, method: str, path: str, bodies: Sequence[Any], **headers: str) -> Counter[int]:
    """Send requests at the same moment; returns how often each status came."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = [pool.submit(scim.send, method, path, body, headers=headers) for body in bodies]
        return Counter(one.result().status for one in sent)


@check("RFC 7643 §7; RFC 7644 §3.3")
def one_user_name_one_user(scim: Scim) -> None:
    """CON-01 MUST: of six creations of one userName at the same moment exactly one succeeds."""
    seen = together(scim, "POST", "/Users", [scim.person(userName=scim.mail("race"))] * AT_ONCE)
    equal(seen, Counter({201: 1, 409: AT_ONCE - 1}), "the statuses")


@check("RFC 7643 §4.1.1")
def one_user_name_in_any_case(scim: Scim) -> None:
    """CON-02 MUST: of creations of one userName in several cases at the same moment exactly one succeeds."""
    name = scim.mail("race")
    names = [name, name.upper(), name.title()] * 2
    seen = together(scim, "POST", "/Users", [scim.person(userName=one) for one in names])
    equal(seen[201], 1, "the number of users")
    expect(set(seen) <= {201, 409}, f"the statuses are {dict(seen)}")


@check("RFC 9110 §13.1.1", "patch", "etag")
def one_condition_one_winner(scim: Scim) -> None:
    """CON-03 MUST: of changes at the same moment with the same If-Match exactly one is done."""
    user = scim.user()
    bodies = [{"schemas": [PATCH_OP], "Operations": [op("replace", "displayName", f"N{n}")]} for n in range(AT_ONCE)]
    version = user["meta"]["version"]
    seen = together(scim, "PATCH", f"/Users/{user['id']}", bodies, **{"If-Match": version})
    equal((seen[200] + seen[204], seen[412]), (1, AT_ONCE - 1), "done and refused")


@check("RFC 7644 §3.5.2", "patch", "groups")
def no_member_is_lost(scim: Scim) -> None:
    """CON-04 MUST: members that are added at the same moment are all members afterwards."""
    ids = [scim.user()["id"] for _ in range(AT_ONCE)]
    path = f"/Groups/{scim.group()['id']}"
    bodies = [{"schemas": [PATCH_OP], "Operations": [op("add", "members", [{"value": one}])]} for one in ids]
    together(scim, "PATCH", path, bodies)
    equal(sorted(one["value"] for one in scim.read(path).get("members") or []), sorted(ids), "members")


@check("RFC 7644 §3.5.2", "patch", "User.title")
def no_change_is_lost(scim: Scim) -> None:
    """CON-06 MUST: changes of different attributes at the same moment are all there afterwards."""
    path = f"/Users/{scim.user()['id']}"
    names = ("displayName", "title", "externalId")
    bodies = [{"schemas": [PATCH_OP], "Operations": [op("replace", name, scim.name())]} for name in names]
    together(scim, "PATCH", path, bodies)
    lost = [name for name in names if name not in scim.read(path)]
    expect(not lost, f"lost: {lost}")


@check("RFC 7644 §3.6")
def one_deletion_is_done(scim: Scim) -> None:
    """CON-07 MUST: of deletions of one user at the same moment one is 204, and the others are 404."""
    path = f"/Users/{scim.user()['id']}"
    equal(together(scim, "DELETE", path, [None] * AT_ONCE), Counter({204: 1, 404: AT_ONCE - 1}), "the statuses")


@check("RFC 9110", "filter")
def writes_are_read(scim: Scim) -> None:
    """CON-12 MUST: a user is read and found as soon as the creation is answered."""
    for _ in range(5):
        user = scim.user()
        scim.read(f"/Users/{user['id']}")
        equal(scim.found(f'userName eq "{user["userName"]}"'), {user["id"]}, "what is found")
