"""What was measured, as a table for people and as JSON for programs."""

from collections.abc import Iterable
from statistics import median
from typing import Any

from bench.measure import SIDES, Cell, Results
from bench.scenarios import LANES, SCENARIOS, Scenario
from bench.servers import BLOCKING_THREADS, WORKERS

MARGIN = 1.2
"""A ratio of two medians moves by 10-20 % from run to run: a goal is missed beyond that only."""
_SHOWN = 10


def summary(results: Results, settings: dict[str, Any], other_cores: float) -> dict[str, Any]:
    """Return everything measured, as JSON has it."""
    wrong = results.wrong()
    return {
        "settings": settings
        | {"workers": WORKERS, "blocking_threads": BLOCKING_THREADS, "connections": LANES, "margin": MARGIN},
        "other_cores": round(other_cores, 2),
        "scenarios": {one.name: _scenario(one, results.rounds[one.name]) for one in SCENARIOS},
        "wrong": wrong[:1000],
        "wrong_total": len(wrong),
    }


def _scenario(scenario: Scenario, rounds: list[tuple[Cell, Cell]]) -> dict[str, Any]:
    ratios = [ours.cpu_us / floor.cpu_us for floor, ours in rounds if ours.cpu_us and floor.cpu_us]
    ratio = _median(ratios)
    sides = {side: _side([pair[number] for pair in rounds]) for number, side in enumerate(SIDES)}
    return {
        "title": scenario.title,
        **sides,
        "ratio": ratio,
        "ratios": [round(one, 3) for one in ratios],
        "goal": scenario.goal,
        "verdict": _verdict(ratio, scenario.goal),
    }


def _side(cells: list[Cell]) -> dict[str, Any]:
    latencies = sorted(one for cell in cells for one in cell.latencies)
    requests = sum(cell.requests for cell in cells)
    return {
        "cpu_us": _median(cell.cpu_us for cell in cells if cell.cpu_us),
        "cpu_us_rounds": [round(cell.cpu_us, 1) for cell in cells if cell.cpu_us],
        "p50_ms": _percentile(latencies, 0.50),
        "p99_ms": _percentile(latencies, 0.99),
        "requests": requests,
        "body_bytes": round(sum(cell.body_bytes for cell in cells) / requests) if requests else None,
        "wrong": sum(len(cell.wrong) for cell in cells),
    }


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return round(median(known), 3) if known else None


def _percentile(ordered: list[float], part: float) -> float | None:
    return round(ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000, 3) if ordered else None


def _verdict(ratio: float | None, goal: float) -> str:
    if ratio is None:
        return "too short to tell"
    if ratio <= goal:
        return "reached"
    return "reached within 20 %" if ratio <= goal * MARGIN else "MISSED"


_ROW = "{:<20} {:>8} {:>8} {:>6} {:>6}  {:<20} {:>13} {:>13}"


def table(found: dict[str, Any]) -> str:
    """Return the table that is printed."""
    heads = ("scenario", "floor µs", "ours µs", "ratio", "goal <=", "", "floor p50/p99", "ours p50/p99")
    lines = [_ROW.format(*heads), "-" * len(_ROW.format(*heads))]
    for one in found["scenarios"].values():
        floor, ours = one["floor"], one["ours"]
        cells = (_number(floor["cpu_us"], 0), _number(ours["cpu_us"], 0), _number(one["ratio"], 2), one["goal"])
        lines.append(_ROW.format(one["title"], *cells, one["verdict"], _latency(floor), _latency(ours)))
    requests = sum(one[side]["requests"] for one in found["scenarios"].values() for side in SIDES)
    lines += [
        "µs: CPU per request of the server's whole process tree; latency in ms; ratio: median over"
        f" {found['settings']['rounds']} rounds.",
        f"granian for both: {WORKERS} worker, {BLOCKING_THREADS} blocking thread; {LANES} connections;"
        f" {requests} answers checked, {found['wrong_total']} wrong; other processes took"
        f" {found['other_cores']:.1f} cores.",
    ]
    lines += [f"WRONG {one[:400]}" for one in found["wrong"][:_SHOWN]]
    return "\n".join(lines)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _latency(side: dict[str, Any]) -> str:
    return f"{_number(side['p50_ms'], 2)}/{_number(side['p99_ms'], 2)}"
