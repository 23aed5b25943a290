"""Addresses and queries that no client means well with."""

import time

from conformance.registry import check, expect
from conformance.rfc.hostile import survives
from conformance.scim import Scim, query

METACHARACTERS = (
    "'",
    "\\\\",
    "%",
    "_",
    "*",
    "' OR '1'='1",
    "'; DROP TABLE users;--",
    "${7*7}",
    "{{7*7}}",
    ".*",
    "(|(uid=*))",
)
ODD_IDS = (
    "%2e%2e", "..%2f..%2fetc%2fpasswd", "%00", ";", "*", "%20", "x" * 4000, "%ff%fe", "'", "%22", "%25", "-1", "0",
    "null",
)  # fmt: skip


@check("RFC 9110 §15.5.15; OWASP API4", "filter")
def long_filters_do_no_harm(scim: Scim) -> None:
    """ROB-13 ROBUST: a filter of 30 KB does not lead to a server error."""
    survives(scim, "GET", f"/Users{query(filter='userName eq ' + chr(34) + 'x' * 30_000 + chr(34))}")


@check("OWASP API4", "filter")
def many_terms_do_no_harm(scim: Scim) -> None:
    """ROB-14 ROBUST: a filter of 1,000 terms does not lead to a server error."""
    survives(scim, "GET", f"/Users{query(filter=' or '.join(['title pr'] * 1000))}")


@check("OWASP API4", "filter")
def deep_filters_do_no_harm(scim: Scim) -> None:
    """ROB-15 ROBUST: 2,000 nested parentheses do not lead to a server error."""
    for opening in ("(", "not ("):
        survives(scim, "GET", f"/Users{query(filter=opening * 2000 + 'title pr' + ')' * 2000)}")


@check("RFC 7644 §7.7; OWASP injection", "filter")
def metacharacters_find_nothing(scim: Scim) -> None:
    """ROB-16 ROBUST: what means something to SQL, LDAP or templates is text in a filter."""
    for value in METACHARACTERS:
        for operator in ("eq", "sw"):
            condition = f'userName {operator} "{value}"'
            page = scim.send("GET", f"/Users{query(filter=condition)}")
            expect(page.status in (200, 400), f"{condition} was answered {page.status}")
            expect(page.status == 400 or page.value.get("totalResults") == 0, f"{condition} finds somebody")


@check("RFC 7644 §3.4.2.4")
def hostile_pages_do_no_harm(scim: Scim) -> None:
    """ROB-18 ROBUST: startIndex and count beyond every integer do not lead to a server error."""
    for value in ("99999999999999999999", "1000000000", "-9223372036854775808", "0x10", "%20", "1%20OR%201=1"):
        survives(scim, "GET", f"/Users?count={value}")
        survives(scim, "GET", f"/Users?count=1&startIndex={value}")


@check("RFC 3986; OWASP API1")
def odd_ids_do_no_harm(scim: Scim) -> None:
    """ROB-20 ROBUST: odd ids do not lead to a server error, and find nobody."""
    for one in ODD_IDS:
        status = survives(scim, "GET", f"/Users/{one}")
        expect(status >= 400 or status in (301, 308), f"/Users/{one[:40]} was answered {status}")


@check("OWASP API4")
def hostile_projections_do_no_harm(scim: Scim) -> None:
    """ROB-32 ROBUST: attributes of 500 names, of dots and of brackets do no harm."""
    for value in (",".join(["name"] * 500), "....", ",,,", "emails[type", "%00", "x" * 5000):
        survives(scim, "GET", f"/Users{query(attributes=value, count=1)}")


@check("OWASP injection")
def hostile_orders_do_no_harm(scim: Scim) -> None:
    """ROB-33 ROBUST: sortBy and sortOrder are not taken for SQL."""
    for value in ("userName; DROP TABLE users", "(SELECT 1)", "emails[type eq", "x" * 5000, "userName--"):
        survives(scim, "GET", f"/Users{query(sortBy=value, count=1)}")
        survives(scim, "GET", f"/Users{query(sortBy='userName', sortOrder=value, count=1)}")


@check("RFC 3986")
def repeated_parameters_do_no_harm(scim: Scim) -> None:
    """ROB-34 ROBUST: parameters that are there twice do not lead to a server error."""
    survives(scim, "GET", "/Users?count=1&count=2&startIndex=1&startIndex=2&filter=title+pr&filter=title+pr")


@check("OWASP API4", "filter")
def patterns_do_not_stall(scim: Scim) -> None:
    """ROB-42 ROBUST: a filter of many wildcards is answered within five seconds."""
    begun = time.monotonic()
    survives(scim, "GET", f"/Users{query(filter='userName co ' + chr(34) + '%_' * 1500 + chr(34))}")
    expect(time.monotonic() - begun < 5, "it took more than five seconds")
