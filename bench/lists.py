"""Pages of all users: the first, the last, and a walk by cursors."""

from typing import Any
from urllib.parse import quote

from bench.client import Answer
from bench.side import Question, Side, expect, parsed

PAGE = 100


def list_first(side: Side, _lane: int, _turn: int) -> Question:
    """Ask for the first page."""
    return _page(side, 1)


def list_deep(side: Side, _lane: int, _turn: int) -> Question:
    """Ask for the last page by its startIndex."""
    return _page(side, max(1, side.total - PAGE + 1))


def _page(side: Side, start: int) -> Question:
    def check(answer: Answer) -> None:
        if answer.status == 200 and side.pages.get(start) == answer.body:
            return
        document = parsed(answer, 200)
        expect("totalResults", document.get("totalResults"), side.total)
        expect("startIndex", document.get("startIndex"), start)
        _are_different(document, min(PAGE, side.total))
        side.pages[start] = answer.body

    return Question(side.request("GET", f"/Users?startIndex={start}&count={PAGE}"), check)


def _are_different(document: dict[str, Any], number: int) -> frozenset[str]:
    """Return the ids of a page, which must be so many different ones of users with names."""
    resources = document["Resources"]
    expect("the number of resources", len(resources), number)
    found = frozenset(one["id"] for one in resources)
    expect("the number of different users", len(found), number)
    expect("users of whom the name is missing", [one["id"] for one in resources if "@" not in one["userName"]], [])
    return found


def cursor(side: Side, lane: int, _turn: int) -> Question:
    """Go on with the lane's walk, or begin another one; no user may be on two pages that follow."""
    at, before = side.cursors.get(lane, ("", frozenset()))

    def check(answer: Answer) -> None:
        document = parsed(answer, 200)
        expect("totalResults", document.get("totalResults"), side.total)
        following = document.get("nextCursor")
        number = PAGE if following else len(document["Resources"])
        found = _are_different(document, number)
        expect("users of the last page", len(found & before), 0)
        if following:
            side.cursors[lane] = following, found
        else:
            side.cursors.pop(lane, None)

    return Question(side.request("GET", f"/Users?cursor={quote(at)}&count={PAGE}"), check)
