"""The licence among a user's entitlements: the alias of ``licenseType`` that Okta sends (rules.md 4.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from scim_server.protocol.folding import fold

Entitlement = Mapping[str, Any]


def is_licence(entitlement: Entitlement) -> bool:
    """Whether an entitlement names a licence type: ``entitlements[type eq "license"]``."""
    return bool(entitlement.get("value")) and fold(entitlement.get("type") or "") == "license"


def with_licence(entitlements: Sequence[Entitlement], licence_type: str | None) -> list[Entitlement]:
    """Return the entitlements with those licences alone that name ``licence_type``, as they were sent."""
    held = fold(licence_type or "")
    return [one for one in entitlements if not is_licence(one) or fold(one["value"]) == held]


def without_licence(entitlements: Sequence[Entitlement]) -> list[Entitlement]:
    """Return the entitlements that are not licences."""
    return [one for one in entitlements if not is_licence(one)]
