"""Resource types of one's own at the command line: judged, refused at start, indexed; and the guide's example."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from scim_server import create_app
from scim_server.cli import main
from scim_server.settings import Settings
from scim_server.store import accounts
from scim_server.store.database import Database
from scim_server.store.upgrading import upgrade
from tests.extra_types import EXTRA, attribute, resource_type, schema, written
from tests.web.conftest import Api

GUIDE = (Path(__file__).parents[2] / "docs" / "resource-types.md").read_text("utf-8")
THING = "urn:example:2.0:Thing"
TYPE = "resource-types/thing"


def invoke(*arguments: object, code: int = 0, **settings: object) -> str:
    environment = {name: str(value) for name, value in settings.items()}
    result = CliRunner().invoke(main, [str(one) for one in arguments], env=environment)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_check_tells_what_would_be_served():
    assert [line.split()[:2] for line in invoke("schemas", "check", EXTRA).splitlines()[1:]] == [
        ["Device", "/Devices"],
        ["Place", "/Places"],
    ]
    (device, _) = json.loads(invoke("schemas", "check", "--json", EXTRA))["resourceTypes"]
    assert device["endpoint"] == "/Devices"


def test_check_tells_everything_that_is_wrong(tmp_path):
    documents = {"thing": schema(THING, attribute("1"), attribute("meta")), TYPE: "{"}
    lines = invoke("schemas", "check", written(tmp_path, documents), code=1).splitlines()
    assert lines[0] == f"Error: the resource types of '{tmp_path}' cannot be served."
    assert [line.strip().partition(":")[0] for line in lines[1:]] == ["thing.json", "thing.json", f"{TYPE}.json"]


@pytest.mark.parametrize("command", [["serve", "--port", "1"], ["schemas", "index"]])
def test_no_server_starts_on_bad_documents(tmp_path, command):
    url = f"sqlite:///{tmp_path}/scim.sqlite3"
    invoke("upgrade", SCIM_DATABASE_URL=url)
    written(tmp_path, {"thing": "{", TYPE: resource_type()})
    told = invoke(*command, code=1, SCIM_DATABASE_URL=url, SCIM_EXTRA_SCHEMAS=tmp_path)
    assert "thing.json: is not JSON" in told


def test_the_example_of_the_guide_is_served(tmp_path):
    """Its documents are good, and what its lines send is stored and found."""
    device, kind = re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)
    api = account_at(tmp_path, written(tmp_path, {"device": device, "resource-types/device": kind}), {})
    urn = json.loads(device)["id"]
    (body,) = re.findall(r'-d "(.*)"$', GUIDE, re.MULTILINE)
    created = api.post("/Devices", json.loads(body.replace('\\"', '"').replace("$DEVICE", urn)))
    (condition,) = re.findall(r"'filter=(.*?)'", GUIDE)
    assert api.find(condition, "/Devices", sortBy="displayName") == [created]
    close(api)


def test_index_follows_a_changed_schema(tmp_path):
    first = {"thing": schema(THING, attribute("label"), attribute("old"), attribute("code")), TYPE: resource_type()}
    api = account_at(tmp_path, tmp_path, first)
    for number in range(3):
        api.post("/Things", {"schemas": [THING], "label": f"L{number}", "old": "x", "code": str(number)})
    before = api.get("/Things")["Resources"]
    close(api)
    changed = {"thing": schema(THING, attribute("label", uniqueness="server"), attribute("code", "string"))}
    settings = {
        "SCIM_DATABASE_URL": f"sqlite:///{tmp_path}/scim.sqlite3",
        "SCIM_EXTRA_SCHEMAS": written(tmp_path, changed),
    }
    assert json.loads(invoke("schemas", "index", "--json", **settings)) == {"indexed": {"Thing": 3}}
    invoke("schemas", "index", **settings)
    api = account_at(tmp_path, tmp_path, {}, api)
    after = api.get("/Things")["Resources"]
    assert [{**one, "old": "x", "meta": None} for one in after] == [{**one, "meta": None} for one in before]
    assert {one["meta"]["version"] for one in after} == {'W/"2"'}  # once, for what is gone
    assert api.find('label eq "l1"', "/Things") == [after[1]]
    api.refuse("POST", "/Things", {"label": "L1"}, status=409, kind="uniqueness")
    close(api)


def test_index_changes_nothing_where_a_resource_does_not_fit(tmp_path):
    first = {"thing": schema(THING, attribute("label"), attribute("code")), TYPE: resource_type()}
    api = account_at(tmp_path, tmp_path, first)
    ids = [api.post("/Things", {"schemas": [THING], "label": "same", "code": "text"})["id"] for _ in range(2)]
    before = api.get("/Things")
    close(api)
    changed = {"thing": schema(THING, attribute("label", uniqueness="server"), attribute("code", "string"))}
    settings = {"SCIM_DATABASE_URL": f"sqlite:///{tmp_path}/scim.sqlite3", "SCIM_EXTRA_SCHEMAS": tmp_path}
    written(tmp_path, changed)
    told = invoke("schemas", "index", code=1, **settings)
    assert f"things: Thing {ids[1]}: label has the same value as that of {ids[0]}" in told
    written(tmp_path, {"thing": schema(THING, attribute("label"), attribute("code", "integer"))})
    told = invoke("schemas", "index", code=1, **settings)
    assert f"things: Thing {ids[0]}: code: 'text' is not an integer" in told
    written(tmp_path, first)
    api = account_at(tmp_path, tmp_path, {}, api)
    assert api.get("/Things") == before
    close(api)


def test_without_a_directory_there_is_nothing_to_index(tmp_path):
    url = f"sqlite:///{tmp_path}/scim.sqlite3"
    invoke("upgrade", SCIM_DATABASE_URL=url)
    assert "SCIM_EXTRA_SCHEMAS names no directory" in invoke("schemas", "index", code=1, SCIM_DATABASE_URL=url)


def account_at(data: Path, directory: Path, documents: dict, known: Api | None = None) -> Api:
    """An account of a server with these resource types; the one that is known, or a new one."""
    settings = Settings(
        f"sqlite:///{data}/scim.sqlite3", "http://localhost", extra_schemas=written(directory, documents)
    )
    database = Database(Flask("upgrade"), settings.database_url)
    upgrade(database)
    database.engine.dispose()
    app = create_app(settings)
    if known is not None:
        return Api(app, known.account_id, known.token, "x.example")
    with app.extensions["scim"].database.transaction(None):
        account_id = accounts.create("things", {}, 1)
    return Api(app, account_id, None, "x.example").token_for()


def close(api: Api) -> None:
    api.database.engine.dispose()
