"""Who may ask (RFC 7644 section 2, RFC 6750, RFC 9110 section 11)."""

import base64

from conformance.names import ERROR
from conformance.registry import check, equal, expect
from conformance.scim import Scim

WRONG = "wrong-token-0123456789"


def asked(scim: Scim, authorization: str | None, path: str = "/Users?count=1") -> int:
    headers = {} if authorization is None else {"Authorization": authorization}
    return scim.send("GET", path, bare=True, headers=headers).status


def challenge(scim: Scim) -> str:
    return (scim.last.header("WWW-Authenticate") if scim.last else None) or ""


def with_token(scim: Scim) -> str:
    scim.need(scim.token, "no token was given")
    return scim.token or ""


@check("RFC 7644 §2; RFC 9110 §11.6.1")
def anonymous_is_challenged(scim: Scim) -> None:
    """AUT-01 MUST: a request without credentials is answered 401 with WWW-Authenticate."""
    with_token(scim)
    equal(asked(scim, None), 401, "the status")
    expect(challenge(scim), "401 without WWW-Authenticate")


@check("RFC 6750 §3; RFC 7644 §3.12")
def wrong_token_is_challenged(scim: Scim) -> None:
    """AUT-02 MUST: a wrong token is answered 401 with a Bearer challenge."""
    with_token(scim)
    equal(asked(scim, f"Bearer {WRONG}"), 401, "the status")
    expect("bearer" in challenge(scim).lower(), f"WWW-Authenticate is {challenge(scim)!r}")


@check("RFC 6750 §3.1")
def anonymous_challenge_has_no_error(scim: Scim) -> None:
    """AUT-03 SHOULD: the challenge to a request without credentials carries no error code."""
    with_token(scim)
    equal(asked(scim, None), 401, "the status")
    expect("error=" not in challenge(scim), f"WWW-Authenticate is {challenge(scim)!r}")


@check("RFC 9110 §11.4; RFC 6750 §2.1")
def other_schemes_are_refused(scim: Scim) -> None:
    """AUT-04 MUST: the same secret under another scheme is refused."""
    token = with_token(scim)
    basic = base64.b64encode(f"user:{token}".encode()).decode()
    for value in (f"Token {token}", token, f"Basic {basic}"):
        equal(asked(scim, value), 401, "the status")


@check("RFC 9110 §11.1")
def scheme_is_case_insensitive(scim: Scim) -> None:
    """AUT-05 MUST: the name of the scheme may be written bearer or BEARER."""
    token = with_token(scim)
    for scheme in ("bearer", "BEARER"):
        equal(asked(scim, f"{scheme} {token}"), 200, f"the status with {scheme}")


@check("RFC 6750 §3.1")
def near_tokens_are_refused(scim: Scim) -> None:
    """AUT-06 MUST: empty, shortened, lengthened and case-changed tokens are refused."""
    token = with_token(scim)
    for near in ("", token[:-1], f"{token}x", token.swapcase()):
        if near != token:
            status = asked(scim, f"Bearer {near}")
            expect(status in (400, 401), f"a token that is not quite the right one was answered {status}")


@check("RFC 6750 §2.3; RFC 9700")
def token_in_the_query_is_refused(scim: Scim) -> None:
    """AUT-07 POLICY: a token in the query string is not accepted."""
    equal(asked(scim, None, f"/Users?count=1&access_token={with_token(scim)}"), 401, "the status")


@check("RFC 7644 §3.12; OWASP API1")
def authentication_comes_first(scim: Scim) -> None:
    """AUT-08 POLICY: without credentials a bad request or an unknown id is answered 401 like any other."""
    with_token(scim)
    for method, path, body in (
        ("GET", "/Users/nobody", None), ("POST", "/Users", b"{"), ("GET", "/Users?filter=%28", None),
        ("DELETE", "/Users/nobody", None),
    ):  # fmt: skip
        equal(scim.send(method, path, body, bare=True).status, 401, f"the status of {method} {path}")


@check("RFC 9111 §5.2.2")
def answers_are_not_cached(scim: Scim) -> None:
    """AUT-11 POLICY: answers to authenticated requests may not be kept by shared caches."""
    scim.read("/Users?count=1")
    control = (scim.last.header("Cache-Control") if scim.last else None) or ""
    expect("no-store" in control or "private" in control, f"Cache-Control is {control!r}")


@check("RFC 6750 §3.1")
def wrong_token_is_named_invalid(scim: Scim) -> None:
    """AUT-13 SHOULD: the challenge to a wrong token says error="invalid_token"."""
    with_token(scim)
    equal(asked(scim, f"Bearer {WRONG}"), 401, "the status")
    expect('error="invalid_token"' in challenge(scim), f"WWW-Authenticate is {challenge(scim)!r}")


@check("RFC 7644 §3.12")
def refusal_is_a_scim_error(scim: Scim) -> None:
    """AUT-14 MUST: a 401 has the body of a SCIM error with the status as a string."""
    with_token(scim)
    error = scim.call("GET", "/Users", status=401, headers={"Authorization": f"Bearer {WRONG}"})
    expect(ERROR in error.get("schemas", []), f"schemas is {error.get('schemas')!r}")
    equal(error.get("status"), "401", "status")


@check("RFC 7644 §2")
def writes_need_credentials(scim: Scim) -> None:
    """AUT-15 MUST: no write is done without credentials."""
    with_token(scim)
    user = scim.user()
    equal(scim.send("DELETE", f"/Users/{user['id']}", bare=True).status, 401, "the status of DELETE")
    equal(scim.send("POST", "/Users", scim.person(), bare=True).status, 401, "the status of POST")
    scim.read(f"/Users/{user['id']}")


@check("RFC 9728 §3")
def resource_metadata_is_valid(scim: Scim) -> None:
    """AUT-10 MUST: resource_metadata in the challenge, where it is given, leads to the metadata of this server."""
    with_token(scim)
    asked(scim, None)
    _, named, rest = challenge(scim).partition('resource_metadata="')
    scim.need(named, "the challenge names no metadata")
    found = scim.follow(rest.partition('"')[0])
    expect(isinstance(found.value, dict) and "resource" in found.value, f"answered {found.status} without a resource")
