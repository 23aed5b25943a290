"""What was measured, as JSON for programs and as tables for people."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from bench import goals
from bench.measure import SIDES, Cell, Results
from bench.side import Scenario
from scim_server.cli.serving import TURNS

_SHOWN = 10
Row = Sequence[str]


def stage(results: Results, users: int, database: str) -> dict[str, Any]:
    """Return what was measured with some number of users."""
    wrong = results.wrong()
    scenarios = {one.key: _scenario(one, results.rounds[one.key], database) for one in results.scenarios}
    return {"users": users, "scenarios": scenarios, "wrong": wrong[:1000], "wrong_total": len(wrong)}


def summary(stages: list[dict[str, Any]], settings: dict[str, Any]) -> dict[str, Any]:
    """Return everything measured, with how the cost grows."""
    return {
        "settings": settings | {"threads": TURNS, "margin": goals.MARGIN},
        "stages": stages,
        "growth": [*_growth(stages, settings["database"]), *_by_members(stages), *_memory(stages)],
        "wrong_total": sum(one["wrong_total"] for one in stages),
    }


def _scenario(scenario: Scenario, rounds: list[tuple[Cell, Cell]], database: str) -> dict[str, Any]:
    ratios = [ours.cpu_us / floor.cpu_us for floor, ours in rounds if ours.cpu_us and floor.cpu_us]
    ratio, goal = _median(ratios), goal_of(scenario, database)
    sides = {side: _side([pair[number] for pair in rounds]) for number, side in enumerate(SIDES)}
    return {
        "name": scenario.name,
        "title": scenario.title,
        "members": scenario.members,
        **sides,
        "ratio": ratio,
        "ratios": [round(one, 3) for one in ratios],
        **{f"{name}_ratio": _ratio(sides["ours"][name], sides["floor"][name]) for name in ("rate", "p50_ms", "p99_ms")},
        "goal": goal,
        "verdict": goals.verdict(ratio, goal),
    }


def goal_of(scenario: Scenario, database: str) -> float | None:
    """Return what ours may cost over the floor in a scenario."""
    small = scenario.name == "group_full" and (scenario.members or 0) < 10_000
    return (goals.SMALL_GROUP_FULL if small else goals.GOALS[scenario.name]).ratio(database)


def _side(cells: list[Cell]) -> dict[str, Any]:
    latencies = sorted(one for cell in cells for one in cell.latencies)
    requests = sum(cell.requests for cell in cells)
    return {
        "cpu_us": _median(cell.cpu_us for cell in cells if cell.cpu_us),
        "cpu_us_rounds": [round(cell.cpu_us, 1) for cell in cells if cell.cpu_us],
        "rate": _median(cell.rate for cell in cells if cell.rate),
        "p50_ms": _percentile(latencies, 0.50),
        "p95_ms": _percentile(latencies, 0.95),
        "p99_ms": _percentile(latencies, 0.99),
        "requests": requests,
        "body_bytes": round(sum(cell.body_bytes for cell in cells) / requests) if requests else None,
        "wrong": sum(len(cell.wrong) for cell in cells),
    }


def _growth(stages: list[dict[str, Any]], database: str) -> list[dict[str, Any]]:
    """Compare each number of users with the smallest one that has the scenario."""
    first: dict[str, tuple[int, float | None]] = {}
    found = []
    for one in stages:
        for key, scenario in one["scenarios"].items():
            cost = scenario["ours"]["cpu_us"]
            if key not in first:
                first[key] = one["users"], cost
                continue
            users, before = first[key]
            title = f"{scenario['title']}: {users:,} to {one['users']:,} users"
            limit = goals.GOALS[scenario["name"]].growth(database)
            found.append(_grown(title, before, cost, limit))
    return found


def _by_members(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare the largest groups with the smallest one."""
    costs: dict[str, dict[int, float | None]] = {}
    titles: dict[str, str] = {}
    for one in stages:
        for scenario in one["scenarios"].values():
            if scenario["members"] and scenario["name"] != "group_full":
                costs.setdefault(scenario["name"], {})[scenario["members"]] = scenario["ours"]["cpu_us"]
                titles.setdefault(scenario["name"], scenario["title"])
    found = []
    for name, by_size in costs.items():
        smallest = min(by_size)
        limit = goals.HEAD_GROWTH if name == "group_head" else goals.MEMBERS_GROWTH
        for size in sorted(set(by_size) - {smallest}):
            found.append(_grown(f"{titles[name]}: to {size:,} members", by_size[smallest], by_size[size], limit))
    return found


def _memory(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for one in stages[1:]:
        title = f"memory of ours in MB: {stages[0]['users']:,} to {one['users']:,} users"
        limit = goals.MEMORY_GROWTH if one["users"] <= 100_000 else None
        found.append(_grown(title, stages[0]["memory_mb"]["ours"], one["memory_mb"]["ours"], limit))
    return found


def _grown(title: str, before: float | None, after: float | None, limit: float | None) -> dict[str, Any]:
    ratio = _ratio(after, before)
    verdict = goals.verdict(ratio, limit)
    return {"title": title, "before": before, "after": after, "ratio": ratio, "goal": limit, "verdict": verdict}


def _ratio(value: float | None, base: float | None) -> float | None:
    return round(value / base, 3) if value is not None and base else None


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return round(median(known), 3) if known else None


def _percentile(ordered: list[float], part: float) -> float | None:
    return round(ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000, 3) if ordered else None


_HEADS = (
    "scenario",
    "floor µs",
    "ours µs",
    "ratio",
    "goal",
    "",
    "req/s",
    "p50",
    "p99",
    "floor p50/p99",
    "ours p50/p99",
)
_GROWTH_HEADS = ("growth of ours", "before", "after", "ratio", "goal", "")


def text(found: dict[str, Any]) -> str:
    """Return the tables that are printed."""
    return _told(found, _aligned)


def markdown(found: dict[str, Any]) -> str:
    """Return the tables as Markdown."""
    return _told(found, _piped)


def _told(found: dict[str, Any], table: Any) -> str:
    settings = found["settings"]
    parts = []
    for one in found["stages"]:
        memory = " MB, ".join(f"{name} {value:.0f}" for name, value in one["memory_mb"].items())
        parts += [
            f"{settings['database']}, {one['users']:,} users (loaded in {one['load_seconds']:.0f} s;"
            f" memory of the processes without the database at the end: {memory} MB; other processes took"
            f" {one['other_cores']:.1f} cores)",
            table([_HEADS, *(_line(scenario) for scenario in one["scenarios"].values())]),
        ]
    if found["growth"]:
        parts.append(table([_GROWTH_HEADS, *(_growth_line(one) for one in found["growth"])]))
    sides = [
        one for each in found["stages"] for row in each["scenarios"].values() for one in (row["floor"], row["ours"])
    ]
    parts.append(
        "µs: CPU per request of the server's processes and its database's; ratio: ours / floor, median over"
        f" {settings['rounds']} rounds of {settings['seconds']} s; req/s, p50, p99: ours / floor; latency in ms. Each"
        f" server has {settings['workers']} worker(s) and {settings['threads']} threads; {settings['connections']}"
        f" connections; {sum(one['requests'] for one in sides):,} answers checked, {found['wrong_total']} wrong."
    )
    wrong = [line for one in found["stages"] for line in one["wrong"]]
    return "\n\n".join(parts + [f"WRONG {one[:400]}" for one in wrong[:_SHOWN]])


def _line(one: dict[str, Any]) -> Row:
    floor, ours = one["floor"], one["ours"]
    costs = (_number(floor["cpu_us"], 0), _number(ours["cpu_us"], 0), _number(one["ratio"], 2), _number(one["goal"], 2))
    ratios = [_number(one[f"{name}_ratio"], 2) for name in ("rate", "p50_ms", "p99_ms")]
    return (one["title"], *costs, one["verdict"], *ratios, _latency(floor), _latency(ours))


def _growth_line(one: dict[str, Any]) -> Row:
    numbers = (_number(one["before"], 0), _number(one["after"], 0), _number(one["ratio"], 2), _number(one["goal"], 2))
    return (one["title"], *numbers, one["verdict"])


def _aligned(rows: Sequence[Row]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if number == 0 or rows[0][number] == "" else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _piped(rows: Sequence[Row]) -> str:
    rule = ["---" if number == 0 or not head else "---:" for number, head in enumerate(rows[0])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:]))


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _latency(side: dict[str, Any]) -> str:
    return f"{_number(side['p50_ms'], 2)}/{_number(side['p99_ms'], 2)}"
