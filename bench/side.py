"""One of the two servers as the driver knows it, what is asked of it, and how an answer is found wrong."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from bench.client import Answer, request
from bench.dataset import Loaded
from bench.people import user_name
from bench.servers import Server

NEW_NUMBERS = 5_000_000
"""The number of the first user that the driver creates, beyond all that are loaded."""
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SAMPLE = 20
"""So many of what was written are read back."""


class Wrong(Exception):
    """An answer is not the one that was asked for."""


class Known(NamedTuple):
    """A user that a server is known to have."""

    id: str
    number: int

    @property
    def user_name(self) -> str:
        """The userName that it was given."""
        return user_name(self.number)


@dataclass
class Side:
    """One of the two servers, and what it must know by now."""

    server: Server
    token: str
    users: list[Known]
    """Those that are asked for, of whom there may be more."""
    total: int
    groups: dict[str, str]
    lanes: int
    """How many connections ask at the same time."""
    created: list[Known] = field(default_factory=list)
    deleted: list[Known] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    joined: dict[str, list[Known]] = field(default_factory=dict)
    """Who was added to each group and is to be removed again."""
    cursors: dict[int, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """Where the walk of each lane is, and whom its last page had."""
    pages: dict[int, bytes] = field(default_factory=dict)
    """The last pages found right, by their start: a page of the same bytes need not be parsed again."""
    upcoming: dict[int, int] = field(default_factory=dict)
    """The number of the user that each lane's mixed cycle is about to create."""
    cycled: dict[int, list[Known]] = field(default_factory=dict)
    """Whom each lane's mixed cycle has created."""
    in_bulk: list[Known] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(NEW_NUMBERS))

    @classmethod
    def of(cls, server: Server, loaded: Loaded, lanes: int) -> "Side":
        """Return a side of a server that has been loaded."""
        users = [Known(*one) for one in loaded.users]
        return cls(server, loaded.token, users, loaded.total, loaded.groups, lanes)

    def user(self, lane: int, turn: int) -> Known:
        """Return a user for a turn; no two lanes are given the same one."""
        share = range(lane, len(self.users), self.lanes)
        return self.users[share[turn % len(share)]]

    def request(self, method: str, path: str, body: Any = None, *lines: str) -> bytes:
        """Return the bytes of a request to this server."""
        content = json.dumps(body, separators=(",", ":")).encode() if body is not None else None
        return request(method, path, self.server.port, self.token, content, *lines)


class Question(NamedTuple):
    """A request, and the check of its answer, which raises Wrong."""

    message: bytes
    check: Callable[[Answer], None]


Ask = Callable[[Side, int, int], Question | None]
"""Given a side, a lane and a turn; None when there is nothing left to ask."""
Further = Callable[[Side], Iterator[Question]]


def nothing(_side: Side) -> Iterator[Question]:
    """Ask nothing before or after."""
    yield from ()


class Scenario(NamedTuple):
    """One kind of request, with what is asked before it is measured and what is read back afterwards."""

    name: str
    title: str
    ask: Ask
    read_back: Further = nothing
    set_up: Further = nothing
    members: int | None = None
    """The size of the group that it needs."""
    is_growing: bool = False
    """Whether it changes how many users there are."""

    @property
    def key(self) -> str:
        """The name, with the size of the group."""
        return self.name if self.members is None else f"{self.name}_{self.members}"


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
        raise Wrong(f"{what} is {str(found)[:200]!r}, not {str(wanted)[:200]!r}")


def is_user(known: Known, document: dict[str, Any]) -> None:
    """Raise Wrong unless a document is that of a user."""
    expect("id", document.get("id"), known.id)
    expect("userName", document.get("userName"), known.user_name)
