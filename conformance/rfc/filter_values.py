"""Values in filters, and filters on groups and on what the server computes."""

import json

from conformance.names import USER
from conformance.registry import check, equal, expect
from conformance.rfc.filters import finds, people
from conformance.scim import Scim, query


@check("RFC 7644 §3.4.2.2; RFC 8259 §7", "filter", "User.displayName")
def escapes_are_read(scim: Scim) -> None:
    r"""FLT-29 MUST: the escapes of JSON in a literal stand for their letters."""
    text = scim.name('say "hi" \\ ')
    user = scim.user(displayName=text)
    equal(scim.found(f"displayName eq {json.dumps(text)}"), {user["id"]}, "what is found")
    ava = people(scim)["ava"]
    escaped = ava["userName"].replace("a", "\\u0061")
    equal(scim.found(f'userName eq "{escaped}"'), {ava["id"]}, "what is found by an escaped letter")


@check("RFC 7644 §7.8; RFC 7643 §7", "filter", "User.displayName")
def unicode_is_found(scim: Scim) -> None:
    """FLT-30 MUST: letters of every script are found, and case is that of Unicode."""
    text = scim.name("Zoë-王-É")
    user = scim.user(displayName=text)
    for value in (text, text.lower()):
        equal(scim.found(f'displayName eq "{value}"'), {user["id"]}, "what is found")


@check("RFC 7644 §3.4.2.2", "filter", "User.title")
def null_is_unassigned(scim: Scim) -> None:
    """FLT-31 POLICY: eq null finds those without a value."""
    finds(scim, "title eq null", "cyd")


@check("RFC 7644 §3.4.2.1", "filter")
def meta_and_schemas_are_filtered(scim: Scim) -> None:
    """FLT-35 MUST: meta.resourceType and schemas can be filtered."""
    finds(scim, 'meta.resourceType eq "User"', "ava", "bob", "cyd")
    finds(scim, 'meta.resourceType eq "Nothing"')
    finds(scim, f'schemas eq "{USER}"', "ava", "bob", "cyd")


@check("RFC 7644 §3.9", "filter", "User.title")
def filters_see_what_is_not_returned(scim: Scim) -> None:
    """FLT-36 MUST: a filter finds by attributes that are not returned."""
    ava = people(scim)["ava"]
    condition = f'id eq "{ava["id"]}" and title eq "Engineer"'
    equal(scim.found(condition, attributes="userName"), {ava["id"]}, "what is found")


@check("RFC 7644 §3.4.2.2", "filter", "groups")
def groups_are_found_by_name(scim: Scim) -> None:
    """FLT-37 MUST: groups are found by displayName."""
    group = scim.group()
    equal(scim.found(f'displayName eq "{group["displayName"]}"', "/Groups"), {group["id"]}, "what is found")


@check("RFC 7644 §3.4.2.2; IPSIE AL2", "filter", "groups")
def groups_are_found_by_member(scim: Scim) -> None:
    """FLT-48 MUST: groups are found by members.value and by members[value eq]."""
    user = scim.user()
    group = scim.group(user["id"])
    scim.group()
    for condition in (f'members.value eq "{user["id"]}"', f'members[value eq "{user["id"]}"]'):
        equal(scim.found(condition, "/Groups"), {group["id"]}, "what is found")


@check("RFC 7643 §3.1", "filter", "groups")
def groups_are_found_by_external_id(scim: Scim) -> None:
    """FLT-49 MUST: groups are found by externalId."""
    group = scim.group(externalId=scim.name("gext"))
    equal(scim.found(f'externalId eq "{group["externalId"]}"', "/Groups"), {group["id"]}, "what is found")


@check("RFC 7643 §4.1.2", "filter", "groups", "User.groups")
def users_are_found_by_group(scim: Scim) -> None:
    """FLT-38 POLICY: users are found by groups.value."""
    user = scim.user()
    group = scim.group(user["id"])
    equal(scim.found(f'groups.value eq "{group["id"]}"'), {user["id"]}, "what is found")


@check("RFC 3986; HTML forms", "filter")
def plus_is_a_blank(scim: Scim) -> None:
    """FLT-41 MUST: a plus sign and %20 in the query both stand for a blank."""
    ava = people(scim)["ava"]
    quoted = f"%22{ava['userName'].replace('@', '%40')}%22"
    for blank in ("+", "%20"):
        page = scim.read(f"/Users?filter=userName{blank}eq{blank}{quoted}")
        equal([one["id"] for one in page.get("Resources") or []], [ava["id"]], "what is found")


@check("RFC 7643 §2.4", "filter", "User.emails")
def primary_is_filtered(scim: Scim) -> None:
    """FLT-50 MUST: emails[primary eq true] finds those with a primary e-mail."""
    finds(scim, "emails[primary eq true]", "ava")


@check("RFC 7644 §3.4.2.2", "filter")
def entra_matches_by_value_path(scim: Scim) -> None:
    """FLT-51 POLICY: emails[type eq "work"].value eq, as Entra ID sends it, finds by that value."""
    ava = people(scim)["ava"]
    mail = ava["emails"][0]["value"]
    equal(scim.found(f'emails[type eq "work"].value eq "{mail}"'), {ava["id"]}, "what is found")


@check("RFC 7644 §3.4.2.2", "filter")
def names_of_sub_attributes(scim: Scim) -> None:
    """FLT-52 MUST: a sub-attribute of a complex attribute is filtered with a dot."""
    finds(scim, 'name.familyName eq "lee"', "ava")


@check("RFC 7644 §3.4.2.4", "filter")
def filters_and_pages_go_together(scim: Scim) -> None:
    """FLT-53 MUST: a filter with count and startIndex pages what the filter finds."""
    ava = people(scim)["ava"]
    word = ava["userName"].partition("-ava@")[0]
    condition = f'userName sw "{word}-"'
    page = scim.read(f"/Users{query(filter=condition, startIndex=3, count=2)}")
    equal((page.get("totalResults"), len(page.get("Resources") or [])), (3, 1), "totalResults and resources")


@check("RFC 7644 §3.4.2.2", "filter", "User.displayName")
def metacharacters_are_found(scim: Scim) -> None:
    """FLT-54 MUST: a value of quotes, percent signs and semicolons is found by itself and by nothing else."""
    text = scim.name("100%_x'; DROP TABLE--*")
    user = scim.user(displayName=text)
    equal(scim.found(f"displayName eq {json.dumps(text)}"), {user["id"]}, "what is found")
    other = text.replace("%", "y").replace("_", "z")
    expect(not scim.found(f"displayName eq {json.dumps(other)}"), "wildcards are not taken as letters")


@check("RFC 7644 §3.4.2.2", "filter")
def equal_is_the_whole_value(scim: Scim) -> None:
    """FLT-55 MUST: eq finds by the whole value, and never by a part of it."""
    ava = people(scim)["ava"]
    for part in (ava["userName"][:-1], ava["userName"][1:], ava["userName"].partition("@")[0]):
        equal(scim.found(f'userName eq "{part}"'), set(), f"what {part} finds")
