"""The runner notices defects: each is switched in alone, and at least one of its checks must not pass."""

from typing import Any

import pytest

from conformance.cli import everything
from conformance.registry import Outcome, chosen
from conformance.runner import client, prepare, run
from conformance.transport import in_process
from tests.web.conftest import Api

from .conftest import BASE
from .mutations import (
    Mutation,
    as_page,
    body,
    clearing,
    each,
    echo,
    edit,
    empty_list_as_404,
    first_only,
    header,
    ignoring,
    leaving,
    merging_put,
    meta,
    more,
    mutated,
    no_header,
    operations,
    query,
    replacing,
    setting,
    shown,
    soft_delete,
    status,
)  # fmt: skip

MUTATIONS = (
    Mutation("create answers 200", "CRT-01", spoil=status(201, 200)),
    Mutation("create has no Location", "CRT-01,CRT-02", spoil=no_header("Location")),
    Mutation("Location leads elsewhere", "CRT-02", spoil=header("Location", "http://localhost/scim/v2/Users/x")),
    Mutation("meta.location is of another user", "GET-01", spoil=each(meta(location="http://localhost/scim/v2/Users/x"))),
    Mutation("meta.location is relative", "GET-03", spoil=each(meta(location="/scim/v2/Users/x"))),
    Mutation("id is a number", "CRT-01", spoil=each(setting(id=1))),
    Mutation("meta is missing", "CRT-01", spoil=each(leaving("meta"))),
    Mutation("resource type is wrong", "CRT-01", spoil=each(meta(resourceType="Person"))),
    Mutation("schemas are missing", "CRT-01,PRJ-02", spoil=each(leaving("schemas"))),
    Mutation("password is returned", "CRT-16", spoil=echo("password")),
    Mutation("undefined attribute is echoed", "CRT-11", spoil=echo("noSuchAttribute")),
    Mutation("forged id is echoed", "CRT-03,PUT-03", spoil=echo("id")),
    Mutation("conflict is 400", "CRT-04,ERR-01", spoil=status(409, 400)),
    Mutation("conflict is 500", "OBS-01,CRT-04", spoil=status(409, 500)),
    Mutation("error has no schema", "ERR-01", spoil=edit(leaving("schemas"), statuses=range(400, 500))),
    Mutation("error status is a number", "ERR-01", spoil=edit(setting(status=404), statuses=(404,))),
    Mutation("error is HTML", "ERR-02,HTP-08", spoil=as_page),
    Mutation("error has no detail", "ERR-09", spoil=edit(leaving("detail"), statuses=(404,))),
    Mutation("scimType is wrong", "ERR-07,CRT-04", spoil=edit(setting(scimType="tooMany"), statuses=(409,))),
    Mutation("media type is text", "HTP-01,HTP-03", spoil=header("Content-Type", "text/plain")),
    Mutation("media type of errors is json", "HTP-22", spoil=lambda a, b: header(
        "Content-Type", "application/json")(a, b) if b.status >= 400 else b),
    Mutation("no challenge", "AUT-01", spoil=no_header("WWW-Authenticate")),
    Mutation("unauthorized is 403", "AUT-01,AUT-02", spoil=status(401, 403)),
    Mutation("anonymous users read", "AUT-01", spoil=status(401, 200)),
    Mutation("nothing found is 404", "ERR-05", spoil=empty_list_as_404),
    Mutation("totalResults is one too many", "LST-01,DSC-05", spoil=edit(more("totalResults", 1))),
    Mutation("totalResults is the page", "LST-01", spoil=edit(
        lambda v: {**v, "totalResults": len(v["Resources"])} if "Resources" in v else v)),
    Mutation("itemsPerPage echoes count", "LST-01,LST-19", spoil=edit(
        lambda v: {**v, "itemsPerPage": 100} if "Resources" in v else v)),
    Mutation("a member of a page is lost", "LST-01,LST-05", spoil=edit(
        lambda v: {**v, "Resources": v["Resources"][1:]} if "Resources" in v else v)),
    Mutation("startIndex counts from 0", "LST-05", change=lambda a: query(
        startIndex=str(int(a.query.get("startIndex", 1)) + 1))(a)),
    Mutation("startIndex is not echoed", "LST-15", spoil=edit(
        lambda v: {**v, "startIndex": 1} if "startIndex" in v else v)),
    Mutation("count is ignored", "LST-01,LST-03", change=query(count=None)),
    Mutation("Resources is missing when empty", "LST-16", spoil=edit(
        lambda v: v if v.get("Resources", True) else leaving("Resources")(v))),
    Mutation("filter is ignored", "FLT-01,LST-08", change=query(filter=None)),
    Mutation("eq is co", "FLT-55", change=shown(r"\beq\b", "co")),
    Mutation("and is or", "FLT-16", change=shown(r"\band\b", "or")),
    Mutation("not is dropped", "FLT-16", change=shown(r"\bnot\b", "")),
    Mutation("values are lower-cased", "FLT-02,FLT-47", change=lambda a: shown(r"^.*$", a.query.get(
        "filter", "").lower().replace("\\", r"\\"))(a)),
    Mutation("wildcards work", "FLT-07", change=shown('"[%_*]"', '"a"')),
    Mutation("malformed filters are accepted", "FLT-26,FLT-25", spoil=status(400, 200, "GET")),
    Mutation("sorting is ignored", "SRT-01", change=query(sortBy=None)),
    Mutation("sortOrder is ignored", "SRT-02", change=query(sortOrder=None)),
    Mutation("attributes are ignored", "PRJ-01,PRJ-03", change=query(attributes=None)),
    Mutation("excludedAttributes are ignored", "PRJ-06,PRJ-12", change=query(excludedAttributes=None)),
    Mutation("search answers 201", "SEA-01", spoil=status(200, 201, "POST", ".search")),
    Mutation("search ignores its filter", "SEA-01", change=body(leaving("filter"), "POST", ".search")),
    Mutation("PUT merges", "PUT-02", change=merging_put),
    Mutation("PUT answers 204", "PUT-01", spoil=status(200, 204, "PUT")),
    Mutation("created moves", "PUT-01", spoil=lambda a, b: each(meta(created="2001-01-01T00:00:00Z"))(
        a, b) if a.method == "PUT" else b),
    Mutation("unknown id is created by PUT", "PUT-04,ERR-02", spoil=status(404, 201, "PUT")),
    Mutation("PATCH does nothing", "PAT-06,PAT-09", change=operations(
        lambda steps: [{"op": "remove", "path": "nickName"} for _ in steps])),
    Mutation("PATCH does its first operation only", "PAT-21", change=operations(first_only)),
    Mutation("add replaces", "PAT-07,PAT-38", change=operations(replacing)),
    Mutation("removal of a member empties the group", "PAT-63,PAT-40", change=operations(clearing)),
    Mutation("readOnly is accepted by PATCH", "PAT-22", spoil=status(400, 204, "PATCH")),
    Mutation("PATCH answers 202", "PAT-05", spoil=status(200, 202, "PATCH")),
    Mutation("DELETE answers 200", "DEL-01", spoil=status(204, 200, "DELETE")),
    Mutation("DELETE deletes nothing", "DEL-01,DEL-02", change=soft_delete),
    Mutation("ETag is missing", "ETG-01,DSC-18", spoil=no_header("ETag")),
    Mutation("ETag is another", "ETG-01", spoil=header("ETag", 'W/"other"')),
    Mutation("version never changes", "ETG-05", spoil=each(meta(version='W/"1"'))),
    Mutation("If-Match is ignored", "ETG-03,ETG-11", change=ignoring("IF_MATCH")),
    Mutation("If-None-Match is ignored", "ETG-02", change=ignoring("IF_NONE_MATCH")),
    Mutation("a stale tag is 409", "ETG-03", spoil=status(412, 409)),
    Mutation("bulk status is a number", "BLK-01", spoil=edit(
        lambda v: {**v, "Operations": [{**one, "status": int(one["status"])} for one in v["Operations"]]}
        if "Operations" in v else v, "/Bulk")),
    Mutation("bulkId is lost", "BLK-01", spoil=edit(
        lambda v: {**v, "Operations": [leaving("bulkId")(one) for one in v.get("Operations", [])]}, "/Bulk")),
    Mutation("failOnErrors is ignored", "BLK-07", change=body(leaving("failOnErrors"), "POST", "/Bulk")),
    Mutation("too many operations are 400", "BLK-09", spoil=status(413, 400)),
    Mutation("members are lost", "GRP-01,PAT-38", spoil=each(leaving("members"), "/Groups")),
    Mutation("users do not know their groups", "GRP-03", spoil=each(leaving("groups"))),
    Mutation("configuration is a list", "DSC-01", spoil=edit(lambda v: {"Resources": [v]}, "ServiceProviderConfig")),
    Mutation("bulk has no limits", "DSC-02", spoil=edit(setting(bulk={"supported": True}), "ServiceProviderConfig")),
    Mutation("messages are among the schemas", "DSC-09", spoil=edit(lambda v: {**v, "Resources": [
        *v["Resources"], {"id": "urn:ietf:params:scim:api:messages:2.0:PatchOp"}]} if "Resources" in v else v, "/Schemas")),
    Mutation("active is text", "CRT-32,PAT-57", spoil=each(
        lambda one: {**one, "active": str(one["active"])} if "active" in one else one)),
    Mutation("nextCursor never ends", "CUR-01", spoil=edit(
        lambda v: {"nextCursor": "again", **v} if "Resources" in v else v)),
    Mutation("licences stay as they were", "ACC-05", change=operations(
        lambda steps: [one for one in steps if "licenseType" not in str(one)] or [{"op": "remove", "path": "title"}])),
    Mutation("emails lose their type", "IDP-entra-user-without-flag", spoil=each(lambda one: {**one, "emails": [
        leaving("type")(mail) for mail in one["emails"]]} if "emails" in one else one)),
    Mutation("a second group of one name is created", "GRP-12", spoil=status(409, 201, "POST", "/Groups")),
)  # fmt: skip


@pytest.fixture(scope="module")
def database_url(make_url: Any) -> str:
    """SQLite alone: the defects are above the database."""
    return str(make_url("sqlite"))


def test_mutations_are_many_and_distinct() -> None:
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS) >= 40


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_runner_notices(mutation: Mutation, provider: Api) -> None:
    checks = chosen(everything(), mutation.checks.split(","), ())
    scim = client(in_process(mutated(provider.app, mutation)), BASE, provider.token, provider.domain)
    prepare(scim)
    done = run(scim, checks)
    noticed = [one for one in done.results if one.outcome in (Outcome.FAILED, Outcome.WARNING, Outcome.NOTE)]
    assert noticed, [(one.check.id, one.outcome, one.reason) for one in done.results]
    # The same checks pass where there is no defect.
    sound = client(in_process(provider.app), BASE, provider.token, provider.domain)
    prepare(sound)
    results = run(sound, checks).results
    assert {one.outcome for one in results} == {Outcome.PASSED}, [(one.check.id, one.reason) for one in results]


def test_relative_and_public_addresses_are_no_fault(provider: Api) -> None:
    """What the RFC leaves open is noted, never counted as a MUST that is missed."""

    def moved(base: str) -> Mutation:
        def change(one: dict[str, Any]) -> dict[str, Any]:
            return meta(location=f"{base}/Users/{one['id']}")(one)

        return Mutation("", "", spoil=each(change))

    for base in ("/scim/v2", "https://public.example.com/scim/v2"):
        scim = client(in_process(mutated(provider.app, moved(base))), BASE, provider.token, provider.domain)
        prepare(scim)
        results = run(scim, chosen(everything(), ["GET-01", "GET-03"], ())).results
        assert {one.check.id: one.outcome for one in results} == {"GET-01": Outcome.PASSED, "GET-03": Outcome.NOTE}
