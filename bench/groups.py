"""Groups of some size: one member added or removed, read with and without members."""

from collections.abc import Iterator

from bench.client import Answer
from bench.side import PATCH_OP, Ask, Known, Question, Scenario, Side, Wrong, expect, parsed


def _path(side: Side, members: int) -> str:
    return f"/Groups/{side.groups[str(members)]}"


def joining(side: Side, path: str, known: Known, joined: list[Known]) -> Question:
    """Return the question that adds a user to a group."""
    operation = {"op": "add", "path": "members", "value": [{"value": known.id}]}

    def check(answer: Answer) -> None:
        _is_done(answer)
        joined.append(known)

    return Question(side.request("PATCH", path, {"schemas": [PATCH_OP], "Operations": [operation]}), check)


def _is_done(answer: Answer) -> None:
    if answer.status not in (200, 204):
        raise Wrong(f"status {answer.status}: {answer.body[:300]!r}")


def _add(members: int) -> Ask:
    def ask(side: Side, lane: int, turn: int) -> Question | None:
        share = range(lane, len(side.users), side.lanes)
        if turn >= len(share):
            return None
        joined = side.joined.setdefault(str(members), [])
        return joining(side, _path(side, members), side.users[share[turn]], joined)

    return ask


def _remove(members: int) -> Ask:
    def ask(side: Side, _lane: int, _turn: int) -> Question | None:
        try:
            known = side.joined.get(str(members), []).pop()
        except IndexError:
            return None
        operation = {"op": "remove", "path": f'members[value eq "{known.id}"]'}
        body = {"schemas": [PATCH_OP], "Operations": [operation]}
        return Question(side.request("PATCH", _path(side, members), body), _is_done)

    return ask


def _removing_all(members: int, side: Side) -> Iterator[Question]:
    ask = _remove(members)
    while question := ask(side, 0, 0):
        yield question


def _whole(members: int, side: Side) -> Iterator[Question]:
    """Read the group whole: it has its members, and who was added and not yet removed."""
    joined = {known.id for known in side.joined.get(str(members), [])}

    def check(answer: Answer) -> None:
        found = [one["value"] for one in parsed(answer, 200)["members"]]
        expect("the number of members", len(found), members + len(joined))
        expect("the number of different members", len(set(found)), members + len(joined))
        expect("added users who are no members", joined - set(found), set())

    yield Question(side.request("GET", _path(side, members)), check)


def _head(members: int) -> Ask:
    def ask(side: Side, _lane: int, _turn: int) -> Question:
        def check(answer: Answer) -> None:
            document = parsed(answer, 200)
            expect("id", document.get("id"), side.groups[str(members)])
            expect("displayName", document.get("displayName"), f"Group {members}")
            expect("members", document.get("members"), None)

        return Question(side.request("GET", f"{_path(side, members)}?excludedAttributes=members"), check)

    return ask


def _full(members: int) -> Ask:
    def ask(side: Side, _lane: int, _turn: int) -> Question:
        start = -members  # the pages of lists begin at 1

        def check(answer: Answer) -> None:
            if answer.status == 200 and side.pages.get(start) == answer.body:
                return
            document = parsed(answer, 200)
            expect("the number of members", len({one["value"] for one in document["members"]}), members)
            expect("displayName", document.get("displayName"), f"Group {members}")
            side.pages[start] = answer.body

        return Question(side.request("GET", _path(side, members)), check)

    return ask


def of_size(members: int) -> tuple[Scenario, ...]:
    """Return the scenarios of a group of a size; who is added in one is removed in the next."""
    size = f"{members:,}"

    def whole(side: Side) -> Iterator[Question]:
        yield from _whole(members, side)

    def emptied(side: Side) -> Iterator[Question]:
        yield from _removing_all(members, side)
        yield from _whole(members, side)

    return (
        Scenario("member_add", f"add a member to {size}", _add(members), whole, members=members),
        Scenario("member_remove", f"remove a member of {size}", _remove(members), emptied, members=members),
        Scenario("group_head", f"GET group of {size}, no members", _head(members), members=members),
        Scenario("group_full", f"GET group of {size}, full", _full(members), members=members),
    )
