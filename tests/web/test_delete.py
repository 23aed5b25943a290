"""Deletion: protocol.md 4.14, and what it leaves behind (R22, PRI-02)."""

from typing import Any

import pytest

from tests.web.conftest import GROUP, SEARCH, USER, Api, op


@pytest.mark.parametrize("endpoint", ["/Users", "/Groups"])
def test_deletion_is_answered_by_nothing_and_is_for_good(api: Api, endpoint: str) -> None:
    """DEL-01, DEL-02, IOP-02, A-46."""
    resource = api.user() if endpoint == "/Users" else api.group()
    path = f"{endpoint}/{resource['id']}"
    assert api.delete(path) is None
    assert api.response.body == b""
    body = {"schemas": [USER], "userName": api.mail("x")} if endpoint == "/Users" else {"displayName": "x"}
    done = api.done()
    api.refuse("GET", path, status=404)
    api.refuse("PUT", path, body, status=404)
    api.refuse_patch(path, op("replace", "displayName", "x"), status=404)
    api.refuse("DELETE", path, status=404)
    assert api.done() == done
    assert ("user.deleted" if endpoint == "/Users" else "group.deleted") in done


def test_deleted_user_is_in_no_list(api: Api) -> None:
    """DEL-03."""
    api.user("boss", roles=[{"value": "administrator"}])
    user = api.user("ava", externalId="x", emails=[{"value": "h@else.example", "type": "home"}])
    api.delete(f"/Users/{user['id']}")
    for condition in (
        f'id eq "{user["id"]}"',
        f'userName eq "{user["userName"]}"',
        'externalId eq "x"',
        'emails.value eq "h@else.example"',
        'emails[type eq "home"]',
        f'not (userName eq "{api.mail("boss")}")',
    ):
        assert api.find(condition) == []
        page = api.post("/Users/.search", {"schemas": [SEARCH], "filter": condition}, status=200)
        assert page["totalResults"] == 0
    assert api.get("/Users")["totalResults"] == 1


def test_name_of_a_deleted_resource_is_free(api: Api) -> None:
    """DEL-04, A-46: the new one is another resource."""
    user, group = api.user("ava", title="old"), api.group("Sales")
    api.delete(f"/Users/{user['id']}")
    api.delete(f"/Groups/{group['id']}")
    again = api.user("ava")
    assert again["id"] != user["id"]
    assert "title" not in again
    assert api.group("Sales")["id"] != group["id"]


def test_memberships_go_with_the_user_and_with_the_group(api: Api) -> None:
    """DEL-05, A-33, ETG-07: the group's version moves."""
    ava, bob = api.user("ava"), api.user("bob")
    sales, tours = api.group("Sales", ava["id"], bob["id"]), api.group("Tours", bob["id"])
    api.delete(f"/Users/{ava['id']}")
    after = api.get(f"/Groups/{sales['id']}")
    assert [one["value"] for one in after["members"]] == [bob["id"]]
    assert after["meta"]["version"] != sales["meta"]["version"]
    assert after["meta"]["lastModified"] > sales["meta"]["lastModified"]
    assert api.get(f"/Groups/{tours['id']}") == tours
    api.delete(f"/Groups/{sales['id']}")
    assert [one["value"] for one in api.get(f"/Users/{bob['id']}")["groups"]] == [tours["id"]]
    api.delete(f"/Groups/{tours['id']}")
    assert "groups" not in api.get(f"/Users/{bob['id']}")


@pytest.mark.parametrize("body", [None, b"{", {"schemas": [GROUP]}, b"\x00\xff"])
def test_body_and_query_of_a_deletion_are_ignored(api: Api, body: Any) -> None:
    """DEL-06: it deletes just that one."""
    ava, bob = api.user("ava"), api.user("bob")
    api.call("DELETE", f"/Users/{ava['id']}?filter=id+pr&attributes=id&force=1", body, status=204)
    assert [one["id"] for one in api.get("/Users")["Resources"]] == [bob["id"]]


def test_collection_cannot_be_deleted(api: Api) -> None:
    """DEL-06, PAT-49."""
    user = api.user()
    with api.unchanged(f"/Users/{user['id']}"):
        api.refuse("DELETE", "/Users", status=405)
        api.refuse("DELETE", "/Users?filter=id+pr", status=405)
        api.refuse("DELETE", "/Users/", status=405)


def test_nothing_personal_of_a_deleted_user_is_left(api: Api) -> None:
    """PRI-02, R29: neither in a table nor, but for the masked name, in the journal."""
    user = api.user(
        "marvin",
        displayName="Marvin Zaphod",
        externalId="ext-marvin",
        emails=[{"value": "marvin@else.example", "type": "home"}],
    )
    api.patch(f"/Users/{user['id']}", op("replace", "title", "Marvin the Android"))
    api.refuse("POST", "/Users", {"schemas": [USER], "userName": user["userName"]}, status=409, kind="uniqueness")
    api.delete(f"/Users/{user['id']}")
    with api.database.reading(api.account_id) as connection:
        for table in ("user", "user_value", "membership", "journal", "deleted_address"):
            rows = connection.exec_driver_sql(f'SELECT * FROM "{table}"').all()
            assert not [row for row in rows if api.account_id in row and "arvin" in str(row)], table
