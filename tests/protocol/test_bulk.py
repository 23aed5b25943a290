"""A bulk request is read, ordered and its references resolved. Pure: no server, no database (protocol.md 4.15)."""

from copy import deepcopy
from time import perf_counter
from typing import Any

import pytest
from scim2_models import ConflictException, InvalidSyntaxException, InvalidValueException, PayloadTooLargeException

from scim_server.protocol.bulk import BULK_REQUEST, MAX_NAME, Bulk, Operation, read_bulk, resolve
from scim_server.protocol.bulk_order import Part, adding_manager, in_order, without_manager
from scim_server.protocol.catalogue import ENTERPRISE
from scim_server.protocol.intake import Tolerance

TOLERANT, STRICT = Tolerance(), Tolerance(missing_schemas=False)
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def bulk(*operations: Any, tolerance: Tolerance = TOLERANT, most: int = 10_000, **members: Any) -> Bulk:
    body = {"schemas": [BULK_REQUEST], "Operations": list(operations), **members}
    given = deepcopy(body)
    read = read_bulk(given, tolerance, most)
    assert given == body
    return read


def one(**members: Any) -> Operation:
    (operation,) = bulk(members).operations
    return operation


def user(bulk_id: str, manager: Any = None, **attributes: Any) -> dict[str, Any]:
    extension = {} if manager is None else {ENTERPRISE: {"manager": manager, "department": "Tools"}}
    data = {"userName": bulk_id, **attributes, **extension}
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


def group(bulk_id: str, *members: str, **attributes: Any) -> dict[str, Any]:
    data = {"displayName": bulk_id, "members": [{"value": f"bulkId:{one}"} for one in members], **attributes}
    return {"method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data}


def patching(path: str, *operations: dict[str, Any]) -> dict[str, Any]:
    return {"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": list(operations)}}


def order(*operations: Any) -> list[int]:
    """The places in the order in which they are carried out, each whole."""
    steps = in_order(bulk(*operations).operations)
    assert {step.part for step in steps} == {Part.WHOLE}
    return [step.place for step in steps]


@pytest.mark.parametrize("body", [None, [], "x", 5, {}, {"Operations": None}, {"Operations": []}, {"Operations": {}}])
def test_body_that_is_no_bulk_request_is_refused(body: Any) -> None:
    """BLK-14."""
    with pytest.raises(InvalidSyntaxException):
        read_bulk(body, TOLERANT, 10)


@pytest.mark.parametrize("schemas", [[], [PATCH_OP], BULK_REQUEST, {}, [5], [None]])
def test_body_of_another_schema_is_refused(schemas: Any) -> None:
    """BLK-14."""
    with pytest.raises(InvalidSyntaxException):
        bulk(user("a"), schemas=schemas)


def test_missing_schemas_are_implied_by_the_endpoint_unless_the_profile_is_strict() -> None:
    """A-13."""
    body = {"operations": [user("a")]}
    assert read_bulk(body, TOLERANT, 1).operations[0].bulk_id == "a"
    with pytest.raises(InvalidSyntaxException):
        read_bulk(body, STRICT, 1)


def test_more_operations_than_the_limit_are_refused_with_the_limit() -> None:
    """BLK-09."""
    assert len(bulk(*map(user, "abc"), most=3).operations) == 3
    with pytest.raises(PayloadTooLargeException, match="at most 3"):
        bulk(*map(user, "abcd"), most=3)


@pytest.mark.parametrize("value", [0, -1, True, False, "1", 1.0, 1.5, [], {}])
def test_fail_on_errors_must_be_a_positive_number(value: Any) -> None:
    with pytest.raises(InvalidValueException, match="failOnErrors"):
        bulk(user("a"), failOnErrors=value)


def test_fail_on_errors_is_none_when_absent() -> None:
    assert bulk(user("a"), failOnErrors=2).fail_on_errors == 2
    assert bulk(user("a")).fail_on_errors is None
    assert bulk(user("a"), failOnErrors=None).fail_on_errors is None


def test_duplicate_bulk_ids_are_refused() -> None:
    """BLK-12, A-42."""
    with pytest.raises(InvalidValueException, match="'a'"):
        bulk(user("a"), user("b"), {"method": "DELETE", "path": "/Users/1", "bulkId": "a"})


@pytest.mark.parametrize(
    "members",
    [
        {"method": "POST", "path": "/Users", "data": {}},
        {"method": "POST", "path": "/Users", "data": {}, "bulkId": ""},
        {"method": "POST", "path": "/Users", "data": {}, "bulkId": 5},
        {"method": "POST", "path": "/Users", "data": {}, "bulkId": "x" * (MAX_NAME + 1)},
        {"method": "POST", "path": "/Users", "bulkId": "a"},
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": []},
        {"method": "POST", "path": "Users", "bulkId": "a", "data": {}},
        {"method": "POST", "path": "https://h/scim/v2/Users", "bulkId": "a", "data": {}},
        {"method": "POST", "path": "/Users?x=1", "bulkId": "a", "data": {}},
        {"method": "DELETE", "path": "/Users/1#x"},
        {"method": "DELETE", "path": "/" + "x" * MAX_NAME},
        {"method": "DELETE", "path": ["/Users/1"]},
        {"method": "DELETE"},
        {"method": "GET", "path": "/Users/1"},
        {"method": ["PUT"], "path": "/Users/1", "data": {}},
        {"path": "/Users/1", "data": {}},
        {"method": "PUT", "path": "/Users/1", "data": {}, "version": 1},
        {"method": "PUT", "path": "/Users/1", "data": "x"},
        {"method": "PATCH", "path": "/Users/1", "data": None},
        {},
    ],
)
def test_operation_that_is_wrong_in_itself_is_read_with_its_problem(members: dict[str, Any]) -> None:
    """BLK-02, BLK-11, BLK-16, ROB-35: the others are not affected."""
    wrong, right = bulk(members, user("b")).operations
    assert wrong.problem is not None and wrong.problem.status == 400
    assert wrong.creates is None
    assert right.problem is None


@pytest.mark.parametrize("given", [None, 5, "x", [], [[]]])
def test_operation_that_is_no_object_has_a_problem(given: Any) -> None:
    """ROB-35."""
    assert isinstance(bulk(given).operations[0].problem, InvalidSyntaxException)


def test_names_of_members_and_methods_are_read_in_any_case() -> None:
    operation = one(Method="delete", PATH="/Users/%31", BULKID="x", Version='W/"1"')
    assert operation == Operation("DELETE", "/Users/1", "x", 'W/"1"')


def test_bare_array_of_a_patch_is_read_as_its_operations() -> None:
    """Erratum 5050: the RFC's own sample has it; the strict profile wants the whole message."""
    given = {"method": "PATCH", "path": "/Users/1", "data": [{"op": "remove", "path": "title"}]}
    assert one(**given).data == {"Operations": given["data"]}
    assert bulk(given, tolerance=STRICT).operations[0].problem is not None


@pytest.mark.parametrize(
    ("data", "references"),
    [
        ({"members": [{"value": "bulkId:a"}, {"value": "bulkId:b"}, {"value": "1"}]}, {"a", "b"}),
        ({ENTERPRISE: {"manager": {"value": "bulkId:a"}}}, {"a"}),
        ({ENTERPRISE: {"manager": "bulkId:a"}}, {"a"}),
        ({"urn:x": {"licenseTransferTo": "bulkId:a:b c"}}, {"a:b c"}),
        ({"title": "see bulkId:a", "displayName": "BulkId:a", "bulkId:a": 1}, set()),
        ({"title": "bulkId:"}, {""}),
    ],
)
def test_references_are_whole_string_values(data: Any, references: set[str]) -> None:
    """BLK-03, BLK-05."""
    assert one(method="PUT", path="/Users/1", data=data).references == references


def test_references_of_a_patch_are_in_its_values_and_within_the_quotes_of_its_paths() -> None:
    operation = bulk(
        patching(
            "/Groups/1",
            {"op": "add", "path": "members", "value": [{"value": "bulkId:a"}]},
            {"op": "remove", "Path": 'members[value eq "bulkId:b" or value eq "bulkId:\\"c"]'},
            {"op": "replace", "path": "displayName", "value": "bulkId d"},
            {"op": "remove", "path": 'members[value eq "x bulkId:d" or value eq bulkId:e]'},
        )
    ).operations[0]
    assert operation.references == {"a", "b", '"c'}
    solved = resolve(operation, {"a": "1", "b": "2", '"c': "3"}, frozenset({"a", "b", '"c'}))
    assert [step.get("path") or step["Path"] for step in solved.data["Operations"]] == [
        "members",
        'members[value eq "2" or value eq "3"]',
        "displayName",
        'members[value eq "x bulkId:d" or value eq bulkId:e]',
    ]
    assert solved.data["Operations"][0]["value"] == [{"value": "1"}]
    assert not solved.references


@pytest.mark.parametrize("path", ["/Users/bulkId:a", "/Users/bulkId%3Aa", "/Users/bulkId:a/"])
def test_reference_in_the_path_addresses_what_is_created(path: str) -> None:
    """BLK-17."""
    operation = one(method="DELETE", path=path)
    assert operation.references == {"a"}
    assert resolve(operation, {"a": "1"}, frozenset("a")).path == "/Users/1"


def test_references_deeper_than_any_attribute_are_left_alone() -> None:
    deep: Any = "bulkId:a"
    for _ in range(200):
        deep = [deep]
    operation = one(method="PUT", path="/Users/1", data={"x": deep})
    assert operation.references == set()
    assert resolve(operation, {}, frozenset()) is operation


def test_unresolvable_references_are_refused_by_name() -> None:
    """BLK-13: unknown is 400; failed, and waiting in a circle, are 409."""
    operation = one(method="PUT", path="/Users/1", data={"title": "bulkId:a"})
    with pytest.raises(InvalidValueException, match="'bulkId:a' refers to no POST"):
        resolve(operation, {}, frozenset("b"))
    with pytest.raises(ConflictException, match="'bulkId:a' refers to a resource that could not"):
        resolve(operation, {"a": None}, frozenset("a"))
    with pytest.raises(ConflictException, match="circular"):
        resolve(operation, {}, frozenset("a"))


def test_bulk_id_of_another_method_than_post_is_no_target() -> None:
    read = bulk({"method": "DELETE", "path": "/Users/1", "bulkId": "a"}, user("b"), {**user("c"), "path": "x"})
    assert read.creating == {"b"}


def test_operations_are_carried_out_as_sent() -> None:
    assert order(user("a"), group("g", "a"), {"method": "DELETE", "path": "/Users/bulkId:a"}, user("b")) == [0, 1, 2, 3]


def test_operations_wait_for_what_they_refer_to() -> None:
    """BLK-03: the earliest sent that need not wait is always the next one."""
    assert order(group("g", "b", "a"), user("a"), user("c"), user("b"), user("d")) == [1, 2, 3, 0, 4]
    assert order(user("a", {"value": "bulkId:b"}), user("b", "bulkId:c"), user("c")) == [2, 1, 0]
    assert order(patching("/Groups/bulkId:g", {"op": "remove", "path": "externalId"}), group("g", "a"), user("a")) == [
        2, 1, 0,
    ]  # fmt: skip


def test_who_waits_for_nobody_known_does_not_wait() -> None:
    assert order(group("g", "nobody"), user("a")) == [0, 1]


def test_users_who_manage_one_another_are_created_first_and_completed_then() -> None:
    """BLK-04: the first of the circle without its manager; who is managed from outside of it is whole."""
    operations = bulk(
        user("d", "bulkId:a"), user("b", "bulkId:c"), user("a", {"value": "bulkId:b"}), user("c", "bulkId:a")
    ).operations
    assert in_order(operations) == [
        (1, Part.WITHOUT_MANAGER), (2, Part.WHOLE), (0, Part.WHOLE), (3, Part.WHOLE), (1, Part.MANAGER),
    ]  # fmt: skip


def test_user_who_manages_itself_is_created_and_completed() -> None:
    """BLK-04, ROB-35."""
    operations = bulk(user("a", {"value": "bulkId:a", "$ref": "../Users/bulkId:a"}), user("b")).operations
    assert in_order(operations) == [(0, Part.WITHOUT_MANAGER), (0, Part.MANAGER), (1, Part.WHOLE)]
    left = without_manager(operations[0])
    assert left.data == {"userName": "a", ENTERPRISE: {"department": "Tools"}}
    assert left.references == set()
    adding = resolve(adding_manager(operations[0], "7"), {"a": "7"}, frozenset("a"))
    assert (adding.method, adding.path) == ("PATCH", "/Users/7")
    (step,) = adding.data["Operations"]
    assert step["path"] == f"{ENTERPRISE}:manager"
    assert step["value"]["value"] == "7"


def test_other_circles_come_last_and_are_refused() -> None:
    """BLK-04: groups within one another, a transfer to a user whom the giver manages."""
    assert order(group("g", "h"), group("h", "g"), user("a")) == [2, 0, 1]
    assert order(group("g", "g"), user("a")) == [1, 0]
    ext = {"urn:x": {"licenseTransferTo": "bulkId:b"}}
    assert order(user("a", **ext), user("b", "bulkId:a"), user("c", "bulkId:b"), user("d")) == [3, 0, 1, 2]


def test_completion_comes_even_when_the_manager_is_in_a_circle_of_another_kind() -> None:
    """So that the result of what was created tells that its manager is not there."""
    circle = [user("a", "bulkId:b"), user("b", "bulkId:a", **{"urn:x": {"licenseTransferTo": "bulkId:c"}})]
    circle.append(user("c", **{"urn:x": {"licenseTransferTo": "bulkId:b"}}))
    assert in_order(bulk(*circle).operations) == [
        (0, Part.WITHOUT_MANAGER), (0, Part.MANAGER), (1, Part.WHOLE), (2, Part.WHOLE),
    ]  # fmt: skip


def test_order_is_found_in_linear_time() -> None:
    """ROB-35: ten thousand operations, each of which waits for the next, and as many that all name one another."""
    chain = [user(str(n), f"bulkId:{n + 1}") for n in range(10_000)]
    ring = [user(str(n), f"bulkId:{(n + 1) % 10_000}") for n in range(10_000)]
    dense = [group(str(n), *map(str, range(300))) for n in range(300)]
    started = perf_counter()
    assert [step.place for step in in_order(bulk(*chain).operations)] == list(reversed(range(10_000)))
    assert len(in_order(bulk(*ring).operations)) == 10_001
    assert len(in_order(bulk(*dense).operations)) == 300
    assert perf_counter() - started < 10
