"""Resource types from configuration: served, stored, filtered, patched and announced as users and groups are."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from scim_server import create_app
from scim_server.settings import Settings
from scim_server.store.database import Database
from scim_server.store.upgrading import upgrade
from tests.extra_types import DEVICE, EXTRA, PLACE, RENT, WARRANTY
from tests.web.conftest import SEARCH, USER, Api, op
from tests.web.test_third_party import check_server, client_of, test_account, told, without_the_account


@pytest.fixture(scope="module")
def app(database_url: str) -> Iterator[Flask]:
    """The application with the resource types of `tests/extra`."""
    upgrading = Database(Flask("upgrade"), database_url)
    upgrade(upgrading)
    upgrading.engine.dispose()
    application = create_app(Settings(database_url, "http://localhost", extra_schemas=EXTRA, rate_limit=None))
    yield application
    application.extensions["scim"].database.engine.dispose()


EVERYTHING = {
    "displayName": "Printer 1",
    "serialNumber": "SN-1",
    "macAddresses": ["AA:BB", "cc:dd"],
    "slot": 7,
    "label": "Ground floor",
    "enabled": False,
    "floors": 0,
    "weight": 12.5,
    "boughtAt": "2026-01-31T08:00:00+02:00",
    "manual": "manuals/printer.pdf",
    "owner": "https://example.com/Users/1",
    "certificate": "AAEC",
    "tags": ["red", "Blue"],
    "ratings": [1, 2],
    "shares": [0.5, 1.25],
    "keys": ["AAEC", "BBBB"],
    "checkedAt": ["2026-01-31T08:00:00Z"],
    "links": ["a/b"],
    "model": "LX",
    "size": {"width": 15, "height": 1.5, "unit": "cm", "maker": "Acme", "marks": ["x", "y"]},
    "members": [
        {"value": "p1", "type": "part", "primary": True, "count": 3, "ratio": 0.25, "since": "2026-01-01T00:00:00Z"},
        {"value": "p2", "type": "spare", "$ref": "https://example.com/Devices/2", "blob": "AAEC"},
    ],
    "externalId": "ext-1",
    WARRANTY: {
        "number": "W-1",
        "endsAt": "2027-01-01T00:00:00Z",
        "level": "full",
        "contacts": [{"value": "a", "type": "b"}],
    },
}


def device(api: Api, name: str = "Printer", *, status: int = 201, **attributes: Any) -> Any:
    schemas = [DEVICE, *([WARRANTY] if WARRANTY in attributes else [])]
    return api.post("/Devices", {"schemas": schemas, "displayName": name, **attributes}, status=status)


def without_meta(resource: Any) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in ("id", "meta", "schemas")}


def test_every_writable_attribute_comes_back_as_it_was_sent(api: Api) -> None:
    """EXT-01, DSC-21."""
    created = device(api, **{**EVERYTHING, "name": "ignored"})
    assert without_meta(created) == EVERYTHING
    assert created["schemas"] == [DEVICE, WARRANTY]
    assert created["meta"]["resourceType"] == "Device"
    assert created["meta"]["location"] == f"http://localhost/scim/v2/Devices/{created['id']}"
    assert api.response.headers["Location"] == created["meta"]["location"]
    assert api.response.headers["ETag"] == created["meta"]["version"] == 'W/"1"'
    assert api.get(f"/Devices/{created['id']}") == created
    assert api.get("/Devices")["Resources"] == [created]


def test_the_type_is_announced_as_it_is_configured(api: Api) -> None:
    """DSC-05 to DSC-11, DSC-22, DSC-23."""
    listed = {one["name"]: one for one in api.get("/ResourceTypes")["Resources"]}
    assert listed["Device"] == api.get("/ResourceTypes/Device")
    assert listed["Device"]["schemaExtensions"] == [{"schema": WARRANTY, "required": False}]
    assert listed["Place"]["schemaExtensions"] == [{"schema": RENT, "required": True}]
    assert {"User", "Group"} < set(listed)
    for urn in (DEVICE, WARRANTY, PLACE, RENT):
        assert api.get(f"/Schemas/{urn}")["id"] == urn


def test_a_resource_lives_through_put_patch_and_delete(api: Api) -> None:
    path = f"/Devices/{device(api, **EVERYTHING)['id']}"
    put = api.put(path, {"schemas": [DEVICE], "displayName": "Scanner", "model": "LX"})
    assert without_meta(put) == {"displayName": "Scanner", "model": "LX"}
    assert put["meta"]["version"] == 'W/"2"'
    patched = api.patch(
        path,
        op("add", "tags", ["new"]),
        op("replace", "size.width", 25),
        op("add", 'members[value eq "p9"].display', "Nine"),
        op("replace", value={"enabled": "True", f"{WARRANTY}:number": "W-2"}),
        op("replace", "boughtAt", "2026-01-31T08:00:00+02:00"),
    )
    assert without_meta(patched) == {
        "displayName": "Scanner", "model": "LX", "tags": ["new"], "size": {"width": 25}, "enabled": True,
        "members": [{"value": "p9", "display": "Nine"}], "boughtAt": "2026-01-31T08:00:00+02:00",
        WARRANTY: {"number": "W-2"},
    }  # fmt: skip
    assert patched["schemas"] == [DEVICE, WARRANTY]
    assert patched["meta"]["version"] == 'W/"3"'
    bare = api.patch(path, op("remove", WARRANTY), op("remove", "members", [{"value": "p9"}]), op("remove", "tags"))
    assert bare["schemas"] == [DEVICE]
    assert not {"members", "tags", WARRANTY} & set(bare)
    api.delete(path)
    api.refuse("GET", path, status=404)
    api.refuse("DELETE", path, status=404)


def test_removing_some_of_a_list_leaves_the_others(api: Api) -> None:
    """A-01, also for an attribute that is called as that of a group is."""
    path = f"/Devices/{device(api, members=[{'value': 'a'}, {'value': 'b'}])['id']}"
    assert api.patch(path, op("remove", "members", [{"value": "a"}]))["members"] == [{"value": "b"}]
    assert api.patch(path, op("remove", 'members[value eq "b"]')).get("members") is None


def test_what_changes_nothing_writes_nothing(api: Api) -> None:
    """A-26: neither a PATCH nor an identical PUT."""
    created = device(api, **EVERYTHING)
    path = f"/Devices/{created['id']}"
    with api.unchanged(path):
        api.patch(path, op("replace", "label", "Ground floor"), op("replace", "weight", 12.5))
        api.patch(path, op("add", "ratings", [1]), op("replace", value={"enabled": False, "slot": 7}))
        assert api.put(path, created) == created


def test_conditions_guard_every_write(api: Api) -> None:
    path = f"/Devices/{device(api)['id']}"
    old = {"If-Match": 'W/"9"'}
    api.refuse("PUT", path, {"schemas": [DEVICE], "displayName": "x"}, status=412, headers=old)
    api.refuse("DELETE", path, status=412, headers=old)
    api.refuse_patch(path, op("replace", "label", "x"), status=412, headers=old)
    api.patch(path, op("replace", "label", "x"), headers={"If-Match": 'W/"1"'})
    api.get(path, status=304, headers={"If-None-Match": 'W/"2"'})


def test_wrong_types_are_refused_and_nothing_is_stored(api: Api) -> None:
    """EXT-03, EXT-07."""
    for name, values in {
        "enabled": ["yes", 1], "floors": ["1", 1.5, True], "weight": ["1.5", True], "certificate": ["%%%"],
        "boughtAt": ["2026-01-31", "08:00:00", "2026-02-31T08:00:00Z", 5], "label": [5, True], "tags": [[1], "\u0000"],
        "size": [5, {"width": "wide"}], "members": [[{"count": "many"}], 5], "owner": ["javascript:alert(1)"],
    }.items():  # fmt: skip
        for value in values:
            detail = api.refuse("POST", "/Devices", {"displayName": "x", name: value}, kind="invalidValue")
            assert detail.startswith(name)
    assert api.get("/Devices")["totalResults"] == 0


@pytest.mark.parametrize("body", [{}, {"displayName": ""}, {"displayName": " "}, {"displayName": None}])
def test_required_attribute_may_not_be_missing_or_blank(api: Api, body: dict[str, Any]) -> None:
    api.refuse("POST", "/Devices", {"schemas": [DEVICE], **body}, kind="invalidValue")
    path = f"/Devices/{device(api)['id']}"
    with api.unchanged(path):
        api.refuse("PUT", path, {"schemas": [DEVICE], **body}, kind="invalidValue")
        api.refuse_patch(path, op("remove", "displayName"), kind="mutability")


def test_required_parts_are_demanded_where_their_whole_is(api: Api) -> None:
    """EXT-04."""
    api.refuse("POST", "/Devices", {"displayName": "x", WARRANTY: {"level": "full"}}, kind="invalidValue")
    api.refuse("POST", "/Devices", {"displayName": "x", "size": {"height": 1}}, kind="invalidValue")
    path = f"/Devices/{device(api, size={'width': 1}, **{WARRANTY: {'number': 'W-7', 'level': 'full'}})['id']}"
    with api.unchanged(path):
        api.refuse_patch(path, op("remove", "size.width"), op("add", "size.height", 2), kind="mutability")
        api.refuse_patch(path, op("remove", f"{WARRANTY}:number"), kind="mutability")
        api.refuse_patch(path, op("remove", WARRANTY), op("add", f"{WARRANTY}:level", "basic"), kind="invalidValue")
        api.refuse("PUT", path, {"displayName": "x", WARRANTY: {"level": "full"}}, kind="invalidValue")


def test_required_extension_is_demanded(api: Api) -> None:
    """CRT-24; false and zero are values."""
    api.refuse("POST", "/Places", {"schemas": [PLACE], "name": "Hall"}, kind="invalidValue")
    api.refuse("POST", "/Places", {"schemas": [PLACE], "name": "Hall", RENT: {"amount": 0}}, kind="invalidValue")
    rent = {"amount": 0, "paid": False}
    place = api.post("/Places", {"schemas": [PLACE, RENT], "name": "Hall", RENT: rent})
    assert place[RENT] == rent
    path = f"/Places/{place['id']}"
    with api.unchanged(path):
        api.refuse("PUT", path, {"schemas": [PLACE], "name": "Hall"}, kind="invalidValue")
        api.refuse_patch(path, op("remove", RENT), kind="mutability")


def test_top_level_copy_of_an_extension_attribute_is_not_the_extension(api: Api) -> None:
    """EXT-05."""
    assert set(without_meta(device(api, number="W-9", level="full"))) == {"displayName"}


def test_read_only_is_ignored_in_bodies_and_refused_in_a_patch(api: Api) -> None:
    """EXT-06."""
    created = device(api, usage=5, id="mine")
    assert "usage" not in created and created["id"] != "mine"
    path = f"/Devices/{created['id']}"
    with api.unchanged(path):
        api.refuse_patch(path, op("replace", "usage", 5), kind="mutability")
        api.put(path, {"schemas": [DEVICE], "displayName": "Printer", "usage": 5})


def test_immutable_is_set_once(api: Api) -> None:
    path = f"/Devices/{device(api)['id']}"
    assert api.patch(path, op("add", "model", "LX"), op("add", "size", {"width": 1, "maker": "Acme"}))["model"] == "LX"
    with api.unchanged(path):
        api.refuse_patch(path, op("replace", "model", "MX"), kind="mutability")
        api.refuse_patch(path, op("remove", "model"), kind="mutability")
        api.refuse_patch(path, op("replace", "size.maker", "Other"), kind="mutability")
        body = {"schemas": [DEVICE], "displayName": "Printer", "size": {"width": 1, "maker": "Acme"}}
        api.refuse("PUT", path, {**body, "model": "MX"}, kind="mutability")
        api.refuse("PUT", path, {**body, "size": {"width": 1, "maker": "Other"}}, kind="mutability")
        assert api.put(path, body)["model"] == "LX"  # left out is kept


def test_write_only_is_kept_and_never_shown(api: Api) -> None:
    created = device(api, pin="0000-secret")
    path = f"/Devices/{created['id']}"
    shown = [api.get(f"{path}{query}") for query in ("", "?attributes=pin", "?excludedAttributes=label")]
    shown += [api.get("/Devices"), api.patch(path, op("replace", "pin", "1111-secret")), api.get(path)]
    assert "secret" not in str([created, *shown])
    assert api.put(path, {"schemas": [DEVICE], "displayName": "Printer"})["meta"]["version"] == 'W/"2"'
    api.refuse("GET", "/Devices?filter=pin+sw+%220%22", kind="invalidFilter")
    api.refuse("GET", "/Devices?sortBy=pin", kind="invalidValue")
    for value in (5551234, ["5551234", "x"], {"value": 5551234}):
        api.refuse_patch(path, op("replace", "pin", value), kind="invalidValue")
    assert "5551234" not in str([entry.detail for entry in api.journal()])
    assert "secret" not in str([(entry.changes, entry.detail) for entry in api.journal()])


def test_projection_follows_returned(api: Api) -> None:
    created = device(api, notes="N", label="L", tags=["x"], size={"width": 1})
    path = f"/Devices/{created['id']}"
    assert created["notes"] == "N"  # what is shown on request is shown to who writes it
    assert "notes" not in api.get(path)
    assert "notes" not in api.patch(path, op("replace", "label", "M"))
    assert api.patch(path, op("replace", "notes", "n"))["notes"] == "n"
    assert set(api.get(f"{path}?attributes=notes")) == {"schemas", "id", "notes"}
    assert set(api.get(f"{path}?attributes=size.width")) == {"schemas", "id", "size"}
    assert not {"label", "tags"} & set(api.get(f"{path}?excludedAttributes=label,tags"))
    assert api.find('notes eq "n"', "/Devices")  # what is shown on request may be asked for
    place = api.post("/Places", {"schemas": [PLACE], "name": "Hall", "floor": 1, RENT: {"amount": 1, "paid": True}})
    assert set(api.get(f"/Places/{place['id']}?attributes=floor")) == {"schemas", "id", "name", "floor"}
    assert "name" in api.get(f"/Places/{place['id']}?excludedAttributes=name")
    assert api.find('name eq "hall"', "/Places", sortBy="name") == [place]


def test_unique_values_are_kept_apart(api: Api, new_account: Any) -> None:
    """409, in every way to write, by the attribute's own comparison and in one account and type alone."""
    first = device(api, serialNumber="SN-1", macAddresses=["AA", "BB"], slot=1, **{WARRANTY: {"number": "W-1"}})
    other = device(api, serialNumber="sn-1", macAddresses=["CC"], slot=2, **{WARRANTY: {"number": "W-2"}})
    path = f"/Devices/{other['id']}"
    with api.unchanged("/Devices"):
        for taken in (
            {"serialNumber": "SN-1"},
            {"macAddresses": ["x", "bb"]},
            {"slot": 1},
            {WARRANTY: {"number": "w-1"}},
        ):
            name, body = next(iter(taken)), {"schemas": [DEVICE], "displayName": "x", **taken}
            detail = api.refuse("POST", "/Devices", body, status=409, kind="uniqueness")
            assert (name in detail or name == WARRANTY) and "in use" in detail
            api.refuse("PUT", path, body, status=409, kind="uniqueness")
            api.refuse_patch(path, op("replace", value=taken), status=409, kind="uniqueness")
    new_account().post("/Devices", {"schemas": [DEVICE], "displayName": "x", "serialNumber": "SN-1", "slot": 1})
    api.delete(f"/Devices/{first['id']}")
    again = api.patch(path, op("replace", "serialNumber", "SN-1"), op("add", "macAddresses", ["AA", "cc"]))
    assert again["macAddresses"] == ["CC", "AA"]  # as cc is there already
    api.put(path, again)
    device(api, serialNumber="sn-1", slot=1)


def test_unique_value_is_given_once_however_many_ask(api: Api) -> None:
    statuses: list[int] = []

    def ask() -> None:
        body = {"schemas": [DEVICE], "displayName": "x", "serialNumber": "race", "slot": 3}
        statuses.append(api.send("POST", "/Devices", body).status_int)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, *[409] * 7]
    assert api.get("/Devices")["totalResults"] == 1


def test_names_and_client_ids_are_not_unique(api: Api) -> None:
    for _ in range(2):
        device(api, "Same", externalId="same")
    assert len(api.find('externalId eq "same"', "/Devices")) == len(api.find('displayName eq "same"', "/Devices")) == 2


def test_a_long_unique_value_is_refused(api: Api) -> None:
    api.refuse("POST", "/Devices", {"displayName": "x", "serialNumber": "x" * 513}, kind="invalidValue")
    assert device(api, serialNumber="\U0001d160" * 170)


def test_lists_are_filtered_sorted_paged_and_searched(api: Api) -> None:
    for number in range(5):
        device(api, f"D{number}", floors=5 - number, weight=number / 2, serialNumber=f"S{number}", label="x" * number)
    assert [one["displayName"] for one in api.find("floors gt 2", "/Devices", sortBy="floors")] == ["D2", "D1", "D0"]
    assert [one["displayName"] for one in api.find('serialNumber eq "S3"', "/Devices")] == ["D3"]
    assert [one["displayName"] for one in api.find('serialNumber sw "S"', "/Devices", sortBy="weight", count=2)] == [
        "D0",
        "D1",
    ]
    body = {"schemas": [SEARCH], "filter": "weight ge 1.5", "sortBy": "displayName", "sortOrder": "descending"}
    assert [one["displayName"] for one in api.post("/Devices/.search", body, status=200)["Resources"]] == ["D4", "D3"]
    page = api.get("/Devices?startIndex=4&count=1&sortBy=displayName")
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (5, 4, 1)
    assert page["Resources"][0]["displayName"] == "D3"
    assert [one["displayName"] for one in api.get("/Devices?startIndex=3&count=2")["Resources"]] == ["D2", "D3"]
    assert len(api.find('meta.resourceType eq "Device" and meta.version eq "W/\\"1\\""', "/Devices")) == 5
    assert api.find(f'schemas eq "{WARRANTY}"', "/Devices") == []
    api.refuse("GET", "/Devices?filter=userName+pr", kind="invalidFilter")


def test_types_are_apart(api: Api) -> None:
    """One table has them all: no list, count, filter or id of one shows another."""
    machine = device(api, "Hall")
    place = api.post("/Places", {"schemas": [PLACE], "name": "Hall", RENT: {"amount": 1, "paid": True}})
    assert api.get("/Devices")["Resources"] == [machine]
    assert api.get("/Places")["Resources"] == [place]
    assert api.get("/Places?count=0")["totalResults"] == 1
    assert api.find("id pr", "/Places") == [place]
    assert api.find(f'id eq "{machine["id"]}" or not (name eq "x")', "/Places") == [place]
    for path in ("/Places", "/Users", "/Groups"):
        api.refuse("GET", f"{path}/{machine['id']}", status=404)
        api.refuse("DELETE", f"{path}/{machine['id']}", status=404)
    api.refuse(
        "POST", "/Places", {"schemas": [DEVICE], "name": "x", RENT: {"amount": 1, "paid": True}}, kind="invalidSyntax"
    )
    api.refuse("POST", "/Devices", {"schemas": [USER], "displayName": "x"}, kind="invalidSyntax")


def test_every_write_is_in_the_journal(api: Api) -> None:
    path = f"/Devices/{device(api, 'Printer', label='private', colour='x')['id']}"
    api.patch(path, op("replace", "label", "other"))
    api.refuse_patch(path, op("replace", "usage", 1), kind="mutability")
    api.delete(path)
    entries = api.journal()
    assert [entry.action for entry in entries] == [
        "resource.created", "resource.updated", "request.refused", "resource.deleted",
    ]  # fmt: skip
    assert {(entry.target_type, entry.target_id) for entry in entries} == {("Device", path.rpartition("/")[2])}
    assert entries[0].target_name == entries[3].target_name == "Printer"
    assert '"label"' in entries[1].changes and "other" not in entries[1].changes
    assert "colour" in entries[0].changes
    assert len(api.find('target.type eq "Device"', "/EventRecords")) == 4


def test_strict_profile_holds_for_configured_types(api: Api) -> None:
    strict = api.token_for(profile="strict")
    strict.refuse("POST", "/Devices", {"displayName": "x"}, kind="invalidSyntax")
    strict.refuse("POST", "/Devices", {"schemas": [DEVICE], "displayName": "x", "nope": 1}, kind="invalidSyntax")
    strict.refuse("POST", "/Devices", {"schemas": [DEVICE], "displayName": "x", "enabled": "true"}, kind="invalidValue")


def test_other_methods_are_answered_as_for_users(api: Api) -> None:
    identifier = device(api)["id"]
    for path, allowed in (("/Devices", "GET, HEAD, POST"), (f"/Devices/{identifier}", "DELETE, GET, HEAD, PATCH, PUT")):
        response = api.send("OPTIONS", path)
        assert (response.status_int, response.headers["Allow"]) == (204, f"{allowed}, OPTIONS")
    api.refuse("PATCH", "/Devices", {}, status=405)


def test_scim2_tester_passes_all_checks_on_configured_types(new_account: Any) -> None:
    results = check_server(client_of(test_account(new_account), without_the_account("Device", "Place")))
    assert told(results) == []
    assert {"Device", "Place"} <= {one.resource_type for one in results}
