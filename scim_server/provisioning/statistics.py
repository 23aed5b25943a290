"""The use cases that read what users have sent in a period (R30)."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from scim2_models import InvalidFilterException, TooManyException
from scim2_models.path import Comparison, FilterNode, LogicalExpr, LogicalOperator

from scim_server.protocol.catalogue import USER_STATISTICS, Endpoint
from scim_server.protocol.documents import Stored, computed, instant
from scim_server.protocol.searches import Search
from scim_server.provisioning.caller import Caller, Service
from scim_server.provisioning.sifting import ordered
from scim_server.store import statistics
from scim_server.store.filters import parse_filter
from scim_server.store.identifiers import now
from scim_server.store.mapping import micros
from scim_server.store.pages import Found
from scim_server.store.places import key_of
from scim_server.store.statistics import Selection, Totals

MOST = 20
"""How many users one request is told the statistics of."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHAPE = (
    'a filter of statistics has periodStart ge "...", periodEnd le "..." and users, joined by and; users are '
    'id eq "..." or userName eq "...", several joined by or in parentheses'
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose statistics are wanted, of which period."""

    start: int
    end: int
    users: Selection = Selection()


def fetch(caller: Caller, identifier: str) -> Stored | None:
    """Return the statistics of one user over the last month, or None."""
    wanted = replace(_period({}), users=Selection(ids=(identifier,)))
    return next(iter(_told(caller, wanted, 0, 1)), None)


def search(service: Service, caller: Caller, endpoint: Endpoint, asked: Search) -> Found:
    """Return one page of the statistics of users; raises tooMany where it would be of more than twenty users.

    They are sorted only where they are of twenty users in all: otherwise everybody's log would be added up.
    """
    wanted = _read(service, endpoint, asked.filter) if asked.filter is not None else _period({})
    offset, limit = asked.start_index - 1, asked.count or 0
    if asked.sort_by is not None:
        all_of_them = _told(caller, wanted, 0, MOST + 1)
        found = ordered(endpoint, all_of_them, asked.sort_by, asked.descending, service.base_url)
        return Found(tuple(found[offset : offset + limit]), len(found))
    page = _told(caller, wanted, offset, limit) if limit else []
    if len(page) < limit and (page or offset == 0):
        return Found(tuple(page), offset + len(page))
    return Found(tuple(page), statistics.count(caller.account_id, wanted.users))


def _told(caller: Caller, wanted: Wanted, offset: int, limit: int) -> list[Stored]:
    users = statistics.users(caller.account_id, wanted.users, offset, min(limit, MOST + 1))
    if len(users) > MOST:
        raise TooManyException(
            detail=f"statistics are told of at most {MOST} users in one request; page with count={MOST} and without "
            'sortBy, or name the users: id eq "..." or userName eq "..."'
        )
    totals = statistics.totals(caller.account_id, [one.id for one in users], wanted.start, wanted.end)
    return [_statistics(one.id, one.user_name, totals[one.id], wanted) for one in users]


def _statistics(identifier: str, user_name: str, totals: Totals, wanted: Wanted) -> Stored:
    """Return the statistics of one user. Their version tells of the sums alone: the period may end with the clock."""
    document = {
        "schemas": [USER_STATISTICS],
        "id": identifier,
        "userName": user_name,
        "messagesSent": totals.messages,
        "filesSent": totals.files,
        "bytesSent": totals.bytes,
        "filesSigned": totals.signed,
        **_ratio("openRatio", totals.opened, totals.messages),
        **_ratio("signatureRatio", totals.signed, totals.to_sign),
    }
    period = {"periodStart": instant(wanted.start), "periodEnd": instant(wanted.end)}
    return computed(document)._replace(text=orjson.dumps(document | period).decode())


def _ratio(name: str, part: int, whole: int) -> dict[str, float]:
    return {name: round(part / whole, 4)} if whole else {}


def _read(service: Service, endpoint: Endpoint, text: str) -> Wanted:
    """Read a filter, whose terms set the period and name the users; raises invalidFilter for any other shape."""
    bounds: dict[str, int] = {}
    users: Selection | None = None
    for term in _joined(parse_filter(endpoint, text, limits=service.limits.filter).ast, LogicalOperator.and_):
        bound = _bound(term)
        if bound is not None and bound not in bounds and isinstance(term, Comparison):
            bounds[bound] = micros(str(term.value))
        elif bound is None and users is None:
            users = _users(endpoint, term)
        else:
            raise InvalidFilterException(detail=_SHAPE)
    return replace(_period(bounds), users=users or Selection())


def _joined(node: FilterNode, operator: LogicalOperator) -> Iterator[FilterNode]:
    """Yield the terms that an operator joins, those of inner parentheses too."""
    if isinstance(node, LogicalExpr) and node.op is operator:
        for term in node.terms:
            yield from _joined(term, operator)
    else:
        yield node


def _bound(term: FilterNode) -> str | None:
    """Return which bound of the period a term sets."""
    if not isinstance(term, Comparison) or term.value is None:
        return None
    return _BOUNDS.get((_name(term), term.op.value))


_BOUNDS = {
    ("periodstart", "ge"): "start",
    ("periodstart", "eq"): "start",
    ("periodend", "le"): "end",
    ("periodend", "eq"): "end",
}


def _users(endpoint: Endpoint, node: FilterNode) -> Selection:
    named: dict[str, list[Any]] = {"id": [], "username": []}
    for term in _joined(node, LogicalOperator.or_):
        if not isinstance(term, Comparison) or term.op.value != "eq" or term.value is None:
            raise InvalidFilterException(detail=_SHAPE)
        if (name := _name(term)) not in named:
            raise InvalidFilterException(detail=_SHAPE)
        named[name].append(key_of(endpoint.attributes[name], term.value))
    return Selection(named["id"], named["username"])


def _name(term: Comparison) -> str:
    return str(term.attr_path).rpartition(":")[2].lower()


def _period(bounds: dict[str, int]) -> Wanted:
    """Return the period with what is not said: it ends now, and begins a month before its end."""
    end = bounds["end"] if "end" in bounds else now()
    if end < 0 or bounds.get("start", 0) < 0:
        raise InvalidFilterException(detail="a period lies after 1970-01-01T00:00:00Z; nothing was sent before")
    start = bounds["start"] if "start" in bounds else _month_before(end)
    if start > end:
        raise InvalidFilterException(detail=f"periodStart {instant(start)} is after periodEnd {instant(end)}")
    return Wanted(start, end)


def _month_before(moment: int) -> int:
    """Return the same time of the day one month earlier, on the last day of a month that is too short."""
    when = _EPOCH + timedelta(microseconds=moment)
    year, month = divmod(when.year * 12 + when.month - 2, 12)
    earlier = when.replace(year=year, month=month + 1, day=min(when.day, monthrange(year, month + 1)[1]))
    return max(0, (earlier - _EPOCH) // timedelta(microseconds=1))
