"""The user behind the token (RFC 7644 section 3.11), and preferences (RFC 7240)."""

from conformance.registry import check, equal, expect
from conformance.scim import Scim


@check("RFC 7644 §3.11")
def me_is_answered(scim: Scim) -> None:
    """ME-01 SHOULD: /Me is answered 200 with its Location, 308, or 501."""
    answer = scim.send("GET", "/Me")
    expect(answer.status in (200, 308, 501), f"answered {answer.status}")
    place = answer.header("Location") or answer.header("Content-Location")
    expect(answer.status == 501 or place, f"{answer.status} without Location")


@check("RFC 7644 §3.11")
def me_needs_credentials(scim: Scim) -> None:
    """ME-02 POLICY: /Me without credentials is 401."""
    scim.need(scim.token, "no token was given")
    equal(scim.send("GET", "/Me", bare=True).status, 401, "the status")


@check("RFC 9967 §2.5.1.1; RFC 7240")
def asynchronous_is_answered(scim: Scim) -> None:
    """EVT-01 MUST: Prefer: respond-async is ignored where it is not announced, else answered 202 without a body."""
    answer = scim.send("POST", "/Users", scim.person(), headers={"Prefer": "respond-async"})
    expect(answer.status in (201, 202), f"answered {answer.status}")
    expect(answer.status == 201 or not answer.body, "202 with a body")


@check("RFC 7240 §2")
def preferences_do_no_harm(scim: Scim) -> None:
    """EVT-02 POLICY: Prefer: return=minimal and return=representation do not break a request."""
    for value in ("return=minimal", "return=representation", "nonsense"):
        answer = scim.send("POST", "/Users", scim.person(), headers={"Prefer": value})
        expect(answer.status in (201, 204), f"answered {answer.status} to {value}")
