"""Removes what a run has made: after each check, and at the end whatever happened."""

from conformance.registry import Unmet
from conformance.scim import Scim, query

ROUNDS = 50


def tidy(scim: Scim) -> None:
    """Remove what the last check made; what cannot be removed now is tried again at the end."""
    scim.begin()
    for path in sorted(set(scim.made), key=lambda path: not path.startswith("/Groups")):
        if not _gone(scim, path):
            scim.shared.setdefault("made", []).append(path)
        scim.made[:] = [one for one in scim.made if one != path]


def clear(scim: Scim) -> list[str]:
    """Remove all that is left, found by its prefix too; returns what could not be removed."""
    tidy(scim)
    paths = [*scim.shared.pop("made", ()), *_by_prefix(scim)]
    paths = sorted(dict.fromkeys(paths), key=lambda path: not path.startswith("/Groups"))
    scim.shared.clear()
    left = []
    for path in paths:
        scim.begin()
        if not _gone(scim, path):
            left.append(path)
    return left


def _gone(scim: Scim, path: str) -> bool:
    try:
        return scim.send("DELETE", path).status in (200, 202, 204, 404, 410)
    except Unmet:
        return False


def _by_prefix(scim: Scim) -> list[str]:
    """What a request made whose answer never came."""
    found: list[str] = []
    if not scim.capabilities.supports("filter"):
        return found
    for path, attribute in (("/Users", "userName"), ("/Groups", "displayName")):
        scim.begin()
        condition = f'{attribute} sw "{scim.prefix}"'
        try:
            page = scim.send("GET", f"{path}{query(filter=condition, count=ROUNDS)}").value
        except Unmet:
            continue
        for one in (page.get("Resources") or []) if isinstance(page, dict) else []:
            named = isinstance(one, dict) and str(one.get(attribute, "")).lower().startswith(scim.prefix.lower())
            if named:
                found.append(f"{path}/{one.get('id')}")
    return found
