"""What was decided, carried out: seats moved, logs destroyed, rows written, those who wait served (R5-R11, R27).

The account must be locked when a seat moves (P6).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scim_server.account import rules
from scim_server.account.effects import Effect, LicenceReceived, LogsPurged
from scim_server.account.model import Facts, Member, Plan, Pool
from scim_server.account.policies import Policies
from scim_server.provisioning.notifying import record_notices
from scim_server.store import accounts, group_licences, licences, user_logs
from scim_server.store.database import chunks


@dataclass(frozen=True, slots=True)
class Decided:
    """What the rules decided about one user: as the user was, and the plan."""

    before: Member | None
    plan: Plan
    logs_purged: int | None = None

    @property
    def member(self) -> Member:
        """The user as it is now, or as it was before it was deleted."""
        found = self.plan.after or self.before
        assert found is not None
        return found

    @property
    def is_change(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.plan.effects) or self.plan.after != self.before


def carry_out_own(account_id: str, policies: Policies, own: Decided, target: Member | None, now: int) -> list[Decided]:
    """Carry out the decision on a user whose row the caller writes; ``target`` is who receives a transfer, as it was.

    Returns it with the number of log entries destroyed, then what came of it for others.
    """
    if own.logs_purged is None and any(isinstance(effect, LogsPurged) for effect in own.plan.effects):
        own = replace(own, logs_purged=user_logs.purge(account_id, own.member.id))
    others = []
    if target is not None and (received := own.plan.transfer_target) is not None:
        told = LicenceReceived(received.licence_type or "", source_id=own.member.id)
        others.append(Decided(target, Plan(received, (told,))))
        _write(account_id, others, now)
    return [own, *others, *_moved(account_id, policies, [own, *others], now)]


def carry_out(account_id: str, policies: Policies, decided: Iterable[Decided], now: int) -> list[Decided]:
    """Carry out decisions on any number of users, their rows included; returns those that changed something.

    What came of it for others follows.
    """
    changed = [one for one in decided if one.is_change]
    _write(account_id, changed, now)
    return [*changed, *_moved(account_id, policies, changed, now)]


def _moved(account_id: str, policies: Policies, decided: Sequence[Decided], now: int) -> list[Decided]:
    """Move the seats and the groups' counts, note who is to be told; returns what that did for those who waited."""
    freed = licences.move_seats(account_id, _effects(decided))
    group_licences.recount(account_id, _changes(decided))
    record_notices(account_id, policies, (one.plan for one in decided), now)
    return serve(account_id, policies, freed, now) if freed else []


def serve(account_id: str, policies: Policies, freed: Iterable[str], now: int) -> list[Decided]:
    """Give the free seats of these types to who has waited longest (R6).

    A seat that lifts a user to a better type frees the lesser one, which is given on in turn.
    """
    served: list[Decided] = []
    for licence_type in sorted(freed):
        pools = accounts.pools(account_id)
        pool = pools[licence_type]
        waiting = licences.waiting(account_id, pool, pools, pool.available) if pool.available > 0 else []
        if waiting:
            facts = Facts(now=now, policies=policies, pools=pools)
            served += carry_out(account_id, policies, _granted(account_id, waiting, licence_type, facts), now)
    return served


def _granted(account_id: str, waiting: Sequence[Member], licence_type: str, facts: Facts) -> Iterator[Decided]:
    """Decide who gets a free seat: who waits for the type, or who has it through a group until a better one is free."""
    given = group_licences.types_given(account_id, [one.id for one in waiting])
    for member in waiting:
        types = tuple(type for type, _ in given.get(member.id, ()))
        facts = replace(facts, group_types=types)
        if member.licence_pending_type == licence_type:
            plan = rules.grant(member, facts)
        else:
            plan = rules.follow_groups(member, facts, may_refuse=False)
        facts = replace(facts, pools=_taken(facts.pools, plan))
        yield Decided(member, plan)


def follow(
    account_id: str, policies: Policies, user_ids: Sequence[str], now: int, *, may_refuse: bool
) -> list[Decided]:
    """Decide what the groups give users now, in the order given; who has a direct licence is left out (R27).

    Raises Refused E5 where a membership or a type is added (``may_refuse``) and the account refuses shortages.
    """
    decided: list[Decided] = []
    pools: Mapping[str, Pool] = accounts.pools(account_id)
    for chunk in chunks(user_ids):
        members = licences.without_direct(account_id, chunk)
        given = group_licences.types_given(account_id, list(members))
        for member in (members[one] for one in chunk if one in members):
            types = tuple(type for type, _ in given.get(member.id, ()))
            facts = Facts(now=now, policies=policies, pools=pools, group_types=types)
            plan = rules.follow_groups(member, facts, may_refuse=may_refuse)
            pools = _taken(pools, plan)
            decided.append(Decided(member, plan))
    return decided


def present(account_id: str, user_ids: Sequence[str]) -> list[Member]:
    """Return those of the users who have no direct licence, as they are now (R27)."""
    return [one for chunk in chunks(user_ids) for one in licences.without_direct(account_id, chunk).values()]


def _taken(pools: Mapping[str, Pool], plan: Plan) -> Mapping[str, Pool]:
    """Return the pools without the seats that a plan takes; those that it frees are for who waits longest (R6)."""
    seats = [seat for effect in plan.effects for seat in effect.seats if seat[1] > 0]
    if not seats:
        return pools
    after = dict(pools)
    for licence_type, change in seats:
        pool = after[licence_type]
        after[licence_type] = replace(pool, assigned=pool.assigned + change)
    return after


def _write(account_id: str, decided: Iterable[Decided], now: int) -> None:
    if changes := _changes(decided):
        licences.write(account_id, changes, now)


def _changes(decided: Iterable[Decided]) -> list[tuple[Member, Member]]:
    return [(one.before, one.plan.after) for one in decided if one.before and one.plan.after]


def _effects(decided: Iterable[Decided]) -> Iterator[Effect]:
    return (effect for one in decided for effect in one.plan.effects)
