"""The server and the demo as real processes, spoken to over real HTTP."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from scim_server.cli import main
from scim_server.cli.serving import local_url

SERVER = [sys.executable, "-m", "scim_server.cli"]


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def environment(**settings):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_")}
    return kept | {"PYTHONUNBUFFERED": "1"} | settings


@contextmanager
def running(*arguments: object, directory, **settings) -> Iterator[subprocess.Popen]:
    """Run a command that serves; it must end well on SIGTERM."""
    process = subprocess.Popen(
        [*SERVER, *map(str, arguments)],
        cwd=directory, env=environment(**settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=40) == 0, process.stdout.read()


def command(*arguments: object, directory, **settings) -> subprocess.CompletedProcess:
    """Run a command to its end."""
    return subprocess.run(
        [*SERVER, *map(str, arguments)],
        cwd=directory, env=environment(**settings), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def lines_until(process, end: str) -> list[str]:
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if end in line:
            return lines
    raise AssertionError(lines)


def ask(port, method, path, token, body=None, chunked=False):
    """Send a request once the server answers; gives the status and the parsed body."""
    deadline = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
        text = json.dumps(body).encode() if body else None
        try:
            pieces = (text[start : start + 10] for start in range(0, len(text), 10)) if chunked else text
            connection.request(method, f"/scim/v2{path}", pieces, headers, encode_chunked=chunked)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or "null")
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        finally:
            connection.close()


@pytest.fixture
def token(tmp_path, monkeypatch) -> str:
    """A token of a test account in the SQLite database of the directory."""
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(main, ["upgrade"]).exit_code == 0
    assert runner.invoke(main, ["account", "create", "acme", "--test"]).exit_code == 0
    issued = runner.invoke(main, ["token", "issue", "--account", "acme", "--json"])
    return json.loads(issued.stdout.splitlines()[-1])["token"]


def test_the_server_reads_bodies_with_a_length_and_in_chunks(tmp_path, port, token):
    with running("serve", "--port", port, "--workers", 2, directory=tmp_path):
        status, user = ask(port, "POST", "/Users", token, {"userName": "long"})
        assert status == 201
        assert user["meta"]["location"].startswith(f"http://127.0.0.1:{port}/scim/v2/Users/")
        assert ask(port, "POST", "/Users", token, {"userName": "chunked"}, chunked=True)[0] == 201
        assert ask(port, "GET", "/Users", token)[1]["totalResults"] == 2


def test_the_external_url_begins_every_location(tmp_path, port, token):
    with running("serve", "--port", port, directory=tmp_path, SCIM_EXTERNAL_URL="https://scim.example.com"):
        _, user = ask(port, "POST", "/Users", token, {"userName": "x"})
        assert user["meta"]["location"].startswith("https://scim.example.com/scim/v2/Users/")


def test_a_begun_request_is_answered_when_the_server_stops(tmp_path, port, token):
    with running("serve", "--port", port, directory=tmp_path) as process:
        assert ask(port, "GET", "/Users", token)[0] == 200
        body = json.dumps({"userName": "slow"}).encode()
        head = f"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        head += f"Content-Type: application/scim+json\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(head.encode() + body[:5])
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            client.sendall(body[5:])
            assert client.recv(4096).startswith(b"HTTP/1.1 201")


@pytest.mark.parametrize("name", ["serve", "demo"])
def test_a_port_in_use_is_refused(tmp_path, name):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = command(name, "--port", port, directory=tmp_path)
    assert refused.returncode == 1
    assert f"Error: cannot listen on 127.0.0.1, port {port}: Address already in use." in refused.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_servers_that_upgrade_an_empty_database_at_once_wait_for_each_other(tmp_path, make_url, kind):
    url = make_url(kind)
    with ThreadPoolExecutor() as pool:
        upgrades = [pool.submit(command, "upgrade", directory=tmp_path, SCIM_DATABASE_URL=url) for _ in range(4)]
        done = [one.result() for one in upgrades]
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 4
    assert len({one.stdout for one in done}) == 2, "one made the tables, the others found them"


def test_a_database_that_is_not_upgraded_is_refused_and_not_made(tmp_path, port):
    refused = command("serve", "--port", port, directory=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "run 'scim-server upgrade'" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_wrong_settings_are_refused_at_once(tmp_path, port):
    refused = command("serve", "--port", port, directory=tmp_path, SCIM_FOO="1", SCIM_MAX_PAGE="x")
    assert refused.returncode == 1
    assert "SCIM_FOO" in refused.stderr
    assert "SCIM_MAX_PAGE" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:////nowhere/at/all/scim.db", "unable to open database file"),
        ("postgresql://scim:secret@127.0.0.1:1/scim", "Connection refused"),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_without_its_password(tmp_path, url, told):
    refused = command("upgrade", directory=tmp_path, SCIM_DATABASE_URL=url)
    assert refused.returncode == 1
    assert told in refused.stderr
    assert "secret" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_upgrade_makes_a_file_that_is_its_owners_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, again = [json.loads(CliRunner().invoke(main, ["upgrade", "--json"]).stdout) for _ in range(2)]
    assert first == {"from": None, "to": again["to"]}
    assert again["from"] == again["to"]
    assert (tmp_path / "scim.sqlite3").stat().st_mode & 0o077 == 0


def test_a_server_on_every_address_is_reached_on_the_loopback_one():
    assert local_url("0.0.0.0", 8000) == local_url("127.0.0.1", 8000) == "http://127.0.0.1:8000"
    assert local_url("::1", 8000) == "http://[::1]:8000"


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from scim_server.cli import main; main(['--help'], standalone_mode=False); "
        "print({'flask', 'sqlalchemy', 'scim2_models', 'marshmallow', 'granian', 'alembic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_the_lines_of_the_demo_work_as_pasted_in_every_run(tmp_path, port):
    tokens = []
    for run in range(2):
        with running("demo", "--port", port, "--data", tmp_path / "my data", directory=tmp_path) as process:
            lines = lines_until(process, "Ctrl-C")
            said = "\n".join(lines)
            assert ("is kept" in said) == bool(run)
            tokens += [line.split()[1] for line in lines if line.startswith("Token ")]
            assert said.count(tokens[-1]) == 1
            assert all(ask(port, "GET", "/Users", token)[0] == 200 for token in tokens)
            look_up, create, deactivate = [pasted(line) for line in lines if line.startswith("curl ")]
            assert look_up["totalResults"] == 0
            extension = "urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:User"
            assert create[extension]["licenseStatus"] == "assigned"
            assert (deactivate["id"], deactivate["active"]) == (create["id"], False)
            assert ask(port, "GET", "/Users", tokens[0])[1]["totalResults"] == 2 + run
            time.sleep(1)  # the names in the lines tell the second
    assert tokens[0] != tokens[1]
    assert {file.stat().st_mode & 0o077 for file in (tmp_path / "my data").iterdir()} == {0}


def pasted(line):
    done = subprocess.run(["sh", "-c", line], cwd="/", capture_output=True, text=True, timeout=20, check=True)
    return json.loads(done.stdout)


def test_the_demo_is_ready_for_a_provider_behind_a_tunnel(tmp_path, port):
    with running("demo", "--port", port, directory=tmp_path, SCIM_EXTERNAL_URL="https://tunnel.example") as process:
        said = lines_until(process, "Ctrl-C")
        url = f"sqlite:///{tmp_path}/data/scim.sqlite3"
        shown = command("account", "show", "demo", "--json", directory=tmp_path, SCIM_DATABASE_URL=url)
    for label in ("Base URL", "SCIM connector base URL", "Tenant URL", "SCIM Base URL"):
        (line,) = [line for line in said if line.strip().startswith(label)]
        assert line.split()[-1] == "https://tunnel.example/scim/v2"
    account = json.loads(shown.stdout)
    assert account["domains"] == ["example.com"]
    assert {pool["type"] for pool in account["licences"]} == {"eco", "advanced", "pro", "sharedMailbox"}
