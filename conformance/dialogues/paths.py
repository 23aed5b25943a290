"""Finds a value in an answer by a path such as ``emails[type=work].value`` or ``Resources[0].id``."""

import re
from typing import Any

PART = re.compile(r"(?P<name>[^.\[\]]+)(?:\[(?P<inside>[^\]]*)\])?(?:\.|$)")


def at(value: Any, path: str) -> Any:
    """The value at a path, or None; ``members#`` is how many there are."""
    if path.startswith("urn:") and isinstance(value, dict):
        urn = next((one for one in value if one.startswith("urn:") and path.startswith(f"{one}:")), None)
        return at(value[urn], path[len(urn) + 1 :]) if urn else None
    if path.endswith("#"):
        return len(at(value, path[:-1]) or [])
    for part in PART.finditer(path):
        value = value.get(part["name"]) if isinstance(value, dict) else None
        if part["inside"] is not None:
            value = _element(value, part["inside"])
    return value


def _element(values: Any, inside: str) -> Any:
    if not isinstance(values, list):
        return None
    if inside.isdigit():
        return values[int(inside)] if int(inside) < len(values) else None
    name, _, wanted = inside.partition("=")
    return next((one for one in values if isinstance(one, dict) and str(one.get(name)) == wanted), None)
