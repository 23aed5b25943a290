"""What is asked of both servers, and when an answer is right."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import quote

from bench.client import Answer, Connection, request
from bench.people import person, user_name
from bench.servers import Server

LANES = 2
"""How many connections ask at the same time."""
PAGE = 100
SAMPLE = 20
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Wrong(Exception):
    """An answer is not the one that was asked for."""


class Known(NamedTuple):
    """A user that a server is known to have."""

    id: str
    user_name: str


@dataclass
class Side:
    """One of the two servers, and what it must know by now."""

    server: Server
    users: list[Known] = field(default_factory=list)
    created: list[Known] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    right_page: tuple[int, bytes] | None = None
    """The last page found right, with its total: a page of the same bytes need not be parsed again."""

    def user(self, lane: int, turn: int) -> Known:
        """Return a user for a turn; no two lanes are given the same one."""
        share = range(lane, len(self.users), LANES)
        return self.users[share[turn % len(share)]]

    def request(self, method: str, path: str, body: Any = None) -> bytes:
        """Return the bytes of a request to this server."""
        content = json.dumps(body, separators=(",", ":")).encode() if body is not None else None
        return request(method, path, self.server.port, self.server.token, content)


class Question(NamedTuple):
    """A request, and the check of its answer, which raises Wrong."""

    message: bytes
    check: Callable[[Answer], None]


class Scenario(NamedTuple):
    """One kind of request, the ratio it may reach on SQLite, and what is read back afterwards."""

    name: str
    title: str
    goal: float
    ask: Callable[[Side, int, int], Question]
    read_back: Callable[[Side], Iterator[Question]]


def parsed(answer: Answer, status: int) -> dict[str, Any]:
    """Return the JSON of an answer that must have a status."""
    if answer.status != status:
        raise Wrong(f"status {answer.status}, not {status}: {answer.body[:300]!r}")
    document = json.loads(answer.body)
    if not isinstance(document, dict):
        raise Wrong(f"the answer is no object: {answer.body[:300]!r}")
    return document


def expect(what: str, found: object, wanted: object) -> None:
    """Raise Wrong unless a value is the one that is wanted."""
    if found != wanted:
        raise Wrong(f"{what} is {found!r}, not {wanted!r}")


def _is_user(known: Known, document: dict[str, Any]) -> None:
    expect("id", document.get("id"), known.id)
    expect("userName", document.get("userName"), known.user_name)


def _get(side: Side, lane: int, turn: int) -> Question:
    return _reading(side, side.user(lane, turn))


def _reading(side: Side, known: Known) -> Question:
    """Return the question for a user, who must have the title that was last given to it."""

    def check(answer: Answer) -> None:
        document = parsed(answer, 200)
        _is_user(known, document)
        if title := side.titles.get(known.id):
            expect("title", document.get("title"), title)

    return Question(side.request("GET", f"/Users/{known.id}"), check)


def _lookup(side: Side, lane: int, turn: int) -> Question:
    known = side.user(lane, turn)

    def check(answer: Answer) -> None:
        document = parsed(answer, 200)
        expect("totalResults", document.get("totalResults"), 1)
        (found,) = document["Resources"]
        _is_user(known, found)

    wanted = quote(f'userName eq "{known.user_name}"')
    return Question(side.request("GET", f"/Users?filter={wanted}"), check)


def _page(side: Side, _lane: int, _turn: int) -> Question:
    return Question(side.request("GET", f"/Users?startIndex=1&count={PAGE}"), partial(_is_page, side))


def _is_page(side: Side, answer: Answer) -> None:
    total = len(side.users) + len(side.created)
    if answer.status == 200 and side.right_page == (total, answer.body):
        return
    document = parsed(answer, 200)
    expect("totalResults", document.get("totalResults"), total)
    found = {Known(one.get("id"), one.get("userName")) for one in document["Resources"]}
    expect("the number of resources", len(document["Resources"]), min(PAGE, total))
    expect("the number of different users", len(found), min(PAGE, total))
    expect("the users that do not exist", found - {*side.users, *side.created}, set())
    side.right_page = total, answer.body


def create(side: Side, _lane: int, _turn: int) -> Question:
    """Return the question that creates the next user, who is then among the created ones."""
    number = next(side.numbers)

    def check(answer: Answer) -> None:
        document = parsed(answer, 201)
        known = Known(document.get("id", ""), user_name(number))
        _is_user(known, document)
        side.created.append(known)

    return Question(side.request("POST", "/Users", person(number)), check)


def _patch(side: Side, lane: int, turn: int) -> Question:
    known, title = side.user(lane, turn), f"Engineer {next(side.numbers)}"

    def check(answer: Answer) -> None:
        document = parsed(answer, 200)
        _is_user(known, document)
        expect("title", document.get("title"), title)
        side.titles[known.id] = title

    operation = {"op": "replace", "path": "title", "value": title}
    return Question(
        side.request("PATCH", f"/Users/{known.id}", {"schemas": [PATCH_OP], "Operations": [operation]}), check
    )


def _nothing(_side: Side) -> Iterator[Question]:
    yield from ()


def _created(side: Side) -> Iterator[Question]:
    """Read the users created last, each with an id of its own."""
    expect("the number of different ids", len({known.id for known in side.created}), len(side.created))
    yield from (_reading(side, known) for known in side.created[-SAMPLE:])


def _patched(side: Side) -> Iterator[Question]:
    """Read the users patched last."""
    yield from (_reading(side, known) for known in side.users[:SAMPLE] if known.id in side.titles)


SCENARIOS = (
    Scenario("get", "GET by id", 1.8, _get, _nothing),
    Scenario("lookup", "userName lookup", 2.0, _lookup, _nothing),
    Scenario("page", f"page of {PAGE}", 3.0, _page, _nothing),
    Scenario("patch", "PATCH one attribute", 3.2, _patch, _patched),
    Scenario("post", "POST", 2.8, create, _created),
)
"""In the order of a round. POST comes after all rounds of the others, so that those see equally many users."""
GROWING = frozenset({"post"})


def load(side: Side, users: int) -> None:
    """Create the users that both servers begin with; raises Wrong."""
    with Connection(side.server.port) as connection:
        for turn in range(users):
            question = create(side, 0, turn)
            question.check(connection.exchange(question.message))
    side.users, side.created = side.created, []
