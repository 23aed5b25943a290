"""What groups have by their kind: a role group its permissions (R31), the users of a mailbox that mailbox (R26)."""

from collections.abc import Mapping, Sequence
from typing import Any

from scim2_models import InvalidValueException

from scim_server.account.model import SHARED_MAILBOX
from scim_server.protocol.catalogue import ACCOUNT_GROUP, Endpoint
from scim_server.protocol.messages import with_schemas
from scim_server.store import resources, texts

ROLE_GROUP = "roleGroup"


class NoRoleGroup(Exception):
    """The account has no role group of this name."""


def permit(
    account_id: str, endpoint: Endpoint, display_name: str, permissions: Sequence[str], now: int
) -> tuple[str, list[str]]:
    """Give a role group these permissions and no others; returns its id, and those that it had.

    Raises NoRoleGroup when no group has the name, or one of another kind.
    """
    row = resources.find_group(account_id, endpoint, display_name)
    if row is None or row.kind != ROLE_GROUP:
        raise NoRoleGroup(display_name)
    document = texts.written(row)
    extension = document[ACCOUNT_GROUP]
    before = list(extension.get("permissions", ()))
    if before != list(permissions):
        block = {**extension, "permissions": list(permissions) or None}
        after = with_schemas(endpoint, {**document, ACCOUNT_GROUP: block})
        resources.update(account_id, endpoint, row, after, {"modified": now})
    return row.id, before


def check_mailbox(account_id: str, users: Endpoint, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Refuse a group whose ``sharedMailbox`` is changed to the id of none (R26)."""
    wanted: str | None = after[ACCOUNT_GROUP].get("sharedMailbox")
    if wanted is None or wanted == (before.get(ACCOUNT_GROUP) or {}).get("sharedMailbox"):
        return
    row = resources.fetch_row(account_id, users, wanted, resources.Lock.NONE)
    if row is None or row.kind != SHARED_MAILBOX:
        raise InvalidValueException(
            detail=f"sharedMailbox: '{wanted[:100]}' is not the id of a shared mailbox of this account. "
            "Create the user with kind sharedMailbox first, and send its id."
        )
