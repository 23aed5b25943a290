"""Reads and writes of one user."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from bench.client import Answer
from bench.people import external_id, person, user_name
from bench.side import PATCH_OP, SAMPLE, Known, Question, Side, Wrong, expect, is_user, parsed


def get(side: Side, lane: int, turn: int) -> Question:
    """Read a user."""
    return reading(side, side.user(lane, turn))


def reading(side: Side, known: Known) -> Question:
    """Return the question for a user, who must have the title that was last given to it."""

    def check(answer: Answer) -> None:
        document = parsed(answer, 200)
        is_user(known, document)
        side.tags[known.id] = document["meta"]["version"]
        if title := side.titles.get(known.id):
            expect("title", document.get("title"), title)

    return Question(side.request("GET", f"/Users/{known.id}"), check)


def first_users(side: Side) -> Iterator[Question]:
    """Read the users that the next scenario is about, so that their versions and titles are known."""
    yield from (reading(side, known) for known in side.users[: SAMPLE * side.lanes])


def _first_user(side: Side, lane: int, turn: int) -> Known:
    return side.user(lane, turn % SAMPLE)


def get_304(side: Side, lane: int, turn: int) -> Question:
    """Read a user that the client has."""
    known = _first_user(side, lane, turn)

    def check(answer: Answer) -> None:
        expect("status", answer.status, 304)
        expect("body", answer.body, b"")

    lines = (f"If-None-Match: {side.tags[known.id]}",)
    return Question(side.request("GET", f"/Users/{known.id}", None, *lines), check)


def _filtered(side: Side, text: str, known: Known | None) -> Question:
    def check(answer: Answer) -> None:
        document = parsed(answer, 200)
        expect("totalResults", document.get("totalResults"), 1 if known else 0)
        found = document.get("Resources") or []
        expect("the number of resources", len(found), 1 if known else 0)
        if known:
            is_user(known, found[0])

    return Question(side.request("GET", f"/Users?filter={quote(text)}"), check)


def lookup(side: Side, lane: int, turn: int) -> Question:
    """Look a user up by its userName."""
    known = side.user(lane, turn)
    return _filtered(side, f'userName eq "{known.user_name}"', known)


def lookup_miss(side: Side, lane: int, turn: int) -> Question:
    """Look for a userName that nobody has."""
    return missing(side, 7_000_000 + lane * 100_000 + turn)


def missing(side: Side, number: int) -> Question:
    """Return the question for a number that no user has."""
    return _filtered(side, f'userName eq "{user_name(number)}"', None)


def external(side: Side, lane: int, turn: int) -> Question:
    """Look a user up by its externalId."""
    known = side.user(lane, turn)
    return _filtered(side, f'externalId eq "{external_id(known.number)}"', known)


def _titled(side: Side, known: Known, title: str, method: str, body: dict[str, Any]) -> Question:
    def check(answer: Answer) -> None:
        document = parsed(answer, 200)
        is_user(known, document)
        expect("title", document.get("title"), title)
        side.titles[known.id] = title

    return Question(side.request(method, f"/Users/{known.id}", body), check)


def patching(side: Side, known: Known, title: str) -> Question:
    """Return the question that gives a user a title."""
    operation = {"op": "replace", "path": "title", "value": title}
    return _titled(side, known, title, "PATCH", {"schemas": [PATCH_OP], "Operations": [operation]})


def patch(side: Side, lane: int, turn: int) -> Question:
    """Give a user another title."""
    return patching(side, side.user(lane, turn), f"Engineer {next(side.numbers)}")


def patch_noop(side: Side, lane: int, turn: int) -> Question:
    """Give a user the title that it has; its version must stay."""
    known = _first_user(side, lane, turn)
    asked = patching(side, known, side.titles.get(known.id, "Account Manager"))

    def check(answer: Answer) -> None:
        asked.check(answer)
        expect("version", parsed(answer, 200)["meta"]["version"], side.tags[known.id])

    return Question(asked.message, check)


def put(side: Side, lane: int, turn: int) -> Question:
    """Replace a user, with another title."""
    known, title = side.user(lane, turn), f"Director {next(side.numbers)}"
    return _titled(side, known, title, "PUT", person(known.number) | {"title": title})


def titled(side: Side) -> Iterator[Question]:
    """Read the users whose title was changed last."""
    yield from (reading(side, known) for known in side.users[:SAMPLE] if known.id in side.titles)


def creating(side: Side, number: int, known_to: list[Known]) -> Question:
    """Return the question that creates the user of a number."""

    def check(answer: Answer) -> None:
        document = parsed(answer, 201)
        known = Known(document.get("id", ""), number)
        is_user(known, document)
        expect("title", document.get("title"), "Account Manager")
        known_to.append(known)
        side.total += 1

    return Question(side.request("POST", "/Users", person(number)), check)


def create(side: Side, _lane: int, _turn: int) -> Question:
    """Create the next user, who is then among the created ones."""
    return creating(side, next(side.numbers), side.created)


def created(side: Side) -> Iterator[Question]:
    """Read the users created last, each with an id of its own."""
    expect("the number of different ids", len({known.id for known in side.created}), len(side.created))
    yield from (reading(side, known) for known in side.created[-SAMPLE:])


def delete(side: Side, _lane: int, _turn: int) -> Question | None:
    """Delete a user that was created before, as long as there is one."""
    try:
        known = side.created.pop()
    except IndexError:
        return None

    def check(answer: Answer) -> None:
        expect("status", answer.status, 204)
        side.total -= 1
        side.deleted.append(known)

    return Question(side.request("DELETE", f"/Users/{known.id}"), check)


def deleted(side: Side) -> Iterator[Question]:
    """Look for the users deleted last, who must be gone."""

    def check(answer: Answer) -> None:
        if answer.status != 404:
            raise Wrong(f"a deleted user is answered with {answer.status}")

    for known in side.deleted[-SAMPLE:]:
        yield Question(side.request("GET", f"/Users/{known.id}"), check)
