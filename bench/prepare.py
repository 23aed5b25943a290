"""`python -m bench.prepare SIDE USERS FILE`: a fresh database with many users; FILE then says what is in it.

SIDE is `ours` (the database of SCIM_DATABASE_URL) or `floor` (that of BENCH_FLOOR_DATABASE). Ours is prepared by the
commands that an operator would type; a user of each kind and the groups are created by POST, and the others copied.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click.testing
import orjson
import sqlalchemy as sa

from bench.copying import CHUNK, Owned, Writer, copied, makers, owned_tables
from bench.dataset import MIXED, Loaded, asked_numbers, group_body, group_sizes, member_numbers
from bench.floor import DATABASE, INSERT, row_of
from bench.floor_store import SqliteStore, create_tables, open_store
from bench.people import DOMAIN, KINDS, person
from scim_server import create_app
from scim_server.cli import main
from scim_server.settings import load
from scim_server.store.identifiers import new_id, now
from scim_server.store.tables import group, membership, tally

ACCOUNT = "bench"
LICENCES = 10_000_000
FIRST_KIND = 9_000_000
"""The number of the first of the users that are copied, and removed then; a multiple of KINDS."""


def ours(users: int) -> Loaded:
    """Prepare the database of our server."""
    token = _account()
    app = create_app(load())
    ask = Asking(app.test_client(), token)
    engine = app.extensions["scim"].database.engine
    kinds = min(KINDS, users)
    models = [ask.post("/Users", person(FIRST_KIND + kind)) for kind in range(kinds)]
    ids = [new_id() for _ in range(users)]
    _copy_users(engine, models, ids)
    groups = {name: ask.post("/Groups", group_body(name)) for name in [*map(str, group_sizes(users)), MIXED]}
    _fill_groups(engine, groups, ids)
    _count_users(engine, users)
    _settle(engine)
    engine.dispose()
    return Loaded(token, users, [(ids[number], number) for number in asked_numbers(users)], groups)


class Asking:
    """Our application, asked without a server."""

    def __init__(self, client: Any, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}

    def post(self, path: str, body: dict[str, Any]) -> str:
        """Create a resource and return its id."""
        answer = self._client.post(f"/scim/v2{path}", data=orjson.dumps(body), headers=self._headers)
        if answer.status_code != 201:
            raise SystemExit(f"{path} answered {answer.status_code}: {answer.text[:500]}")
        return str(answer.json["id"])


def _account() -> str:
    """Run our command for each step; returns the token."""
    runner = click.testing.CliRunner()
    done = None
    for command in (
        ("upgrade",),
        ("account", "create", ACCOUNT),
        ("account", "set", ACCOUNT, "guard.deletions=999999999"),  # counted as ever, and never too many
        ("domain", "approve", "--account", ACCOUNT, DOMAIN),
        ("licence", "add", "--account", ACCOUNT, "pro", str(LICENCES)),
        ("token", "issue", "--account", ACCOUNT, "--json"),
    ):
        done = runner.invoke(main, command)
        if done.exit_code:
            raise SystemExit(f"{command}: {done.output}")
    assert done is not None
    return str(json.loads(done.stdout.splitlines()[-1])["token"])


def _copy_users(engine: sa.Engine, models: list[str], ids: list[str]) -> None:
    """Write the users of all ids as copies of the models, and remove those."""
    tables = owned_tables()
    with engine.connect() as connection:
        kinds = [
            [makers(connection, owned, model, FIRST_KIND + kind) for kind, model in enumerate(models)]
            for owned in tables
        ]
    _remove(engine, tables, models)
    index = _without_folded_index(engine)
    writer = Writer(engine)
    for start in range(0, len(ids), CHUNK):
        numbers = range(start, min(start + CHUNK, len(ids)))
        part = ids[numbers.start : numbers.stop]
        writer.write(
            [
                (owned.table, owned.columns, copied(kind, numbers, part))
                for owned, kind in zip(tables, kinds, strict=True)
            ]
        )
    if index:
        with engine.begin() as connection:
            connection.execute(sa.text("SET LOCAL maintenance_work_mem = '512MB'"))
            connection.execute(sa.text(index))


def _remove(engine: sa.Engine, tables: list[Owned], models: list[str]) -> None:
    with engine.begin() as connection:
        for owned in reversed(tables):
            connection.execute(owned.table.delete().where(owned.owner.in_(models)))


def _count_users(engine: sa.Engine, users: int) -> None:
    """Have the account's total tell of the copies, and no longer of the models."""
    with engine.begin() as connection:
        account = connection.execute(sa.select(group.c.account_id)).scalars().first()
        connection.execute(tally.delete().where(tally.c.account_id == account, tally.c.kind == "user"))
        connection.execute(tally.insert(), {"account_id": account, "kind": "user", "slot": 0, "number": users})


def _without_folded_index(engine: sa.Engine) -> str | None:
    """Drop the index that is quicker made at the end; returns the statement that makes it."""
    if engine.dialect.name != "postgresql":
        return None
    with engine.begin() as connection:
        index = connection.execute(sa.text("SELECT pg_get_indexdef('ix_user_folded'::regclass)")).scalar()
        connection.execute(sa.text("DROP INDEX ix_user_folded"))
    return str(index)


def _fill_groups(engine: sa.Engine, groups: dict[str, str], ids: list[str]) -> None:
    """Make the first users members of each group, as many as its name says."""
    with engine.connect() as connection:
        account = connection.execute(sa.select(group.c.account_id)).scalars().first()
    writer, moment = Writer(engine), now()
    for name, identifier in groups.items():
        if name == MIXED:
            continue
        numbers = member_numbers(int(name), len(ids))
        members = ids[numbers.start : numbers.stop]
        rows = ((account, identifier, one, moment) for one in members)
        writer.write([(membership, ("account_id", "group_id", "user_id", "added"), rows)])
        with engine.begin() as connection:
            mine = group.c.account_id == account, group.c.id == identifier
            connection.execute(group.update().where(*mine).values(member_count=len(members)))


def _settle(engine: sa.Engine) -> None:
    """Do what a database does by itself in time, so that it does not do it while costs are measured."""
    is_postgresql = engine.dialect.name == "postgresql"
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if is_postgresql:
            driver.autocommit = True
        for statement in ("VACUUM ANALYZE", "CHECKPOINT") if is_postgresql else ("PRAGMA wal_checkpoint(TRUNCATE)",):
            driver.execute(statement).close()


def floor(users: int) -> Loaded:
    """Prepare the database of the floor."""
    store, base = open_store(os.environ[DATABASE]), f"http://127.0.0.1:{os.environ['BENCH_PORT']}/scim/v2/"
    create_tables(store)
    ids = [new_id() for _ in range(users)]
    names = [*map(str, group_sizes(users)), MIXED]
    groups = {name: new_id() for name in names}
    teams = [(one, json.dumps(group_body(name) | {"id": one})) for name, one in groups.items()]
    members = (
        (groups[name], ids[number]) for name in names if name != MIXED for number in member_numbers(int(name), users)
    )
    people = (row_of(person(number), one, base) for number, one in enumerate(ids))
    if isinstance(store, SqliteStore):
        connection = store.connection()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT, people)
        connection.executemany("INSERT INTO team VALUES (?, ?)", teams)
        connection.executemany("INSERT INTO member VALUES (?, ?)", members)
        connection.execute("COMMIT")
        store.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        store.copy("person", "id, name_key, external_id, document", people)
        store.copy("team", "id, document", teams)
        store.copy("member", "team_id, person_id", members)
        store.rows("VACUUM ANALYZE")
        store.rows("CHECKPOINT")
        store.close()
    return Loaded("none", users, [(ids[number], number) for number in asked_numbers(users)], groups)


if __name__ == "__main__":
    side, count, file = sys.argv[1:]
    loaded = {"ours": ours, "floor": floor}[side](int(count))
    Path(file).write_text(json.dumps(loaded._asdict()), "utf-8")
