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


def shown_licence(licence_type: str) -> Entitlement:
    """Return the entitlement that shows a licence which was not sent as one."""
    return {"value": licence_type, "type": "license", "display": licence_type}


def to_store(entitlements: Sequence[Entitlement], licence_type: str | None) -> list[Entitlement]:
    """Return the entitlements without the licence as the server shows it by itself, which a client may echo (P5)."""
    ours = shown_licence(licence_type) if licence_type else None
    return [one for one in with_licence(entitlements, licence_type) if one != ours]


def relabelled(entitlements: Sequence[Entitlement], held: str | None) -> list[Entitlement]:
    """Return the entitlements, a licence of another type than the held one without the display of that one."""
    return [_without_display(one) if _is_labelled(one, held) else one for one in entitlements]


def _is_labelled(one: Entitlement, held: str | None) -> bool:
    return is_licence(one) and one.get("display") == held and fold(one["value"]) != fold(held or "")


def _without_display(one: Entitlement) -> Entitlement:
    return {name: value for name, value in one.items() if name != "display"}
