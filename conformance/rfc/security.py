"""What a client must not be able to do (OWASP API Security Top 10)."""

from conformance.registry import check, equal, expect
from conformance.scim import Scim


@check("OWASP API3")
def internal_members_are_inert(scim: Scim) -> None:
    """SEC-01 ROBUST: members that look internal take no effect and do not come back."""
    names = ("isAdmin", "is_admin", "account_id", "tenant", "_id", "passwordHash", "deleted")
    answer = scim.send("POST", "/Users", scim.person(**dict.fromkeys(names, "forged")))
    expect(answer.status in (201, 400), f"answered {answer.status}")
    expect(b"forged" not in answer.body or answer.status == 400, "what was forged comes back")


@check("RFC 9110 §7.1; OWASP API8")
def forwarded_hosts_are_not_believed(scim: Scim) -> None:
    """SEC-02 ROBUST: X-Forwarded-Host and the like do not get into Location and $ref."""
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Host": "evil.example"}
    answer = scim.send("POST", "/Users", scim.person(), headers=headers)
    equal(answer.status, 201, "the status")
    expect(b"evil.example" not in answer.body and "evil.example" not in str(answer.headers), "the host is reflected")


@check("RFC 9110 §7.4; OWASP API8")
def foreign_hosts_are_not_reflected(scim: Scim) -> None:
    """SEC-03 POLICY: a foreign Host does not decide meta.location."""
    answer = scim.send("POST", "/Users", scim.person(), headers={"Host": "evil.example"})
    expect(b"evil.example" not in answer.body, "the host is reflected")


@check("RFC 9110 §5.5")
def line_ends_stay_out_of_headers(scim: Scim) -> None:
    """SEC-05 ROBUST: line ends in an address do not become headers."""
    answer = scim.send("GET", "/Users/x%0d%0aX-Injected:%20yes")
    expect(answer.header("X-Injected") is None, "a header was injected")
    expect(answer.status < 500, f"answered {answer.status}")


@check("OWASP API4; RFC 7644 §3.7.4")
def endless_bodies_are_refused(scim: Scim) -> None:
    """SEC-06 POLICY: a body of 16 MB on /Users is refused."""
    answer = scim.send("POST", "/Users", scim.person(displayName="x" * 16_000_000))
    expect(answer.status in (400, 413), f"answered {answer.status}")


@check("OWASP API8")
def methods_are_not_overridden(scim: Scim) -> None:
    """ROB-26 ROBUST: X-HTTP-Method-Override and the like are ignored."""
    path = f"/Users/{scim.user()['id']}"
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        scim.send("GET", path, headers={name: "DELETE"})
    scim.read(path)


@check("OWASP API8")
def traces_are_not_answered(scim: Scim) -> None:
    """ROB-30 ROBUST: TRACE and methods that there are not do not fail, and echo no credentials."""
    for method in ("TRACE", "FOO"):
        answer = scim.send(method, "/Users")
        expect(400 <= answer.status < 500 or answer.status == 501, f"{method} was answered {answer.status}")
        expect(not scim.token or scim.token.encode() not in answer.body, "the token comes back")
