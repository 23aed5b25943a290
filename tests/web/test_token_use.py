"""What is noted of tokens: their last use, the end that comes near, refusals; what a damaged one costs."""

import json
import logging
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask

from scim_server import create_app
from scim_server.cli.portal import Portal
from scim_server.cli.registering import Registry
from scim_server.provisioning.using import MOST_KEPT, Seldom, note_use
from scim_server.settings import Settings
from scim_server.store import credentials
from scim_server.store.database import Database, execute
from scim_server.store.identifiers import now
from scim_server.store.tables import credential
from scim_server.store.tokens import TOKEN, is_whole, new_secret
from tests.web.conftest import Api
from tests.web.oauth import bearer, error_of, own, post, register
from tests.web.test_statements import statements

DAY = 86_400_000_000


def listed(api: Api) -> list[dict[str, Any]]:
    return list(Portal(api.database).tokens(api.account_name))


def test_last_use_of_a_token_is_noted_and_not_with_every_request(api: Api) -> None:
    assert listed(api)[0]["lastUsed"] is None
    api.get("/Users")
    first = listed(api)[0]["lastUsed"]
    assert first is not None
    api.get("/Users")
    assert listed(api)[0]["lastUsed"] == first


def test_refused_token_is_not_in_use(api: Api) -> None:
    ended = api.token_for(expires_at=now() - 1)
    ended.refuse("GET", "/Users", status=401)
    assert [one["lastUsed"] for one in listed(api)] == [None, None]


def test_refused_token_that_is_answered_429_is_not_in_use_either(api: Api, database_url: str) -> None:
    application = create_app(Settings(database_url, "http://localhost", credential_seconds=0, auth_failures=1))
    ended = replace(api.token_for(expires_at=now() - 1), app=application)
    assert [ended.send("GET", "/Users").status_int for _ in range(2)] == [401, 429]
    assert [one["lastUsed"] for one in listed(api)] == [None, None]
    application.extensions["scim"].database.engine.dispose()


def test_use_that_cannot_be_written_is_no_error_of_the_request(tmp_path: Path, caplog: Any) -> None:
    database = Database(Flask("x"), f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    note_use(database, "account", "token")
    assert "the use of a token could not be written" in caplog.text
    database.engine.dispose()


def test_token_that_ends_within_30_days_is_warned_of_once(api: Api, caplog: Any) -> None:
    near, far = (api.token_for(expires_at=now() + days * DAY) for days in (29, 31))
    with caplog.at_level(logging.WARNING, "scim_server"):
        far.get("/Users")
        assert caplog.text == ""
        near.get("/Users")
        near.get("/Users")
    assert caplog.text.count("expires in 28 days") == 1
    assert str(near.token) not in caplog.text
    _, first, second = listed(api)
    assert (first["expiresInDays"], "issue another one" in first["warning"]) == (28, True)
    assert (second["expiresInDays"], second["warning"]) == (30, None)


def test_refusals_of_a_known_token_are_in_the_journal_once_a_minute(api: Api) -> None:
    """AUT-09."""
    ended = api.token_for(expires_at=now() - 1)
    for _ in range(5):
        assert "has expired; issue a new one" in ended.refuse("GET", "/Users", status=401)
    (entry,) = api.refusals()
    assert (entry.action, entry.status, entry.error) == ("token.refused", 401, "invalid_token")
    assert "expired" in entry.detail
    assert str(ended.token) not in json.dumps(entry._asdict(), default=str)


def test_what_is_done_seldom_is_bounded_in_time_and_number() -> None:
    moments = iter([0.0, 59.0, 60.0, *[61.0] * (MOST_KEPT + 5)])
    seldom = Seldom(clock=lambda: next(moments))
    assert [seldom.is_due("x", "a", 60) for _ in range(3)] == [True, False, True]
    for number in range(MOST_KEPT + 1):
        seldom.is_due("x", str(number), 60)
    assert seldom.is_due("x", "0", 60)  # what is too many is forgotten


def test_secret_that_is_cut_short_or_mistyped_is_told_by_itself() -> None:
    token = new_secret(TOKEN)
    assert is_whole(token)
    wrong = "A" if token[20] != "A" else "B"
    swapped = token[:20] + wrong + token[21:]
    assert not any(is_whole(text) for text in (token[:-1], token + "x", swapped, token.swapcase(), "", "scim_", "x"))
    assert is_whole("scim_" + "a" * 43)  # of a release before


def test_damaged_token_is_refused_without_a_look_into_the_database(app: Flask, api: Api) -> None:
    """AUT-06."""
    token = str(api.token)
    mistyped = token[:-1] + ("A" if token[-1] != "A" else "B")
    if app.extensions["scim"].database.engine.dialect.name != "sqlite":
        assert "copy the whole token" in replace(api, token=mistyped).refuse("GET", "/Users", status=401)
        return
    with statements(app) as seen:
        assert "copy the whole token" in replace(api, token=mistyped).refuse("GET", "/Users", status=401)
    assert seen == []


def test_earlier_token_without_a_checksum_works(api: Api) -> None:
    token = "scim_" + secrets.token_urlsafe(32)
    with api.database.transaction(api.account_id):
        wired = credentials.connect(api.account_id, "old", "default", now())
        credentials.issue(api.account_id, wired.id, "scim.read", now(), None)
        newest = credentials.listed(api.account_id)[-1]
        execute(credential.update().where(credential.c.id == newest.id).values(digest=credentials.digest(token)))
    replace(api, token=token).get("/Users")


def test_refusals_of_a_known_client_are_in_the_journal_once_a_minute(api: Api) -> None:
    client = register(api)
    for _ in range(5):
        assert error_of(post(api.app, **{**own(client), "client_secret": "wrong"}))[0] == "invalid_client"
    (entry,) = api.refusals()
    assert (entry.action, entry.status, entry.error) == ("client.refused", 401, "invalid_client")


def test_revoked_client_and_its_tokens_are_refused(api: Api) -> None:
    client = register(api)
    token = post(api.app, **own(client)).json["access_token"]
    api.get("/Users", headers=bearer(token))
    Registry(api.database).revoke_client(api.account_name, client["clientId"])
    assert "obtain a new one" in replace(api, token=token).refuse("GET", "/Users", status=401)
    assert error_of(post(api.app, **own(client)))[0] == "invalid_client"
