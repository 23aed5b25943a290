"""Words in which tests speak of bulk requests."""

from typing import Any

from tests.web.conftest import BASE, BULK_REQUEST, BULK_RESPONSE, ERROR, GROUP, PATCH_OP, USER, Api


def post(path: str, bulk_id: str, data: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data}


def new_user(api: Api, name: str, **attributes: Any) -> dict[str, Any]:
    """The creation of a user, whose name is its bulkId."""
    return post("/Users", name, {"schemas": [USER], "userName": api.mail(name), **attributes})


def new_group(name: str, *members: str, **attributes: Any) -> dict[str, Any]:
    """The creation of a group, whose name is its bulkId."""
    values = [{"value": one} for one in members]
    return post("/Groups", name, {"schemas": [GROUP], "displayName": name, "members": values, **attributes})


def put(path: str, data: Any, **members: Any) -> dict[str, Any]:
    return {"method": "PUT", "path": path, "data": data, **members}


def patch(path: str, *operations: Any, **members: Any) -> dict[str, Any]:
    return {"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": operations}, **members}


def delete(path: str, **members: Any) -> dict[str, Any]:
    return {"method": "DELETE", "path": path, **members}


def sent(api: Api, *operations: Any, **members: Any) -> list[Any]:
    """The results of a bulk request that is answered 200, each of the shape that the RFC has for it."""
    body = {"schemas": [BULK_REQUEST], "Operations": list(operations), **members}
    answer = api.post("/Bulk", body, status=200)
    assert set(answer) == {"schemas", "Operations"}
    assert answer["schemas"] == [BULK_RESPONSE]
    for result in answer["Operations"]:
        assert set(result) <= {"method", "bulkId", "location", "version", "status", "response"}
        assert isinstance(result["status"], str)
        if result["status"].startswith("2"):
            assert result["location"].startswith(f"{BASE}/")
            assert ("version" in result) == (result["method"] != "DELETE")
            assert "response" not in result
        else:
            kind = {"scimType": result["response"]["scimType"]} if "scimType" in result["response"] else {}
            detail = result["response"]["detail"]
            assert detail
            assert result["response"] == {"schemas": [ERROR], "status": result["status"], **kind, "detail": detail}
    return list(answer["Operations"])


def statuses(api: Api, *operations: Any, **members: Any) -> list[int]:
    return [int(one["status"]) for one in sent(api, *operations, **members)]


def id_in(result: Any) -> str:
    """The id of what a result tells the location of."""
    return str(result["location"].rpartition("/")[2])
