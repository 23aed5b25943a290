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

from bench.floor import DATABASE

ROOT = Path(__file__).resolve().parent.parent
WORKERS, BLOCKING_THREADS = 1, 1
GRANIAN = (
    *("--interface", "wsgi", "--http", "1", "--no-ws", "--host", "127.0.0.1", "--workers", str(WORKERS)),
    *("--blocking-threads", str(BLOCKING_THREADS), "--runtime-threads", "1", "--backlog", "128"),
    *("--log-level", "warning", "--no-access-log"),
)
"""The same for both."""
_TICK = os.sysconf("SC_CLK_TCK")
_START_LIMIT, _END_LIMIT = 30.0, 10.0


class ServerFailed(Exception):
    """A server could not be prepared or started, or is no longer there."""


class Server:
    """A granian with one application, and all of its processes; to be used as a context."""

    def __init__(self, name: str, target: str, directory: Path, environment: dict[str, str], token: str) -> None:
        self.name, self.token = name, token
        self.port = int(environment["BENCH_PORT"])
        self._log = directory / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "granian", *GRANIAN, "--port", str(self.port), target],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        processes = self._processes()
        self._process.terminate()
        try:
            self._process.wait(_END_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in set(processes) & set(_parents()):
            if _is_ours(pid, self.port):
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
        return sum(_cpu_ticks(pid) for pid in self._processes()) / _TICK

    def _processes(self) -> list[int]:
        parents = _parents()
        found = [self._process.pid]
        for pid in found:  # grows while it is walked
            found.extend(child for child, parent in parents.items() if parent == pid)
        return found

    def _said(self) -> str:
        return self._log.read_text("utf-8", "replace")[-3000:]


def floor(directory: Path) -> Server:
    """Start the floor."""
    environment = _environment() | {DATABASE: str(directory / "floor.sqlite3")}
    return Server("floor", "bench.floor:application", directory, environment, token="none")


def ours(directory: Path, users: int) -> Server:
    """Prepare a fresh database with our own command, and start our server on it."""
    environment = _environment()
    environment |= {
        "SCIM_DATABASE_URL": f"sqlite:///{directory / 'ours.sqlite3'}",
        "SCIM_EXTERNAL_URL": f"http://127.0.0.1:{environment['BENCH_PORT']}",
        "SCIM_RATE_LIMIT": "off",
    }
    token = json.loads(_prepared(environment, 10 * users).splitlines()[-1])["token"]
    return Server("ours", "wsgi:application", directory, environment, token)


def _environment() -> dict[str, str]:
    """Return our environment without settings of the servers, with a port that is free."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SCIM_", "GRANIAN_", "BENCH_"))}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return kept | {"BENCH_PORT": str(probe.getsockname()[1])}


def _prepared(environment: dict[str, str], licences: int) -> str:
    """Prepare our database and return what the commands printed; raises ServerFailed."""
    command = [sys.executable, "-m", "bench.prepare", str(licences)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise ServerFailed(f"our database could not be prepared:\n{done.stderr[-3000:]}")
    return done.stdout


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on, or nothing when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _parents() -> dict[int, int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return {pid: int(fields[1]) for pid in pids if (fields := _stat(pid))}


def _cpu_ticks(pid: int) -> int:
    return sum(map(int, _stat(pid)[11:15]))


def _is_ours(pid: int, port: int) -> bool:
    """Whether a process carries this server's port in its environment: ids are given again."""
    try:
        return f"BENCH_PORT={port}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
