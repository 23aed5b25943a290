"""SCIM over HTTP (RFC 7644 sections 3.1 and 3.8, RFC 9110)."""

import json

from conformance.names import ERROR, SCIM_JSON, USER
from conformance.registry import check, equal, expect
from conformance.scim import Scim


def body_of(scim: Scim) -> bytes:
    return json.dumps(scim.person()).encode()


@check("RFC 7644 §3.1; RFC 7644 §8.1")
def answers_are_scim_json(scim: Scim) -> None:
    """HTP-01 MUST: a client that accepts application/scim+json is answered in it."""
    user = scim.user()
    for path in ("/Users?count=1", f"/Users/{user['id']}", "/ServiceProviderConfig"):
        answer = scim.send("GET", path, headers={"Accept": SCIM_JSON})
        equal((answer.status, answer.media_type), (200, SCIM_JSON), f"status and type of GET {path}")


@check("RFC 7644 §3.8")
def plain_json_is_served(scim: Scim) -> None:
    """HTP-02 SHOULD: a client that accepts application/json is served."""
    equal(scim.send("GET", "/Users?count=1", headers={"Accept": "application/json"}).status, 200, "the status")


@check("RFC 7644 §3.8; RFC 9110 §12.5.1")
def any_accept_gets_json(scim: Scim) -> None:
    """HTP-03 MUST: with wildcards the answer is JSON, with a weighted list the type that it prefers."""
    weighted = "text/html;q=0.5, application/scim+json;q=0.9, */*;q=0.1"
    either = (SCIM_JSON, "application/json")
    for accept, types in (("*/*", either), ("application/*", either), (weighted, (SCIM_JSON,))):
        answer = scim.send("GET", "/Users?count=1", headers={"Accept": accept})
        equal(answer.status, 200, f"the status with Accept {accept}")
        expect(answer.media_type in types, f"the type with Accept {accept} is {answer.media_type}")


@check("RFC 9110 §12.5.1")
def unacceptable_types_are_refused(scim: Scim) -> None:
    """HTP-04 POLICY: a client that accepts no JSON is answered 406 with a SCIM error."""
    scim.refused("GET", "/Users?count=1", status=406, headers={"Accept": "text/html"})


@check("RFC 7644 §3.8; RFC 9110 §8.3.1")
def scim_bodies_are_read(scim: Scim) -> None:
    """HTP-05 MUST: bodies are read as application/scim+json, with a charset and in any case."""
    for kind in (SCIM_JSON, f"{SCIM_JSON}; charset=utf-8", "Application/SCIM+JSON"):
        scim.call("POST", "/Users", body_of(scim), status=201, headers={"Content-Type": kind})


@check("RFC 7644 §3.8")
def plain_json_is_read(scim: Scim) -> None:
    """HTP-24 SHOULD: a body whose type is application/json is read."""
    scim.call("POST", "/Users", body_of(scim), status=201, headers={"Content-Type": "application/json"})


@check("RFC 7644 §3.8")
def missing_content_type_is_scim_json(scim: Scim) -> None:
    """HTP-06 POLICY: a body without Content-Type is read as SCIM JSON."""
    answer = scim.send("POST", "/Users", body_of(scim), headers={"Content-Type": None})  # type: ignore[dict-item]  # None: none is sent
    equal(answer.status, 201, "the status")


@check("RFC 9110 §15.5.16")
def other_content_types_are_refused(scim: Scim) -> None:
    """HTP-07 POLICY: bodies of other media types are answered 415 with a SCIM error."""
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
        scim.refused("POST", "/Users", body_of(scim), status=415, headers={"Content-Type": kind})


@check("RFC 7644 §3.12")
def unknown_paths_are_scim_errors(scim: Scim) -> None:
    """HTP-08 MUST: unknown endpoints and paths below resources are answered 404 with a SCIM error."""
    for path in ("/Nothing", "/Users/nobody/deeper"):
        scim.refused("GET", path, status=404)


@check("RFC 9110 §15.5.6")
def wrong_methods_are_refused(scim: Scim) -> None:
    """HTP-09 POLICY: a known path with a wrong method is answered 405 with Allow and a SCIM error."""
    user = scim.user()
    for method, path in (("PUT", "/Users"), ("DELETE", "/Users"), ("POST", f"/Users/{user['id']}")):
        scim.refused(method, path, scim.person(), status=405)
        expect(scim.last and scim.last.header("Allow"), f"405 to {method} {path} without Allow")


@check("RFC 9110 §9.3.2")
def head_mirrors_get(scim: Scim) -> None:
    """HTP-10 SHOULD: HEAD is answered as GET is, without a body."""
    path = f"/Users/{scim.user()['id']}"
    got = scim.send("GET", path)
    head = scim.send("HEAD", path)
    equal((head.status, head.media_type, head.body), (200, got.media_type, b""), "status, type and body of HEAD")
    equal(head.header("ETag"), got.header("ETag"), "the ETag of HEAD")


@check("RFC 9110 §9.3.7")
def options_discloses_nothing(scim: Scim) -> None:
    """HTP-11 ROBUST: OPTIONS does not fail and shows no resource."""
    user = scim.user()
    answer = scim.send("OPTIONS", f"/Users/{user['id']}", bare=True)
    expect(answer.status < 500 or answer.status == 501, f"answered {answer.status}")
    expect(user["userName"].encode() not in answer.body, "OPTIONS shows the user")


@check("RFC 9110 §15.4")
def trailing_slash_keeps_the_method(scim: Scim) -> None:
    """HTP-12 POLICY: a trailing slash is served, not found or redirected by 308, and never by 301 or 302."""
    status = scim.send("GET", "/Users/?count=1").status
    expect(status in (200, 404, 308), f"answered {status}")


@check("RFC 7644 §3.4.2")
def unknown_parameters_are_ignored(scim: Scim) -> None:
    """HTP-13 SHOULD: unknown query parameters are ignored."""
    scim.read("/Users?count=1&noSuchParameter=1&aadOptscim062020")


@check("RFC 3986 §6.2.2.2")
def encoded_ids_are_the_same(scim: Scim) -> None:
    """HTP-14 MUST: an id with percent-encoded letters is the same id."""
    user = scim.user()
    encoded = "".join(f"%{ord(letter):02X}" if letter.isalnum() else letter for letter in user["id"])
    equal(scim.read(f"/Users/{encoded}").get("id"), user["id"], "id")


@check("RFC 7644 §3.8; RFC 8259 §8.1")
def text_round_trips(scim: Scim) -> None:
    """HTP-15 MUST: accents, Chinese, emoji, combining marks and escapes come back as they were sent."""
    text = 'Zoë Ångström 王秀英 🙂👩‍👩‍👧 é \\ " / \t end'
    body = json.dumps(scim.person(displayName=text), ensure_ascii=False).encode()
    made = scim.call("POST", "/Users", body, status=201)
    equal(scim.read(f"/Users/{made['id']}").get("displayName"), text, "displayName")


@check("RFC 7644 §3.13")
def other_versions_are_refused(scim: Scim) -> None:
    """HTP-16 POLICY: a version of the protocol that is not spoken is refused."""
    scim.need(scim.base_url.endswith("/v2"), "the base address has no version")
    for version in ("v1", "v3"):
        status = scim.send("GET", f"{scim.base_url[:-2]}{version}/Users").status
        expect(status in (400, 401, 404), f"/{version}/Users was answered {status}")


@check("OWASP API8")
def content_is_not_sniffed(scim: Scim) -> None:
    """HTP-17 POLICY: answers carry X-Content-Type-Options: nosniff."""
    scim.read("/Users?count=1")
    equal(scim.last and scim.last.header("X-Content-Type-Options"), "nosniff", "X-Content-Type-Options")


@check("OWASP API8")
def no_framework_is_named(scim: Scim) -> None:
    """HTP-18 POLICY: neither Server nor X-Powered-By tells the version of a framework."""
    scim.read("/Users?count=1")
    for name in ("Server", "X-Powered-By"):
        banner = (scim.last.header(name) if scim.last else None) or ""
        expect(not any(letter.isdigit() for letter in banner), f"{name} is {banner!r}")


@check("Fetch; OWASP API8")
def origins_are_not_reflected(scim: Scim) -> None:
    """HTP-19 POLICY: a foreign Origin is not reflected together with credentials."""
    answer = scim.send("GET", "/Users?count=1", headers={"Origin": "https://evil.example"})
    reflected = answer.header("Access-Control-Allow-Origin") == "https://evil.example"
    credentials = answer.header("Access-Control-Allow-Credentials") == "true"
    expect(not (reflected and credentials), "every origin may read with credentials")


@check("RFC 9112 §9.3")
def service_goes_on_after_an_error(scim: Scim) -> None:
    """HTP-20 MUST: after an error on a body that was not read the connection serves on, or is closed."""
    scim.send("POST", "/Nothing", b"x" * 100_000)
    scim.read("/Users?count=1")


@check("RFC 7644 §3.1")
def writes_answer_scim_json(scim: Scim) -> None:
    """HTP-21 MUST: the answers to POST and PUT are application/scim+json."""
    user = scim.user()
    equal(scim.last and scim.last.media_type, SCIM_JSON, "the type of the answer to POST")
    scim.put(f"/Users/{user['id']}", {"schemas": [USER], "userName": user["userName"], "active": True})
    equal(scim.last and scim.last.media_type, SCIM_JSON, "the type of the answer to PUT")


@check("RFC 7644 §3.12; RFC 7644 §8.1")
def errors_are_scim_json(scim: Scim) -> None:
    """HTP-22 MUST: errors are application/scim+json as well."""
    error = scim.call("GET", "/Users/nobody", status=404)
    equal(scim.last and scim.last.media_type, SCIM_JSON, "the type of the error")
    expect(ERROR in error.get("schemas", []), "no SCIM error")


@check("RFC 7644 §3.1")
def gets_may_carry_a_content_type(scim: Scim) -> None:
    """HTP-23 POLICY: a GET with a Content-Type and without a body is served."""
    equal(scim.send("GET", "/Users?count=1", headers={"Content-Type": SCIM_JSON}).status, 200, "the status")
