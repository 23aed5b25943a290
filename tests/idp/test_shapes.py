"""Shapes tell what a request looks like and nothing of what it says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.idp.questions import questions
from scim_server.idp.shapes import LONGEST_NAME, MOST_OF_ONE_REQUEST, of_request
from scim_server.protocol.catalogue import ENTERPRISE, Catalogue

CATALOGUE = Catalogue()
USERS = CATALOGUE.endpoints["/Users"]


def shapes(method: str, body: Any, route: str = "/Users/{id}") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kind, shape in of_request(method, route, "", None, body, CATALOGUE.endpoint_at):
        found.setdefault(kind, []).append(shape)
    return found


def patch(op: str, path: Any = None, value: Any = "secret") -> dict[str, list[str]]:
    return shapes("PATCH", {"Operations": [{"op": op, "path": path, "value": value}]})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('userName eq "a@b.example"', ["userName eq"]),
        ('username Eq "a"', ["username Eq"]),
        ("userName eq ava", ["userName eq"]),
        ('emails[type eq "work"].value eq "x"', ["emails[type eq].value eq"]),
        ('emails[type eq "work" and value co "x"]', ["emails[type eq and value co]"]),
        (f'{ENTERPRISE}:department eq "x"', [f"{ENTERPRISE}:department eq"]),
        ('id eq "a" and (manager eq "b" or not (title pr))', ["id eq", "and", "manager eq", "or", "not", "title pr"]),
        ('id eq "a" or id eq "b" or id eq "c"', ["id eq", "or"]),
        ('userName eq "say \\"title pr\\" "', ["userName eq"]),
        ("displayName eq John title pr", ["unreadable"]),
        ('JohnSmith eq "x"', ["? eq"]),
        ("emails[emails[", ["unreadable"]),
        ("", []),
    ],
)
def test_filter_is_told_by_its_questions(condition: str, expected: list[str]) -> None:
    assert list(questions(USERS, condition)) == expected


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("title", "attribute"),
        ("name.givenName", "sub-attribute"),
        ('emails[type eq "work"].value', "value path"),
        (f"{ENTERPRISE}:department", "URN and attribute"),
        (f"{ENTERPRISE}.department", "URN with a dot"),
        (ENTERPRISE, "URN of an extension"),
        ("manager", "attribute of an extension without its URN"),
    ],
)
def test_path_is_told_by_its_form_also_as_a_key(path: str, form: str) -> None:
    assert patch("Replace", path)["path"] == [form]
    as_key = patch("replace", None, {path: "secret"})
    assert as_key["path"] == ["none", f"{form} as a key"]
    assert "unknown" not in as_key | patch("Replace", path)


def test_operator_is_told_as_it_is_spelt() -> None:
    assert [patch(op)["op"] for op in ("Add", "replace", "REMOVE", "ava")] == [
        ["Add"],
        ["replace"],
        ["REMOVE"],
        ["another"],
    ]


def test_unknown_names_are_told_wherever_they_are() -> None:
    body = {
        "schemas": ["urn:x"],
        "shoeSize": 44,
        "name": {"nick": "x"},
        "emails": [{"Value": "x", "kind": 1}],
        ENTERPRISE: {"floor": 3},
        "not a name": 1,
        "n" * 200: 1,
    }
    unknown = ["shoeSize", "name.nick", "emails.kind", f"{ENTERPRISE}.floor", "n" * LONGEST_NAME]
    assert shapes("POST", body, "/Users")["unknown"] == [one[:LONGEST_NAME] for one in unknown]
    assert patch("replace", "shoeSize")["unknown"] == ["shoeSize"]
    assert patch("replace", None, {"shoeSize": 1})["unknown"] == ["shoeSize"]


def test_operations_of_a_bulk_request_are_looked_at() -> None:
    operation = {"op": "Add", "path": "title", "value": "x"}
    body = {
        "Operations": [
            {"method": "PATCH", "path": "/Users/1", "data": {"Operations": [operation]}},
            {"method": "POST", "path": "/Users", "data": {"shoeSize": 1}},
            {"method": 5, "path": None, "data": []},
        ]
    }
    expected = {"request": ["POST /Bulk"], "op": ["Add"], "path": ["attribute"], "unknown": ["shoeSize"]}
    assert shapes("POST", body, "/Bulk") == expected


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("application/scim+json; charset=utf-8", "application/scim+json; charset=utf-8"),
        ("Application/JSON", "application/json"),
        ("text/plain; boundary=ava@b.example", "another"),
    ],
)
def test_content_type_is_told_unless_it_is_odd(sent: str, told: str) -> None:
    assert of_request("GET", "/Me", sent, None, None, CATALOGUE.endpoint_at)[1:] == (("contentType", told),)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text() | st.sampled_from(["op", "path", "Operations", "emails", "name"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(
    JSON,
    st.sampled_from(["POST", "PUT", "PATCH"]),
    st.sampled_from(["/Users", "/Groups/{id}", "/Bulk", "/Users/.search", "/"]),
    st.text(),
)
def test_nothing_that_is_sent_makes_it_fail(body: Any, method: str, route: str, text: str) -> None:
    found = of_request(method, route, text, text, body, CATALOGUE.endpoint_at)
    assert len(found) <= MOST_OF_ONE_REQUEST


@given(
    st.text(alphabet='ab "\\[].()', max_size=40),
    st.sampled_from(["{} eq {}", "emails[{} eq {}].value eq {}", 'id eq "{}" {}']),
)
def test_no_filter_makes_it_fail(text: str, form: str) -> None:
    questions(USERS, form.replace("{}", text))
    of_request("PATCH", "/Users/{id}", "", None, {"Operations": [{"op": "add", "path": text}]}, CATALOGUE.endpoint_at)


@given(st.text(alphabet="abc@.-+' ", min_size=3, max_size=20))
def test_quoted_values_are_never_told(value: str) -> None:
    for condition in (f'userName eq "zz{value}zz"', f'emails[value eq "zz{value}zz"].type eq "zz{value}zz"'):
        assert "zz" not in repr(questions(USERS, condition))
