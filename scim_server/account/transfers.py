"""Moving a licence to another user of the account (R10, R11)."""

from dataclasses import replace

from scim_server.account.case import NO_LICENCE, Case
from scim_server.account.effects import LicenceTransferred, LogsPurged
from scim_server.account.licences import DIRECT, GROUP, suits, wanted_type
from scim_server.account.model import Member
from scim_server.account.refusals import Refused


def asked_transfer_moves_the_licence(case: Case) -> None:
    """A transfer moves the licence to an existing, unlicensed user, needs no seat, destroys the logs (R10, R11)."""
    target = case.facts.transfer_to
    if target is None:
        return
    transfer_stands_alone(case)
    if isinstance(target, str):
        raise Refused("R10", "E6", value=target)
    licence_can_leave(case, target)
    target_can_receive(case, target)
    _move(case, target)


def transfer_stands_alone(case: Case) -> None:
    """A transfer cannot be combined with another change of the same user's licence (R10, E11)."""
    other_type = case.asks_licence and wanted_type(case) != case.was.licence_type
    if other_type or case.asked.licence_activated != case.was.licence_activated:
        raise Refused("R10", "E11")


def licence_can_leave(case: Case, target: Member) -> None:
    """Only a licence that the user has, of its own, can be transferred, to somebody else (R10)."""
    source = case.after
    if target.id == source.id:
        raise Refused("R10", "E9")
    if not source.holds_seat:
        raise Refused("R10", "E8")
    if source.licence_source == GROUP:
        raise Refused("R10", "E12", name=case.facts.licence_group or "")


def target_can_receive(case: Case, target: Member) -> None:
    """Only an active user without a licence, of a kind that the licence suits, can receive a transfer (R10)."""
    if target.holds_seat:
        raise Refused("R10", "E7", type=target.licence_type)
    if not target.active:
        raise Refused("R10", "E10")
    pool = case.facts.pools.get(case.after.licence_type or "")
    if pool and not suits(pool, target.kind):
        raise Refused("R10", "E24", attribute="licenseType", value=pool.type, kind=target.kind)


def _move(case: Case, target: Member) -> None:
    """Move the licence, with the date at which it expires, and destroy the previous user's logs (R11)."""
    source = case.after
    moved = {
        "licence_type": source.licence_type,
        "licence_status": "expired" if source.licence_status == "expired" else "assigned",
        "licence_source": DIRECT,
        "licence_assigned_at": case.facts.now,
        "licence_expires_at": source.licence_expires_at,
    }
    case.transfer_target = replace(target, **NO_LICENCE | moved)
    told = LicenceTransferred(source.licence_type or "", source_id=source.id, target_id=target.id)
    case.licence_is(told, LogsPurged("transfer"))
