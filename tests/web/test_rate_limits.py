"""How fast a connection may send, over all workers; how many bulk requests at once; how often an address may guess."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from scim_server import create_app
from scim_server.provisioning import rates as limiting
from scim_server.provisioning.floods import PAUSE, Floods
from scim_server.provisioning.rates import Buckets
from scim_server.settings import Settings
from scim_server.store import credentials
from scim_server.store.identifiers import now
from scim_server.web.braking import address_of

from . import bulk
from .conftest import BULK_REQUEST, Api
from .processes import SECONDS, Crew, crew

RATE, BURST = 20, 20
LEASE = 2
"""What a worker may hold unspent at this rate: a tenth of a second's requests."""
ASK = ("GET", "/Users?count=0", None)


@contextmanager
def worker(api: Api, **settings: Any) -> Iterator[Api]:
    """The same account, served by a worker with settings of its own."""
    url = api.database.engine.url.render_as_string(hide_password=False)
    given = {"rate_limit": None, "auth_failures": None, "credential_seconds": 0, **settings}
    application = create_app(Settings(url, "http://localhost", **given))
    yield replace(api, app=application)
    application.extensions["scim"].database.engine.dispose()


def too_fast(api: Api, method: str = "GET", path: str = "/Users?count=0", body: Any = None) -> str:
    """Send what must be held off: 429, Retry-After in whole seconds, a SCIM error; returns its detail."""
    detail = api.refuse(method, path, body, status=429)
    assert int(api.response.headers["Retry-After"]) >= 1
    assert "scimType" not in api.response.json
    assert "WWW-Authenticate" not in api.response.headers
    return detail


@pytest.fixture(scope="module")
def two_processes(app: Flask, database_url: str) -> Iterator[Crew]:
    with crew(database_url, 2, rate_limit=RATE, rate_burst=BURST) as started:
        yield started


def test_two_processes_together_keep_a_connection_to_its_rate(api: Api, two_processes: Crew) -> None:
    """LIM-01: shared on PostgreSQL, where what the workers hold unspent may come on top; on SQLite of each worker."""
    begun = time.monotonic()
    answers = two_processes.at_once(api, [ASK] * 150, [ASK] * 150)
    took = time.monotonic() - begun
    assert {status for one in answers for status in one} == {200, 429}
    let_through = [one.count(200) for one in answers]
    most = BURST + RATE * took
    if api.database.dialect == "postgresql":
        assert BURST <= sum(let_through) <= most + 2 * LEASE
    else:
        assert all(BURST <= number <= most for number in let_through)


def test_other_connections_of_the_account_keep_their_rate(api: Api, two_processes: Crew) -> None:
    two_processes.at_once(api, [ASK] * 60, [ASK] * 60)
    other = api.token_for(profile="okta")
    assert two_processes.at_once(other, [ASK] * 5, [ASK] * 5) == [[200] * 5] * 2


def test_revocation_reaches_two_processes_that_are_held_to_a_rate(api: Api, two_processes: Crew) -> None:
    assert two_processes.at_once(api, [ASK], [ASK]) == [[200], [200]]
    with api.database.transaction(api.account_id):
        for one in credentials.listed(api.account_id):
            credentials.revoke(api.account_id, one.id, now())
    time.sleep(SECONDS)
    assert two_processes.at_once(api, [ASK], [ASK]) == [[401], [401]]


def test_rate_is_told_with_the_limit_and_the_time_to_wait(api: Api) -> None:
    with worker(api, rate_limit=1, rate_burst=3) as held:
        for _ in range(3):
            held.get("/Users?count=0")
        assert "more than 1 requests per second" in too_fast(held)
        too_fast(held, "POST", "/Users", {})
        too_fast(held, "GET", "/ServiceProviderConfig")
        assert held.response.headers["Retry-After"] == "1"


def test_journal_is_told_of_a_flood_once(api: Api) -> None:
    with worker(api, rate_limit=1, rate_burst=1) as held:
        held.get("/Users?count=0")
        answers = [held.send("GET", "/Users?count=0").status_int for _ in range(20)]
    assert answers.count(429) > 10  # on a slow machine a second may pass meanwhile, which serves one
    (entry,) = api.refusals()
    assert (entry.action, entry.status, entry.target_type) == ("request.refused", 429, "Connection")
    assert entry.actor == "idp-default"


def test_a_request_whose_scope_is_missing_counts_as_well(api: Api) -> None:
    with worker(api.token_for("scim.logs"), rate_limit=1, rate_burst=2) as held:
        for _ in range(2):
            held.refuse("GET", "/Users", status=403)
        too_fast(held)


def test_default_rate_serves_what_galleries_ask_for(api: Api) -> None:
    """CON-13: at least 25 requests per second, here 150 in a moment."""
    with worker(api, rate_limit=Settings().rate_limit) as held:
        for _ in range(150):
            held.get("/Users?count=0")


def test_bucket_of_a_worker_fills_with_time() -> None:
    clock = [0.0]
    buckets = Buckets(2, 4, lambda: clock[0])
    assert [buckets.take("a").granted for _ in range(5)] == [1, 1, 1, 1, 0]
    assert buckets.take("a").wait == pytest.approx(0.5)
    assert buckets.take("b").granted == 1
    clock[0] = 0.6
    assert [buckets.take("a").granted for _ in range(2)] == [1, 0]
    clock[0] = 100
    assert buckets.take("a", 10).granted == 4


def test_no_more_buckets_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "MOST_KEPT", 10)
    buckets = Buckets(1, 1)
    assert all(buckets.take(number).granted for number in range(100))
    assert len(buckets._kept) <= 11


def test_flood_is_told_of_the_first_and_then_how_many_in_a_while() -> None:
    clock = [0.0]
    floods, key = Floods(lambda: clock[0]), ("a", "c", "429")
    assert [floods.count(key) for _ in range(3)] == [1, 0, 0]
    assert floods.count(("a", "c", "503")) == 1
    clock[0] = PAUSE
    assert [floods.count(key), floods.count(key)] == [3, 0]


def test_no_more_bulk_requests_run_at_once_than_may(api: Api) -> None:
    """On PostgreSQL over all workers, on SQLite in each."""
    with worker(api, bulk_at_once=1) as one, worker(api, bulk_at_once=1) as two:
        slots = one.app.extensions["scim_brakes"].bulks
        connection = connection_of(api)
        other = two if api.database.dialect == "postgresql" else one
        with slots.one(api.account_id, connection) as is_given:
            assert is_given
            body = {"schemas": [BULK_REQUEST], "Operations": [bulk.new_user(api, "ava")]}
            assert "run already" in too_fast(other, "POST", "/Bulk", body)
            elsewhere = replace(api.token_for(profile="okta"), app=other.app)
            assert bulk.statuses(elsewhere, bulk.new_user(api, "bob")) == [201]
        assert bulk.statuses(other, bulk.new_user(api, "ava")) == [201]
    assert [entry.status for entry in api.refusals()] == [429]


def connection_of(api: Api) -> str:
    with api.database.reading(api.account_id):
        return str(credentials.connections(api.account_id)[0].id)


def test_places_of_bulk_requests_are_given_back_whatever_happens(api: Api) -> None:
    with worker(api, bulk_at_once=2) as held:
        for _ in range(5):
            held.refuse("POST", "/Bulk", {"schemas": ["x"]}, status=400, kind="invalidSyntax")
        results: list[int] = []
        body = {"schemas": [BULK_REQUEST], "Operations": []}

        def ask() -> None:
            results.append(replace(held).send("POST", "/Bulk", body).status_int)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert 429 not in results


def wrong(api: Api, number: int = 0) -> Api:
    return replace(api, token=f"scim_wrong{number}")


def test_failed_authentications_of_an_address_are_held_off(api: Api) -> None:
    with worker(api, auth_failures=3) as held:
        for number in range(3):
            wrong(held, number).refuse("GET", "/Users", status=401)
        guessing = wrong(held, 9)
        assert "too many failed authentications" in too_fast(guessing)
        assert int(guessing.response.headers["Retry-After"]) <= 20
        held.get("/Users?count=0")  # of who has a valid token nobody's guesses are held against
    assert api.refusals() == []


def test_a_request_without_a_token_guesses_nothing(api: Api) -> None:
    with worker(api, auth_failures=1) as held:
        for _ in range(5):
            replace(held, token=None).refuse("GET", "/Users", status=401)


def test_behind_proxies_the_address_is_what_the_outermost_of_them_saw(api: Api) -> None:
    with worker(api, auth_failures=1, trusted_proxies=2) as held:
        first = {"X-Forwarded-For": "9.9.9.9, 192.0.2.1, 10.0.0.1"}
        wrong(held).refuse("GET", "/Users", status=401, headers=first)
        forged = {"X-Forwarded-For": "8.8.8.8, 192.0.2.1, 10.0.0.1"}
        wrong(held).refuse("GET", "/Users", status=429, headers=forged)
        wrong(held).refuse("GET", "/Users", status=401, headers={"X-Forwarded-For": "192.0.2.2, 10.0.0.1"})


def test_without_proxies_no_header_makes_another_address(api: Api) -> None:
    with worker(api, auth_failures=1) as held:
        wrong(held).refuse("GET", "/Users", status=401, headers={"X-Forwarded-For": "192.0.2.1"})
        wrong(held).refuse("GET", "/Users", status=429, headers={"X-Forwarded-For": "192.0.2.2"})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "20010db800010002/64"),
        ("[2001:db8:1:2::9]:443", "20010db800010002/64"),
        (None, ""),
        ("unknown", "unknown"),
    ],
)
def test_an_address_is_counted_without_its_port_and_of_ipv6_the_network(text: str | None, address: str) -> None:
    assert address_of(text) == address
