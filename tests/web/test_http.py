"""The HTTP binding and errors: protocol.md 4.3, 4.4, 4.17."""

import json
from urllib.parse import quote

import pytest

from tests.web.conftest import GROUP, PATCH_OP, SEARCH, USER, Api, op

SCIM = "application/scim+json"


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        SCIM,
        "application/json",
        "*/*",
        "application/*",
        "text/html, application/json;q=0.5",
        "text/html;q=0.9, */*;q=0.1",
        "application/scim+json, application/json",
        "APPLICATION/SCIM+JSON",
        "application/json; charset=utf-8",
    ],
)
def test_json_is_served_to_whoever_takes_it(api: Api, accept: str | None) -> None:
    """HTP-01, HTP-02, HTP-03."""
    api.get("/Users", headers={} if accept is None else {"Accept": accept})
    assert api.response.headers["Content-Type"] == SCIM


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*, text/plain", "application/json;q=0"])
def test_client_that_takes_no_json_is_told_so(api: Api, accept: str) -> None:
    """HTP-04, A-51."""
    api.refuse("GET", "/Users", status=406, headers={"Accept": accept})
    with api.unchanged("/Users"):
        api.refuse("POST", "/Users", {"userName": api.mail("x")}, status=406, headers={"Accept": accept})


@pytest.mark.parametrize(
    "kind",
    [
        SCIM,
        "application/json",
        "application/scim+json; charset=utf-8",
        "application/json;charset=UTF-8",
        "APPLICATION/JSON",
        "Application/Scim+Json; Charset=utf-8",
        'application/json; charset="utf-8"; x=y',
        "application/json; charset=bogus",
    ],
)
def test_body_is_read_as_json_under_each_of_its_names(api: Api, kind: str) -> None:
    """HTP-05."""
    api.post("/Users", {"schemas": [USER], "userName": api.mail("ava")}, headers={"Content-Type": kind})


def test_body_without_a_content_type_is_read_as_scim(api: Api) -> None:
    """HTP-06, A-51."""
    body = {"schemas": [USER], "userName": api.mail("ava")}
    api.post("/Users", body, headers={"Content-Type": ""})


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "text/xml",
        "application/x-yaml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/x-python-pickle",
        "application/merge-patch+json",
        "application/jsonx",
        "json",
        "\x01",
    ],
)
def test_other_media_types_are_not_supported(api: Api, kind: str) -> None:
    """HTP-07, ROB-24."""
    body = {"schemas": [USER], "userName": api.mail("ava")}
    user = api.user("bob")
    with api.unchanged("/Users"):
        for method, path in (("POST", "/Users"), ("PUT", f"/Users/{user['id']}"), ("PATCH", f"/Users/{user['id']}")):
            api.refuse(method, path, body, status=415, headers={"Content-Type": kind})
        api.refuse("POST", "/Users/.search", {"schemas": [SEARCH]}, status=415, headers={"Content-Type": kind})


@pytest.mark.parametrize(
    "path",
    ["/Nowhere", "/users", "/Users/1/2", "/Groups/1/members", "/User", "/Users/1/.search", "/.well-known", "/Users//x"],
)
def test_unknown_path_is_a_scim_404(api: Api, path: str) -> None:
    """HTP-08."""
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        api.refuse(method, path, status=404)


@pytest.mark.parametrize(
    "path", ["/", "/Users", "/scim/Users", "/scim/v1/Users", "/scim/v3/Users", "/v2/Users", "/%00"]
)
def test_path_outside_of_the_api_is_a_scim_404(api: Api, path: str) -> None:
    """HTP-08, HTP-16, OPS-03."""
    api.refuse("GET", f"http://localhost{path}", status=404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/Users", {"GET", "HEAD", "POST"}),
        ("PATCH", "/Users", {"GET", "HEAD", "POST"}),
        ("DELETE", "/Groups", {"GET", "HEAD", "POST"}),
        ("POST", "/Users/1", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
        ("GET", "/Users/.search", {"POST"}),
        ("PUT", "/Groups/.search", {"POST"}),
        ("GET", "/Bulk", {"POST"}),
        ("PATCH", "/Bulk", {"POST"}),
        ("GET", "/.search", {"POST"}),
        ("POST", "/", {"GET", "HEAD"}),
        ("DELETE", "/", {"GET", "HEAD"}),
        ("TRACE", "/Users", {"GET", "HEAD", "POST"}),
        ("TRACE", "/Users/1", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
    ],
)
def test_method_that_a_path_lacks_is_answered_with_those_it_has(
    api: Api, method: str, path: str, allowed: set[str]
) -> None:
    """HTP-09, PAT-49, SEA-07, ROB-30."""
    body = {"schemas": [PATCH_OP], "Operations": [op("replace", "active", False)]} if method == "PATCH" else None
    user = api.user()
    with api.unchanged(f"/Users/{user['id']}"):
        api.refuse(method, path, body, status=405)
        assert {one.strip() for one in api.response.headers["Allow"].split(",")} == allowed


@pytest.mark.parametrize("method", ["FOO", "CONNECT", "PROPFIND", "PURGE", "G'T"])
def test_unknown_method_is_refused(api: Api, method: str) -> None:
    """ROB-30: RFC 9110 section 9.1 has 501 for a method that the server does not know."""
    api.refuse(method, "/Users", status=501)


@pytest.mark.parametrize(
    "path", ["/Users/{id}", "/Users", "/Users?filter=userName+pr", "/Schemas", "/ServiceProviderConfig"]
)
def test_head_is_get_without_a_body(api: Api, path: str) -> None:
    """HTP-10, A-38."""
    path = path.format(id=api.user()["id"])
    api.get(path)
    got = dict(api.response.headers) | {"X-Request-Id": ""}
    assert api.call("HEAD", path, status=200) is None
    assert dict(api.response.headers) | {"X-Request-Id": ""} == got


def test_head_of_the_unknown_is_404_without_a_body(api: Api) -> None:
    """HTP-10."""
    assert api.call("HEAD", "/Users/unknown", status=404) is None
    assert api.call("HEAD", "/Users?filter=(", status=400) is None


@pytest.mark.parametrize("path", ["/Users", "/Users/1", "/Users/.search", "/Schemas", "/Me", "/Bulk", "/", "/Nowhere"])
def test_options_tell_the_methods_alone(api: Api, path: str) -> None:
    """HTP-11, A-38."""
    known = path != "/Nowhere"
    assert api.call("OPTIONS", path, status=204 if known else 404) is None or not known
    if known:
        assert "OPTIONS" in api.response.headers["Allow"]


def test_trailing_slash_is_the_same_resource(api: Api) -> None:
    """HTP-12, A-39: no redirect, which would turn a POST into a GET."""
    user = api.post("/Users/", {"schemas": [USER], "userName": api.mail("ava")})
    assert api.get(f"/Users/{user['id']}/") == user
    assert api.get("/Users/")["totalResults"] == 1
    assert api.patch(f"/Users/{user['id']}/", op("replace", "title", "x"))["title"] == "x"
    assert api.post("/Users/.search/", {"schemas": [SEARCH]}, status=200)["totalResults"] == 1
    assert api.get("/Schemas/")["totalResults"] == api.get("/Schemas")["totalResults"]
    api.delete(f"/Users/{user['id']}/")


@pytest.mark.parametrize("path", ["//Users", "/Users//", "/Users//1"])
def test_doubled_slashes_are_not_redirected(api: Api, path: str) -> None:
    """HTP-17."""
    api.refuse("GET", path, status=404)


def test_unknown_query_parameters_are_ignored(api: Api) -> None:
    """HTP-13: `Cursor` among them, as names of parameters are case-sensitive."""
    user = api.user()
    assert api.get(f"/Users/{user['id']}?foo=bar&_=1&%00=%00") == user
    assert api.get("/Users?foo=bar&Filter=nonsense&Cursor=abc")["totalResults"] == 1
    api.post("/Users?foo=bar", {"schemas": [USER], "userName": api.mail("bob")})


def test_percent_encoded_id_is_the_same_id(api: Api) -> None:
    """HTP-14."""
    user = api.user()
    encoded = "".join(f"%{ord(char):02X}" for char in user["id"])
    assert api.get(f"/Users/{encoded}") == user


@pytest.mark.parametrize(
    "text",
    ["Zoë Ångström", "山田 太郎", "🧑🏽‍💻👨‍👩‍👧", "e\u0301 is not é", "مرحبا", "a\tb\nc", 'q"\\/\u2028<b>{{7*7}}</b>'],
)
def test_text_comes_back_as_it_was_sent(api: Api, text: str) -> None:
    """HTP-15, USR-10, ROB-38; sent plain and with JSON escapes."""
    user = api.user("ava", displayName=text)
    assert api.get(f"/Users/{user['id']}")["displayName"] == text
    escaped = json.dumps({"schemas": [USER], "userName": api.mail("bob"), "title": text}, ensure_ascii=True)
    assert api.post("/Users", escaped.encode())["title"] == text
    assert [one["id"] for one in api.find(f"displayName eq {json.dumps(text)}")] == [user["id"]]


def test_every_class_of_error_is_a_scim_error(api: Api) -> None:
    """ERR-01; the driver compares the whole body."""
    api.user()
    api.refuse("POST", "/Users", b"{", kind="invalidSyntax")
    api.refuse("POST", "/Users", {"schemas": [USER]}, kind="invalidValue")
    api.refuse("POST", "/Users", {"schemas": [USER], "userName": api.mail("ava")}, status=409, kind="uniqueness")
    api.refuse("GET", "/Users?filter=nonsense", kind="invalidFilter")
    api.refuse("GET", "/Users/unknown", status=404)
    assert api.response.headers["Content-Type"] == SCIM


@pytest.mark.parametrize("endpoint", ["/Users", "/Groups"])
def test_unknown_id_is_404_on_every_method(api: Api, endpoint: str) -> None:
    """ERR-02, PUT-04."""
    body = {
        "/Users": {"schemas": [USER], "userName": api.mail("x")},
        "/Groups": {"schemas": [GROUP], "displayName": "x"},
    }
    with api.unchanged(endpoint):
        api.refuse("GET", f"{endpoint}/unknown", status=404)
        api.refuse("PUT", f"{endpoint}/unknown", body[endpoint], status=404)
        api.refuse_patch(f"{endpoint}/unknown", op("replace", "displayName", "x"), status=404)
        api.refuse("DELETE", f"{endpoint}/unknown", status=404)


def test_id_of_one_type_is_not_found_under_the_other(api: Api) -> None:
    """ERR-03."""
    user, group = api.user(), api.group()
    with api.unchanged(f"/Users/{user['id']}", f"/Groups/{group['id']}"):
        for path in (f"/Groups/{user['id']}", f"/Users/{group['id']}"):
            api.refuse("GET", path, status=404)
            api.refuse_patch(path, op("replace", "displayName", "x"), status=404)
            api.refuse("DELETE", path, status=404)


def test_no_error_repeats_a_password(api: Api) -> None:
    """ERR-04, PWD-01: nor does the journal."""
    secret = "hunter2-Secret"
    user = api.user()
    for method, path, body in (
        ("POST", "/Users", {"schemas": [USER], "userName": 5, "password": secret}),
        (
            "POST",
            "/Users",
            {"schemas": [USER], "userName": api.mail("b"), "active": "perhaps", "password": [secret, secret]},
        ),
        (
            "PUT",
            f"/Users/{user['id']}",
            {"schemas": [USER], "password": {"value": secret, "x": 1}, "userName": "a@b.c"},
        ),
        (
            "PATCH",
            f"/Users/{user['id']}",
            {"schemas": [PATCH_OP], "Operations": [op("add", "password", {"x": secret})]},
        ),
        ("POST", "/Users", {"schemas": [USER], "userName": api.mail("b"), "password": 20260131}),
        ("PATCH", f"/Users/{user['id']}", {"schemas": [PATCH_OP], "Operations": [op("add", "password", 20260131)]}),
    ):
        detail = api.refuse(method, path, body, kind="invalidValue")
        assert secret not in detail
        assert "20260131" not in detail
    assert secret not in str(api.journal())
    assert "20260131" not in str(api.journal())


def test_filter_without_a_match_is_an_empty_list(api: Api) -> None:
    """ERR-05."""
    api.user()
    page = api.get("/Users?filter=" + quote('userName eq "nobody@nowhere.example"'))
    assert (page["totalResults"], page["Resources"], page["itemsPerPage"]) == (0, [], 0)


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_method_override_is_ignored(api: Api, header: str) -> None:
    """ROB-26."""
    user = api.user()
    with api.unchanged(f"/Users/{user['id']}"):
        api.get(f"/Users/{user['id']}?_method=DELETE", headers={header: "DELETE"})
        api.refuse("POST", f"/Users/{user['id']}", {}, status=405, headers={header: "DELETE"})


def test_unknown_preferences_are_harmless(api: Api) -> None:
    """EVT-01, EVT-02."""
    user = api.user()
    for prefer in ("respond-async", "return=representation", "wait=5", "x; y=z,,,", "return", "handling=strict"):
        assert api.patch(f"/Users/{user['id']}", op("replace", "title", prefer), headers={"Prefer": prefer})["id"]
        api.get("/Users", headers={"Prefer": prefer})
