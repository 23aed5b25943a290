"""What a connection sends is counted by its shape, and a new shape is told in the journal once."""

from dataclasses import replace
from threading import Thread
from typing import Any

import orjson
import pytest
from flask import Flask

from scim_server.provisioning import noticing
from scim_server.provisioning.noticing import Notebook, write
from scim_server.store import credentials, shapes
from scim_server.store.database import execute
from scim_server.store.identifiers import now
from scim_server.store.tables import connection, shape_seen
from tests.web.conftest import Api, op

DAY = 86_400_000_000


def flush(api: Api) -> None:
    write(api.database, api.service.notebook)


def seen(api: Api, name: str = "idp-default") -> dict[tuple[str, str], int]:
    """The shapes of a connection with their counts, as the database has them."""
    with api.database.reading(api.account_id):
        (found,) = [one for one in credentials.connections(api.account_id) if one.name == name]
        return {(one.kind, one.shape): one.count for one in shapes.of_connection(api.account_id, found.id)}


def told(api: Api) -> list[list[tuple[str, str]]]:
    """What each entry about new shapes names, oldest first."""
    entries = [one for one in api.journal() if one.action == "connection.newShape"]
    return [[(change["attribute"], change["to"]) for change in orjson.loads(one.changes)] for one in entries]


def test_requests_are_counted_by_shape_and_nothing_of_their_values_is_kept(api: Api) -> None:
    ava = api.post("/Users", {"schemas": [], "userName": api.mail("secret"), "shoeSize": "secret"}, status=400)
    ava = api.user("secret", shoeSize="secret")
    for _ in range(2):
        api.get(f'/Users?filter=userName eq "secret@{api.domain}"')
    api.patch(f"/Users/{ava['id']}", op("Replace", 'emails[type eq "secret"].value', api.mail("secret")))
    api.get("/Nothing/secret", status=404)
    flush(api)
    found = seen(api)
    assert found == {
        ("request", "POST /Users"): 2,
        ("request", "GET /Users"): 2,
        ("request", "PATCH /Users/{id}"): 1,
        ("request", "GET /(nothing there)"): 1,
        ("contentType", "application/scim+json"): 3,
        ("unknown", "shoeSize"): 2,
        ("filter", "userName eq"): 2,
        ("filter", "emails[type eq]"): 1,
        ("op", "Replace"): 1,
        ("path", "value path"): 1,
    }
    assert "secret" not in repr(found)


def test_new_shape_is_told_in_the_journal_once(api: Api) -> None:
    api.get("/Users")
    flush(api)
    assert told(api) == [[("request", "GET /Users")]]
    api.get("/Users")
    flush(api)
    api.get("/Groups")
    flush(api)
    assert told(api) == [[("request", "GET /Users")], [("request", "GET /Groups")]]
    (entry, _) = [one for one in api.journal() if one.action == "connection.newShape"]
    assert (entry.actor_type, entry.target_type, entry.target_name) == ("system", "Connection", "idp-default")
    assert seen(api)["request", "GET /Users"] == 2


def test_shape_that_was_not_seen_for_thirty_days_is_new_again(api: Api) -> None:
    api.get("/Users")
    api.get("/Groups")
    flush(api)
    with api.database.transaction(api.account_id):
        old = shape_seen.update().where(shape_seen.c.account_id == api.account_id, shape_seen.c.shape == "GET /Users")
        execute(old.values(last_seen=now() - 31 * DAY))
    api.get("/Users")
    api.get("/Groups")
    flush(api)
    assert told(api)[1:] == [[("request", "GET /Users")]]
    assert set(seen(api).values()) == {2}


def test_connections_are_kept_apart(api: Api) -> None:
    api.get("/Users")
    api.token_for(profile="okta").get("/Groups")
    flush(api)
    assert seen(api) == {("request", "GET /Users"): 1}
    assert seen(api, "idp-okta") == {("request", "GET /Groups"): 1}


def test_request_without_a_known_token_is_not_counted(api: Api, anonymous: Api) -> None:
    anonymous.get("/Users", status=401)
    replace(api, token="scim_wrong").get("/Users", status=401)
    flush(api)
    assert seen(api) == {}


def test_kept_shapes_are_bounded_and_the_forgotten_make_room(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MOST", 4)
    sender = sender_of(api)

    def note(names: str, at: int) -> list[Any]:
        with api.database.transaction(api.account_id):
            return shapes.note(api.account_id, sender[1], {("op", name): 1 for name in names}, at)

    moment = now()
    assert len(note("abcdef", moment)) == 4
    assert note("x", moment + DAY) == []
    assert len(seen(api)) == 4
    kept = min(shape for _, shape in seen(api))
    assert note(kept, moment + 20 * DAY) == []
    assert note("xy", moment + 40 * DAY) == [("op", "x"), ("op", "y")]
    assert set(seen(api)) == {("op", kept), ("op", "x"), ("op", "y")}


def sender_of(api: Api) -> tuple[str, str, str]:
    with api.database.reading(api.account_id):
        (found,) = credentials.connections(api.account_id)
    return api.account_id, found.id, found.name


def test_worker_writes_new_shapes_at_most_once_in_a_pause_and_counts_after_a_rest() -> None:
    clock = [0.0]
    notebook = Notebook(10, 600, lambda: clock[0])
    sender, one, two = ("a", "c", "idp"), ("op", "add"), ("op", "Add")
    assert notebook.add(sender, [one])
    assert notebook.take() == {sender: {one: 1}}
    assert not notebook.add(sender, [one])
    clock[0] = 9
    assert not notebook.add(sender, [two])
    clock[0] = 10
    assert notebook.add(sender, [one])
    assert notebook.take() == {sender: {one: 2, two: 1}}
    clock[0] = 609
    assert not notebook.add(sender, [one])
    clock[0] = 610
    assert notebook.add(sender, [one])


def test_worker_remembers_no_more_shapes_than_are_kept() -> None:
    notebook = Notebook()
    for number in range(2 * shapes.MOST):
        notebook.add(("a", "c", "idp"), [("unknown", f"n{number}")])
    (counts,) = notebook.take().values()
    assert len(counts) == shapes.MOST


def test_two_workers_that_write_the_same_new_shape_count_it_twice(api: Api) -> None:
    sender, shape = sender_of(api), ("op", "Add")
    notebooks = [Notebook(), Notebook()]
    for notebook in notebooks:
        notebook.add(sender, [shape])
    threads = [Thread(target=write, args=(api.database, notebook)) for notebook in notebooks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen(api)[shape] == 2
    assert told(api) == [[shape]]


def test_due_shapes_are_written_after_the_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    flush(api)
    monkeypatch.setattr(api.service.notebook, "pause", 0)
    api.get("/Users")
    assert seen(api) == {("request", "GET /Users"): 1}
    api.patch(f"/Users/{api.user('ava')['id']}", op("Replace", "title", "x"))
    assert seen(api)["op", "Replace"] == 1


def test_database_that_takes_none_fails_no_request(api: Api, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    flush(api)
    monkeypatch.setattr(api.service.notebook, "pause", 0)
    with monkeypatch.context() as broken:
        row = {"account_id": "none", "id": "none", "name": "none", "profile": "default", "created": 1}
        broken.setattr(noticing.shapes, "note", lambda *_: execute(connection.insert(), row))
        assert api.get("/Users")["totalResults"] == 0
    api.get("/Users")
    assert seen(api) == {("request", "GET /Users"): 1}
    assert told(api) == [[("request", "GET /Users")]]
