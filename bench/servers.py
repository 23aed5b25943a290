"""The two servers: prepared, started, watched and ended by process id."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bench import processes
from bench.databases import Database, plain_role
from bench.dataset import Loaded
from bench.floor import DATABASE
from scim_server.cli.serving import BACKLOG, TURNS

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = {"SCIM_RATE_LIMIT": "off"}
"""Settings of our server that the benchmark needs besides the database and the URL, such as no limit of requests."""
_START_LIMIT, _END_LIMIT, _PREPARE_LIMIT = 60.0, 40.0, 3600.0


class ServerFailed(Exception):
    """A server could not be prepared or started, or is no longer there."""


class Server:
    """One server with all of its processes, its database's among them; to be used as a context."""

    def __init__(
        self, name: str, command: list[str], directory: Path, environment: dict[str, str], database: Database
    ) -> None:
        self.name, self._database = name, database
        self.port = int(environment["BENCH_PORT"])
        self._log = directory / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        tree = processes.tree(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(_END_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in set(tree) & processes.alive():
            if processes.carries(pid, f"BENCH_PORT={self.port}"):
                os.kill(pid, signal.SIGKILL)

    def wait_until_ready(self) -> None:
        """Return when the port is open; raises ServerFailed when that takes too long."""
        limit = time.monotonic() + _START_LIMIT
        while time.monotonic() < limit:
            self.check_alive()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise ServerFailed(f"{self.name} did not open its port within {_START_LIMIT:.0f} s:\n{self._said()}")

    def check_alive(self) -> None:
        """Raise ServerFailed when the server has ended."""
        if self._process.poll() is not None:
            raise ServerFailed(f"{self.name} has ended with code {self._process.returncode}:\n{self._said()}")

    def cpu_seconds(self) -> float:
        """Return the CPU time of all its processes so far, those that have ended included."""
        of_database = processes.cpu_seconds(self._database.pid) if self._database.pid else 0.0
        return processes.cpu_seconds(self._process.pid) + of_database

    @property
    def pid(self) -> int:
        """The first of its processes, from which the others descend."""
        return self._process.pid

    def memory_mb(self) -> float:
        """Return the memory of the server's own processes, without the database's."""
        return processes.memory_mb(self._process.pid)

    def _said(self) -> str:
        return self._log.read_text("utf-8", "replace")[-3000:]


def floor(directory: Path, database: Database, users: int, workers: int) -> tuple[Server, Loaded]:
    """Load the floor's database and start it, with as many workers as ours and as many threads as ours work on."""
    environment = _environment() | {DATABASE: database.url}
    loaded = _prepared("floor", users, directory, environment)
    command = ["granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--host", "127.0.0.1"]
    command += ["--port", environment["BENCH_PORT"], "--workers", str(workers), "--blocking-threads", str(TURNS)]
    command += ["--backlog", str(BACKLOG), "--log-level", "warning", "--no-access-log", "bench.floor:application"]
    return Server("floor", command, directory, environment, database), loaded


def ours(directory: Path, database: Database, users: int, workers: int) -> tuple[Server, Loaded]:
    """Load our database and start our server, as in production."""
    environment = _environment() | SETTINGS
    environment |= {
        "SCIM_DATABASE_URL": database.url.replace("postgresql://", "postgresql+psycopg://", 1),
        "SCIM_EXTERNAL_URL": f"http://127.0.0.1:{environment['BENCH_PORT']}",
    }
    loaded = _prepared("ours", users, directory, environment)
    environment["SCIM_DATABASE_URL"] += plain_role(database)
    command = ["scim_server.cli", "serve", "--port", environment["BENCH_PORT"], "--workers", str(workers)]
    return Server("ours", command, directory, environment, database), loaded


def _environment() -> dict[str, str]:
    """Return our environment without settings of the servers, with a port that is free."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SCIM_", "GRANIAN_", "BENCH_"))}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return kept | {"BENCH_PORT": str(probe.getsockname()[1])}


def _prepared(side: str, users: int, directory: Path, environment: dict[str, str]) -> Loaded:
    """Prepare the database of a side and return what is in it; raises ServerFailed."""
    file = directory / f"{side}.json"
    command = [sys.executable, "-m", "bench.prepare", side, str(users), str(file)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_PREPARE_LIMIT)
    if done.returncode:
        raise ServerFailed(f"the database of {side} could not be prepared:\n{done.stderr[-3000:]}")
    return Loaded(**json.loads(file.read_text("utf-8")))
