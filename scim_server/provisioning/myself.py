"""What users may change of themselves: their profile, not what the account's administrators decide (R1)."""

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

from scim2_models import ForbiddenException

from scim_server.account.model import Member
from scim_server.protocol.catalogue import ACCOUNT_USER

_OF_THE_ACCOUNT = (
    ("userName", attrgetter("user_name")),
    ("emails of type work", attrgetter("work_addresses")),
    ("active", attrgetter("active")),
    ("role", attrgetter("role")),
    ("licenseType", attrgetter("licence_type")),
    ("licenseActivated", attrgetter("licence_activated")),
    ("smsReturnsEnabled", attrgetter("sms_returns")),
    ("microsoftReturnsEnabled", attrgetter("microsoft_returns")),
)
_OF_THE_DOCUMENT = ("externalId", "roles", "entitlements")

Document = Mapping[str, Any]


def check(before: Member | None, after: Member, stored: Document | None, document: Document) -> None:
    """Refuse a change of oneself that only an administrator's token may ask for: 403."""
    changed = sorted({*_changed(before, after, stored or {}, document)})
    if changed:
        raise ForbiddenException(
            detail=f"{', '.join(changed)}: a token that stands for a user may not change what the account decides; "
            "an administrator may (R1)"
        )


def _changed(before: Member | None, after: Member, stored: Document, document: Document) -> Iterator[str]:
    yield from (name for name, value in _OF_THE_ACCOUNT if before is None or value(before) != value(after))
    yield from (name for name in _OF_THE_DOCUMENT if (stored.get(name) or None) != (document.get(name) or None))
    if document[ACCOUNT_USER].get("licenseTransferTo"):
        yield "licenseTransferTo"
