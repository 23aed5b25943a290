"""Users' message logs imported at the command line: all lines or none (R28)."""

import json
import re
import tracemalloc
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from scim_server import provisioning
from scim_server.account.policies import Policies
from scim_server.cli import log_lines
from scim_server.cli.portal import ACTOR, Portal
from scim_server.idp.profiles import profiles
from scim_server.protocol.catalogue import Catalogue
from scim_server.store import accounts
from scim_server.store.database import Database, execute
from scim_server.store.tables import user_log

LINE = {"id": "m1", "user": "ava@example.com", "sentAt": "2026-01-02T03:04:05Z", "status": "open"}
FULL = {
    "id": "m2",
    "user": "AVA@example.com",
    "sentAt": "2026-01-02T03:04:05.000006+02:00",
    "lastActivityAt": "2026-01-03T00:00:00",
    "expiresAt": "2026-02-01T00:00:00Z",
    "status": "notOpened",
    "subject": "Offre d\u2019\u00e9t\u00e9",
    "kind": "signature",
    "recipients": ["a@client.example", "b@client.example"],
    "codeType": "sms",
    "fileCount": 3,
    "byteCount": 5_000_000_000,
    "openCount": 2,
    "signatureRequestCount": 3,
    "signedFileCount": 1,
}


def ndjson(*lines):
    return b"".join(one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in lines)


@pytest.fixture
def database(run, database_url):
    database = Database(Flask("import"), database_url)
    yield database
    database.engine.dispose()


@pytest.fixture
def account_id(database, account):
    with database.reading(None):
        return accounts.named(account).id


@pytest.fixture
def users(database, account_id):
    """Ids of two users of the account, by the local part of their names."""
    service = provisioning.Service(Catalogue(), database, "http://localhost/scim/v2")
    policies = Policies(domains_enforcement="off")
    caller = provisioning.Caller(account_id, ACTOR, frozenset(), profiles()["default"], policies)
    endpoint = service.catalogue.endpoints["/Users"]
    names = ("ava", "bob")
    return {
        name: provisioning.create(service, caller, endpoint, {"userName": f"{name}@example.com"}).id for name in names
    }


@pytest.fixture
def stored(database, account_id):
    """What the account's logs hold, by id."""

    def read():
        with database.reading(account_id):
            rows = execute(sa.select(user_log).where(user_log.c.account_id == account_id)).mappings()
            return {row["id"]: dict(row) for row in rows}

    return read


@pytest.fixture
def load(run, account, tmp_path):
    """Import lines from a file; gives the result of the command."""

    def invoke(*lines, code=0, options=()):
        file = tmp_path / "log.ndjson"
        file.write_bytes(ndjson(*lines))
        return run("log", "import", "--account", account, *options, file, code=code)

    return invoke


def test_lines_become_entries_of_the_users_they_name(users, load, stored, account_id):
    result = load(LINE, b"\n", FULL, {**LINE, "id": "m3", "user": users["bob"]}, options=["--json"])
    assert json.loads(result.stdout)["imported"] == 3
    entries = stored()
    assert {one: entry["user_id"] for one, entry in entries.items()} == {
        "m1": users["ava"],
        "m2": users["ava"],
        "m3": users["bob"],
    }
    full = entries["m2"]
    assert json.loads(full.pop("entry")) == {"subject": FULL["subject"], "recipients": FULL["recipients"]}
    assert full == {
        "account_id": account_id, "id": "m2", "user_id": users["ava"], "sent_at": 1_767_315_845_000_006,
        "last_activity_at": 1_767_398_400_000_000, "expires_at": 1_769_904_000_000_000, "status": "notOpened",
        "kind": "signature", "code_type": "sms", "file_count": 3, "byte_count": 5_000_000_000, "open_count": 2,
        "signature_request_count": 3, "signed_file_count": 1,
    }  # fmt: skip
    least = entries["m1"]
    assert (least["kind"], least["code_type"], least["file_count"], least["expires_at"]) == ("message", "none", 0, None)


def test_the_import_is_told_and_journaled_with_its_count(users, load, run, account):
    assert load(LINE, FULL).stdout == "Imported: 2. Known already: 0.\n"
    entry = json.loads(run("log", "--account", account, "--limit", 1, "--json").stdout)
    assert entry["action"] == "logs.imported"
    assert entry["actor"] == {"type": "portalAdmin", "value": "cli"}
    assert entry["target"] == {"type": "UserLogEntry"}
    assert entry["changes"] == [{"attribute": "imported", "to": 2}, {"attribute": "known", "to": 0}]


def test_the_guide_has_every_field():
    guide = (Path(__file__).parents[2] / "docs" / "read-only-resources.md").read_text("utf-8")
    table = guide.partition("| field |")[2].partition("\n\n")[0]
    names = re.findall(r"^\| `(\w+)` \| (required)?", table, re.MULTILINE)
    fields = log_lines.LogLineSchema().fields.items()
    assert dict(names) == {one.data_key or name: "required" if one.required else "" for name, one in fields}


def test_an_id_that_is_known_replaces_nothing(users, load, stored, actions):
    load(LINE)
    before, told = stored(), actions()
    answer = json.loads(load({**FULL, "id": "m1"}, LINE, options=["--json"]).stdout)
    assert (answer["imported"], answer["known"]) == (0, 2)
    assert (stored(), actions()) == (before, told)  # nothing was done, so that nothing is told
    answer = json.loads(load(LINE, FULL, FULL, options=["--json"]).stdout)
    assert (answer["imported"], answer["known"]) == (1, 2)


def test_lines_come_from_standard_input_too(users, run, account, stored, database_url):
    from click.testing import CliRunner

    from scim_server.cli import main

    for arguments in (["-"], []):
        result = CliRunner().invoke(
            main,
            ["log", "import", "--account", account, *arguments],
            input=ndjson(LINE, FULL),
            env={"SCIM_DATABASE_URL": database_url, "SCIM_SETTINGS_FILE": None},
        )
        assert result.exit_code == 0, result.output
    assert set(stored()) == {"m1", "m2"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sentAt": "soon"}, "sentAt: Not a valid datetime."),
        ({"sentAt": None}, "sentAt: Field may not be null."),
        ({"sentAt": "1969-12-31T00:00:00Z"}, "sentAt: Must be between 1970 and 9999."),
        ({"expiresAt": "9999-12-31T23:59:59-12:00"}, "expiresAt: Must be between 1970 and 9999."),
        ({"lastActivityAt": 5}, "lastActivityAt: Not a valid datetime."),
        ({"status": "read"}, "status: Must be one of: open, notOpened, expired, deleted."),
        ({"codeType": "pin"}, "codeType: Must be one of: none, password, sms."),
        ({"kind": "SESAR"}, "kind: SESAR logs are not shown over SCIM and cannot be imported (R34)."),
        ({"kind": "a b"}, "kind: Must be a word of ASCII letters."),
        ({"id": "a/b"}, "id: Must be 1 to 64 letters, digits or . _ ~ -"),
        ({"id": "x" * 65}, "id: Must be 1 to 64 letters, digits or . _ ~ -"),
        ({"user": "eve@example.com"}, "user: the account has no user 'eve@example.com'."),
        ({"user": ""}, "user: Length must be between 1 and 512."),
        ({"fileCount": -1}, "fileCount: Must be greater than or equal to 0 and less than or equal to 2147483647."),
        ({"fileCount": 2**31}, "fileCount: Must be greater than or equal to 0 and less than or equal to 2147483647."),
        ({"byteCount": "5"}, "byteCount: Not a valid integer."),
        ({"openCount": 1.5}, "openCount: Not a valid integer."),
        ({"recipients": "a@b"}, "recipients: Not a valid list."),
        ({"recipients": ["a@b", 7]}, "recipients.1: Not a valid string."),
        ({"subject": "a\x00b"}, "subject: Must not have control characters."),
        ({"colour": "red"}, "colour: Unknown field."),
        ({"colour": "red", "status": 7}, "status: Not a valid string. colour: Unknown field."),
    ],
)
def test_a_wrong_line_is_told_with_its_number_and_nothing_is_imported(users, load, stored, change, told):
    result = load(LINE, {**FULL, **change}, code=1)
    assert result.stderr == f"Error: nothing is imported, as 1 line is wrong:\n  line 2: {told}\n"
    assert stored() == {}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{'id': 1}\n", "The line is not JSON: "),
        (b"\xff\xfe\n", "The line is not JSON: "),
        (b"[1]\n", "The line is not a JSON object."),
        (b"7\n", "The line is not a JSON object."),
        (b'{"id": "' + b"x" * log_lines.LONGEST_LINE + b'"}\n', "The line is longer than 1048576 bytes."),
        (b"{}\n", "id: Missing data for required field. user: Missing data for required field. "),
    ],
)
def test_what_is_no_entry_at_all_is_told(users, load, stored, line, told):
    result = load(LINE, line, {**LINE, "status": "x"}, code=1)
    assert "as 2 lines are wrong:" in result.stderr
    assert f"\n  line 2: {told}" in result.stderr
    assert "\n  line 3: status: " in result.stderr  # the lines go on being counted
    assert stored() == {}


def test_nothing_is_imported_when_a_late_line_is_wrong(users, load, stored, actions):
    good = [{**LINE, "id": f"m{n}"} for n in range(log_lines.CHUNK + 10)]
    result = load(*good, {**LINE, "id": "?"}, code=1)
    assert f"line {len(good) + 1}: id: " in result.stderr
    assert stored() == {}
    assert "logs.imported" not in actions()


def test_at_most_fifty_wrong_lines_are_told(users, load):
    result = load(*([{**LINE, "status": "x"}] * 2000), code=1)
    told = result.stderr.splitlines()
    assert told[0] == "Error: nothing is imported. The first 50 wrong lines:"
    assert [line.split(":")[0].strip() for line in told[1:]] == [f"line {n}" for n in range(1, 51)]


def test_what_others_wrote_gives_the_terminal_no_commands(users, load):
    result = load({**LINE, "user": "\x1b[2J"}, {**LINE, "\x1b[2J": 1}, code=1)
    assert "\x1b" not in result.stderr


def test_users_of_another_account_are_unknown(users, run, account, database_url, tmp_path):
    other = f"{account} other"
    run("account", "create", other)
    file = tmp_path / "log.ndjson"
    file.write_bytes(ndjson(LINE, {**LINE, "user": users["ava"]}))
    result = run("log", "import", "--account", other, file, code=1)
    assert "line 1: user: the account has no user 'ava@example.com'." in result.stderr
    assert f"line 2: user: the account has no user '{users['ava']}'." in result.stderr


def test_the_same_id_in_two_accounts_is_two_entries(users, load, database, run, account, tmp_path):
    load(LINE)
    portal = Portal(database)
    name = f"{account} second"
    portal.create_account(name, test=True)
    with database.reading(None):
        other = accounts.named(name).id
    service = provisioning.Service(Catalogue(), database, "http://localhost/scim/v2")
    caller = provisioning.Caller(other, ACTOR, frozenset(), profiles()["default"], Policies(domains_enforcement="off"))
    provisioning.create(service, caller, service.catalogue.endpoints["/Users"], {"userName": "ava@example.com"})
    assert portal.import_logs(name, BytesIO(ndjson(LINE)))["imported"] == 1


def test_empty_input_and_unknown_accounts(users, load, run, tmp_path):
    assert load().stdout == "Imported: 0. Known already: 0.\n"
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert "there is no account 'nobody'" in run("log", "import", "--account", "nobody", empty, code=1).stderr
    assert "No such file" in run("log", "import", "--account", "x", tmp_path / "nope", code=2).stderr
    assert "Missing option '--account'" in run("log", "import", empty, code=2).stderr


def test_the_journal_is_still_shown_by_log_alone(run, account):
    assert json.loads(run("log", "--account", account, "--json").stdout)["action"] == "account.created"
    assert "Missing option '--account'" in run("log", code=2).stderr


def test_a_byte_order_mark_is_no_part_of_the_first_line(users, load):
    assert load(b"\xef\xbb\xbf" + ndjson(LINE)).stdout == "Imported: 1. Known already: 0.\n"


class Lines:
    """A stream of lines that are made when they are read."""

    def __init__(self, start, end):
        self.numbers = iter(range(start, end))

    def readline(self, _size):
        number = next(self.numbers, None)
        return b"" if number is None else ndjson({**FULL, "id": f"m{number}", "subject": "x" * 900})


def test_many_lines_need_no_more_memory_than_some(users, account, database):
    portal = Portal(database)
    portal.import_logs(account, Lines(0, 10))
    peaks = []
    for start, end in ((10, 1010), (1010, 5010)):
        tracemalloc.start()
        assert portal.import_logs(account, Lines(start, end))["imported"] == end - start
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
