"""The cost of a request against the number of users, as SVG: a small chart for each scenario, both servers in it."""

import math
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from bench.measure import SIDES

COLOURS = {"floor": "#8a8f98", "ours": "#0b62c4"}
_COLUMNS, _WIDTH, _HEIGHT = 4, 290, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 32, 34, 42
_HEAD = 76
_SMALL, _USUAL = "11", "13"
Points = list[tuple[int, float]]


def svg(found: dict[str, Any]) -> str:
    """Return the plot of a run."""
    charts = _charts(found["stages"])
    rows = math.ceil(len(charts) / _COLUMNS)
    size = _COLUMNS * _WIDTH, _HEAD + rows * _HEIGHT + 12
    root = ET.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {size[0]} {size[1]}")
    root.attrib |= {"width": str(size[0]), "height": str(size[1]), "font-family": "sans-serif"}
    ET.SubElement(root, "rect", width="100%", height="100%", fill="white")
    database = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[found["settings"]["database"]]
    _text(root, 16, 28, f"CPU per request against the number of users, {database}", "18")
    _text(
        root, 16, 50, "x: users, logarithmic; y: CPU milliseconds per request, database included", _USUAL, fill="#555"
    )
    for number, side in enumerate(SIDES):
        x = size[0] - 230 + 110 * number
        ET.SubElement(root, "circle", cx=str(x), cy="24", r="5", fill=COLOURS[side])
        _text(root, x + 12, 29, "bare Flask" if side == "floor" else "this server", _USUAL)
    users = [stage["users"] for stage in found["stages"]]
    for number, (title, lines) in enumerate(charts.items()):
        at = number % _COLUMNS * _WIDTH, _HEAD + number // _COLUMNS * _HEIGHT
        _chart(ET.SubElement(root, "g", transform=f"translate({at[0]},{at[1]})"), title, lines, users)
    return ET.tostring(root, "unicode") + "\n"


def _charts(stages: Sequence[dict[str, Any]]) -> dict[str, dict[str, Points]]:
    """Return the points of each scenario, by its title and the side."""
    charts: dict[str, dict[str, Points]] = {}
    for stage in stages:
        for scenario in stage["scenarios"].values():
            for side in SIDES:
                if cost := scenario[side]["cpu_us"]:
                    lines = charts.setdefault(scenario["title"], {one: [] for one in SIDES})
                    lines[side].append((stage["users"], cost / 1000))
    return charts


def _chart(group: ET.Element, title: str, lines: dict[str, Points], users: Sequence[int]) -> None:
    most = max(cost for points in lines.values() for _, cost in points)
    top = _nice(most)
    low, high = math.log10(min(users)), math.log10(max(users))

    def x(number: int) -> float:
        share = (math.log10(number) - low) / (high - low) if high > low else 0.5
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(cost: float) -> float:
        return round(_HEIGHT - _BOTTOM - cost / top * (_HEIGHT - _TOP - _BOTTOM), 1)

    _text(group, _LEFT, 20, title, _USUAL)
    for step in range(5):
        value = top * step / 4
        ET.SubElement(group, "path", d=f"M{_LEFT} {y(value)}H{_WIDTH - _RIGHT}", stroke="#ddd")
        _text(group, _LEFT - 6, y(value) + 4, f"{value:g}", _SMALL, anchor="end", fill="#555")
    for number in dict.fromkeys(users):
        _text(group, x(number), _HEIGHT - _BOTTOM + 16, f"{number:,}", _SMALL, anchor="middle", fill="#555")
    _text(group, (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - _BOTTOM + 31, "users", _SMALL, anchor="middle", fill="#555")
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    label = _text(group, 14, middle, "CPU ms", _SMALL, anchor="middle", fill="#555")
    label.set("transform", f"rotate(-90 14 {middle})")
    for side, points in lines.items():
        path = " ".join(f"{x(number)},{y(cost)}" for number, cost in points)
        ET.SubElement(group, "polyline", points=path, fill="none", stroke=COLOURS[side]).set("stroke-width", "2")
        for number, cost in points:
            dot = ET.SubElement(group, "circle", cx=str(x(number)), cy=str(y(cost)), r="3.5", fill=COLOURS[side])
            ET.SubElement(dot, "title").text = f"{side}: {cost:.2f} ms at {number:,} users"


def _nice(most: float) -> float:
    """Return a round number at or above the largest cost."""
    power = 10 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= most)


def _text(
    parent: ET.Element, x: float, y: float, text: str, size: str, anchor: str = "start", fill: str = "#111"
) -> Any:
    element = ET.SubElement(parent, "text", x=str(x), y=str(y), fill=fill)
    element.attrib |= {"font-size": size, "text-anchor": anchor}
    element.text = text
    return element
