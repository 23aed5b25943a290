"""What a worker keeps in mind of a token, and for how long: a revocation reaches every worker within that time."""

import time
from collections.abc import Callable, Iterator

import pytest

from scim_server import create_app
from scim_server.settings import Settings
from scim_server.store import credentials
from scim_server.store.credentials import Recent
from scim_server.store.database import execute
from scim_server.store.identifiers import now
from scim_server.store.tables import credential

from .conftest import Api
from .issuer import issuing, trust
from .processes import SECONDS, Crew, crew
from .test_statements import statements


@pytest.fixture(scope="module")
def database_url(make_url: Callable[[str], str]) -> str:
    return make_url("sqlite")


@pytest.fixture
def two_processes(database_url: str) -> Iterator[Crew]:
    with crew(database_url, 2) as started:
        yield started


def revoke(api: Api) -> None:
    with api.database.transaction(api.account_id):
        for one in credentials.listed(api.account_id):
            credentials.revoke(api.account_id, one.id, now())


def test_revocation_reaches_every_process_within_its_time(api: Api, two_processes: Crew) -> None:
    ask = [("GET", "/Users?count=0", None)]
    assert two_processes.at_once(api, ask, ask) == [[200], [200]]
    revoke(api)
    time.sleep(SECONDS)
    assert two_processes.at_once(api, ask, ask) == [[401], [401]]


def test_token_is_looked_up_once_and_again_when_its_time_is_over(api: Api) -> None:
    clock = [100.0]
    recent = Recent(api.database, 2, lambda: clock[0])
    assert recent.find(api.token or "") is recent.find(api.token or "")
    revoke(api)
    clock[0] += 1.9
    kept = recent.find(api.token or "")
    assert kept is not None
    assert kept.revoked_at is None
    clock[0] += 0.1
    found = recent.find(api.token or "")
    assert found is not None
    assert found.revoked_at is not None


def test_unknown_token_is_not_remembered_as_unknown(api: Api) -> None:
    recent, token = Recent(api.database, 60), f"scim_{api.domain}"
    assert recent.find(token) is None
    with api.database.transaction(api.account_id):
        mine = credential.c.account_id == api.account_id
        execute(credential.update().where(mine).values(digest=credentials.digest(token)))
    assert recent.find(token) is not None


def test_no_more_tokens_are_kept_in_mind_than_fit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "MOST_KEPT", 2)
    recent = Recent(api.database, 60)
    with api.database.transaction(api.account_id):
        connection = credentials.connections(api.account_id)[0].id
        tokens = [credentials.issue(api.account_id, connection, "", now(), None) for _ in range(5)]
    assert all(recent.find(token) for token in tokens)
    assert len(recent._kept) <= 2


def test_reading_a_user_with_a_token_just_seen_costs_one_statement(database_url: str, api: Api) -> None:
    identifier = api.user()["id"]
    application = create_app(Settings(database_url=database_url, external_url="http://localhost"))
    worker = Api(application, api.account_id, api.token, api.domain)
    worker.get(f"/Users/{identifier}")
    with statements(application) as seen:
        worker.get(f"/Users/{identifier}")
    assert len(seen) == 1, seen
    application.extensions["scim"].database.engine.dispose()


def test_token_of_a_trusted_issuer_that_was_just_seen_costs_no_look(database_url: str, api: Api) -> None:
    application = create_app(Settings(database_url=database_url, external_url="http://localhost"))
    with issuing() as issuer:
        trust(api, issuer)
        worker = Api(application, api.account_id, issuer.sign(), api.domain)
        worker.get("/Users?count=0")
        with statements(application) as seen:
            worker.get("/Users?count=0")
    assert not [one for one in seen if "trusted_issuer" in one]
    application.extensions["scim"].database.engine.dispose()
