"""What creates many users: the mixed first cycle of an IdP, and bulk requests."""

import json
from collections.abc import Iterator

from bench.client import Answer
from bench.dataset import MIXED
from bench.groups import joining
from bench.people import person
from bench.side import SAMPLE, Known, Question, Side, expect, is_user, parsed
from bench.users import creating, missing, patching

BULK = 20
_STEPS = ("miss", "create", "join") * 4 + ("patch",)
"""A first cycle looks every user up, creates it, adds it to a group, and changes one now and then."""


def mixed(side: Side, lane: int, turn: int) -> Question:
    """Go on with the lane's first cycle."""
    step = _STEPS[turn % len(_STEPS)]
    if step == "miss":
        side.upcoming[lane] = next(side.numbers)
        return missing(side, side.upcoming[lane])
    if step == "create":
        return creating(side, side.upcoming[lane], side.cycled.setdefault(lane, []))
    known = side.cycled[lane][-1]
    if step == "join":
        return joining(side, f"/Groups/{side.groups[MIXED]}", known, side.joined.setdefault(MIXED, []))
    return patching(side, known, f"Engineer {known.number}")


def joined(side: Side) -> Iterator[Question]:
    """Read the group, which must have everyone who was added."""
    wanted = {known.id for known in side.joined.get(MIXED, [])}

    def check(answer: Answer) -> None:
        found = {one["value"] for one in parsed(answer, 200).get("members", ())}
        expect("the number of members", len(found), len(wanted))
        expect("added users who are no members", wanted - found, set())

    yield Question(side.request("GET", f"/Groups/{side.groups[MIXED]}"), check)


def bulk(side: Side, _lane: int, _turn: int) -> Question:
    """Create some users in one request."""
    numbers = [next(side.numbers) for _ in range(BULK)]
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(number), "data": person(number)} for number in numbers
    ]

    def check(answer: Answer) -> None:
        done = parsed(answer, 200)["Operations"]
        expect("statuses", [str(one["status"]) for one in done], ["201"] * BULK)
        found = {one["bulkId"]: one["location"].rpartition("/")[2] for one in done}
        expect("the number of different ids", len(set(found.values())), BULK)
        side.in_bulk += [Known(found[str(number)], number) for number in numbers]
        side.total += BULK

    schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
    return Question(side.request("POST", "/Bulk", {"schemas": schemas, "Operations": operations}), check)


def created_in_bulk(side: Side) -> Iterator[Question]:
    """Read some of the users created last."""
    for known in side.in_bulk[-SAMPLE:]:

        def check(answer: Answer, known: Known = known) -> None:
            expect("status", answer.status, 200)
            is_user(known, json.loads(answer.body))

        yield Question(side.request("GET", f"/Users/{known.id}"), check)
