"""The password of a user in an account that keeps it: A-50, PWD-01, PWD-02, PAT-45."""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from scim_server.provisioning.passwords import is_password
from scim_server.store import resources
from tests.web.conftest import USER, Api, op

SECRET = "hunter2-Secret"


@pytest.fixture
def api(new_account: Callable[..., Api]) -> Api:
    """An account that keeps passwords."""
    return new_account(passwords__store="on")


def body(api: Api, **more: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": api.mail("ava"), **more}


def digest(api: Api, path: str) -> str | None:
    """What the database has of a user's password."""
    with api.database.reading(api.account_id):
        return resources.password(api.account_id, path.rpartition("/")[2])


def has_password(api: Api, path: str, password: str) -> bool:
    kept = digest(api, path)
    return kept is not None and is_password(kept, password)


@pytest.fixture
def path(api: Api) -> str:
    return f"/Users/{api.user('ava', password=SECRET)['id']}"


def test_password_is_kept_as_a_salted_digest(api: Api, path: str) -> None:
    """PWD-01: argon2id; the same password has another digest for another user."""
    other = f"/Users/{api.user('bob', password=SECRET)['id']}"
    assert str(digest(api, path)).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert digest(api, path) != digest(api, other)
    assert has_password(api, path, SECRET)
    assert not has_password(api, path, SECRET.lower())
    assert digest(api, f"/Users/{api.user('eve')['id']}") is None


def test_password_is_never_seen_again(api: Api, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """CRT-16, PRJ-13: neither it nor its digest, in answers, lists, the journal, the log or the rest of the row."""
    caplog.set_level(logging.DEBUG)
    kept = str(digest(api, path))
    seen = [
        api.get(path), api.get("/Users"), api.get(f"{path}?attributes=password"), api.journal(), api.find("id pr"),
        api.put(path, body(api, password=SECRET + "2")), api.patch(path, op("add", "password", SECRET + "3")),
        api.patch(path, op("add", value={"password": SECRET + "4", "title": "x"})), api.journal(), caplog.text,
    ]  # fmt: skip
    assert "hunter2" not in str(seen)
    assert "argon2id" not in str(seen)
    with api.database.reading(api.account_id) as connection:
        rows = connection.execute(sa.text('SELECT document, folded FROM "user"')).all()
    assert "hunter2" not in str(rows)
    assert kept not in str(rows)
    for condition in ("password pr", f'password eq "{SECRET}"', "password ne null"):
        api.refuse("GET", f"/Users?filter={quote(condition)}", kind="invalidFilter")


def test_password_is_set_by_every_write(api: Api, path: str) -> None:
    """PAT-45, PAT-21: the last one of several counts."""
    api.put(path, body(api, password="by put"))
    assert has_password(api, path, "by put")
    for verb in ("add", "replace"):
        for number, operation in enumerate(
            (op(verb, "password", f"{verb}0"), op(verb, value={"PASSWORD": f"{verb}1"}))
        ):
            api.patch(path, operation)
            assert has_password(api, path, f"{verb}{number}")
    api.patch(path, op("add", "password", "first"), op("remove", "password"), op("add", f"{USER}:password", "last"))
    assert has_password(api, path, "last")
    assert [entry.changes for entry in api.journal()][-1] == '[{"attribute":"password"}]'


def test_silence_keeps_the_password(api: Api, path: str) -> None:
    """A-08: who leaves it out locks nobody out; null takes it away."""
    for silence in ({}, {"password": ""}, {"password": []}):
        api.put(path, body(api, title="x", **silence))
        assert has_password(api, path, SECRET)
    api.patch(path, op("replace", "title", "y"))
    assert has_password(api, path, SECRET)
    api.put(path, body(api, password=None))
    assert digest(api, path) is None
    for nothing in (op("remove", "password"), op("replace", "password", None)):
        api.patch(path, op("add", "password", "x"))
        api.patch(path, nothing)
        assert digest(api, path) is None


def test_same_password_again_changes_nothing(api: Api, path: str) -> None:
    """P5, PUT-13, PAT-36: nor does taking away what is not there."""
    user, kept = api.get(path), digest(api, path)
    with api.unchanged(path):
        assert api.put(path, {**user, "password": SECRET}) == user
        assert api.patch(path, op("replace", "password", SECRET)) == user
    assert digest(api, path) == kept
    assert api.patch(path, op("replace", "password", "other"))["meta"]["version"] != user["meta"]["version"]
    api.patch(path, op("remove", "password"))
    with api.unchanged(path):
        api.patch(path, op("remove", "password"))


def test_password_is_prepared(api: Api, path: str) -> None:
    """PWD-02: letters in either form and blanks of any kind are the same, case and width are not."""
    api.patch(path, op("replace", "password", "Cafe\u0301\u00a0au\u3000lait"))
    assert has_password(api, path, "Caf\u00e9 au lait")
    with api.unchanged(path):
        api.patch(path, op("replace", "password", "Caf\u00e9 au lait"))
    api.patch(path, op("replace", "password", "\uff21"))
    assert has_password(api, path, "\uff21")


@pytest.mark.parametrize("wrong", ["a\tb", "a\nb", "\u200b", "a\u202eb", "\x85"], ids=ascii)
def test_password_with_a_character_that_is_none_is_refused(api: Api, path: str, wrong: str) -> None:
    """PWD-02: and nothing of it is told."""
    with api.unchanged(path, "/Users"):
        for method, where, sent in (("POST", "/Users", "bob"), ("PUT", path, "ava")):
            detail = api.refuse(method, where, body(api, userName=api.mail(sent), password=wrong), kind="invalidValue")
            assert wrong not in detail
        api.refuse_patch(path, op("replace", "password", wrong), kind="invalidValue")
    assert has_password(api, path, SECRET)


def test_empty_password_is_no_password_in_the_strict_profile(api: Api, path: str) -> None:
    """It is not unassigned there, and RFC 8265 has no empty one."""
    strict = api.token_for(profile="strict")
    with strict.unchanged(path):
        strict.refuse_patch(path, op("replace", "password", ""), kind="invalidValue")


def test_refused_write_keeps_the_password(api: Api, path: str) -> None:
    """PAT-20."""
    with api.unchanged(path):
        api.refuse_patch(
            path, op("replace", "password", "new"), op("replace", "active", "perhaps"), kind="invalidValue"
        )
        api.refuse_patch(
            path, op("replace", "password", "new"), op("replace", "userName", "x@y.example"), kind="invalidValue"
        )
        api.refuse("PUT", path, body(api, password="new"), status=412, headers={"If-Match": 'W/"999"'})
    api.refuse_patch("/Users/nobody", op("replace", "password", "new"), status=404)
    assert has_password(api, path, SECRET)


def test_change_of_passwords_is_announced_to_those_who_can(api: Api, new_account: Callable[..., Api]) -> None:
    """PAT-45, A-29, A-50: the document is public, and true for whoever reads it."""
    dropping = new_account()
    stranger = Api(api.app, api.account_id, "scim_unknown", api.domain)
    nobody = Api(api.app, api.account_id, None, api.domain)
    for side, supported in ((api, True), (dropping, False), (stranger, False), (nobody, False)):
        assert side.get("/ServiceProviderConfig")["changePassword"] == {"supported": supported}


def test_account_that_does_not_keep_passwords_drops_them(new_account: Callable[..., Api]) -> None:
    """A-50: any text is taken, and no write is made of it alone."""
    api = new_account()
    path = f"/Users/{api.user('ava', password=SECRET)['id']}"
    with api.unchanged(path):
        api.patch(path, op("replace", "password", "x\ty"))
    assert digest(api, path) is None
