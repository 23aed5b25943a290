"""How refusals look (RFC 7644 section 3.12)."""

import json

from conformance.registry import check, equal, expect
from conformance.scim import Scim, op

SECRET = "S3cret-of-the-conformance-run"


@check("RFC 7644 §3.12")
def errors_have_the_shape(scim: Scim) -> None:
    """ERR-01 MUST: 400, 404 and 409 have the shape of a SCIM error: its schema, and the status as a string."""
    user = scim.user()
    scim.refused("POST", "/Users", b"{", status=400)
    scim.refused("GET", "/Users/nobody", status=404)
    scim.refused("POST", "/Users", scim.person(userName=user["userName"]), status=409)


@check("RFC 7644 §3.12; RFC 7644 §3.6")
def unknown_ids_are_not_found(scim: Scim) -> None:
    """ERR-02 MUST: an unknown id is answered 404 by GET, PUT and DELETE."""
    path = "/Users/00000000-0000-4000-8000-00000000dead"
    scim.refused("GET", path, status=404)
    scim.refused("PUT", path, scim.person(), status=404)
    scim.refused("DELETE", path, status=404)


@check("RFC 7644 §3.12", "patch")
def unknown_ids_are_not_patched(scim: Scim) -> None:
    """ERR-06 MUST: PATCH of an unknown id is answered 404."""
    scim.refuse_patch("/Users/00000000-0000-4000-8000-00000000dead", op("replace", "displayName", "x"), status=404)


@check("RFC 7644 §3.2", "groups")
def ids_belong_to_one_endpoint(scim: Scim) -> None:
    """ERR-03 POLICY: the id of a user is not found among the groups."""
    scim.refused("GET", f"/Groups/{scim.user()['id']}", status=404)


@check("RFC 7644 §7.7; OWASP API8")
def errors_do_not_echo_passwords(scim: Scim) -> None:
    """ERR-04 POLICY: an error tells in words what is wrong, and never repeats a password."""
    answer = scim.send("POST", "/Users", {"schemas": scim.person()["schemas"], "userName": "", "password": SECRET})
    expect(400 <= answer.status < 500, f"answered {answer.status}")
    expect(isinstance((answer.value or {}).get("detail"), str) and answer.value["detail"], "no detail")
    expect(SECRET not in json.dumps(answer.value), "the error repeats the password")


@check("RFC 7644 §3.4.2", "filter")
def nothing_found_is_an_empty_list(scim: Scim) -> None:
    """ERR-05 MUST: a filter that finds nothing is answered 200 with totalResults 0."""
    equal(scim.find(f'userName eq "{scim.mail("nobody")}"'), [], "what was found")


@check("RFC 7644 §3.12")
def conflicts_name_their_kind(scim: Scim) -> None:
    """ERR-07 SHOULD: a conflict of userName carries scimType uniqueness."""
    user = scim.user()
    error = scim.refused("POST", "/Users", scim.person(userName=user["userName"]), status=409)
    equal(error.get("scimType"), "uniqueness", "scimType")


@check("RFC 7644 §3.12")
def bad_requests_name_their_kind(scim: Scim) -> None:
    """ERR-08 SHOULD: a body that is no JSON is answered with scimType invalidSyntax."""
    equal(scim.refused("POST", "/Users", b"{").get("scimType"), "invalidSyntax", "scimType")


@check("RFC 7644 §3.12")
def errors_have_details(scim: Scim) -> None:
    """ERR-09 SHOULD: errors have a detail for people to read."""
    error = scim.refused("GET", "/Users/nobody", status=404)
    expect(isinstance(error.get("detail"), str) and error["detail"], f"detail is {error.get('detail')!r}")
