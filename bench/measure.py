"""One scenario against one server for some time: CPU, latencies, wrong answers."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.client import Connection
from bench.side import Question, Scenario, Side, Wrong

SIDES = ("floor", "ours")
WARM_UP = 0.15
_FAULTS = (Wrong, OSError, ValueError, KeyError, TypeError, IndexError)
"""What a wrong answer, or none, raises."""


@dataclass
class Cell:
    """What one scenario did to one server in one round."""

    requests: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    body_bytes: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def cpu_us(self) -> float | None:
        """CPU microseconds per request; None when it was too short for the clock."""
        return self.cpu_seconds / self.requests * 1e6 if self.requests and self.cpu_seconds else None

    @property
    def rate(self) -> float | None:
        """Requests per second."""
        return self.requests / self.seconds if self.requests and self.seconds else None


def run(side: Side, scenario: Scenario, seconds: float) -> Cell:
    """Ask on all lanes for some time, then read back what was written; raises ServerFailed."""
    wrong = _further(side, scenario.set_up, "set-up")
    lanes = [Cell() for _ in range(side.lanes)]
    before, begun = side.server.cpu_seconds(), time.monotonic()
    threads = [
        threading.Thread(target=_lane, args=(side, scenario, number, begun + seconds, lane))
        for number, lane in enumerate(lanes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cell = Cell(cpu_seconds=side.server.cpu_seconds() - before, seconds=time.monotonic() - begun, wrong=wrong)
    for lane in lanes:
        cell.requests += lane.requests
        cell.latencies += lane.latencies
        cell.body_bytes += lane.body_bytes
        cell.wrong += lane.wrong
    cell.wrong += _further(side, scenario.read_back, "read back")
    side.server.check_alive()
    return cell


def _lane(side: Side, scenario: Scenario, number: int, until: float, cell: Cell) -> None:
    """Ask on one connection, each request once the last one is answered, until the time or the questions end."""
    try:
        with Connection(side.server.port) as connection:
            while not cell.requests or time.monotonic() < until:
                question = scenario.ask(side, number, cell.requests)
                if question is None:
                    return
                _ask(connection, question, cell)
    except _FAULTS as error:
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


def _further(side: Side, questions: Callable[[Side], Iterator[Question]], when: str) -> list[str]:
    """Ask what is not measured; returns what was wrong."""
    cell = Cell()
    try:
        with Connection(side.server.port) as connection:
            for question in questions(side):
                _ask(connection, question, cell)
    except _FAULTS as error:
        cell.wrong.append(f"{type(error).__name__}: {error}")
    return [f"{when}: {one}" for one in cell.wrong]


@dataclass
class Results:
    """The rounds of each scenario, each the floor's cell and ours, and what was wrong before they began."""

    scenarios: Sequence[Scenario]
    rounds: dict[str, list[tuple[Cell, Cell]]] = field(default_factory=dict)
    wrong_in_warm_up: list[str] = field(default_factory=list)

    def wrong(self) -> list[str]:
        """Return every wrong answer: scenario, server, what was wrong."""
        told = [f"warm-up: {one}" for one in self.wrong_in_warm_up]
        for name, rounds in self.rounds.items():
            for pair in rounds:
                told += [f"{name}, {side}: {one}" for side, cell in zip(SIDES, pair, strict=True) for one in cell.wrong]
        return told


def measure(floor: Side, ours: Side, scenarios: Sequence[Scenario], rounds: int, seconds: float) -> Results:
    """Run every scenario in rounds, floor and ours in turn; raises ServerFailed."""
    results = Results(scenarios, {one.key: [] for one in scenarios})
    for growing in (False, True):
        part = [scenario for scenario in scenarios if scenario.is_growing is growing]
        for scenario in part:  # first requests fill caches
            for side in (floor, ours):
                wrong = run(side, scenario, min(WARM_UP, seconds)).wrong
                results.wrong_in_warm_up += [f"{scenario.key}, {side.server.name}: {one}" for one in wrong]
        for _ in range(rounds):
            for scenario in part:
                results.rounds[scenario.key].append((run(floor, scenario, seconds), run(ours, scenario, seconds)))
    return results
