"""What a server writes where it logs all that it can: never what was sent or answered (LOG-02, PWD-01)."""

import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask import Flask

from scim_server.cli import main
from scim_server.store import accounts
from scim_server.store.database import Database, execute
from scim_server.store.tables import user
from tests.live import free_port, until

LOUD = """
import logging
logging.basicConfig(level=logging.DEBUG)
from scim_server import create_app
from scim_server.settings import load
from scim_server.web.reception import Reception
application = Reception(create_app(load()), 1_048_576, 4)
"""
"""The application as the production server has it, with every logger of every library at its loudest."""
FORM = "application/x-www-form-urlencoded"
SCIM = "application/scim+json"
CALLBACK = "https://idp.example/callback"


@dataclass
class Loud:
    """A server whose log is read: what was said to it, and what it said, must not be there."""

    port: int
    log_file: Path
    run: Callable[..., Result]
    url: str

    def ask(
        self, method: str, path: str, body: str | None = None, kind: str = SCIM, status: int = 200, **more: str
    ) -> Any:
        """Send a request; returns its JSON, its page, or where it leads."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, {"Content-Type": kind, **more})
        response = connection.getresponse()
        text, location = response.read().decode(), response.headers.get("Location")
        connection.close()
        assert response.status == status, (method, path, response.status, text)
        if status == 302:
            return location
        return json.loads(text) if text and "json" in response.headers.get("Content-Type", "") else text

    def said(self) -> str:
        return self.log_file.read_text("utf-8", "replace")


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loud]:
    directory, port = tmp_path_factory.mktemp("loud"), free_port()
    (directory / "loud.py").write_text(LOUD)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_")}
    settings = {"SCIM_DATABASE_URL": database_url, "SCIM_EXTERNAL_URL": f"http://127.0.0.1:{port}"}

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(main, arguments, env={**settings, "SCIM_SETTINGS_FILE": None})
        assert result.exit_code == code, (result.output, result.exception)
        return result

    run("upgrade")
    run("account", "create", "acme", "--test")
    run("account", "set", "acme", "passwords.store=on")
    options = (
        f"--interface wsgi --http 1 --port {port} --access-log --log-level debug --blocking-threads 8 --no-ws".split()
    )
    log = directory / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", *options, "loud:application"],
            cwd=directory, env=kept | settings | {"PYTHONUNBUFFERED": "1"}, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    with process:
        try:
            until(lambda: process.poll() is not None or _is_up(port))
            yield Loud(port, log, run, database_url)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _is_up(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def answered(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_no_log_has_a_body_a_query_or_a_secret(server: Loud) -> None:
    """Through every door, what is refused and what fails included; the log is not empty for it."""
    token = answered(server.run("token", "issue", "--account", "acme", "--json"))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    secrets = {token, "b0dy-", "qu3ry-", "pa55-", "n0body-"}

    ava = {"userName": "b0dy-ava@x.example", "title": "b0dy-title", "password": "pa55-word-1"}
    identifier = server.ask("POST", "/scim/v2/Users", json.dumps(ava), status=201, **bearer)["id"]
    server.ask("POST", "/scim/v2/Users", json.dumps(ava), status=409, **bearer)
    server.ask("POST", "/scim/v2/Users", '{"userName": "b0dy-broken', status=400, **bearer)
    server.ask("POST", "/scim/v2/Users", '{"userName": 5, "password": "pa55-word-2"}', status=400, **bearer)
    server.ask("PATCH", f"/scim/v2/Users/{identifier}", '{"Operations": [{"op": "b0dy-op"}]}', status=400, **bearer)
    found = server.ask("GET", "/scim/v2/Users?filter=" + quote('title eq "b0dy-title" or title eq "qu3ry-x"'), **bearer)
    assert found["totalResults"] == 1
    server.ask("GET", "/scim/v2/Users?filter=qu3ry-(", status=400, **bearer)
    server.ask("POST", "/scim/v2/Users/.search", '{"filter": "title eq \\"b0dy-filter\\""}', **bearer)
    bulk = {"Operations": [{"method": "POST", "path": "/Users", "bulkId": "b0dy-1", "data": {"userName": "b0dy-bob"}}]}
    server.ask("POST", "/scim/v2/Bulk", json.dumps(bulk), **bearer)
    server.ask("GET", f"/scim/v2/Users?access_token={token}", status=401)
    server.ask("GET", "/scim/v2/Users", status=401, Authorization="Bearer n0body-guessed")
    server.ask(
        "GET", "/scim/v2/Users", status=401, Authorization="Basic " + base64.b64encode(b"n0body:pa55-x").decode()
    )
    server.ask("GET", "/nowhere?qu3ry-x=1", status=404)
    secrets |= {base64.b64encode(b"n0body:pa55-x").decode()}

    secrets |= _oauth(server)
    secrets |= _failures(server, identifier, bearer)
    journal = server.run("log", "--account", "acme", "--limit", "1000", "--json").stdout
    assert "client.reused" in journal
    assert sorted(one for one in secrets - {"b0dy-", "qu3ry-"} if one in journal) == []
    told = server.said()
    assert "Traceback" in told  # what failed is told
    assert "/scim/v2/Users" in told  # the access log is on
    assert re.search("sqlalchemy|authlib|DEBUG", told)  # and the libraries' loggers
    assert [line for line in told.splitlines() if any(one in line for one in secrets)] == []


def _oauth(server: Loud) -> set[str]:
    """Go through the token endpoint and the consent page; returns all that is a secret there."""
    own = answered(server.run("client", "create", "--account", "acme", "--connection", "a", "--json"))
    named = {"client_id": own["clientId"], "client_secret": own["clientSecret"]}

    def post(form: dict[str, str], path: str = "token", status: int = 200) -> Any:
        return server.ask("POST", f"/oauth2/{path}", urlencode(form), FORM, status)

    access = post({"grant_type": "client_credentials", **named})["access_token"]
    post({"grant_type": "client_credentials", **named, "client_secret": "pa55-wrong"}, status=401)
    post({"grant_type": "client_credentials", **named, "scope": "b0dy-scope"}, status=400)
    post({"token": access, **named}, "introspect")
    post({"token": access, **named}, "revoke")
    line = ("--grant", "authorization_code", "--redirect-uri", CALLBACK, "--without-pkce", "--json")
    asking = answered(server.run("client", "create", "--account", "acme", "--connection", "b", *line))
    code = answered(server.run("client", "consent", "--account", "acme", asking["clientId"], "--json"))["consentCode"]
    form = {"response_type": "code", "client_id": asking["clientId"], "redirect_uri": CALLBACK, "state": "qu3ry-state"}
    server.ask("GET", f"/oauth2/authorize?{urlencode(form)}")
    server.ask("GET", f"/oauth2/authorize?{urlencode(form | {'redirect_uri': 'https://qu3ry-.example'})}", status=400)
    post(form | {"consent": "pa55-code", "allow": "yes"}, "authorize", 400)
    located = post(form | {"consent": code, "allow": "yes"}, "authorize", 302)
    grant = parse_qs(urlsplit(located).query)["code"][0]
    who = {"client_id": asking["clientId"], "client_secret": asking["clientSecret"]}
    granted = {"grant_type": "authorization_code", "code": grant, "redirect_uri": CALLBACK, **who}
    told = post(granted)
    renewed = post({"grant_type": "refresh_token", "refresh_token": told["refresh_token"], **who})
    post({"grant_type": "refresh_token", "refresh_token": told["refresh_token"], **who}, status=400)  # used twice
    post(granted, status=400)
    tokens = {one[name] for one in (told, renewed) for name in ("access_token", "refresh_token")}
    return {own["clientSecret"], asking["clientSecret"], access, code, grant, *tokens}


def _failures(server: Loud, identifier: str, bearer: dict[str, str]) -> set[str]:
    """Have the database refuse what it is given, and lose a table, so that requests fail; returns what is secret."""
    engine = sa.create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if is_sqlite:
            raising = "SELECT RAISE(ABORT, 'b0dy-constraint')"
            connection.execute(sa.text(f'CREATE TRIGGER no BEFORE INSERT ON "user" BEGIN {raising}; END'))
        else:
            connection.execute(sa.text("""ALTER TABLE "user" ADD CONSTRAINT no CHECK (user_name <> 'b0dy-no')"""))
    server.ask("POST", "/scim/v2/Users", '{"userName": "b0dy-no", "password": "pa55-no"}', status=500, **bearer)
    with engine.connect() as connection:
        connection.execute(sa.text("DROP TRIGGER no" if is_sqlite else 'ALTER TABLE "user" DROP CONSTRAINT no'))
    _break_documents(server.url)
    server.ask("GET", f"/scim/v2/Users/{identifier}?attributes=qu3ry-x", status=500, **bearer)
    with engine.connect() as connection:
        connection.execute(sa.text('ALTER TABLE "user" RENAME TO gone'))
    for method, path, body in (
        ("GET", "/Users?filter=" + quote('title eq "qu3ry-gone"'), None),
        ("POST", "/Users", '{"userName": "b0dy-gone"}'),
        ("PATCH", f"/Users/{identifier}", '{"Operations": [{"op": "add", "path": "title", "value": "b0dy-gone"}]}'),
    ):
        server.ask(method, f"/scim/v2{path}", body, status=503 if is_sqlite else 500, **bearer)
    with engine.connect() as connection:
        connection.execute(sa.text('ALTER TABLE gone RENAME TO "user"'))
    engine.dispose()
    return {"b0dy-", "pa55-"}


def _break_documents(url: str) -> None:
    database = Database(Flask("breaking"), url)
    with database.reading(None):
        (account,) = accounts.all_accounts()
    with database.transaction(account.id):
        execute(sa.update(user).where(user.c.account_id == account.id).values(document='"b0dy-broken'))
    database.engine.dispose()


def test_no_error_of_a_command_has_a_secret(server: Loud) -> None:
    """A token that was pasted where an id or a name belongs; the passwords of settings have tests of their own."""
    token = answered(server.run("token", "issue", "--account", "acme", "--json"))["token"]
    for line, code in (
        (("token", "revoke", "--account", "acme", token), 1),
        (("token", "issue", "--account", token), 1),
        (("token", "issue", "--account", "acme", "--profile", token), 1),
        (("token", "issue", "--account", "acme", "--scope", token), 1),
        (("token", "issue", "--account", "acme", "--user", token), 1),
        (("client", "revoke", "--account", "acme", token), 1),
        (("client", "consent", "--account", "acme", token), 1),
        (("connection", "show", "--account", "acme", token), 1),
        (("domain", "approve", "--account", "acme", f"{token}.example"), 1),
        (("account", "set", "acme", f"{token}=on"), 1),
    ):
        result = server.run(*line, code=code)
        assert token not in result.output, line
