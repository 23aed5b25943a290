"""The licence that a user has through groups: the best type that they give, or the place in the queue for it (R27)."""

from collections.abc import Iterable, Mapping

from scim_server.account.case import Case, is_none, same_type
from scim_server.account.effects import LicenceConflict, LicenceConflictCleared, LicencePending, LicenceReleased
from scim_server.account.licences import (
    DIRECT,
    GROUP,
    await_seat,
    change,
    forget,
    give,
    group_types,
    has_free_seat,
    no_seat,
    suits,
    wanted_type,
    withdraw,
)
from scim_server.account.model import PERSON, Pool
from scim_server.account.refusals import Refused


def type_to_give(sent: str | None, pools: Mapping[str, Pool]) -> str | None:
    """Return the type that a group is to give, in the account's own spelling; None for none (E4, E24)."""
    if is_none(sent):
        return None
    known = next((pool for key, pool in pools.items() if same_type(key, sent)), None)
    if known is None:
        raise Refused("R27", "E4", value=sent, known=", ".join(pools))
    if not suits(known, PERSON):
        raise Refused("R27", "E24", attribute="licenseType", value=known.type, kind=PERSON)
    return known.type


def ranked_types(types: Iterable[str], pools: Mapping[str, Pool], stays: str | None) -> list[str]:
    """Return the types that groups give and that count, the best first: the highest tier (R27).

    Types without a tier cannot be compared. ``stays``, if it is among them, else the first assigned, decides: a type
    with a tier leaves all that have one, another one stands alone.
    """
    known = list(dict.fromkeys(types))
    if not known:
        return []
    first = stays if stays in known else known[0]
    tiers = {type: tier for type in known if (tier := pools[type].tier) is not None}
    return sorted(tiers, key=lambda type: -tiers[type]) if first in tiers else [first]


def groups_give_the_licence(case: Case) -> None:
    """Who has no direct licence any more, or is back, has what the groups give, the logs kept (R9, R25, R27)."""
    if case.before is None or case.facts.group_types is None:
        return
    gives_up = case.was.licence_source == DIRECT and case.asks_licence and wanted_type(case) is None
    if gives_up or case.transfers or (case.reactivates and case.after.licence_source != DIRECT):
        follow(case, may_refuse=False)


def follow(case: Case, *, may_refuse: bool) -> None:
    """Have the user hold the best type that the groups give and that is to be had, and wait for a better one (R27).

    ``may_refuse`` where the account may prefer a refusal to a wait: a membership or a type is being added.
    """
    after, given = case.after, group_types(case)
    ranked = ranked_types(given, case.facts.pools, after.licence_type or after.licence_pending_type)
    if not ranked:
        _lose(case)
    elif after.active:
        _hold_the_best(case, ranked, may_refuse)
    else:
        _rest(case, ranked)
    _tell_conflict(case, sorted(set(given) - set(ranked)))


def _lose(case: Case) -> None:
    """The groups give nothing any more: the seat goes back, the logs are kept whatever the policy (R27, P1)."""
    if case.after.licence_source == GROUP:
        _let_go(case)
        forget(case)


def _let_go(case: Case) -> None:
    """The seat is free again, if there is one: withdrawn where it was the user's own, else released."""
    after = case.after
    if not after.holds_seat or after.licence_type is None:
        return
    if after.licence_source == DIRECT:
        withdraw(case)
    else:
        case.licence_is(LicenceReleased(after.licence_type, "group"))


def _hold_the_best(case: Case, ranked: list[str], may_refuse: bool) -> None:
    """An active user takes the best type to be had, and waits for the best of all."""
    best, held = ranked[0], case.after.licence_type
    taken = next((type for type in ranked if type == held or has_free_seat(case, type)), None)
    rejects = may_refuse and case.policies.licence_shortage_group == "reject"
    if taken != best and rejects and case.after.licence_pending_type != best:
        raise no_seat(case, best)
    if taken is None:
        _let_go(case)
        await_seat(case, best, GROUP, "pending", "noSeatAvailable")
        return
    waits_already = case.after.licence_pending_type == best
    _take(case, taken, best)
    if taken == best or not waits_already:
        forget(case)
    if taken != best:
        told = () if waits_already else (LicencePending(best),)
        case.happens(*told, licence_pending_type=best, licence_reason="noSeatAvailable")


def _take(case: Case, type: str, best: str) -> None:
    """The user holds a seat of this type through a group; what is held and stays is no event (P5)."""
    after = case.after
    if not after.holds_seat:
        give(case, type, GROUP, best)
    elif (after.licence_type, after.licence_source) != (type, GROUP):
        change(case, type, GROUP)


def _rest(case: Case, ranked: list[str]) -> None:
    """A user who is away keeps the seat that a group still gives, takes none, and is remembered for the best (R27)."""
    held = case.after.licence_type
    kept = held if held in ranked else next((type for type in ranked if has_free_seat(case, type)), None)
    if case.after.holds_seat and kept:
        _take(case, kept, ranked[0])
        if kept == ranked[0] or case.after.licence_pending_type not in ranked:
            forget(case)
        return
    _let_go(case)
    await_seat(case, ranked[0], GROUP, "none", "userInactive")


def _tell_conflict(case: Case, others: list[str]) -> None:
    """Types that cannot be combined are told once, and shown while the conflict lasts (R27)."""
    after = case.after
    if after.licence_reason == "typeConflict" and after.licence_type and not others:
        case.happens(LicenceConflictCleared(after.licence_type), licence_reason=None)
    elif others and after.licence_reason is None and after.licence_type:
        case.happens(LicenceConflict(after.licence_type, tuple(others)), licence_reason="typeConflict")
