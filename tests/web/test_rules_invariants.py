"""Whatever is asked, in whatever order: seats add up, refusals change nothing, echoes are no-ops, one administrator stays."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from webtest import TestApp

from .conftest import EXT, PATCH_OP, USER, Api, op

TYPES = ("eco", "advanced", "pro")
SEATED = ("assigned", "activated", "suspended")
MOBILE = [{"type": "mobile", "value": "514 555 0100"}]
POLICIES: tuple[dict[str, Any], ...] = (
    {},
    {"deactivation__licensePolicy": "release", "licenseShortage__direct": "pend"},
    {"deactivation__licensePolicy": "releaseAfterGrace", "withdrawal__logPolicy": "purge"},
    {"licenseShortage__direct": "pend", "reactivation__restoreLicense": False, "defaults__licenseType": "eco"},
    {"deactivation__licensePolicy": "release", "reactivation__restoreLicense": False},
)


def one_of(chance: random.Random, users: list[Any]) -> Any:
    """One random PATCH operation."""
    target = chance.choice(users)
    verb = chance.choice(("add", "replace", "Replace"))
    licence = chance.choice((*TYPES, "PRO", "none", None, "gold"))
    return chance.choice(
        (
            op(verb, "active", chance.choice((True, False, "True", "False"))),
            op(verb, "active", chance.choice((True, False))),
            op(verb, f"{EXT}:licenseType", licence),
            op(verb, f"{EXT}:licenseType", chance.choice(TYPES)),
            op(verb, 'entitlements[type eq "license"].value', licence),
            op("remove", chance.choice((f"{EXT}:licenseType", "entitlements", "phoneNumbers", "roles"))),
            op(verb, f"{EXT}:licenseActivated", chance.choice((True, False))),
            op(verb, f"{EXT}:licenseTransferTo", target["id"]),
            op(verb, f"{EXT}:{chance.choice(('smsReturnsEnabled', 'microsoftReturnsEnabled'))}", chance.random() < 0.7),
            op(verb, f"{EXT}:twoFactorEnabled", chance.random() < 0.6),
            op(verb, "phoneNumbers", chance.choice((MOBILE, MOBILE, []))),
            op(verb, f"{EXT}:smsCountryCode", chance.choice(("CA", "+1", "", None))),
            op(verb, f"{EXT}:role", chance.choice(("administrator", "standard", None))),
            op(verb, 'roles[primary eq "True"].value', chance.choice(("administrator", "standard"))),
            op(verb, "title", chance.choice(("Boss", "Clerk", "", None))),
            op(verb, "userName", chance.choice((target["userName"].upper(), "x" + target["userName"]))),
        )
    )


def replacement(chance: random.Random, user: Any) -> Any:
    """The body of a PUT: what was read, with some of it changed, some of it left out."""
    body = {name: value for name, value in user.items() if chance.random() < 0.8 or name == "userName"}
    block = {name: value for name, value in user[EXT].items() if chance.random() < 0.8}
    for name, values in {
        "licenseType": (*TYPES, None, "none"),
        "smsReturnsEnabled": (True, False),
        "licenseActivated": (True, False),
        "role": ("administrator", "standard"),
        "twoFactorEnabled": (True, False),
    }.items():
        if chance.random() < 0.15:
            block[name] = chance.choice(values)
    if chance.random() < 0.3:
        body["active"] = chance.choice((True, False))
    return {**body, "schemas": [USER], EXT: block} if chance.random() < 0.8 else {**body, "schemas": [USER]}


class World:
    """An account, its users as they were last seen, and what is sent to it."""

    def __init__(self, api: Api, seed: int) -> None:
        self.api, self.chance, self.names = api, random.Random(seed), iter(range(1000))
        self.had_administrator = False
        self.users: list[Any] = []

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.api.token}", "Content-Type": "application/scim+json"}
        data = b"" if body is None else orjson.dumps(body)
        answer = TestApp(self.api.app, lint=False).request(
            f"/scim/v2{path}", method=method, headers=headers, body=data, expect_errors=True
        )
        assert answer.status_int < 500, (method, path, body, answer.text)
        return answer.status_int, answer.body and orjson.loads(answer.body)

    def request(self) -> tuple[str, str, Any]:
        """One random request."""
        chance = self.chance
        if len(self.users) < 3 or (chance.random() < 0.1 and len(self.users) < 6):
            block = {
                "licenseType": chance.choice((*TYPES, "none")),
                "role": chance.choice(("administrator", "standard")),
            }
            number = next(self.names)
            body = {"schemas": [USER], "userName": self.api.mail(f"u{number}"), "phoneNumbers": MOBILE}
            return "POST", "/Users", {**body, "active": chance.random() < 0.8, EXT: block}
        user = chance.choice(self.users)
        path = f"/Users/{user['id']}"
        if (dice := chance.random()) < 0.06:
            return "DELETE", path, None
        if dice < 0.35:
            return "PUT", path, replacement(chance, user)
        operations = [one_of(chance, self.users) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
        return "PATCH", path, {"schemas": [PATCH_OP], "Operations": operations}

    def seen(self) -> list[Any]:
        return list(self.api.get("/Users?count=50")["Resources"])

    def logs(self) -> dict[str, int]:
        return {user["id"]: self.api.log_count(user["id"]) for user in self.users}

    def step(self) -> None:
        before, logs, done = self.users, self.logs(), len(self.api.done())
        request = self.request()
        status, answer = self.send(*request)
        self.users = self.seen()
        if status >= 400:
            assert self.users == before, (request, answer)
            assert len(self.api.done()) == done, (request, answer)
        if status == 201:
            self.api.write_log(answer["id"], 2)
        for user in self.users:
            self.check(user, request)
        self.check_seats(request)
        self.check_logs(request, logs)
        self.check_administrators(request)

    def check(self, user: Any, request: Any) -> None:
        block = user[EXT]
        held = block.get("licenseType")
        seated = block["licenseStatus"] in SEATED
        assert (held is not None) is seated, (request, user)
        assert ("licensePendingType" in block) <= (not seated), (request, user)
        assert (block["licenseStatus"] == "pending") <= ("licensePendingType" in block), (request, user)
        assert (block["licenseStatus"] == "suspended") is (seated and not user["active"]), (request, user)
        assert ("deactivatedAt" in block) is (not user["active"]), (request, user)
        assert [one["value"].lower() for one in user.get("entitlements", [])] == ([held] if held else []), (
            request,
            user,
        )
        roles = [one["value"].lower() for one in user.get("roles", [])]
        assert roles in ([block["role"]], [] if block["role"] == "standard" else None), (request, user)
        assert block["licenseActivated"] <= seated, (request, user)
        if block["smsReturnsEnabled"] or block["microsoftReturnsEnabled"]:
            assert held == "pro", (request, user)
        if user["active"] and (block["smsReturnsEnabled"] or block["twoFactorEnabled"]):
            assert user.get("phoneNumbers"), (request, user)
            assert block.get("smsCountryCode"), (request, user)
        status, echo = self.send("PUT", f"/Users/{user['id']}", user)
        assert (status, echo) == (200, user), (request, user, echo)

    def check_seats(self, request: Any) -> None:
        held = Counter(user[EXT].get("licenseType") for user in self.users)
        for kind in TYPES:
            pool = self.api.pool(kind)
            assert pool.assigned == held[kind] <= pool.total, (request, kind)
            waiting = [
                one
                for one in self.users
                if one["active"] and one[EXT]["licenseStatus"] == "pending" and one[EXT]["licensePendingType"] == kind
            ]
            assert not (waiting and pool.available), (request, kind, waiting)

    def check_logs(self, request: Any, logs: dict[str, int]) -> None:
        for identifier, entries in self.logs().items():
            if entries < logs.get(identifier, entries):
                last = [entry.action for entry in self.api.journal()[-8:]]
                assert "logs.purged" in last, (request, last)

    def check_administrators(self, request: Any) -> None:
        now = any(one["active"] and one[EXT]["role"] == "administrator" for one in self.users)
        assert now or not self.had_administrator, request
        self.had_administrator |= now


def worlds(seeds: range) -> Iterator[tuple[int, dict[str, Any]]]:
    return ((seed, POLICIES[seed % len(POLICIES)]) for seed in seeds)


@pytest.mark.parametrize(("seed", "policies"), list(worlds(range(5))))
def test_invariants_hold(new_account: Callable[..., Api], seed: int, policies: dict[str, Any]) -> None:
    world = World(new_account(licences=2, **policies), seed)
    for _ in range(25):
        world.step()
