"""Users of realistic size, as an IdP sends them."""

from typing import Any

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
DOMAIN = "example.com"

_GIVEN = ("Ava", "Noah", "Zoë", "Liam", "Ingrid", "Mateo", "Priya", "Jürgen", "Chloé", "Kenji")
_FAMILY = ("Jensen", "Okafor", "García", "Lindqvist", "Novak", "O'Brien", "Tanaka", "Moreau", "Schmidt")
_DEPARTMENTS = ("Sales", "Engineering", "Legal", "Customer Support", "Finance")


KINDS = 450
"""Users whose numbers differ by this are alike but for the number (the least common multiple of what varies)."""


def digits(number: int) -> str:
    """Return a number as everything that tells users apart has it, so that one user can be made out of another."""
    return f"{number:07d}"


def user_name(number: int) -> str:
    """Return the userName of the user of a number."""
    return f"person.{digits(number)}@{DOMAIN}"


def external_id(number: int) -> str:
    """Return the externalId of the user of a number."""
    return f"00u{digits(number)}aBcDeFgHiJ"


def person(number: int) -> dict[str, Any]:
    """Return the body that creates the user of a number."""
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number % len(_FAMILY)]
    return {
        "schemas": [USER, ENTERPRISE],
        "userName": user_name(number),
        "externalId": external_id(number),
        "name": {"formatted": f"{given} {family}", "givenName": given, "familyName": family},
        "displayName": f"{given} {family}",
        "title": "Account Manager",
        "preferredLanguage": "en-US",
        "active": True,
        "emails": [
            {"value": user_name(number), "type": "work", "primary": True},
            {"value": f"private.{digits(number)}@home.example.net", "type": "home"},
        ],
        "phoneNumbers": [{"value": f"+1555{digits(number)}", "type": "mobile", "primary": True}],
        ENTERPRISE: {
            "employeeNumber": digits(number),
            "costCenter": f"{4000 + number % 50}",
            "organization": "Example Holdings",
            "division": "EMEA",
            "department": _DEPARTMENTS[number % len(_DEPARTMENTS)],
        },
    }
