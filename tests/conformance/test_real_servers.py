"""The runner over HTTP: against a real `scim-server serve`, and against another implementation, scim2-server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def environment(**settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_")}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[2])} | settings


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def serving(port: int, *arguments: object, directory: Path) -> Iterator[None]:
    """Run a server until the block ends."""
    with (directory / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)], cwd=directory, env=environment(), stdout=log, stderr=log
        )
    try:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, (directory / "server.log").read_text()
                assert time.monotonic() < until
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def scim_server(tmp_path: Path) -> Callable[..., str]:
    """Run a `scim-server` command to its end; returns what it prints."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "scim_server.cli", *arguments],
            cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return done.stdout

    return run


@pytest.fixture
def conformance(tmp_path: Path) -> Run:
    """Run the command as identity teams do, with the token in the environment."""

    def run(*arguments: str, token: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "conformance", *arguments, "--report", "report"],
            cwd=tmp_path, env=environment(SCIM_TOKEN=token), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


def read_report(directory: Path) -> Any:
    return json.loads((directory / "report" / "report.json").read_text("utf-8"))


@pytest.fixture
def token(scim_server: Callable[..., str]) -> str:
    """A token of an account with an approved domain, licences, and an administrator."""
    scim_server("upgrade")
    scim_server("account", "create", "acme")
    off = ("guard.deletions=off", "guard.deactivations=off", "guard.licenseWithdrawals=off", "guard.groupClears=off")
    scim_server("account", "set", "acme", *off)  # the checks delete more than an identity provider should
    scim_server("domain", "approve", "--account", "acme", "acme.example")
    for kind in ("eco", "advanced", "pro"):
        scim_server("licence", "add", "--account", "acme", kind, "20")
    issued = scim_server("token", "issue", "--account", "acme", "--json")
    return str(json.loads(issued.splitlines()[-1])["token"])


def test_our_server_passes_over_http(tmp_path: Path, token: str, conformance: Run) -> None:
    port = free_port()
    with serving(port, "-m", "scim_server.cli", "serve", "--port", port, directory=tmp_path):
        done = conformance(f"http://127.0.0.1:{port}/scim/v2", "--domain", "acme.example", token=token)
    told = read_report(tmp_path)
    missed = [(one["id"], one["reason"]) for one in told["checks"] if one["outcome"] in ("failed", "warning", "note")]
    assert (missed, done.returncode, told["leftBehind"]) == ([], 0, []), done.stdout + done.stderr
    assert told["totals"]["passed"] > 400
    assert token not in done.stdout


def test_interrupt_removes_what_was_made(tmp_path: Path, token: str) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}/scim/v2"
    with serving(port, "-m", "scim_server.cli", "serve", "--port", port, directory=tmp_path):
        runner = subprocess.Popen(
            [sys.executable, "-m", "conformance", base, "--domain", "acme.example"],
            cwd=tmp_path, env=environment(SCIM_TOKEN=token), stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert runner.stdout is not None
        runner.stdout.read(150)  # marks of the first checks, so that it is at work
        runner.send_signal(signal.SIGINT)
        printed, _ = runner.communicate(timeout=60)
        listed = subprocess.run(
            [sys.executable, "-m", "conformance", base, "--only", "LST-13", "--report", "after"],
            cwd=tmp_path, env=environment(SCIM_TOKEN=token), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert runner.returncode == 130
    assert "Interrupted" in printed
    assert listed.returncode == 0, listed.stdout
    (only,) = json.loads((tmp_path / "after" / "report.json").read_text("utf-8"))["checks"]
    assert '"totalResults": 0' in only["evidence"][-1]["body"]


def test_another_server_is_told_the_truth(tmp_path: Path, conformance: Run) -> None:
    """scim2-server misses some requirements: they are reported, and nothing crashes."""
    port = free_port()
    start = ("-c", "import sys; from scim2_server.testserver.cli import main; sys.exit(main())")
    where = ("--hostname", "127.0.0.1", "--port", port, "--bearer-token", "a-token-to-test")
    with serving(port, *start, *where, directory=tmp_path):
        done = conformance(f"http://127.0.0.1:{port}/v2", "--domain", "acme.example", token="a-token-to-test")
    told = read_report(tmp_path)
    assert "Traceback" not in done.stdout + done.stderr
    outcomes = {one["id"]: one["outcome"] for one in told["checks"]}
    assert done.returncode == 1, done.stdout + done.stderr
    assert told["totals"]["passed"] > 250
    assert 0 < told["totals"]["failed"] < 100
    assert outcomes["CRT-06"] == "failed"  # an empty userName is stored
    assert {one for name, one in outcomes.items() if name.startswith("ACC")} == {"not applicable"}
    assert not re.search("a-token-to-test", (tmp_path / "report" / "report.html").read_text("utf-8"))
