"""What the passing of time does to the seats of users who are away (R24)."""

from scim_server.account import rules
from scim_server.account.model import Facts
from scim_server.account.policies import Policies
from scim_server.members import member_of
from scim_server.protocol.catalogue import Endpoint
from scim_server.provisioning.caller import Caller
from scim_server.provisioning.changes import member_changes, user_entries
from scim_server.store import accounts, journal, resources, texts
from scim_server.store.journal import Actor


def lock_account(caller: Caller, endpoint: Endpoint, now: int) -> None:
    """Lock the account for a change of its seats, those that are overdue returned to their pools first.

    A seat is released when somebody may need it, so that nothing depends on a job that has run in time.
    """
    accounts.lock(caller.account_id)
    actor = Actor("system", None, caller.actor.request_id)
    release_overdue(caller.account_id, endpoint, caller.policies, actor, now)


def release_overdue(account_id: str, endpoint: Endpoint, policies: Policies, actor: Actor, now: int) -> None:
    """Release the seats of the users whose days of grace are over; the account must be locked (R24)."""
    if policies.deactivation_licence_policy != "releaseAfterGrace":
        return
    since = now - policies.deactivation_grace_days * rules.MICROSECONDS_PER_DAY
    for row in resources.suspended_since(account_id, endpoint, since):
        before = member_of(row.id, texts.document_of(endpoint, row), row)
        facts = Facts(now=now, policies=policies, pools=accounts.pools(account_id))
        plan = rules.release_after_grace(before, facts)
        if plan.after is None or not plan.effects:
            continue
        columns = accounts.state_columns(facts.pools, before, plan.after, now)
        resources.update(account_id, endpoint, row, None, {**columns, "modified": now})
        purged, granted = accounts.carry_out(account_id, row.id, plan, now)
        changes = member_changes(before, plan.after)
        journal.write(account_id, actor, user_entries(row.id, row.user_name, plan, changes, granted, purged), now)
