"""Small builders: an account called acme.example, its users, and requests about them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from scim_server.account.effects import Effect
from scim_server.account.model import SHARED_MAILBOX, Facts, Member, Plan, Pool
from scim_server.account.policies import Policies
from scim_server.account.refusals import Refused
from scim_server.account.rules import decide

NOW = 1_750_000_000_000_000
EARLIER = NOW - 86_400_000_000

TYPES = {
    "eco": {"tier": 1},
    "advanced": {"tier": 2},
    "pro": {"tier": 3, "protected_returns": True},
    "apiPro": {"family": "api"},
    "sesar": {"family": "service"},
    "sharedMailbox": {"family": "shared", "activations": 2},
}

ATTRIBUTES = {
    "user_name": "userName",
    "kind": "kind",
    "active": "active",
    "role": "role",
    "work_addresses": "emails",
    "mobile": "phoneNumbers",
    "sms_country_code": "smsCountryCode",
    "time_zone": "timezone",
    "two_factor": "twoFactorEnabled",
    "sms_returns": "smsReturnsEnabled",
    "microsoft_returns": "microsoftReturnsEnabled",
    "licence_type": "licenseType",
    "licence_activated": "licenseActivated",
}

REACHABLE = {"mobile": "+1 514 555 0100", "sms_country_code": "+1"}


def pools(**free: int) -> dict[str, Pool]:
    """Ten licences of each type, five of them free unless said otherwise."""
    return {type: Pool(type, 10, 10 - free.get(type, 5), **facts) for type, facts in TYPES.items()}


def an_account(free: dict[str, int] | None = None, policies: dict[str, Any] | None = None, **facts: Any) -> Facts:
    """An account with two active administrators."""
    known = {
        "pools": pools(**(free or {})),
        "approved_domains": frozenset({"acme.example"}),
        "active_administrators": 2,
    }
    return Facts(NOW, Policies(**(policies or {})), **known | facts)


def a_user(**fields: Any) -> Member:
    """An active standard user without a licence."""
    return replace(Member("u1", "anna@acme.example"), **fields)


def a_licensed_user(type: str = "eco", **fields: Any) -> Member:
    """An active user with an activated direct licence."""
    licence = {
        "licence_type": type,
        "licence_status": "activated",
        "licence_activated": True,
        "licence_source": "direct",
        "licence_assigned_at": EARLIER,
        "licence_activated_at": EARLIER,
    }
    return a_user(**licence | fields)


def a_suspended_user(type: str = "eco", **fields: Any) -> Member:
    """An inactive user who keeps the seat."""
    return a_licensed_user(type, **{"active": False, "licence_status": "suspended", "deactivated_at": EARLIER} | fields)


def a_released_user(type: str = "eco", **fields: Any) -> Member:
    """An inactive user whose seat went back to the pool."""
    waiting = {"licence_pending_type": type, "licence_reason": "userInactive", "licence_source": "direct"}
    return a_user(**{"active": False, "deactivated_at": EARLIER} | waiting | fields)


def a_waiting_user(type: str = "eco", **fields: Any) -> Member:
    """An active user for whom no seat was left."""
    waiting = {"licence_status": "pending", "licence_pending_type": type, "licence_reason": "noSeatAvailable"}
    return a_user(**waiting | {"licence_source": "direct"} | fields)


def a_mailbox(**fields: Any) -> Member:
    """A shared mailbox without a licence."""
    return a_user(**{"id": "m1", "user_name": "sales@acme.example", "kind": SHARED_MAILBOX} | fields)


def create(account: Facts | None = None, **fields: Any) -> Plan:
    """Decide the creation of a user of whom these fields are said."""
    account = account or an_account()
    said = account.asserted | {ATTRIBUTES[name] for name in fields if name in ATTRIBUTES}
    return decide(None, a_user(**fields), replace(account, asserted=said))


def change(user: Member, account: Facts | None = None, **fields: Any) -> Plan:
    """Decide a change of the user that asserts these fields."""
    account = account or an_account()
    said = account.asserted | {ATTRIBUTES[name] for name in fields}
    return decide(user, replace(user, **fields), replace(account, asserted=said))


def echo(user: Member, account: Facts | None = None, **fields: Any) -> Plan:
    """Decide a replacement that sends everything back as it was read, except these fields."""
    account = account or an_account()
    differing = {ATTRIBUTES[name] for name, value in fields.items() if getattr(user, name) != value}
    return decide(user, replace(user, **fields), replace(account, asserted=frozenset(differing)))


def transfer(user: Member, target: Member | str, account: Facts | None = None, **fields: Any) -> Plan:
    """Decide a transfer of the user's licence to the target."""
    account = account or an_account()
    return change(user, replace(account, transfer_to=target, asserted=frozenset({"licenseTransferTo"})), **fields)


def delete(user: Member, account: Facts | None = None) -> Plan:
    """Decide the deletion of the user."""
    return decide(user, None, account or an_account())


def told(plan: Plan) -> list[str]:
    """The journal's names of what happened."""
    return [effect.action for effect in plan.effects]


def seats(effects: tuple[Effect, ...]) -> dict[str, int]:
    """What the effects do to the pools, types without a change left out."""
    sums: dict[str, int] = {}
    for type, number in (seat for effect in effects for seat in effect.seats):
        sums[type] = sums.get(type, 0) + number
    return {type: number for type, number in sums.items() if number}


@contextmanager
def refused(error: str, *words: str) -> Iterator[None]:
    """Expect the refusal, with these words in its detail."""
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.error == error
    for word in words:
        assert word in caught.value.detail
