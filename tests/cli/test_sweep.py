"""The sweep at the command line: seats of those who are away for too long, released once, and given on (R24)."""

import json
import subprocess
import sys

import pytest
from webtest import TestApp

from scim_server import create_app
from scim_server.settings import Settings
from scim_server.store.database import execute
from scim_server.store.tables import user

from .test_serving import environment

EXTENSION = "urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:User"
SWEEP = [sys.executable, "-m", "scim_server.cli", "sweep", "--json"]
DAY = 86_400_000_000


@pytest.fixture(scope="module")
def app(run, database_url):
    application = create_app(Settings(database_url=database_url))
    yield application
    application.extensions["scim"].database.engine.dispose()


class Users:
    """The users of an account that releases seats after ten days, as its identity provider sees them."""

    def __init__(self, run, ask, app, account, licences):
        policies = ("deactivation.licensePolicy=releaseAfterGrace", "deactivation.graceDays=10")
        run("account", "set", account, *policies, "domains.enforcement=off", "licenseShortage.direct=pend")
        run("licence", "add", "--account", account, "pro", licences)
        self.account, self.database = ask("account", "show", account)["id"], app.extensions["scim"].database
        token = ask("token", "issue", "--account", account)["token"]
        self.idp = TestApp(app, extra_environ={"HTTP_AUTHORIZATION": f"Bearer {token}"}, lint=False)

    def create(self, *names):
        for name in names:
            body = {"userName": f"{name}@example.com", EXTENSION: {"licenseType": "pro"}}
            self.idp.post_json("/scim/v2/Users", body, status=201)

    def leave(self, *names, days):
        """Deactivate users, who have been away for some days then."""
        for name in names:
            self.idp.patch_json(
                f"/scim/v2/Users/{self.find(name)['id']}",
                {"Operations": [{"op": "replace", "value": {"active": False}}]},
            )
        addresses = [f"{name}@example.com" for name in names]
        with self.database.transaction(self.account):
            away = (user.c.account_id == self.account, user.c.user_name.in_(addresses))
            execute(user.update().where(*away).values(deactivated_at=user.c.deactivated_at - days * DAY))

    def find(self, name):
        return self.idp.get("/scim/v2/Users", {"filter": f'userName eq "{name}@example.com"'}).json["Resources"][0]

    def licence(self, name):
        block = self.find(name)[EXTENSION]
        return block["licenseStatus"], block.get("licenseType"), block.get("licensePendingType")


@pytest.fixture
def users(run, ask, app, account):
    return Users(run, ask, app, account, licences=2)


def released(run, account):
    """The entries of the journal that tell of a seat released."""
    lines = run("log", "--account", account, "--json", "--limit", 1000).stdout.splitlines()
    return [entry for entry in map(json.loads, lines) if entry["action"] == "license.released"]


def test_nothing_is_released_before_its_time(run, ask, account, users):
    users.create("ava")
    users.leave("ava", days=9)
    assert ask("sweep", "--account", account)["released"] == {account: 0}
    assert run("sweep", "--account", account).stdout == "Nothing was due.\n"
    assert (users.licence("ava"), released(run, account)) == (("suspended", "pro", None), [])


def test_seats_that_are_due_are_released_and_serve_who_waits(run, ask, account, users, actions):
    users.create("ava", "bob", "cat")
    users.leave("bob", days=9)
    users.leave("ava", days=10)
    assert users.licence("cat") == ("pending", None, "pro")
    assert run("sweep", "--account", account).stdout == f"{account}: 1 released.\n"
    assert users.licence("ava") == ("none", None, "pro")
    assert users.licence("bob") == ("suspended", "pro", None)
    assert users.licence("cat") == ("assigned", "pro", None)
    assert actions()[-2:] == ["license.released", "license.granted"]
    entry = released(run, account)[0]
    assert entry["actor"] == {"type": "system", "value": "sweep"}
    assert (entry["target"]["display"], entry["outcome"]) == ("ava@example.com", "success")
    assert ask("sweep", "--account", account)["released"] == {account: 0}


def test_one_account_is_swept_or_all(run, ask, app, account, users):
    other = f"{account} too"
    run("account", "create", other)
    others = Users(run, ask, app, other, licences=1)
    for one in (users, others):
        one.create("ava")
        one.leave("ava", days=30)
    assert ask("sweep", "--account", account)["released"] == {account: 1}
    assert (users.licence("ava")[0], others.licence("ava")[0]) == ("none", "suspended")
    answer = ask("sweep")["released"]
    assert (answer[account], answer[other]) == (0, 1)


def test_an_account_that_keeps_seats_is_left_alone(run, ask, account, users):
    users.create("ava")
    users.leave("ava", days=400)
    run("account", "set", account, "deactivation.licensePolicy=suspend")
    assert ask("sweep", "--account", account)["released"] == {account: 0}
    assert users.licence("ava") == ("suspended", "pro", None)


def test_an_unknown_account_is_told_with_the_way_out(run):
    refused = run("sweep", "--account", "nobody", code=1)
    assert refused.stdout == ""
    assert refused.stderr == (
        "Error: there is no account 'nobody'. Create it with: scim-server account create 'nobody'\n"
    )


def test_two_sweeps_at_once_release_each_seat_once(run, ask, app, account, database_url):
    users = Users(run, ask, app, account, licences=12)
    names = [f"u{number}" for number in range(12)]
    users.create(*names)
    users.leave(*names, days=11)
    started = [
        subprocess.Popen(
            [*SWEEP, "--account", account], stdout=subprocess.PIPE, env=environment(SCIM_DATABASE_URL=database_url)
        )
        for _ in range(2)
    ]
    answers = [json.loads(process.communicate(timeout=60)[0])["released"][account] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert sum(answers) == 12
    told = [entry["target"]["display"] for entry in released(run, account)]
    assert sorted(told) == sorted(f"{name}@example.com" for name in names)
    assert ask("licence", "list", "--account", account)["licences"][0]["assigned"] == 0
