"""One scenario against one server for some time: CPU, latencies, wrong answers."""

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.client import Connection
from bench.scenarios import GROWING, LANES, SCENARIOS, Question, Scenario, Side, Wrong

WARM_UP = 0.15
_FAULTS = (Wrong, OSError, ValueError, KeyError, TypeError)
"""What a wrong answer, or none, raises."""


@dataclass
class Cell:
    """What one scenario did to one server in one round."""

    requests: int = 0
    cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    body_bytes: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def cpu_us(self) -> float | None:
        """CPU microseconds per request; None when it was too short for the clock."""
        return self.cpu_seconds / self.requests * 1e6 if self.requests and self.cpu_seconds else None


def run(side: Side, scenario: Scenario, seconds: float) -> Cell:
    """Ask on all lanes for some time, then read back what was written; raises ServerFailed."""
    lanes = [Cell() for _ in range(LANES)]
    before, until = side.server.cpu_seconds(), time.monotonic() + seconds
    threads = [
        threading.Thread(target=_lane, args=(side, scenario, number, until, lane)) for number, lane in enumerate(lanes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cell = Cell(cpu_seconds=side.server.cpu_seconds() - before)
    for lane in lanes:
        cell.requests += lane.requests
        cell.latencies += lane.latencies
        cell.body_bytes += lane.body_bytes
        cell.wrong += lane.wrong
    cell.wrong += _read_back(side, scenario)
    side.server.check_alive()
    return cell


def _lane(side: Side, scenario: Scenario, number: int, until: float, cell: Cell) -> None:
    """Ask on one connection, each request once the last one is answered."""
    try:
        with Connection(side.server.port) as connection:
            while not cell.requests or time.monotonic() < until:
                _ask(connection, scenario.ask(side, number, cell.requests), cell)
    except OSError as error:
        cell.wrong.append(f"{type(error).__name__}: {error}")


def _ask(connection: Connection, question: Question, cell: Cell) -> None:
    answer = connection.exchange(question.message)
    cell.requests += 1
    cell.latencies.append(answer.seconds)
    cell.body_bytes += len(answer.body)
    try:
        question.check(answer)
    except _FAULTS as error:
        cell.wrong.append(f"{type(error).__name__}: {error}")


def _read_back(side: Side, scenario: Scenario) -> list[str]:
    cell = Cell()
    try:
        with Connection(side.server.port) as connection:
            for question in scenario.read_back(side):
                _ask(connection, question, cell)
    except _FAULTS as error:
        cell.wrong.append(f"{type(error).__name__}: {error}")
    return [f"read back: {one}" for one in cell.wrong]


@dataclass
class Results:
    """The rounds of each scenario, each the floor's cell and ours, and what was wrong before they began."""

    rounds: dict[str, list[tuple[Cell, Cell]]] = field(default_factory=lambda: {one.name: [] for one in SCENARIOS})
    wrong_in_warm_up: list[str] = field(default_factory=list)

    def wrong(self) -> list[str]:
        """Return every wrong answer: scenario, server, what was wrong."""
        told = [f"warm-up: {one}" for one in self.wrong_in_warm_up]
        for name, rounds in self.rounds.items():
            for pair in rounds:
                told += [f"{name}, {side}: {one}" for side, cell in zip(SIDES, pair, strict=True) for one in cell.wrong]
        return told


SIDES = ("floor", "ours")


def measure(floor: Side, ours: Side, rounds: int, seconds: float) -> Results:
    """Run every scenario in rounds, floor and ours in turn; raises ServerFailed."""
    results = Results()
    for growing in (False, True):
        scenarios = [scenario for scenario in SCENARIOS if (scenario.name in GROWING) is growing]
        for scenario in scenarios:  # first requests fill caches
            for side in (floor, ours):
                results.wrong_in_warm_up += run(side, scenario, min(WARM_UP, seconds)).wrong
        for _ in range(rounds):
            for scenario in scenarios:
                results.rounds[scenario.name].append((run(floor, scenario, seconds), run(ours, scenario, seconds)))
    return results


def machine_busy() -> float:
    """Return the CPU seconds that the whole machine has spent on work so far."""
    fields = Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:]
    user, nice, system, _idle, _wait, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
