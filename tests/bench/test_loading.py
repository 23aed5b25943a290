"""A user that is loaded is, row by row, what POST writes."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from bench import prepare
from bench.copying import owned_tables
from bench.dataset import Loaded
from bench.people import KINDS, person
from scim_server import create_app
from scim_server.settings import load
from scim_server.store.tables import group, membership, user

USERS = KINDS + 200
MOVING = {"created", "modified", "occurred_at", "request_id", "added"}
"""What no two requests have in common."""


@pytest.fixture(scope="module")
def loaded(database_url: str) -> Iterator[tuple[Loaded, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SCIM_")]:
            patch.delenv(name)
        url = sa.make_url(database_url).difference_update_query(["options"])  # as who may load whole tables
        patch.setenv("SCIM_DATABASE_URL", url.render_as_string(hide_password=False))
        patch.setenv("SCIM_RATE_LIMIT", "off")
        done = prepare.ours(USERS)
        app = create_app(load())
        yield done, app
        app.extensions["scim"].database.engine.dispose()


def _ordered(value: Any) -> str:
    """The text of a value; of JSON that of its members in one order, which means nothing."""
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _rows(app: Any, identifier: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of a user, with its id and its own ids taken out."""
    found = {}
    with app.extensions["scim"].database.engine.connect() as connection:
        for owned in owned_tables():
            rows = connection.execute(sa.select(owned.table).where(owned.owner == identifier)).mappings().all()
            found[owned.table.name] = sorted(
                (
                    {
                        name: _ordered(value).replace(identifier, "ID")
                        for name, value in row.items()
                        if name not in MOVING and (name != "id" or owned.table.name == "user")
                    }
                    for row in rows
                ),
                key=str,
            )
    return found


@pytest.mark.parametrize("number", [150, 449, KINDS + 150])
def test_loaded_user_has_the_rows_that_post_writes(loaded: tuple[Loaded, Any], number: int) -> None:
    done, app = loaded
    client = app.test_client()
    headers = {"Authorization": f"Bearer {done.token}", "Content-Type": "application/scim+json"}
    by_name = f'/scim/v2/Users?filter=userName eq "{person(number)["userName"]}"'
    identifier = client.get(by_name, headers=headers).json["Resources"][0]["id"]
    as_loaded = _rows(app, identifier)
    as_loaded_shown = client.get(f"/scim/v2/Users/{identifier}", headers=headers).json
    assert client.delete(f"/scim/v2/Users/{identifier}", headers=headers).status_code == 204
    # of another name, so that the account does not know it as one that was deleted
    body = person(number + 50 * KINDS)
    posted = client.post("/scim/v2/Users", json=body, headers=headers)
    assert posted.status_code == 201
    old, new = f"{number + 50 * KINDS:07d}", f"{number:07d}"
    rows = _rows(app, posted.json["id"])
    expected = {
        name: sorted(({key: value.replace(old, new) for key, value in row.items()} for row in table), key=str)
        for name, table in rows.items()
    }
    assert as_loaded == expected
    assert as_loaded["user"]
    assert as_loaded["journal"]
    shown = client.get(f"/scim/v2/Users/{posted.json['id']}", headers=headers).json
    assert set(as_loaded_shown) - {"groups"} == set(shown)


def test_all_users_are_there_and_the_copied_ones_gone(loaded: tuple[Loaded, Any]) -> None:
    done, app = loaded
    headers = {"Authorization": f"Bearer {done.token}"}
    client = app.test_client()
    assert done.total == USERS
    gone = client.get(
        f'/scim/v2/Users?filter=userName eq "{person(prepare.FIRST_KIND)["userName"]}"', headers=headers
    ).json
    assert gone["totalResults"] == 0
    shown = client.get("/scim/v2/Users?count=1", headers=headers).json["totalResults"]
    with app.extensions["scim"].database.engine.connect() as connection:
        assert shown == connection.execute(sa.select(sa.func.count()).select_from(user)).scalar_one()
    for identifier, number in done.users[:5]:
        found = client.get(f"/scim/v2/Users/{identifier}", headers=headers).json
        assert found["userName"] == person(number)["userName"]


def test_loaded_group_is_what_post_with_members_writes(loaded: tuple[Loaded, Any]) -> None:
    done, app = loaded
    headers = {"Authorization": f"Bearer {done.token}", "Content-Type": "application/scim+json"}
    client = app.test_client()
    as_loaded = client.get(f"/scim/v2/Groups/{done.groups['100']}", headers=headers).json
    members = [{"value": one["value"]} for one in as_loaded["members"]]
    body = {**prepare.group_body("posted"), "members": members}
    posted = client.post("/scim/v2/Groups", json=body, headers=headers)
    assert posted.status_code == 201
    columns = [column for column in group.c if column.name not in {"id", "document", "folded", *MOVING}]
    columns = [column for column in columns if not column.name.startswith("display_name")]
    with app.extensions["scim"].database.engine.connect() as connection:
        pair = [
            (
                connection.execute(sa.select(*columns).where(group.c.id == one)).one(),
                connection.execute(
                    sa.select(membership.c.account_id, membership.c.user_id)
                    .where(membership.c.group_id == one)
                    .order_by(membership.c.user_id)
                ).all(),
            )
            for one in (done.groups["100"], posted.json["id"])
        ]
    assert pair[0] == pair[1]
    assert posted.json["members"] == as_loaded["members"]
