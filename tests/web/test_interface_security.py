"""The security of the interface: protocol.md 4.24."""

import logging
import socket
from typing import Any
from urllib.parse import quote

import pytest

from tests.web.conftest import ENTERPRISE, Api, op


def test_internal_names_are_inert(api: Api) -> None:
    """SEC-01: in bodies, in operations, in filters and sorts."""
    user = api.user()
    path = f"/Users/{user['id']}"
    names = ("account_id", "accountId", "version", "document", "folded", "user_name_key", "created", "modified", "_id")
    with api.unchanged(path):
        api.put(path, {**user, **dict.fromkeys(names, "x")})
        api.patch(path, op("replace", value=dict.fromkeys(names, "x")))
        for name in names:
            api.refuse_patch(path, op("replace", name, "x"), kind="invalidPath")
            api.refuse("GET", f"/Users?filter={name}+pr", kind="invalidFilter")
            api.refuse("GET", f"/Users?sortBy={name}", kind="invalidValue")


def test_addresses_in_values_are_not_fetched(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-04: no socket is opened for them; the database has its connections already."""
    api.user("warm")
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: asked.append(args) or [])
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    url = "http://127.0.0.1:9/secret"
    photos = [{"value": url, "type": "photo"}]
    user = api.user("ava", profileUrl=url, photos=photos, **{ENTERPRISE: {"manager": {"value": "x", "$ref": url}}})
    assert user["photos"] == photos
    assert not [one for one in asked if "127.0.0.1" in str(one) and "9" in str(one)]


@pytest.mark.parametrize("evil", ["\r\nX-Evil: 1", "%0d%0aX-Evil:%201", "\nSet-Cookie: a=b", "\u010a\u010dX-Evil: 1"])
def test_values_never_become_headers(api: Api, evil: str) -> None:
    """SEC-05, HTP-17."""
    api.user("ava", displayName=f"a{evil}", title=evil, externalId=evil)
    for path in (
        f"/Users/{quote(evil)}",
        f"/Users?filter={quote(evil)}",
        f"/{quote(evil)}",
        f"/Users?attributes={quote(evil)}",
    ):
        for method in ("GET", "DELETE", "PUT"):
            response = api.send(method, path, None if method != "PUT" else {})
            assert response.status_int < 500
            assert not {"X-Evil", "Set-Cookie"} & set(response.headers)
            assert "\n" not in str(response.headers.values())


def test_queries_and_bodies_are_not_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """LOG-02, PWD-01."""
    with caplog.at_level(logging.DEBUG):
        api.user("secretive", password="hunter2-Secret", title="Hidden")
        api.find(f'userName eq "{api.mail("secretive")}"')
        api.refuse("POST", "/Users", {"userName": api.mail("secretive")}, status=409, kind="uniqueness")
        api.send("GET", "/Users?filter=hunter2")
    told = " ".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("scim_server", "werkzeug"))
    )
    assert not [word for word in ("hunter2", "secretive", "Hidden", api.token or "-") if word in told]
