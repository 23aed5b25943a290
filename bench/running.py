"""A whole run: for each number of users both servers are loaded, started, measured and ended."""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from bench import processes, report, servers
from bench.databases import database
from bench.measure import measure
from bench.scenarios import chosen
from bench.side import Side


class Plan(NamedTuple):
    """What is to be run."""

    database: str
    names: tuple[str, ...]
    stages: tuple[tuple[int, int], ...]
    """How many users, and the smallest group when the scenarios of groups alone are run."""
    rounds: int
    seconds: float
    workers: int
    connections: int


def run(plan: Plan) -> dict[str, Any]:
    """Return everything measured, as JSON has it; raises ServerFailed, Wrong, OSError."""
    stages = [_stage(plan, users, smallest) for users, smallest in plan.stages if chosen(plan.names, users, smallest)]
    return report.summary(stages, plan._asdict())


def _stage(plan: Plan, users: int, smallest_group: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="scim-bench-") as name, ExitStack() as stack:
        directory, begun = Path(name), time.monotonic()
        sides = []
        for start in (servers.floor, servers.ours):
            place = stack.enter_context(database(plan.database, directory, start.__name__))
            server, loaded = start(directory, place, users, plan.workers)
            stack.enter_context(server)
            server.wait_until_ready()
            sides.append(Side.of(server, loaded, plan.connections))
        floor, ours = sides
        ready = time.monotonic()
        other = _other(floor, ours)
        results = measure(floor, ours, chosen(plan.names, users, smallest_group), plan.rounds, plan.seconds)
        other_cores = (_other(floor, ours) - other) / (time.monotonic() - ready)
        memory = {side.server.name: round(side.server.memory_mb(), 1) for side in sides}
    measured = report.stage(results, users, plan.database)
    return measured | {
        "load_seconds": round(ready - begun, 1),
        "memory_mb": memory,
        "other_cores": round(max(other_cores, 0.0), 2),
    }


def _other(floor: Side, ours: Side) -> float:
    """Return the CPU seconds that the machine has spent on neither the servers nor this client."""
    return processes.machine_busy() - floor.server.cpu_seconds() - ours.server.cpu_seconds() - time.process_time()
