"""An account of made-up users and groups whose values are chosen to break a translation into SQL."""

from collections.abc import Mapping
from random import Random
from typing import Any

from scim_server.account.model import SEATED
from scim_server.protocol.catalogue import ACCOUNT_GROUP, ACCOUNT_USER, ENTERPRISE, Endpoint
from scim_server.protocol.documents import instant
from scim_server.protocol.folding import fold_name

from .rows import BASE, DAY, add_group, add_log, add_user

TEXTS = (
    *("", " ", "anna", "Anna", "ANNA", "Anna Maria", "annabelle", "full", "ＦＵＬＬ"),
    *("100%", "100 %", "a_b", "axb", "a%b", "O'Brien", 'say "hi"', "back\\slash", "tab\there", "line\nbreak"),
    *("Straße", "STRASSE", "strasse", "ẞ", "İstanbul", "istanbul", "i\u0307stanbul", "ISTANBUL", "ǅ"),
    *("é", "e\u0301", "É", "Zoë", "Zoe\u0308", "ΑΣ", "ας", "ασ"),
    *("😀", "a😀b", "\U0010ffff", "a\U0010ffff", "\ud7ff", "\ue000", "\ufffd"),
    *("null", "true", "1", "01", "--", "'; drop table user; --", "*", "?", "[a]", "(", "$.x", "{0}"),
)
TYPES = ("work", "Work", "home", "mobile", "other", "")
WORDS = {
    "licence_type": (None, "eco", "pro", "apiAdvanced", "sharedMailbox"),
    "licence_status": ("none", "pending", *sorted(SEATED)),
    "licence_reason": (None, "noSeatAvailable"),
    "licence_source": (None, "direct", "group"),
    "licence_pending_type": (None, "eco"),
}


def insert_population(account_id: str, users: Endpoint, groups: Endpoint, seed: int, size: int) -> dict[str, Any]:
    """Insert users, groups and logs; gives what the rows say beyond the documents, by id."""
    random = Random(seed)
    user_ids = [f"user-{number:05}" for number in range(size)]
    logs: dict[str, list[int | None]] = {}
    for number, identifier in enumerate(user_ids):
        add_user(account_id, users, _user(random, number, user_ids), identifier, **_state(random, number))
        logs[identifier] = [random.choice((None, number * DAY)) for _ in range(random.choice((0, 0, 0, 1, 2)))]
        for last_activity_at in logs[identifier]:
            add_log(account_id, identifier, last_activity_at)
    members: dict[str, list[str]] = {}
    for number in range(size // 6):
        identifier = f"group-{number:05}"
        members[identifier] = random.sample(user_ids, random.choice((0, 1, 3, 20)))
        counts = {"licensed_member_count": random.randrange(4), "pending_member_count": random.randrange(3)}
        document = _group(random, number)
        add_group(account_id, groups, document, members[identifier], identifier, **counts, **_times(random, number))
    return {"logs": logs, "members": members}


def _user(random: Random, number: int, ids: list[str]) -> dict[str, Any]:
    def text() -> Any:
        return random.choice(TEXTS)

    document: dict[str, Any] = {
        "userName": f"{random.choice(('Anna', 'anna', 'BÉA', 'ｂｏｂ', 'o_b%'))}{number}@Example.com",
        "externalId": f"{random.choice(('A', 'a', 'é', 'x%'))}{number % 40}",
        "active": random.random() < 0.7,
        "name": {"givenName": text(), "familyName": text(), "formatted": text()},
        "displayName": text(),
        "title": text(),
        "nickName": text(),
        "userType": random.choice(("Employee", "employee", "Contractor")),
        "profileUrl": random.choice(("https://x.example/A", "https://x.example/a")),
        "timezone": random.choice(("Europe/Paris", "europe/paris", "UTC")),
        "locale": "de-CH",
        "emails": _list(random, text),
        "phoneNumbers": _list(random, lambda: random.choice(("+41 79 1", "tel:+41-79-2", "123"))),
        "ims": _list(random, text),
        "addresses": [{"type": random.choice(TYPES), "locality": text(), "country": "CH"}],
        "entitlements": _list(random, lambda: random.choice(("pro", "Parking", "eco"))),
        "roles": [{"value": random.choice(("standard", "Administrator")), "primary": True}],
        "x509Certificates": [{"value": random.choice(("QUJD", "YWJj"))}],
        ENTERPRISE: {
            "employeeNumber": str(number),
            "department": text(),
            "costCenter": text(),
            "manager": {"value": random.choice(ids), "displayName": text()},
        },
    }
    document = {name: value for name, value in document.items() if name == "userName" or random.random() < 0.6}
    for name in ("emails", "ims"):
        if random.random() < 0.1:
            document[name] = []
    if "displayName" not in document:
        document["userName"] = fold_name(document["userName"])  # what members.display shows then is compared unmapped
    if isinstance(document.get("name"), dict) and random.random() < 0.5:
        document["name"].pop("givenName")
    if isinstance(document.get(ENTERPRISE), dict) and random.random() < 0.4:
        document[ENTERPRISE].pop("manager")
    extension = {"twoFactorEnabled": random.random() < 0.5, "smsCountryCode": random.choice(("+41", "+49"))}
    document[ACCOUNT_USER] = {name: value for name, value in extension.items() if random.random() < 0.6} | {
        "kind": random.choice(("person", "person", "sharedMailbox")),
        "role": random.choice(("standard", "administrator")),
        **({"timeZone": document["timezone"]} if "timezone" in document else {}),
    }
    return document


def _list(random: Random, value: Any) -> list[dict[str, Any]]:
    elements: list[dict[str, Any]] = []
    for position in range(random.choice((0, 1, 2, 3))):
        element = {"value": value(), "type": random.choice(TYPES), "primary": position == 1, "display": value()}
        elements.append({name: one for name, one in element.items() if random.random() < 0.8} or {"value": "x"})
    return elements


def _state(random: Random, number: int) -> dict[str, Any]:
    return {
        **{name: random.choice(words) for name, words in WORDS.items()},
        "licence_activated": random.random() < 0.5,
        "sms_returns": random.random() < 0.5,
        "microsoft_returns": random.random() < 0.5,
        "licence_reset_required": random.random() < 0.3,
        "activations_used": random.randrange(12),
        "activations_allowed": random.choice((None, 5, 10)),
        "licence_assigned_at": random.choice((None, number * DAY + random.randrange(3))),
        "licence_expires_at": random.choice((None, 2 * number * DAY)),
        "deactivated_at": random.choice((None, DAY)),
        **_times(random, number),
    }


def _times(random: Random, number: int) -> dict[str, int]:
    created = (18_000 + number // 3) * DAY + random.choice((0, 1, 123_456, 1_000_000))
    return {"created": created, "modified": created + random.choice((0, DAY)), "version": random.choice((1, 2, 10, 11))}


def _group(random: Random, number: int) -> dict[str, Any]:
    extension = {
        "kind": random.choice(("directory", "roleGroup")),
        "licenseType": random.choice((None, "eco", "pro")),
        "permissions": random.choice((None, ["billing"], ["billing", "Logs"], ["logs", "purchasing"])),
        "sharedMailbox": random.choice((None, "user-00001")),
    }
    return {
        "displayName": f"{random.choice(TEXTS)}#{number}",
        **({"externalId": f"G{number % 7}"} if random.random() < 0.5 else {}),
        ACCOUNT_GROUP: {name: value for name, value in extension.items() if value is not None},
    }


def completed_user(document: Mapping[str, Any], logs: list[int | None]) -> dict[str, Any]:
    """Return a user as sent with what is returned on request only, and without empty arrays.

    S29: the library tells ``[]`` from a missing attribute in comparisons with null; RFC 7643 section 2.5 does not.
    """
    active = [moment for moment in logs if moment is not None]
    extension = {**document[ACCOUNT_USER], "logEntryCount": len(logs)}
    if active:
        extension["lastActivityAt"] = instant(max(active))
    return {name: value for name, value in document.items() if value != []} | {ACCOUNT_USER: extension}


def completed_group(
    document: Mapping[str, Any], member_ids: list[str], users: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a group as sent with its members."""
    members = [
        {
            "value": one,
            "$ref": f"{BASE}/Users/{one}",
            "type": "User",
            "display": users[one].get("displayName", users[one]["userName"]),
        }
        for one in member_ids
    ]
    return {**document, **({"members": members} if members else {})}
