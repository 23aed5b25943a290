"""What the passing of time does to the seats of users who are away (R24)."""

from scim_server.account import rules
from scim_server.account.model import Facts
from scim_server.account.policies import Policies, policies_from
from scim_server.provisioning.caller import Caller, in_transaction
from scim_server.provisioning.changes import entries_of
from scim_server.provisioning.seats import Decided, carry_out
from scim_server.store import accounts, journal, licences
from scim_server.store.database import Database
from scim_server.store.journal import Actor

SWEEP = Actor("system", "sweep")
AT_ONCE = 200
"""How many overdue seats one transaction releases, so that no request pays for all that are due."""


def lock_account(caller: Caller, now: int) -> None:
    """Lock the account for a change of its seats, those that are overdue returned to their pools first.

    A seat is released when somebody may need it, so that nothing depends on a job that has run in time.
    """
    accounts.lock(caller.account_id)
    release_overdue(caller.account_id, caller.policies, Actor("system", None, caller.actor.request_id), now)


def release_overdue(account_id: str, policies: Policies, actor: Actor, now: int) -> int:
    """Release at most 200 seats whose days of grace are over, the account being locked; returns how many (R24)."""
    if policies.deactivation_licence_policy != "releaseAfterGrace":
        return 0
    facts = Facts(now=now, policies=policies)
    due = licences.overdue(account_id, now - policies.grace, AT_ONCE)
    released = [Decided(one, rules.release_after_grace(one, facts)) for one in due]
    if released:
        told = carry_out(account_id, policies, released, now)
        journal.write(account_id, actor, entries_of(told), now)
    return len(released)


def sweep(database: Database, account_id: str) -> int:
    """Release every seat of an account whose days of grace are over; returns how many (R24).

    Several may do so at once: each set is found and released under the account's lock, in a transaction of its own.
    """

    def work(_: bool, now: int) -> int:
        policies = policies_from(accounts.settings_of(accounts.lock(account_id)))
        return release_overdue(account_id, policies, SWEEP, now)

    released = 0
    while some := in_transaction(database, account_id, work):
        released += some
    return released
