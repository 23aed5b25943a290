"""A paused connection: every request is answered 503 with the time to come again, and nothing of the account changes."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from scim_server.cli import guarding
from scim_server.cli.portal import Portal

from .conftest import BULK_REQUEST, ERROR, PATCH_OP, SEARCH, USER, Api
from .processes import SECONDS, Crew, crew

NAME = "idp-default"


def pause(api: Api, reason: str | None = None) -> Any:
    return guarding.pause(Portal(api.database), api.account_name, NAME, reason)


def resume(api: Api) -> Any:
    return guarding.resume(Portal(api.database), api.account_name, NAME)


REQUESTS = [
    ("GET", "/Users", None),
    ("GET", "/Users/{id}", None),
    ("POST", "/Users", {"schemas": [USER], "userName": "new@{domain}"}),
    ("PUT", "/Users/{id}", {"schemas": [USER], "userName": "ava@{domain}", "active": False}),
    ("PATCH", "/Users/{id}", {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": False}]}),
    ("DELETE", "/Users/{id}", None),
    ("POST", "/Users/.search", {"schemas": [SEARCH]}),
    ("POST", "/.search", {"schemas": [SEARCH]}),
    ("POST", "/Bulk", {"schemas": [BULK_REQUEST], "Operations": []}),
    ("GET", "/Schemas", None),
    ("GET", "/ServiceProviderConfig", None),
    ("GET", "/EventRecords", None),
    ("GET", "/Nothing", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS, ids=[f"{one[0]} {one[1]}" for one in REQUESTS])
def test_every_request_of_a_paused_connection_may_come_again_later(api: Api, method: str, path: str, body: Any) -> None:
    other = api.token_for(profile="okta")
    identifier = api.user()["id"]
    if body and "userName" in body:
        body = {**body, "userName": body["userName"].format(domain=api.domain)}
    before, told = other.get(f"/Users/{identifier}"), len(other.done())
    pause(api, "the sync of Monday")
    response = api.send(method, path.format(id=identifier), body)
    resume(api)
    assert other.get(f"/Users/{identifier}") == before
    assert other.done()[told:] == ["connection.paused", "connection.resumed"]
    assert response.status_int == 503
    assert response.headers["Retry-After"] == "300"
    assert response.headers["Content-Type"] == "application/scim+json"
    assert "WWW-Authenticate" not in response.headers
    detail = "an administrator has paused this connection: the sync of Monday; it goes on when an administrator of the service says: scim-server connection resume"
    assert response.json == {"schemas": [ERROR], "status": "503", "detail": detail}
    assert other.get("/Users")["totalResults"] == 1


def test_paused_connection_without_a_reason_is_told_so(api: Api) -> None:
    pause(api)
    assert api.refuse("GET", "/Users", status=503).startswith("an administrator has paused this connection; ")


def test_tokens_that_are_not_good_are_told_that_and_not_the_pause(api: Api) -> None:
    pause(api)
    replace(api, token="scim_wrong").refuse("GET", "/Users", status=401)
    replace(api, token=None).refuse("GET", "/Users", status=401)
    replace(api, token=None).get("/ServiceProviderConfig")


def test_resumed_connection_is_served_as_before(api: Api) -> None:
    pause(api)
    api.refuse("GET", "/Users", status=503)
    resume(api)
    api.user()


def test_other_connections_of_the_account_are_served(api: Api) -> None:
    other = api.token_for(profile="okta")
    pause(api)
    other.user()


def test_journal_tells_the_pause_and_of_its_refusals_once(api: Api) -> None:
    pause(api, "why not")
    for _ in range(10):
        api.refuse("DELETE", "/Users/x", status=503)
    entries = [(one.action, one.status) for one in api.journal()]
    assert entries == [("connection.paused", None), ("request.refused", 503)]
    assert "why not" in api.refusals()[0].detail
    assert api.refusals()[0].target_name == NAME


@pytest.fixture(scope="module")
def two_processes(app: Flask, database_url: str) -> Iterator[Crew]:
    with crew(database_url, 2) as started:
        yield started


def test_pause_and_its_end_reach_every_process_within_their_time(api: Api, two_processes: Crew) -> None:
    ask = [("GET", "/Users?count=0", None)]
    assert two_processes.at_once(api, ask, ask) == [[200], [200]]
    pause(api)
    time.sleep(SECONDS)
    assert two_processes.at_once(api, ask, ask) == [[503], [503]]
    resume(api)
    time.sleep(SECONDS)
    assert two_processes.at_once(api, ask, ask) == [[200], [200]]
