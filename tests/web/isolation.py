"""Two accounts that live the same life: where one names a thing of a third, the other names what there is not.

Whatever they ask, nothing may tell them apart: not the answers, nor the statements behind them, nor their journals. A
thing is named by a word in braces, `{user}`; of each of the two it is another one, and their answers are compared
with the words in its place.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import orjson
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.dialects import postgresql, sqlite

from scim_server import create_app
from scim_server.provisioning.group_kinds import permit
from scim_server.settings import Settings
from scim_server.store import accounts, credentials, journal
from scim_server.store.columns import metadata
from scim_server.store.database import Database, execute
from scim_server.store.identifiers import new_id, now
from scim_server.store.tokens import TOKEN, new_secret
from scim_server.store.upgrading import upgrade
from tests.extra_types import DEVICE, EXTRA, PLACE, RENT, WARRANTY
from tests.web.conftest import ENTERPRISE, EXT, GEXT, GROUP, PATCH_OP, USER, Api, op, policies
from tests.web.driver import watched

MARK = "sphinx"
"""In every name and text of the owner, and in none of anybody else."""
WORD = re.compile(r"\{(\w+)\}")
SHAPES = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "id"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z"), "time"),
    (re.compile(r'(?<=W/")\d{4,}|(?<=W/\\")\d{4,}'), "digest"),
    (re.compile(r"(?<=<own_user>)-\d+"), "entry"),
    (re.compile(r'(?<="nextCursor":")[^"]+'), "cursor"),
    (re.compile(r"\bscim(?:cs|rt)?_\w{49}\b"), "secret"),
)
"""What differs from one life to the next: each is replaced by its kind and, of ids, by when it was met first."""
LITERALS = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")
ENTRY = "set_config('scim.account'"
"""A connection is told whose rows it is for, if it was for others': which it is of the pool says nothing."""
UNTOLD = {"Date", "X-Request-Id"}


@dataclass
class Life:
    """One of the two: an account, what its words stand for, what was run for it."""

    api: Api
    words: dict[str, str]
    others: dict[str, Api] = field(default_factory=dict)
    """The same account with other tokens."""

    def say(self, asked: Any) -> Any:
        """Put what they stand for in the place of the words."""
        if isinstance(asked, str):
            return WORD.sub(lambda found: self.words.get(found[1], found[0]), asked)
        if isinstance(asked, Mapping):
            return {self.say(name): self.say(value) for name, value in asked.items()}
        return [self.say(one) for one in asked] if isinstance(asked, list | tuple) else asked

    def plain(self, told: str) -> str:
        """Put the words in the place of what they stand for."""
        for word, value in sorted(self.words.items(), key=lambda one: -len(one[1])):
            if word == "value":
                continue  # a number, a truth, ...: nothing that could be told from others
            there = rf"(?<=['/]){value}\b" if word == "pool" else re.escape(value)  # schemas name types of licences too
            told = re.sub(there, f"<{word}>", told)
        met: dict[str, str] = {}
        for shape, kind in SHAPES:
            told = shape.sub(
                lambda found, kind=kind: met.setdefault(found[0], f"<{kind} {len(met)}>" if kind == "id" else kind),
                told,
            )
        return told


@dataclass(frozen=True)
class Answer:
    """What came of a request, as it may be compared: with words in the place of ids."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    statements: tuple[str, ...]

    @property
    def json(self) -> Any:
        """The body."""
        return orjson.loads(self.body)


@dataclass
class World:
    """The owner of things, and the two who ask: the asker names the owner's, its twin names what there is not."""

    owner: Api
    asker: Life
    twin: Life
    statements: list[str]
    secrets: set[str] = field(default_factory=set)
    """What only the owner's answers may hold."""

    def one(self, life: Life, method: str, path: str, body: Any = None, headers: Any = None, by: str = "") -> Answer:
        """Send a request for one of the two."""
        api = life.others[by] if by else life.api
        begun = len(self.statements)
        response = api.send(method, life.say(path), None if body is None else life.say(body), headers=life.say(headers))
        run = tuple(LITERALS.sub("?", one) for one in self.statements[begun:] if ENTRY not in one)
        untold = UNTOLD if response.status_int >= 400 else {*UNTOLD, "Content-Length"}
        told = tuple((name, life.plain(value)) for name, value in response.headers.items() if name not in untold)
        return Answer(response.status_int, told, life.plain(response.text), run)

    def both(self, method: str, path: str, body: Any = None, headers: Any = None, by: str = "") -> Answer:
        """Send a request for both, and see that nothing tells one from the other; gives what came of it."""
        theirs, nothing = (self.one(life, method, path, body, headers, by) for life in (self.asker, self.twin))
        return self.alike(theirs, nothing)

    def alike(self, theirs: Answer, nothing: Answer) -> Answer:
        """See that nothing tells two answers apart, nor anything of the owner; gives what came of it."""
        assert theirs == nothing, f"{theirs}\n{nothing}"
        assert theirs.status != 500, theirs.body
        self.check_silent(nothing)
        return theirs

    def check_silent(self, answer: Answer) -> None:
        """See that an answer to one who has named nothing of the owner's holds nothing of it."""
        told = f"{answer.headers}{answer.body}"
        assert not [one for one in self.secrets if one in told], told

    def rows(self, api: Api) -> dict[str, list[Any]]:
        """Every row that an account has, by table."""
        with api.database.reading(api.account_id):
            return {
                table.name: sorted(map(repr, execute(sa.select(table).where(mine == api.account_id))))
                for table in metadata.sorted_tables
                if (mine := table.c.get("id" if table.name == "account" else "account_id")) is not None
            }

    def told(self, life: Life, after: str = "") -> tuple[str, list[str]]:
        """The id of the newest entry of a journal, and what was entered after another."""
        with life.api.database.reading(life.api.account_id):
            entries = journal.read(life.api.account_id, after=after, limit=1000 if after else 1)
        shown = [life.plain(repr(tuple(one)[3:])) for one in entries]
        return (entries[-1].id if entries else after), [re.sub(r"\b\d{13,}\b", "<moment>", one) for one in shown]


@contextmanager
def untouched(world: World, begun: Sequence[str] = (), told: bool = False) -> Iterator[None]:
    """See that a block leaves every row of the owner as it is, and that the two have the same to tell after it.

    Of some refusals the owner may be ``told`` in its journal: that somebody failed to prove to be its client.
    """
    rows = world.rows(world.owner)
    begun = begun or [world.told(life)[0] for life in (world.asker, world.twin)]
    yield
    left = world.rows(world.owner)
    assert left | ({"journal": rows["journal"]} if told else {}) == rows
    theirs, nothing = (world.told(life, after)[1] for life, after in zip((world.asker, world.twin), begun, strict=True))
    assert theirs == nothing, [pair for pair in zip_longest(theirs, nothing) if pair[0] != pair[1]]
    assert MARK not in str(nothing)


@contextmanager
def isolated(database_url: str) -> Iterator[World]:
    """The world on a new database, in which the owner has nothing yet: see `settle`."""
    upgrading = Database(Flask("upgrade"), database_url)
    upgrade(upgrading)
    upgrading.engine.dispose()
    settings = Settings(
        database_url, "http://localhost", extra_schemas=EXTRA, rate_limit=None, credential_seconds=0,
        auth_failures=None, bulk_at_once=64,
    )  # fmt: skip
    app = create_app(settings)
    service = app.extensions["scim"]
    service.notebook.pause = float("inf")
    statements: list[str] = []
    with ExitStack() as stack:
        stack.callback(service.database.engine.dispose)
        stack.enter_context(_noted(service.database.engine, statements))
        yield _world(app, statements)


@contextmanager
def _noted(engine: sa.Engine, statements: list[str]) -> Iterator[None]:
    """Have every statement noted, by the driver."""
    if engine.dialect.name == "postgresql":
        with watched(engine, lambda _, statement, __: statements.append(statement)):
            yield
        return

    def trace(connection: Any, _record: Any) -> None:
        connection.set_trace_callback(statements.append)

    sa.event.listen(engine, "connect", trace)
    engine.dispose()
    yield
    sa.event.remove(engine, "connect", trace)


def _world(app: Flask, statements: list[str]) -> World:
    asker, twin = (_life(app, name) for name in ("asker", "tw1ns"))  # of one length, as what tells it is compared
    return World(_account(app, "owner", f"{MARK}.example"), asker, twin, statements)


def _account(app: Flask, name: str, domain: str) -> Api:
    database: Database = app.extensions["scim"].database
    with database.transaction(None):
        account_id = accounts.create(name, policies({"licenseShortage__direct": "pend"}), now())
    with database.transaction(account_id):
        accounts.set_domain(account_id, domain, "approved", now())
        for licence_type in ("eco", "pro", "sharedMailbox"):
            accounts.add_licences(account_id, licence_type, 2)
    return Api(app, account_id, None, domain).token_for()


def _life(app: Flask, name: str) -> Life:
    """One of the two, with things of its own: a user with a licence, a group, a device, a token of the user."""
    api = _account(app, name, f"{name}.example")
    user = api.user("eve", externalId="e-1", displayName="Eve", ext={"licenseType": "pro"}, title="Lead")
    group = api.group(f"Own {name}", user["id"])
    device = api.post("/Devices", {"schemas": [DEVICE], "displayName": "Scanner", "serialNumber": "OWN-1", "slot": 1})
    api.post("/Places", {"schemas": [PLACE, RENT], "name": "Yard", RENT: {"amount": 1, "paid": True}})
    api.write_log(user["id"], 2)
    words = {"account": api.account_id, "domain": api.domain, "user": user["id"], "group": group["id"]}
    words |= {"device": device["id"], "name": name}
    words = {f"own_{word}": value for word, value in words.items()}
    return Life(api, words, {"user": token_of(api, user["id"]), "second": api.token_for(profile="okta")})


def token_of(api: Api, user_id: str) -> Api:
    """The account in the hands of one of its users."""
    with api.database.transaction(api.account_id):
        connection = credentials.connect(api.account_id, "me", "default", now())
        token = credentials.issue(api.account_id, connection.id, "scim.read scim.write", now(), None, user_id)
    return Api(api.app, api.account_id, token, api.domain)


def settle(world: World) -> None:
    """Give the owner all that it has, and the two the words for it."""
    words = furnish(world.owner)
    leave(world.owner, f"old@{world.asker.words['own_domain']}")
    for life in (world.asker, world.twin):
        add_echoes(world.owner, life)
    world.asker.words |= words
    world.twin.words |= {word: nothing(word, value) for word, value in words.items()}
    ids = [one for one in words.values() if SHAPES[0][0].fullmatch(one)]
    world.secrets = {MARK, world.owner.account_id, *ids}


def leave(owner: Api, name: str) -> None:
    """Have the owner have had a user of a name, which one of the two is to use."""
    owner.policy(domains__enforcement="off")
    owner.delete(f"/Users/{owner.post('/Users', {'schemas': [USER], 'userName': name})['id']}")
    owner.policy(licenseShortage__direct="pend", deactivation__graceDays=91)


def add_echoes(owner: Api, life: Life) -> None:
    """Give the owner every row that one of the two has, ids and names alike, but what is unique in all of the service.

    No id of the server's comes twice; here they do, so that a statement that forgets its account meets two rows.
    """
    insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[owner.database.dialect]
    tables = [table for table in metadata.sorted_tables if "account_id" in table.c]
    with owner.database.reading(life.api.account_id):
        mine = {table: execute(sa.select(table).where(table.c.account_id == life.api.account_id)) for table in tables}
        rows = {table: [row._asdict() for row in found] for table, found in mine.items()}
    with owner.database.transaction(owner.account_id):
        for table, found in rows.items():
            for row in found:
                row |= {"connection": {"name": f"of {row.get('id')}"}, "oauth_client": {"secret": None}}.get(
                    table.name, {}
                )
                execute(insert(table).values(row | {"account_id": owner.account_id}).on_conflict_do_nothing())


def nothing(word: str, value: str) -> str:
    """What looks like a thing and is none."""
    if word == "pool":
        return "advancee"
    if word == "token":
        return new_secret(TOKEN)
    if word == "cursor":
        return f"{value[:-12]}{'A' * 12}"
    return SHAPES[0][0].sub(lambda _: new_id(), value).replace(MARK, "nobody")


PERSON: dict[str, Any] = {
    "externalId": f"{MARK}-1", "displayName": f"Ava {MARK}", "nickName": f"{MARK}y", "title": f"{MARK} of sales",
    "name": {"formatted": f"Ava {MARK}", "familyName": MARK, "givenName": f"ava{MARK}", "middleName": f"m{MARK}",
             "honorificPrefix": f"p{MARK}", "honorificSuffix": f"s{MARK}"},
    "profileUrl": f"https://{MARK}.example/ava", "userType": f"t{MARK}", "locale": "de-CH", "preferredLanguage": "de-CH",
    "timezone": "Europe/Zurich", "password": f"P4ss-{MARK}-w0rd",
    "emails": [{"value": f"ava@{MARK}.example", "type": "work", "primary": True, "display": f"d{MARK}"},
               {"value": f"home@{MARK}.test", "type": "home"}],
    "phoneNumbers": [{"value": "tel:+41-31-555-01-99", "type": "mobile", "display": f"d{MARK}", "primary": True}],
    "ims": [{"value": f"im{MARK}", "type": "xmpp", "display": f"d{MARK}", "primary": True}],
    "photos": [{"value": f"https://{MARK}.example/p", "type": "photo", "display": f"d{MARK}", "primary": True}],
    "addresses": [{"formatted": f"f{MARK}", "streetAddress": f"s{MARK}", "locality": f"l{MARK}", "region": f"r{MARK}",
                   "postalCode": f"z{MARK}", "country": "CH", "type": "work", "primary": True}],
    "roles": [{"value": "administrator", "display": f"d{MARK}", "type": f"t{MARK}", "primary": True}],
    ENTERPRISE: {"employeeNumber": f"n{MARK}", "costCenter": f"c{MARK}", "organization": f"o{MARK}",
                 "division": f"v{MARK}", "department": f"e{MARK}"},
    EXT: {"licenseType": "pro", "role": "administrator", "smsCountryCode": "+41", "twoFactorEnabled": True},
}  # fmt: skip
THING: dict[str, Any] = {
    "displayName": f"Printer {MARK}", "serialNumber": f"SN-{MARK}", "macAddresses": [f"AA:{MARK}"], "slot": 77123,
    "label": f"l{MARK}", "enabled": True, "floors": 4711, "weight": 12.75, "boughtAt": "2024-01-31T08:00:00Z",
    "manual": f"m/{MARK}", "owner": f"https://{MARK}.example/Users/1", "certificate": "c3BoaW54", "tags": [f"t{MARK}"],
    "ratings": [8123], "shares": [0.8125], "keys": ["c3BoaW54"], "checkedAt": ["2024-02-01T08:00:00Z"],
    "links": [f"l/{MARK}"], "model": f"m{MARK}", "externalId": f"{MARK}-2", "pin": f"p{MARK}", "notes": f"n{MARK}",
    "size": {"width": 8124, "height": 8.625, "unit": "inch", "maker": f"k{MARK}", "marks": [f"x{MARK}"]},
    "members": [{"value": f"v{MARK}", "display": f"d{MARK}", "type": "spare", "primary": True, "count": 8125,
                 "ratio": 0.6875, "since": "2024-03-01T00:00:00Z", "$ref": f"https://{MARK}.example/d", "blob": "c3Bo"}],
    WARRANTY: {"number": f"W-{MARK}", "endsAt": "2024-04-01T00:00:00Z", "level": "full",
               "contacts": [{"value": f"c{MARK}", "type": f"t{MARK}"}]},
}  # fmt: skip


def furnish(owner: Api) -> dict[str, str]:
    """Make everything that an account can have; gives the words for it."""
    person = {**PERSON, "schemas": [USER, ENTERPRISE, EXT], "userName": f"ava@{MARK}.example"}
    ava = owner.post("/Users", person)
    bob = owner.post(
        "/Users",
        {"schemas": [USER, EXT, ENTERPRISE], "userName": f"bob@{MARK}.example", "displayName": f"Bob {MARK}",
         EXT: {"licenseType": "pro"}, ENTERPRISE: {"manager": {"value": ava["id"]}}},
    )  # fmt: skip
    owner.post("/Users", {"schemas": [USER, EXT], "userName": f"max@{MARK}.example", EXT: {"licenseType": "pro"}})
    owner.patch(f"/Users/{bob['id']}", op("replace", "active", False))
    extension = {"kind": "roleGroup"}
    group = owner.group(f"sales {MARK}", ava["id"], bob["id"], externalId=f"{MARK}-3", **{GEXT: extension})
    with owner.database.transaction(owner.account_id):
        permit(owner.account_id, owner.service.catalogue.endpoint_of("Group"), f"sales {MARK}", ["manageUsers"], now())
    device = owner.post("/Devices", {"schemas": [DEVICE, WARRANTY], **THING})
    place = owner.post(
        "/Places", {"schemas": [PLACE, RENT], "name": f"P {MARK}", "floor": 9123, RENT: {"amount": 9124, "paid": True}}
    )
    owner.write_log(ava["id"], 3)
    owner.refuse("POST", "/Users", {"schemas": [USER], "userName": f"ava@{MARK}.test"}, kind="invalidValue")
    owner.buy("advanced", 3)
    owner.get("/Users?cursor=&count=1")
    cursor = orjson.loads(owner.response.body)["nextCursor"]
    return {
        "account": owner.account_id, "user": ava["id"], "resting": bob["id"], "group": group["id"],
        "device": device["id"], "place": place["id"], "userName": ava["userName"], "domain": owner.domain,
        "event": owner.journal()[0].id, "log": owner.get("/UserLogEntries")["Resources"][0]["id"],
        "serial": f"SN-{MARK}", "name": f"sales {MARK}", "externalId": f"{MARK}-1", "pool": "advanced", "token": str(owner.token), "cursor": cursor,
        "etag": owner.get(f"/Users/{ava['id']}")["meta"]["version"],
    }  # fmt: skip


def patching(*operations: Any) -> dict[str, Any]:
    """The body of a PATCH."""
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/Users"): {"schemas": [USER], "userName": "x@{own_domain}"},
    ("PATCH", "/Users"): patching(op("replace", "title", "x")),
    ("PUT", "/Groups"): {"schemas": [GROUP], "displayName": "x", "members": [{"value": "{own_user}"}]},
    ("PATCH", "/Groups"): patching(op("add", "members", [{"value": "{own_user}"}]), op("replace", "displayName", "x")),
    ("PUT", "/Devices"): {"schemas": [DEVICE], "displayName": "x"},
    ("PATCH", "/Devices"): patching(op("replace", "label", "x")),
    ("PUT", "/Places"): {"schemas": [PLACE, RENT], "name": "x", RENT: {"amount": 1, "paid": True}},
    ("PATCH", "/Places"): patching(op("replace", "name", "x")),
}
"""What is written to a resource of each type that clients write."""
