"""What is no filter (RFC 7644 section 3.4.2.2)."""

from conformance.registry import check, equal, expect
from conformance.rfc.filters import finds, people
from conformance.scim import Scim, query

MALFORMED = (
    "userName",
    "userName eq",
    'eq "x"',
    'userName eq "x',
    'userName eq x"',
    'userName "x"',
    '(userName eq "x"',
    'userName eq "x")',
    'userName eq "x" and',
    'or userName eq "x"',
    'userName eq "x" userName eq "y"',
    "not",
    'not userName eq "x"',
    "()",
    'emails[type eq "work"',
    'emails type eq "work"]',
    "emails[]",
    'userName eq "x" and and',
    'userName eq "x" xor title pr',
    "userName pr pr",
    'userName eq "a" "b"',
    ".userName pr",
    "userName. pr",
    "userName..x pr",
    'userName eq "\\q"',
    '"userName" eq "x"',
    "[type pr]",
)


def refused(scim: Scim, condition: str, path: str = "/Users") -> None:
    answer = scim.send("GET", f"{path}{query(filter=condition)}")
    expect(answer.status == 400, f"{condition!r} was answered {answer.status}")
    kind = (answer.value or {}).get("scimType")
    expect(kind in (None, "invalidFilter"), f"{condition!r} was refused as {kind}")


@check("RFC 7644 §3.4.2.2", "filter", "User.active")
def booleans_have_no_order(scim: Scim) -> None:
    """FLT-14 MUST: gt, ge, lt and le on a boolean are answered 400 invalidFilter."""
    for operator in ("gt", "ge", "lt", "le"):
        refused(scim, f"active {operator} true")


@check("RFC 7644 §3.4.2.2", "filter")
def unknown_operators_are_refused(scim: Scim) -> None:
    """FLT-25 MUST: operators that there are not are answered 400 invalidFilter."""
    for operator in ("regex", "like", "==", "=", "in"):
        refused(scim, f'userName {operator} "x"')


@check("RFC 7644 §3.4.2.2", "filter")
def malformed_filters_are_refused(scim: Scim) -> None:
    """FLT-26 MUST: what is no filter is answered 400 invalidFilter, in 27 shapes."""
    for condition in MALFORMED:
        refused(scim, condition)


@check("RFC 7644 §3.4.2.2", "filter")
def bare_words_are_refused(scim: Scim) -> None:
    """FLT-27 POLICY: text without quotes, or in single ones, is refused."""
    for value in ("bjensen", "'bjensen'"):
        refused(scim, f"userName eq {value}")


@check("RFC 7644 §3.4.2.2", "filter")
def empty_filters_are_refused(scim: Scim) -> None:
    """FLT-28 MUST: an empty filter is answered 400, and never with everybody."""
    for value in ("", "   "):
        refused(scim, value)


@check("draft-zollner-scim-interop-profile §6.3", "filter")
def undefined_attributes_are_refused(scim: Scim) -> None:
    """FLT-32 POLICY: a filter on an attribute that no schema has is refused."""
    refused(scim, 'noSuchAttribute eq "x"')


@check("RFC 7644 §3.4.2.2", "filter", "User.name")
def complex_attributes_need_a_part(scim: Scim) -> None:
    """FLT-33 POLICY: a comparison of a complex attribute without its sub-attribute is refused."""
    refused(scim, 'name eq "x"')


@check("RFC 7643 §4.1.1; OWASP API3", "filter")
def passwords_are_no_oracle(scim: Scim) -> None:
    """FLT-34 ROBUST: filters on password reveal nothing."""
    secret = "Or4cle-of-the-run"
    user = scim.user(password=secret)
    for operator, value in (("sw", secret[:3]), ("co", secret[2:6]), ("eq", secret), ("ew", secret[-3:])):
        condition = f'id eq "{user["id"]}" and password {operator} "{value}"'
        answer = scim.send("GET", f"/Users{query(filter=condition)}")
        found = (answer.value or {}).get("totalResults") if answer.status == 200 else 0
        expect(not found, f"password {operator} finds the user")


@check("RFC 7643 §4.1.1", "filter")
def filters_on_passwords_are_refused(scim: Scim) -> None:
    """FLT-46 POLICY: every filter on password is refused."""
    for condition in ("password pr", 'password eq "x"'):
        answer = scim.send("GET", f"/Users{query(filter=condition)}")
        expect(answer.status in (400, 403), f"{condition} was answered {answer.status}")


@check("erratum 7319", "filter", "User.title")
def blanks_may_be_irregular(scim: Scim) -> None:
    """FLT-39 POLICY: not( without a blank, and doubled blanks, are read."""
    finds(scim, "not(title pr)", "cyd")
    finds(scim, 'title  eq  "Engineer"', "ava")


@check("errata 4690, 7322", "filter")
def brackets_do_not_nest(scim: Scim) -> None:
    """FLT-40 MUST: brackets within brackets are refused."""
    refused(scim, 'emails[type[value eq "x"]]')


@check("RFC 7644 §3.12", "filter")
def literals_of_the_wrong_type_find_nobody(scim: Scim) -> None:
    """FLT-42 POLICY: a literal of the wrong type is refused, and never finds everybody."""
    for condition in ("meta.created gt 5", 'meta.created gt "yesterday"', "userName eq 5"):
        refused(scim, condition)


@check("RFC 7644 §3.4.2.2", "filter", "User.active")
def booleans_as_text_are_never_wrong(scim: Scim) -> None:
    """FLT-15 POLICY: active eq "true" is refused, or read as the boolean."""
    three = people(scim)
    word = three["ava"]["userName"].partition("-ava@")[0]
    condition = f'userName sw "{word}-" and active eq "true"'
    answer = scim.send("GET", f"/Users{query(filter=condition)}")
    if answer.status != 400:
        wanted = {three["ava"]["id"], three["cyd"]["id"]}
        equal({one["id"] for one in answer.value["Resources"]}, wanted, "what is found")


@check("RFC 7644 §3.4.2.1", "filter")
def filters_on_one_resource_do_not_leak(scim: Scim) -> None:
    """FLT-45 MUST: a filter on the address of one user does not fail, and shows no other."""
    user = scim.user()
    answer = scim.send("GET", f"/Users/{user['id']}{query(filter='userName pr')}")
    expect(answer.status in (200, 400, 403, 404), f"answered {answer.status}")
    if answer.status == 200:
        shown = [one.get("id") for one in answer.value.get("Resources") or [answer.value]]
        equal(shown, [user["id"]], "what is shown")
