"""The policies by which one account shapes its rules (rules.md 4.4), with the words in which they are set."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from scim_server.account.thresholds import spelt
from scim_server.account.time_zones import is_time_zone


@dataclass(frozen=True, slots=True)
class Policies:
    """What one account has chosen where the rules leave it a choice."""

    deactivation_licence_policy: str = "suspend"
    deactivation_grace_days: int = 30
    reactivation_restore_licence: bool = True
    withdrawal_log_policy: str = "retain"
    licence_shortage_direct: str = "reject"
    licence_shortage_group: str = "pend"
    domains_enforcement: str = "strict"
    domains_allow_public_providers: bool = False
    timezone_enforcement: str = "strict"
    deletion_require_deactivated: bool = False
    deletion_audit_identity: str = "masked"
    filters_in_url: str = "allowed"
    passwords_store: str = "off"
    notifications_on_licence_assigned: bool = True
    guard_window: int = 60
    """The minutes within which the guard counts."""
    guard_deactivations: str = "20% min 20 max 500"
    guard_deletions: str = "20% min 20 max 500"
    guard_licence_withdrawals: str = "20% min 20 max 500"
    guard_group_clears: str = "20% min 10 max 100"
    defaults_licence_type: str | None = None
    defaults_timezone: str | None = None
    group_licences: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The licence type that a group is given when it is created, by its displayName (rules.md 4.3)."""

    @property
    def grace(self) -> int:
        """How long an absent user's seat is kept where it is released after the days of grace, in microseconds."""
        return self.deactivation_grace_days * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Reader:
    """How the text of a policy is read: the reading, which raises ValueError, and the words for what it allows."""

    allowed: str
    read: Callable[[str], object]


def _one_of(*words: str) -> Reader:
    """Read one of the words."""

    def read(text: str) -> str:
        return {word.lower(): word for word in words}[text.lower()]

    return Reader(", ".join(words), read)


def _whole_number(low: int, high: int) -> Reader:
    """Read a whole number from low to high."""

    def read(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError
        return number

    return Reader(f"a whole number from {low} to {high}", read)


def _read_licence_type(text: str) -> str | None:
    if not text:
        raise ValueError
    return None if text.lower() == "none" else text


def _read_time_zone(text: str) -> str | None:
    if text.lower() in {"", "none", "unset"}:
        return None
    if not is_time_zone(text):
        raise ValueError
    return text


def _read_group_licences(text: str) -> dict[str, str]:
    read = json.loads(text)
    if not isinstance(read, dict) or not all(isinstance(value, str) and value for value in read.values()):
        raise ValueError
    return read


THRESHOLD = Reader("off, a number such as 50, or a percentage such as 20% or 20% min 20 max 500", spelt)
BOOLEAN = Reader("true, false", lambda text: {"true": True, "false": False}[text.lower()])

POLICIES: Mapping[str, tuple[str, Reader]] = MappingProxyType(
    {
        "deactivation.licensePolicy": (
            "deactivation_licence_policy",
            _one_of("suspend", "release", "releaseAfterGrace"),
        ),
        "deactivation.graceDays": ("deactivation_grace_days", _whole_number(1, 365)),
        "reactivation.restoreLicense": ("reactivation_restore_licence", BOOLEAN),
        "withdrawal.logPolicy": ("withdrawal_log_policy", _one_of("retain", "purge")),
        "licenseShortage.direct": ("licence_shortage_direct", _one_of("reject", "pend")),
        "licenseShortage.group": ("licence_shortage_group", _one_of("pend", "reject")),
        "domains.enforcement": ("domains_enforcement", _one_of("strict", "off")),
        "domains.allowPublicProviders": ("domains_allow_public_providers", BOOLEAN),
        "timezone.enforcement": ("timezone_enforcement", _one_of("strict", "off")),
        "deletion.requireDeactivated": ("deletion_require_deactivated", BOOLEAN),
        "deletion.auditIdentity": ("deletion_audit_identity", _one_of("masked", "full", "idOnly")),
        "filters.inUrl": ("filters_in_url", _one_of("allowed", "refused")),
        "passwords.store": ("passwords_store", _one_of("off", "on")),
        "notifications.onLicenseAssigned": ("notifications_on_licence_assigned", BOOLEAN),
        "guard.window": ("guard_window", _whole_number(1, 1440)),
        "guard.deactivations": ("guard_deactivations", THRESHOLD),
        "guard.deletions": ("guard_deletions", THRESHOLD),
        "guard.licenseWithdrawals": ("guard_licence_withdrawals", THRESHOLD),
        "guard.groupClears": ("guard_group_clears", THRESHOLD),
        "defaults.licenseType": ("defaults_licence_type", Reader("a licence type or none", _read_licence_type)),
        "defaults.timezone": ("defaults_timezone", Reader("an IANA time zone or unset", _read_time_zone)),
        "groupLicenses": (
            "group_licences",
            Reader("a JSON object of group names and licence types", _read_group_licences),
        ),
    }
)
"""Each policy by its key in rules.md 4.4: the field that holds it, and how its text is read."""


def read_policy(key: str, text: str) -> object:
    """Return the JSON value that the text gives the policy, or raise a ValueError that says what is allowed."""
    if key not in POLICIES:
        raise ValueError(f"'{key}' is not a policy. Known policies: {', '.join(POLICIES)}.")
    _, reader = POLICIES[key]
    try:
        return reader.read(text.strip())
    except (KeyError, ValueError):
        raise ValueError(f"{key}: '{text}' is not allowed. Allowed: {reader.allowed}.") from None


def policies_from(settings: Mapping[str, object]) -> Policies:
    """Return the policies that the account's stored settings give, with the defaults elsewhere."""
    stored = {POLICIES[key][0]: value for key, value in settings.items() if key in POLICIES}
    return Policies(**stored)  # type: ignore[arg-type]  # each was read by its policy when it was set
