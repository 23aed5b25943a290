"""A server per database, an account per test, and a small driver that speaks SCIM to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from math import inf
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask
from webtest import TestApp

from scim_server import create_app
from scim_server.account.guard import UNGUARDED
from scim_server.account.model import Pool
from scim_server.provisioning import Service
from scim_server.settings import Settings
from scim_server.store import accounts, credentials, journal
from scim_server.store.database import Database, execute
from scim_server.store.identifiers import now
from scim_server.store.tables import user_log
from scim_server.store.upgrading import upgrade

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
EXT = "urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:User"
GEXT = "urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:Group"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
BASE = "http://localhost/scim/v2"

_numbers = count(1)


def op(verb: str, path: str | None = None, value: Any = ...) -> dict[str, Any]:
    """One PATCH operation."""
    operation: dict[str, Any] = {"op": verb}
    if path is not None:
        operation["path"] = path
    if value is not ...:
        operation["value"] = value
    return operation


def policies(settings: dict[str, Any]) -> dict[str, Any]:
    """Policies by their keys; without a guard unless they say so, as many tests empty their accounts."""
    return {**UNGUARDED, **{key.replace("__", "."): value for key, value in settings.items()}}


@dataclass
class Api:
    """Speaks to one account with one token; every call asserts its status and returns the JSON of the answer."""

    app: Flask
    account_id: str
    token: str | None
    domain: str
    response: Any = None
    """The last answer, for its headers."""

    def send(self, method: str, path: str, body: Any = None, *, headers: Any = None) -> Any:
        """Send a request with the token; returns WebTest's response, whatever its status."""
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = b""
        if body is not None:
            sent.setdefault("Content-Type", "application/scim+json")
            data = body if isinstance(body, bytes) else orjson.dumps(body)
        url = path if path.startswith(("http", "/scim")) else f"/scim/v2{path}"
        self.response = TestApp(self.app, lint=False).request(
            url, method=method, headers=sent, body=data, expect_errors=True
        )
        return self.response

    def call(self, method: str, path: str, body: Any = None, *, status: int, headers: Any = None) -> Any:
        response = self.send(method, path, body, headers=headers)
        assert response.status_int == status, f"{method} {path}: {response.status} {response.text[:2000]}"
        if not response.body:
            return None
        assert response.headers["Content-Type"] == "application/scim+json"
        return orjson.loads(response.body)

    def get(self, path: str, *, status: int = 200, **kw: Any) -> Any:
        return self.call("GET", path, status=status, **kw)

    def post(self, path: str, body: Any, *, status: int = 201, **kw: Any) -> Any:
        return self.call("POST", path, body, status=status, **kw)

    def put(self, path: str, body: Any, *, status: int = 200, **kw: Any) -> Any:
        return self.call("PUT", path, body, status=status, **kw)

    def patch(self, path: str, *operations: dict[str, Any], status: int = 200, **kw: Any) -> Any:
        return self.call("PATCH", path, {"schemas": [PATCH_OP], "Operations": operations}, status=status, **kw)

    def delete(self, path: str, *, status: int = 204, **kw: Any) -> Any:
        return self.call("DELETE", path, status=status, **kw)

    def refuse(
        self, method: str, path: str, body: Any = None, *, status: int = 400, kind: str | None = None, **kw: Any
    ) -> str:
        """Send what must be refused; asserts the shape of the SCIM error (ERR-01) and returns its detail."""
        error = self.call(method, path, body, status=status, **kw)
        expected = {"schemas": [ERROR], "status": str(status), **({"scimType": kind} if kind else {})}
        assert error == {**expected, "detail": error["detail"]}
        assert isinstance(error["detail"], str)
        assert error["detail"]
        return str(error["detail"])

    def refuse_patch(self, path: str, *operations: Any, status: int = 400, kind: str | None = None, **kw: Any) -> str:
        """PATCH with operations that must be refused."""
        body = {"schemas": [PATCH_OP], "Operations": list(operations)}
        return self.refuse("PATCH", path, body, status=status, kind=kind, **kw)

    def find(self, condition: str, path: str = "/Users", **parameters: Any) -> list[Any]:
        """The resources that a filter finds."""
        page = self.get(f"{path}?{urlencode({'filter': condition, **parameters})}")
        assert page["totalResults"] >= len(page["Resources"])
        return list(page["Resources"])

    @contextmanager
    def unchanged(self, *paths: str) -> Iterator[None]:
        """Assert that the block changes neither these resources nor the journal, refusals aside."""
        before = [self.get(path) for path in paths]
        done = self.done()
        yield
        assert [self.get(path) for path in paths] == before
        assert self.done() == done

    def done(self) -> list[str]:
        """The actions of the journal that changed something, oldest first."""
        return [entry.action for entry in self.journal() if entry.outcome == "success"]

    def refusals(self) -> list[Any]:
        """The entries of the journal that tell of a refusal, oldest first."""
        return [entry for entry in self.journal() if entry.outcome == "refused"]

    def mail(self, name: str) -> str:
        """An address in the account's approved domain."""
        return f"{name}@{self.domain}"

    def user(self, name: str = "ava", /, *, status: int = 201, **attributes: Any) -> Any:
        """Create a user; ``licence="pro"`` and other keywords beginning in lower case go where they belong."""
        extension = attributes.pop("ext", {})
        body = {"schemas": [USER], "userName": self.mail(name), **attributes}
        if extension:
            body[EXT] = extension
        return self.post("/Users", body, status=status)

    def group(self, name: str = "Sales", /, *members: str, status: int = 201, **attributes: Any) -> Any:
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": one} for one in members], **attributes}
        return self.post("/Groups", body, status=status)

    @property
    def service(self) -> Service:
        service: Service = self.app.extensions["scim"]
        return service

    @property
    def database(self) -> Database:
        return self.service.database

    @property
    def account_name(self) -> str:
        """What the command line calls the account."""
        with self.database.reading(self.account_id):
            return next(row.name for row in accounts.all_accounts() if row.id == self.account_id)

    def pool(self, licence_type: str) -> Pool:
        """The account's pool of a licence type, as the database has it."""
        with self.database.reading(self.account_id):
            return accounts.pools(self.account_id)[licence_type]

    def buy(self, licence_type: str, quantity: int) -> None:
        with self.database.transaction(self.account_id):
            accounts.add_licences(self.account_id, licence_type, quantity)

    def policy(self, **settings: Any) -> None:
        """Set policies of the account by their keys, with ``__`` for the dot."""
        with self.database.transaction(self.account_id):
            accounts.set_settings(self.account_id, policies(settings))

    def journal(self) -> list[Any]:
        """The account's journal, oldest entry first."""
        with self.database.reading(self.account_id):
            return journal.read(self.account_id, limit=1000)

    def actions(self) -> list[str]:
        return [entry.action for entry in self.journal()]

    def write_log(self, user_id: str, entries: int = 3) -> None:
        """Have a user send messages: entries of its log, as the product writes them."""
        with self.database.transaction(self.account_id):
            for number in range(entries):
                values = {"account_id": self.account_id, "id": f"{user_id}-{next(_numbers)}", "user_id": user_id}
                times = {"sent_at": number + 1, "last_activity_at": (number + 1) * 1_000_000}
                execute(user_log.insert(), {**values, **times, "status": "open", "entry": "{}"})

    def log_count(self, user_id: str) -> int:
        """How many entries the log of a user has."""
        with self.database.reading(self.account_id):
            mine = (user_log.c.account_id == self.account_id, user_log.c.user_id == user_id)
            return int(execute(sa.select(sa.func.count()).where(*mine)).scalar_one())

    def token_for(
        self, scopes: str = "scim.read scim.write scim.logs", expires_at: int | None = None, profile: str = "default"
    ) -> "Api":
        """Another token for the same account, of a connection with the profile."""
        with self.database.transaction(self.account_id):
            connection = credentials.connect(self.account_id, f"idp-{profile}", profile, now())
            token = credentials.issue(self.account_id, connection.id, scopes, now(), expires_at)
        return replace(self, token=token)


@pytest.fixture(scope="module")
def app(database_url: str) -> Iterator[Flask]:
    """The application on a migrated database, on SQLite and on PostgreSQL."""
    # Policies and tokens change in the middle of a test, which sends as fast as it can; that they are kept in mind for
    # a while, and how much one may send, has tests of its own.
    settings = Settings(
        database_url=database_url,
        external_url="http://localhost",
        credential_seconds=0,
        rate_limit=None,
        bulk_at_once=64,
        auth_failures=None,
    )
    upgrading = Database(Flask("upgrade"), database_url)
    upgrade(upgrading)
    upgrading.engine.dispose()
    application = create_app(settings)
    application.extensions["scim"].notebook.pause = inf  # what requests look like is written when a test says so
    yield application
    application.extensions["scim"].database.engine.dispose()


@pytest.fixture
def new_account(app: Flask) -> Callable[..., Api]:
    """Make an account with an approved domain, five licences of each personal type, and a token."""

    def make(licences: int = 5, **settings: Any) -> Api:
        number = next(_numbers)
        database: Database = app.extensions["scim"].database
        with database.transaction(None):
            account_id = accounts.create(f"account-{number}", policies(settings), now())
            accounts.set_domain(account_id, f"a{number}.example", "approved", now())
            for licence_type in ("eco", "advanced", "pro", "sharedMailbox"):
                accounts.add_licences(account_id, licence_type, licences)
        return Api(app, account_id, None, f"a{number}.example").token_for()

    return make


@pytest.fixture
def api(new_account: Callable[..., Api]) -> Api:
    """An account of its own for one test, with its token."""
    return new_account()


@pytest.fixture
def free(new_account: Callable[..., Api]) -> Api:
    """A test account: any userName and any time zone is accepted, as third-party suites need it."""
    return new_account(domains__enforcement="off", timezone__enforcement="off")


@pytest.fixture
def anonymous(api: Api) -> Api:
    """The same account without a credential."""
    return replace(api, token=None)
