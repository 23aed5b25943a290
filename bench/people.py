"""Users of realistic size, as an IdP sends them."""

from typing import Any

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
DOMAIN = "example.com"

_GIVEN = ("Ava", "Noah", "Zoë", "Liam", "Ingrid", "Mateo", "Priya", "Jürgen", "Chloé", "Kenji")
_FAMILY = ("Jensen", "Okafor", "García", "Lindqvist", "Novak", "O'Brien", "Tanaka", "Moreau", "Schmidt")
_DEPARTMENTS = ("Sales", "Engineering", "Legal", "Customer Support", "Finance")


def user_name(number: int) -> str:
    """Return the userName of the user of a number."""
    return f"person.{number:06d}@{DOMAIN}"


def person(number: int) -> dict[str, Any]:
    """Return the body that creates the user of a number."""
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number % len(_FAMILY)]
    return {
        "schemas": [USER, ENTERPRISE],
        "userName": user_name(number),
        "externalId": f"00u{number:017d}",
        "name": {"formatted": f"{given} {family}", "givenName": given, "familyName": family},
        "displayName": f"{given} {family}",
        "title": "Account Manager",
        "preferredLanguage": "en-US",
        "active": True,
        "emails": [
            {"value": user_name(number), "type": "work", "primary": True},
            {"value": f"private.{number}@home.example.net", "type": "home"},
        ],
        "phoneNumbers": [{"value": f"+1555{number:07d}", "type": "mobile", "primary": True}],
        ENTERPRISE: {
            "employeeNumber": f"{100_000 + number}",
            "costCenter": f"{4000 + number % 50}",
            "organization": "Example Holdings",
            "division": "EMEA",
            "department": _DEPARTMENTS[number % len(_DEPARTMENTS)],
        },
    }
