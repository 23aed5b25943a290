"""Users and their values (RFC 7643 section 4.1, RFC 8265)."""

from conformance.registry import check, equal, expect
from conformance.scim import Scim


def outcome(scim: Scim, **attributes: object) -> int:
    return scim.send("POST", "/Users", scim.person(**attributes)).status


@check("RFC 7643 §4.1.2; errata 5990, 5991", "User.addresses.country")
def countries_are_codes(scim: Scim) -> None:
    """USR-01 POLICY: the country of an address may be a code of two letters; what is none is refused or kept."""
    equal(outcome(scim, addresses=[{"country": "US", "type": "work"}]), 201, "the status for US")
    expect(outcome(scim, addresses=[{"country": "Narnia", "type": "work"}]) in (201, 400), "no clean answer")


@check("RFC 7643 §4.1.1; RFC 6557", "User.timezone")
def time_zones_are_names(scim: Scim) -> None:
    """USR-02 POLICY: a timezone of the IANA database is kept; what is none is refused or kept."""
    equal(scim.user(timezone="Europe/Paris").get("timezone"), "Europe/Paris", "timezone")
    expect(outcome(scim, timezone="Mars/Phobos") in (201, 400), "no clean answer")


@check("RFC 7643 §4.1.1; BCP 47", "User.locale")
def locales_are_kept(scim: Scim) -> None:
    """USR-03 POLICY: locales are kept as they were sent, en_US too."""
    for value in ("en-US", "zh-Hant-TW", "en_US"):
        equal(scim.user(locale=value).get("locale"), value, "locale")


@check("RFC 7643 §4.1.1; RFC 9110 §12.5.4", "User.preferredLanguage")
def languages_are_kept(scim: Scim) -> None:
    """USR-04 MUST: preferredLanguage takes a list as in Accept-Language, and keeps it."""
    value = "en-GB, en;q=0.8, de;q=0.5"
    equal(scim.user(preferredLanguage=value).get("preferredLanguage"), value, "preferredLanguage")


@check("RFC 7643 §2.3.6", "User.x509Certificates.value")
def binary_is_base64(scim: Scim) -> None:
    """USR-05 MUST: a certificate that is no base64 is answered 400."""
    scim.refused("POST", "/Users", scim.person(x509Certificates=[{"value": "%%% not base64 %%%"}]))


@check("RFC 7644 §5; RFC 8265 §3.3")
def forms_of_a_letter_are_one(scim: Scim) -> None:
    """USR-06 MUST: a userName with a letter and its accent apart is the same as with both in one."""
    name = scim.mail("zo\u00e9")
    first = scim.send("POST", "/Users", scim.person(userName=name))
    scim.need(first.status == 201, f"such a userName is refused: {first.status}")
    expect(outcome(scim, userName=name.replace("\u00e9", "e\u0301")) in (400, 409), "both were created")


@check("RFC 7644 §5; RFC 8265 §3.3")
def wide_letters_are_letters(scim: Scim) -> None:
    """USR-07 MUST: a userName in full-width letters is the same, or is refused."""
    name = scim.mail("wide")
    scim.user(userName=name)
    local, _, domain = name.partition("@")
    wide = "".join(chr(ord(one) + 0xFEE0) if one.isalnum() else one for one in local)
    expect(outcome(scim, userName=f"{wide}@{domain}") in (400, 409), "both were created")


@check("RFC 7644 §5; RFC 8264 §4.2; RFC 8265 §3")
def unseen_letters_are_refused(scim: Scim) -> None:
    """USR-08 MUST: a userName with letters that are not seen, or that turn the direction, is answered 400."""
    for unseen in ("\u202e", "\u200b", "\u0007"):
        scim.refused("POST", "/Users", scim.person(userName=scim.mail(f"a{unseen}b")))


@check("RFC 7643 §4.1.1; RFC 8265 §3.3")
def case_is_that_of_unicode(scim: Scim) -> None:
    """USR-09 MUST: a userName is unique whatever the case of letters beyond ASCII."""
    name = scim.mail("\u00e9")
    first = scim.send("POST", "/Users", scim.person(userName=name))
    scim.need(first.status == 201, f"such a userName is refused: {first.status}")
    expect(outcome(scim, userName=name.replace("\u00e9", "\u00c9")) in (400, 409), "both were created")


@check("RFC 7643 §2.3.1", "User.displayName")
def text_is_verbatim(scim: Scim) -> None:
    """USR-10 SHOULD: text is kept as it was sent: blanks, case, markup and templates."""
    for text in ("  two  blanks  ", "<b>bold</b> & 'more'", "{{7*7}} ${7*7} %s", "O'Brien"):
        equal(scim.user(displayName=text).get("displayName"), text, "displayName")


@check("RFC 7643 §4.1.2", "User.phoneNumbers", "User.entitlements")
def lists_round_trip(scim: Scim) -> None:
    """USR-11 MUST: telephones, instant messages and photographs keep value and type."""
    lists = {
        "phoneNumbers": [{"value": "+1 418 555 0100", "type": "work"}],
        "ims": [{"value": "ava", "type": "xmpp"}],
        "photos": [{"value": "https://photos.example/ava.jpg", "type": "photo"}],
    }
    user = scim.user(**lists)
    for name, wanted in lists.items():
        if scim.capabilities.lacking(f"User.{name}") is None:
            kept = [{key: one.get(key) for key in ("value", "type")} for one in user.get(name) or []]
            equal(kept, wanted, name)


@check("RFC 7643 §4.1.1; IPSIE AL1", "filter", "User.active")
def inactive_users_are_seen(scim: Scim) -> None:
    """USR-12 MUST: a user who is not active is read, found and reactivated."""
    user = scim.user(active=False)
    expect(scim.read(f"/Users/{user['id']}").get("active") is False, "active is not false")
    equal(scim.found(f'userName eq "{user["userName"]}"'), {user["id"]}, "what is found")
    body = {"schemas": user["schemas"][:1], "userName": user["userName"], "active": True}
    expect(scim.put(f"/Users/{user['id']}", body).get("active") is True, "active is not true")


@check("Okta", "User.active")
def users_are_active(scim: Scim) -> None:
    """USR-13 POLICY: a user who is created without active is active."""
    body = scim.person()
    del body["active"]
    expect(scim.make("/Users", body).get("active") is True, "active is not true")
