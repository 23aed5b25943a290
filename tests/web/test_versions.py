"""Entity tags and conditional requests: protocol.md 4.16."""

import re
from typing import Any

import pytest

from tests.web.conftest import GROUP, PATCH_OP, USER, Api, op

Write = tuple[str, Any, int]


def writes(api: Api) -> list[Write]:
    """A write of each kind on a user, with the status of its success; the deletion last."""
    return [
        ("PATCH", {"schemas": [PATCH_OP], "Operations": [op("replace", "title", "new")]}, 200),
        ("PUT", {"schemas": [USER], "userName": api.mail("ava"), "title": "newer"}, 200),
        ("DELETE", None, 204),
    ]


@pytest.fixture
def path(api: Api) -> str:
    return f"/Users/{api.user('ava', title='old')['id']}"


def tag(api: Api, path: str) -> str:
    return str(api.get(path)["meta"]["version"])


def test_every_answer_has_the_version_as_its_tag(api: Api) -> None:
    """ETG-01, ETG-10."""
    body = {"schemas": [USER], "userName": api.mail("ava")}
    user = api.post("/Users", body)
    path = f"/Users/{user['id']}"
    assert re.fullmatch(r'W/"[!#-~]+"', user["meta"]["version"])
    assert api.response.headers["ETag"] == user["meta"]["version"]
    for answer in (api.get(path), api.put(path, {**body, "title": "x"}), api.patch(path, op("replace", "title", "y"))):
        assert answer["meta"]["version"]
    assert api.response.headers["ETag"] == tag(api, path)
    listed = api.get("/Users")["Resources"][0]
    assert listed["meta"]["version"] == tag(api, path)


def test_every_change_has_a_version_of_its_own(api: Api, path: str) -> None:
    """ETG-05: also there and back again."""
    seen = {tag(api, path)}
    for title in ("a", "b", "a", "old", "a"):
        seen.add(api.patch(path, op("replace", "title", title))["meta"]["version"])
    assert len(seen) == 6


@pytest.mark.parametrize(
    "form", ["{tag}", "{strong}", '"x", {tag}', '{tag}, W/"x"', ' {tag} ,"y"', "*", 'W/"x",{strong}']
)
def test_known_version_is_not_sent_again(api: Api, path: str, form: str) -> None:
    """ETG-02, A-10: until the resource changes."""
    current = tag(api, path)
    known = {"If-None-Match": form.format(tag=current, strong=current.removeprefix("W/"))}
    assert api.get(path, status=304, headers=known) is None
    assert api.response.headers["ETag"] == current
    assert "Content-Type" not in api.response.headers
    assert api.call("HEAD", path, status=304, headers=known) is None
    assert api.get(f"{path}?attributes=title", status=304, headers=known) is None
    api.patch(path, op("replace", "title", "new"))
    api.get(path, headers=known, status=304 if form == "*" else 200)


@pytest.mark.parametrize("form", ['W/"0"', '"x"', '"', "", "W/", "x y z", "''", 'W/"1', '"1'])
def test_other_versions_are_answered(api: Api, path: str, form: str) -> None:
    """ETG-02."""
    assert api.get(path, headers={"If-None-Match": form})["title"] == "old"


@pytest.mark.parametrize("form", ["{tag}", "{strong}", "*", '"x", {tag}', 'W/"y",{strong}'])
def test_write_on_the_current_version_is_done(api: Api, path: str, form: str) -> None:
    """ETG-03, ETG-04."""
    for method, body, status in writes(api):
        current = tag(api, path)
        headers = {"If-Match": form.format(tag=current, strong=current.removeprefix("W/"))}
        api.call(method, path, body, status=status, headers=headers)


@pytest.mark.parametrize(
    "form", ["{stale}", '"x"', '"*"', '"x", W/"y"', "", '"', "{bare}", "{tag}x", "W/", '""', "{inner}", "'{bare}'"]
)
def test_write_on_another_version_is_refused(api: Api, path: str, form: str) -> None:
    """ETG-03, ETG-04, ETG-08, A-11: a malformed tag never lets a write through."""
    stale = tag(api, path)
    api.patch(path, op("replace", "title", "changed"))
    current = tag(api, path)
    bare = current.removeprefix("W/").strip('"')
    header = form.format(stale=stale, tag=current, bare=bare, inner=f'"{bare}{bare}"')
    with api.unchanged(path):
        for method, body, _ in writes(api):
            api.refuse(method, path, body, status=412, headers={"If-Match": header})
    assert [entry.status for entry in api.refusals()] == [412] * 3


def test_write_that_must_not_find_anything_is_refused(api: Api, path: str) -> None:
    """ETG-09."""
    with api.unchanged(path):
        for header in ("*", tag(api, path)):
            for method, body, _ in writes(api):
                api.refuse(method, path, body, status=412, headers={"If-None-Match": header})
    api.patch(path, op("replace", "title", "x"), headers={"If-None-Match": 'W/"other"'})


@pytest.mark.parametrize("endpoint", ["/Users", "/Groups"])
def test_condition_on_the_unknown_is_404(api: Api, endpoint: str) -> None:
    """ETG-04, A-52."""
    for header in ("If-Match", "If-None-Match"):
        for value in ("*", 'W/"1"'):
            api.refuse("GET", f"{endpoint}/unknown", status=404, headers={header: value})
            api.refuse("DELETE", f"{endpoint}/unknown", status=404, headers={header: value})
            body = {"schemas": [USER if endpoint == "/Users" else GROUP], "userName": api.mail("x"), "displayName": "x"}
            api.refuse("PUT", f"{endpoint}/unknown", body, status=404, headers={header: value})


def test_nothing_requires_a_condition(api: Api, path: str) -> None:
    """IOP-05."""
    for method, body, status in writes(api):
        api.call(method, path, body, status=status)


def test_no_op_under_a_stale_condition_is_refused_all_the_same(api: Api, path: str) -> None:
    """ETG-03, ETG-06."""
    stale = tag(api, path)
    api.patch(path, op("replace", "title", "changed"))
    with api.unchanged(path):
        body = {"schemas": [PATCH_OP], "Operations": [op("replace", "title", "changed")]}
        api.refuse("PATCH", path, body, status=412, headers={"If-Match": stale})


def test_membership_moves_the_version_of_the_group(api: Api) -> None:
    """ETG-07, ETG-03: and what changes nothing does not; the user's own version stays."""
    ava = api.user()
    path = f"/Groups/{api.group('Sales')['id']}"
    seen = [tag(api, path)]
    for operation in (
        op("add", "members", [{"value": ava["id"]}]),
        op("remove", f'members[value eq "{ava["id"]}"]'),
        op("replace", "members", [{"value": ava["id"]}]),
        op("remove", "members"),
        op("replace", "displayName", "Tours"),
    ):
        api.patch(path, operation)
        seen.append(tag(api, path))
        assert api.response.headers["ETag"] == seen[-1]
        with api.unchanged(path):
            api.patch(path, operation)
    assert len(set(seen)) == 6
    assert api.get(f"/Users/{ava['id']}")["meta"] == ava["meta"]
    with api.unchanged(path):
        body = {"schemas": [PATCH_OP], "Operations": [op("add", "members", [{"value": ava["id"]}])]}
        api.refuse("PATCH", path, body, status=412, headers={"If-Match": seen[0]})
        api.refuse("DELETE", path, status=412, headers={"If-Match": seen[0]})
        api.refuse("PUT", path, {"displayName": "x"}, status=412, headers={"If-Match": seen[0]})
    api.delete(path, headers={"If-Match": seen[-1]})
