"""What filters find (RFC 7644 section 3.4.2.2)."""

from conformance.names import ENTERPRISE, USER
from conformance.registry import check, equal, expect
from conformance.scim import Json, Scim

People = dict[str, Json]


def people(scim: Scim) -> People:
    """Three users that differ in what filters ask for."""

    def build() -> People:
        word = scim.name("people")
        common = {"schemas": [USER]}
        return {
            "ava": scim.user(
                **common, userName=f"{word}-ava@{scim.domain}", displayName="Ava", externalId=f"{word}-AbC",
                title="Engineer", userType="Employee", name={"givenName": "Ava", "familyName": "Lee"},
                emails=[{"value": f"{word}-one@{scim.domain}", "type": "work", "primary": True},
                        {"value": f"{word}-two@{scim.domain}", "type": "home"}],
            ),
            "bob": scim.user(
                **common, userName=f"{word}-bob@{scim.domain}", displayName="bob", externalId=f"{word}-abc",
                title="manager", userType="Contractor", active=False,
                emails=[{"value": f"{word}-one.bob@{scim.domain}", "type": "home"}],
            ),
            "cyd": scim.user(**common, userName=f"{word}-cyd@{scim.domain}"),
        }  # fmt: skip

    found: People = scim.once("people", build)
    return found


def finds(scim: Scim, condition: str, *names: str) -> None:
    """Expect that a filter finds these of the three, asked among them alone."""
    all_three = people(scim)
    word = all_three["ava"]["userName"].partition("-ava@")[0]
    found = scim.found(f'userName sw "{word}-" and ({condition})')
    known = {one["id"]: name for name, one in all_three.items()}
    equal(sorted(known.get(one, one) for one in found), sorted(names), f"what {condition} finds")


@check("RFC 7644 §3.4.2.2; RFC 7643 §4.1.1", "filter")
def user_name_in_any_case(scim: Scim) -> None:
    """FLT-01 MUST: userName eq finds the user whatever the case of the letters."""
    ava = people(scim)["ava"]
    for value in (ava["userName"], ava["userName"].upper()):
        equal(scim.found(f'userName eq "{value}"'), {ava["id"]}, "what is found")


@check("RFC 7644 §3.4.2.2; RFC 7643 §3.1", "filter")
def external_id_in_its_case(scim: Scim) -> None:
    """FLT-02 MUST: externalId eq finds the exact case only."""
    ava = people(scim)["ava"]
    equal(scim.found(f'externalId eq "{ava["externalId"]}"'), {ava["id"]}, "what is found")


@check("RFC 7643 §3.1", "filter")
def id_is_filtered(scim: Scim) -> None:
    """FLT-03 MUST: id eq finds the resource."""
    ava = people(scim)["ava"]
    equal(scim.found(f'id eq "{ava["id"]}"'), {ava["id"]}, "what is found")


@check("RFC 7644 §3.4.2.2", "filter", "User.userType")
def not_equal_excludes(scim: Scim) -> None:
    """FLT-04 MUST: ne does not find those that are equal."""
    word = people(scim)["ava"]["userName"].partition("-ava@")[0]
    found = scim.found(f'userName sw "{word}-" and userType ne "Employee"')
    expect(people(scim)["ava"]["id"] not in found, "the equal one is found")
    expect(people(scim)["bob"]["id"] in found, "the one that differs is not found")


@check("RFC 7644 §3.4.2.2", "filter", "User.userType")
def not_equal_finds_the_missing(scim: Scim) -> None:
    """FLT-05 POLICY: ne finds those without a value as well."""
    finds(scim, 'userType ne "Employee"', "bob", "cyd")


@check("RFC 7644 §3.4.2.2", "filter", "User.emails")
def not_equal_on_lists(scim: Scim) -> None:
    """FLT-06 POLICY: ne on a multi-valued attribute finds those of whom no value is equal."""
    finds(scim, 'emails.type ne "work"', "bob", "cyd")


@check("RFC 7644 §3.4.2.2", "filter", "User.displayName")
def wildcards_are_letters(scim: Scim) -> None:
    """FLT-07 MUST: percent signs, underscores, stars and dots in a filter are letters like any other."""
    for operator, value in (("co", "%"), ("sw", "_"), ("ew", "*"), ("co", "A.a"), ("eq", "%")):
        finds(scim, f'displayName {operator} "{value}"')


@check("RFC 7644 §3.4.2.2", "filter", "User.displayName")
def parts_in_any_case(scim: Scim) -> None:
    """FLT-08 MUST: co, sw and ew find parts of a value whatever the case of the letters."""
    for condition in ('displayName co "V"', 'displayName sw "aV"', 'displayName ew "VA"'):
        finds(scim, condition, "ava")


@check("RFC 7644 §3.4.2.2; RFC 7643 §3.1", "filter")
def parts_in_their_case(scim: Scim) -> None:
    """FLT-47 MUST: co, sw and ew keep to the case where an attribute is case-exact."""
    finds(scim, 'externalId ew "-AbC"', "ava")
    finds(scim, 'externalId co "-abc"', "bob")


@check("RFC 7644 §3.4.2.2; RFC 7643 §2.5", "filter", "User.title")
def presence_is_found(scim: Scim) -> None:
    """FLT-09 MUST: pr finds those with a value, of plain, complex and multi-valued attributes."""
    finds(scim, "title pr", "ava", "bob")
    finds(scim, "name.familyName pr", "ava")
    finds(scim, "emails pr", "ava", "bob")


@check("RFC 7644 §3.4.2.2", "filter", "User.title")
def order_of_text_folds_case(scim: Scim) -> None:
    """FLT-10 MUST: gt, ge, lt and le compare text by the case rule of the attribute."""
    finds(scim, 'title gt "F"', "bob")
    finds(scim, 'title le "ENGINEER"', "ava")


@check("RFC 7644 §3.4.2.2", "filter")
def times_are_compared(scim: Scim) -> None:
    """FLT-11 MUST: times are compared as moments, and a returned time equals itself."""
    ava = people(scim)["ava"]
    created = ava["meta"]["created"]
    expect(ava["id"] in scim.found(f'id eq "{ava["id"]}" and meta.created ge "{created}"'), "it is not ge itself")
    finds(scim, 'meta.created gt "2099-01-01T00:00:00Z"')
    finds(scim, 'meta.created gt "1999-01-01T00:00:00Z"', "ava", "bob", "cyd")


@check("RFC 7644 §3.4.2.2; RFC 3339 §4", "filter")
def offsets_are_the_same_moment(scim: Scim) -> None:
    """FLT-12 MUST: a time with another offset from UTC is the same moment."""
    finds(scim, 'meta.created lt "1999-01-01T05:00:00+05:00"')
    finds(scim, 'meta.created gt "1999-01-01T05:00:00+05:00"', "ava", "bob", "cyd")


@check("RFC 7644 §3.4.2.2", "filter", "User.active")
def booleans_are_compared(scim: Scim) -> None:
    """FLT-13 MUST: active eq true and active eq false take the JSON words."""
    finds(scim, "active eq false", "bob")
    finds(scim, "active eq true", "ava", "cyd")


@check("RFC 7644 §3.4.2.2; erratum 4670", "filter", "User.title")
def logic_has_precedence(scim: Scim) -> None:
    """FLT-16 MUST: and binds more tightly than or, and not and parentheses do what they say."""
    finds(scim, 'displayName eq "bob" or title eq "Engineer" and userType eq "Nobody"', "bob")
    finds(scim, '(displayName eq "bob" or title eq "Engineer") and userType eq "Employee"', "ava")
    finds(scim, "not (title pr)", "cyd")


@check("RFC 7644 §3.4.2.2", "filter", "User.title")
def words_in_any_case(scim: Scim) -> None:
    """FLT-17 MUST: operators and attribute names may be written in any case."""
    finds(scim, 'TITLE Eq "Engineer" AND UserType PR', "ava")


@check("RFC 7644 §3.10", "filter", "User.title")
def qualified_names_are_found(scim: Scim) -> None:
    """FLT-18 MUST: an attribute may be named with its URN."""
    finds(scim, f'{USER}:title eq "Engineer"', "ava")


@check("RFC 7644 §3.10; RFC 7643 §3.3", "filter", "enterprise")
def extensions_are_filtered(scim: Scim) -> None:
    """FLT-19 MUST: an attribute of an extension is filtered by its URN."""
    word = scim.name("dep")
    user = scim.user(schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"department": word}})
    equal(scim.found(f'{ENTERPRISE}:department eq "{word}"'), {user["id"]}, "what is found")


@check("RFC 7644 §3.10", "filter", "enterprise")
def manager_is_filtered(scim: Scim) -> None:
    """FLT-20 MUST: a sub-attribute within an extension is filtered, such as manager.value."""
    boss = scim.user()
    user = scim.user(schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"manager": {"value": boss["id"]}}})
    equal(scim.found(f'{ENTERPRISE}:manager.value eq "{boss["id"]}"'), {user["id"]}, "what is found")


@check("RFC 7644 §3.4.2.2", "filter", "User.emails")
def any_value_is_enough(scim: Scim) -> None:
    """FLT-21 MUST: a multi-valued attribute is found by any of its values."""
    finds(scim, 'emails.type eq "home"', "ava", "bob")
    finds(scim, 'emails.value co "-two@"', "ava")


@check("RFC 7644 §3.4.2.2", "filter", "User.emails")
def brackets_hold_one_value(scim: Scim) -> None:
    """FLT-22 MUST: the conditions within brackets are asked of one and the same value."""
    finds(scim, 'emails[type eq "home" and value co "-two@"]', "ava")
    finds(scim, 'emails[type eq "work" and value co "-two@"]')


@check("RFC 7644 §3.4.2.2; errata 4690, 7322", "filter", "User.emails")
def brackets_hold_logic(scim: Scim) -> None:
    """FLT-23 MUST: or, not and parentheses stand within brackets too."""
    finds(scim, 'emails[type eq "work" or value co "one.bob"]', "ava", "bob")
    finds(scim, 'emails[type eq "home" and not (value co "-two@")]', "bob")


@check("RFC 7644 §3.4.2.2", "filter", "User.emails")
def lists_stand_for_their_value(scim: Scim) -> None:
    """FLT-24 POLICY: emails co, without a sub-attribute, asks for emails.value."""
    finds(scim, 'emails co "-two@"', "ava")
