"""Profiles: data that is checked when it is read, applied to bodies without touching what they do not name."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scim_server.idp import profiles as module
from scim_server.idp.profiles import Profile, profiles
from scim_server.protocol.catalogue import ENTERPRISE, Catalogue

CATALOGUE = Catalogue()
USERS, GROUPS = CATALOGUE.endpoints["/Users"], CATALOGUE.endpoints["/Groups"]
DEFAULT = profiles()["default"]
STRICT = profiles()["strict"]
SAME = ("authentik", "google", "jumpcloud", "okta", "onelogin", "ping", "sailpoint")
"""The profiles of providers who want no other answer than the one that serves all."""


def test_default_tolerates_what_clients_send_and_strict_what_the_rfc_has() -> None:
    switches = list(DEFAULT.tolerance.__dataclass_fields__)
    assert [one for one in switches if not getattr(DEFAULT.tolerance, one)] == ["empty_patch"]
    assert [one for one in switches if getattr(STRICT.tolerance, one)] == ["pathless_operations"]
    assert (STRICT.rewrites, STRICT.unknown_members, DEFAULT.unknown_members) == ((), "refuse", "skip")


@pytest.mark.parametrize(
    ("name", "base", "different"),
    [
        ("entra", DEFAULT, {"group_patch_limit": 0, "tolerance": {"empty_patch": True}}),
        ("interop", STRICT, {"tolerance": {"pathless_operations": False}}),
        *((name, DEFAULT, {"tolerance": {}}) for name in SAME),
    ],
)
def test_other_profiles_differ_from_their_base_in_what_they_are_for(
    name: str, base: Profile, different: dict[str, Any]
) -> None:
    tolerance = replace(base.tolerance, **different["tolerance"])
    expected = replace(base, **{**different, "tolerance": tolerance, "name": name, "description": ""})
    assert replace(profiles()[name], description="") == expected


def test_profiles_are_named_as_their_files_are() -> None:
    assert sorted(profiles()) == sorted(file.stem for file in module.DIRECTORY.glob("*.json"))
    assert {"default", "strict", "interop", "entra", *SAME} == set(profiles())


@pytest.mark.parametrize(("limit", "shown"), [(0, []), (1, [0, 1]), (100, [0, 1, 100])])
def test_groups_are_shown_up_to_the_limit_and_never_where_it_is_zero(limit: int, shown: list[int]) -> None:
    profile = replace(DEFAULT, group_patch_limit=limit)
    assert [count for count in (0, 1, 100, 101) if profile.shows_group(count)] == shown


def test_every_rewrite_serves_the_default_profile() -> None:
    assert sorted(DEFAULT.rewrites) == module.REWRITES


@pytest.mark.parametrize("profile", [DEFAULT, STRICT], ids=lambda profile: profile.name)
@pytest.mark.parametrize(
    "body", [None, 5, "x", [], {}, {"Operations": 5}, {"Operations": [5, None]}, {"operations": {}}]
)
def test_bodies_that_are_no_patch_pass_untouched(profile: Profile, body: Any) -> None:
    given = deepcopy(body)
    assert profile.rewrite_patch(USERS, given) == body
    assert profile.rewrite_body(USERS, given) == body


def test_patch_keeps_its_other_members_and_the_order_of_operations() -> None:
    body = {
        "Schemas": ["x"],
        "id": "1",
        "OPERATIONS": [{"OP": "Add", "Path": "manager", "Value": "m"}, {"op": "Replace", "path": "title", "value": 1}],
    }
    given = deepcopy(body)
    assert DEFAULT.rewrite_patch(USERS, body) == {
        "Schemas": ["x"],
        "id": "1",
        "OPERATIONS": [
            {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "m"},
            {"op": "Replace", "path": "title", "value": 1},
        ],
    }
    assert body == given


def test_rewrites_follow_each_other() -> None:
    wrong = {"op": "Remove", "path": "members", "value": {"members": [{"value": "1"}]}}
    (right,) = DEFAULT.rewrite_patch(GROUPS, {"Operations": [wrong]})["Operations"]
    assert right == {"op": "Remove", "path": "members", "value": [{"value": "1"}]}
    wrong = {"op": "Remove", "path": f"{ENTERPRISE}.department", "value": "Sales"}
    (right,) = DEFAULT.rewrite_patch(USERS, {"Operations": [wrong]})["Operations"]
    assert right == {"op": "Remove", "path": f"{ENTERPRISE}:department"}


def test_strict_rewrites_nothing_but_the_spelling_of_members() -> None:
    operation = {"op": "Remove", "path": "manager", "value": "x"}
    assert STRICT.rewrite_patch(USERS, {"Operations": [operation]}) == {"Operations": [operation]}


def document(**changes: Any) -> dict[str, Any]:
    text = (module.DIRECTORY / "default.json").read_text("utf-8")
    return {**json.loads(text), **changes}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"rewrites": ["no_such_rewrite"]}, "rewrites"),
        ({"unknown_members": "maybe"}, "unknown_members"),
        ({"group_patch_limit": -1}, "group_patch_limit"),
        ({"tolerance": {}}, "text_booleans"),
        ({"tolerance": {**document()["tolerance"], "everything": True}}, "everything"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_profile_that_is_wrong_is_refused_with_the_file_and_the_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], named: str
) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(document(name="mine", **changes)), "utf-8")
    monkeypatch.setattr(module, "DIRECTORY", tmp_path)
    profiles.cache_clear()
    try:
        with pytest.raises(ValueError, match=rf"mine\.json.*{named}"):
            profiles()
    finally:
        monkeypatch.undo()
        profiles.cache_clear()
