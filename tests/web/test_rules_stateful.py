"""Whatever administrators and identity providers ask, in whatever order: what holds of an account holds after each step."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from scim_server.cli.portal import Portal
from scim_server.cli.texts import PortalError
from scim_server.store import journal
from scim_server.store.database import execute
from scim_server.store.tables import user as user_table

from .conftest import EXT, GEXT, GROUP, PATCH_OP, USER, Api, op
from .invariants import check

MORE = os.environ.get("STATEFUL_EXAMPLES")
"""How many accounts to try at random where bugs are looked for; without it the same few are tried each time."""

TYPES = ("eco", "advanced", "pro", "sesar")
BEGINNINGS = (("eco", "pro"), ("pro", "pro"), ("eco", "advanced", "pro"), ("eco", "sesar"))
"""What the groups give that are there from the beginning."""
POLICIES = {
    "deactivation.licensePolicy": ("suspend", "release", "releaseAfterGrace"),
    "deactivation.graceDays": ("1", "10"),
    "licenseShortage.direct": ("reject", "pend"),
    "licenseShortage.group": ("pend", "reject"),
    "withdrawal.logPolicy": ("retain", "purge"),
    "reactivation.restoreLicense": ("true", "false"),
    "defaults.licenseType": ("none", "eco"),
    "groupLicenses": ("{}", '{"Law": "pro"}', '{"LAW": "eco", "Staff": "Advanced"}'),
}
MOBILE = [{"type": "mobile", "value": "514 555 0100"}]

licence_types = st.sampled_from(TYPES)
wishes = st.sampled_from((*TYPES, *TYPES, "PRO", "none", None, "gold", "sharedMailbox"))
gifts = st.sampled_from((*TYPES, *TYPES, "PRO", "none", None))
booleans = st.booleans()
names = st.sampled_from(("Law", "Staff", "Sales", "Eco"))
verbs = st.sampled_from(("add", "replace", "Replace"))
shapes = st.sampled_from(("path", "nested", "urn"))


def some(values: dict[str, Any]) -> Any:
    """One or two of the names, each with one of its values."""
    one = st.sampled_from(sorted(values)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(values[name])))
    return st.lists(one, min_size=1, max_size=2).map(dict)


EXTENSION = {
    "licenseType": (*TYPES, "PRO", "none", None),
    "licenseActivated": (True, False),
    "role": ("administrator", "standard"),
    "smsReturnsEnabled": (True, False),
    "microsoftReturnsEnabled": (True, False),
    "twoFactorEnabled": (True, False),
    "smsCountryCode": ("CA", "+1", None),
}
"""What an identity provider says of a user in the account's extension."""
CORE = {
    "active": (True, False, "True", "False"),
    "title": ("Boss", "Clerk", None),
    "displayName": ("Ann", "Bo"),
    "phoneNumbers": (MOBILE, MOBILE, []),
    "emails": ([{"type": "home", "value": "A@x.example"}], []),
    "externalId": ("x1", "X1"),
}
"""What it says of a user besides."""
extensions, attributes = some(EXTENSION), some(CORE)
policies = st.lists(
    st.sampled_from(sorted(POLICIES)).flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(POLICIES[key]))),
    min_size=1,
    max_size=3,
).map(dict)


def operations(shape: str, verb: str, core: dict[str, Any], extension: dict[str, Any]) -> list[dict[str, Any]]:
    """The same changes as each identity provider writes them: by path, in one object, in one object of full names."""
    if shape == "path":
        extended = [op(verb, f"{EXT}:{name}", value) for name, value in extension.items()]
        return [op(verb, name, value) for name, value in core.items()] + extended
    if shape == "nested":
        return [op(verb, None, {**core, **({EXT: extension} if extension else {})})]
    return [op(verb, None, {**core, **{f"{EXT}:{name}": value for name, value in extension.items()}})]


def members_of(ids: list[str]) -> list[dict[str, str]]:
    return [{"value": one} for one in ids]


def second_names_agree(user: Any) -> None:
    """``entitlements`` and ``roles`` say the same as the account's extension (P7)."""
    held, role = user[EXT].get("licenseType"), user[EXT]["role"]
    assert [one["value"].lower() for one in user.get("entitlements", [])] == ([held.lower()] if held else [])
    assert {one["value"].lower() for one in user.get("roles", [])} in ({role}, set() if role == "standard" else {role})


def codes_can_be_sent(user: Any) -> None:
    """An active user who needs codes by SMS can be sent them (R17, R19)."""
    if user["active"] and (user[EXT]["smsReturnsEnabled"] or user[EXT]["twoFactorEnabled"]):
        assert user.get("phoneNumbers")
        assert user[EXT].get("smsCountryCode")


class Requests(RuleBasedStateMachine):
    """One account: what is asked of it, and what must be true of every answer."""

    users, groups = Bundle("users"), Bundle("groups")

    def __init__(self, api: Api) -> None:
        super().__init__()
        self.api, self.portal = api, Portal(api.database)
        self.name = api.account_name
        self.number, self.last_entry, self.had_administrator = 0, "", False
        self.purges = False
        self.world = check(api)
        self.shown = self.seen()
        self.entries()

    # What is seen

    def seen(self) -> dict[str, Any]:
        """The representation of every resource, by its path."""
        return {
            f"/{kind}/{one['id']}": one
            for kind in ("Users", "Groups")
            for one in self.api.get(f"/{kind}?count=200")["Resources"]
        }

    def entries(self) -> list[Any]:
        """The entries of the journal since the last time."""
        with self.api.database.reading(self.api.account_id):
            new = journal.read(self.api.account_id, after=self.last_entry, limit=1000)
        self.last_entry = new[-1].id if new else self.last_entry
        return new

    # What is asked

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and judge what came of it; returns the body of a success, None for a refusal."""
        answer = self.api.send(method, path, body)
        assert answer.status_int < 500, answer.text
        event(f"{method} {path.split('/')[1]} {answer.status_int}")
        if answer.status_int >= 400:
            self.was_refused()
            return None
        self.has_happened(self.may_purge(method, path, body))
        return orjson.loads(answer.body) if answer.body else {}

    @contextmanager
    def administering(self) -> Iterator[None]:
        """Judge what comes of an act in the portal."""
        try:
            yield
        except PortalError:
            assert self.seen() == self.shown
            assert self.entries() == []
        else:
            self.has_happened({})

    def may_purge(self, method: str, path: str, body: Any) -> dict[str, str]:
        """Whose log a request may destroy, with the reason."""
        user = path.removeprefix("/Users/")
        if method == "DELETE":
            return {user: "delete"}
        if "licenseTransferTo" in orjson.dumps(body).decode():
            return {user: "transfer"}
        return {user: "withdraw"} if self.purges and method in ("PATCH", "PUT") else {}

    # What must be true

    def was_refused(self) -> None:
        assert [entry.action for entry in self.entries()] == ["request.refused"]
        assert self.seen() == self.shown

    def has_happened(self, purged: dict[str, str]) -> None:
        before, logs = self.shown, self.world.logs
        self.shown, self.world, entries = self.seen(), check(self.api), self.entries()
        changed = {path for path in {*before, *self.shown} if before.get(path) != self.shown.get(path)}
        told = {entry.target_id for entry in entries}
        self.licences_are_told(before, told)
        assert not changed or told & {path.split("/")[2] for path in changed}, (changed, told)
        assert all(entry.outcome == "success" for entry in entries)
        self.logs_are_kept(logs, purged, entries)
        self.administrator_stays()
        for path in sorted(changed & {*self.shown}):
            self.echo_changes_nothing(path)
            if path.startswith("/Users/"):
                second_names_agree(self.shown[path])
                codes_can_be_sent(self.shown[path])

    def licences_are_told(self, before: dict[str, Any], told: set[str]) -> None:
        """Whatever becomes of a user's licence, the journal tells it of that user (R29)."""
        for path in before.keys() & self.shown.keys():
            if path.startswith("/Users/") and before[path][EXT] != self.shown[path][EXT]:
                assert path.split("/")[2] in told, (before[path], self.shown[path])

    def logs_are_kept(self, logs: Any, purged: dict[str, str], entries: list[Any]) -> None:
        """No entry of a log is destroyed but by an explicit act on its user, which tells how many (P1, R28)."""
        told = {entry.target_id: entry for entry in entries if entry.action == "logs.purged"}
        assert told.keys() <= purged.keys()
        for user, count in logs.items():
            if (left := self.world.logs.get(user, 0)) < count:
                assert (left, told[user].logs_purged) == (0, count)
                assert {"attribute": "reason", "to": purged[user]} in orjson.loads(told[user].changes)

    def administrator_stays(self) -> None:
        """There is an active administrator for good once there was one (R21)."""
        has_one = bool(self.world.administrators)
        assert has_one or not self.had_administrator
        self.had_administrator = has_one

    def echo_changes_nothing(self, path: str) -> None:
        """To send back what was read is no change (P5, P7); seats that are overdue may be released on the way (R24)."""
        answer, entries = self.api.put(path, self.shown[path]), self.entries()
        if any(entry.actor_type == "system" for entry in entries):
            self.shown, self.world = self.seen(), check(self.api)
        else:
            assert (answer, entries) == (self.shown[path], [])

    # Users

    @initialize(target=users, chosen=policies, licences=st.lists(st.sampled_from((*TYPES, "none")), max_size=3))
    def begin_users(self, chosen: dict[str, str], licences: list[str]) -> Any:
        self.set_policies(chosen)
        self.buy_licence("sesar")
        bodies = [self.new_user({}, {"licenseType": one}) for one in ("none", "none", *licences)]
        return multiple(*(one["id"] for body in bodies if (one := self.send("POST", "/Users", body))))

    @initialize(target=groups, kinds=st.sampled_from(BEGINNINGS))
    def begin_groups(self, kinds: tuple[str, ...]) -> Any:
        bodies = [{"displayName": f"G{n}", GEXT: {"licenseType": one}} for n, one in enumerate(kinds)]
        return multiple(*(one["id"] for body in bodies if (one := self.send("POST", "/Groups", body))))

    def new_user(self, core: dict[str, Any], extension: dict[str, Any]) -> dict[str, Any]:
        self.number += 1
        return {"schemas": [USER], "userName": self.api.mail(f"u{self.number}"), **core, EXT: extension}

    @rule(
        target=users,
        core=attributes,
        extension=extensions,
        kind=st.sampled_from(("person",) * 5 + ("sharedMailbox",)),
        plain=booleans,
    )
    def create_user(self, core: dict[str, Any], extension: dict[str, Any], kind: str, plain: bool) -> Any:
        if kind == "sharedMailbox":
            core, extension = {}, {"kind": kind, **({} if plain else {"licenseType": kind})}
        elif plain:
            extension = {name: extension[name] for name in ("licenseType", "role") if name in extension}
        one = self.send("POST", "/Users", self.new_user(core, extension))
        return one["id"] if one else multiple()

    def change_user(self, user: str, core: dict[str, Any], extension: dict[str, Any], shape: str, verb: str) -> None:
        body = {"schemas": [PATCH_OP], "Operations": operations(shape, verb, core, extension)}
        if body["Operations"]:
            self.send("PATCH", f"/Users/{user}", body)

    @rule(user=users, core=attributes, extension=extensions, shape=shapes, verb=verbs)
    def patch_user(self, user: str, core: dict[str, Any], extension: dict[str, Any], shape: str, verb: str) -> None:
        self.change_user(user, core, extension, shape, verb)

    @rule(user=users, active=st.sampled_from((True, False, "True", "False")), shape=shapes, verb=verbs)
    def switch_user(self, user: str, active: Any, shape: str, verb: str) -> None:
        self.change_user(user, {"active": active}, {}, shape, verb)

    @rule(user=users, wish=wishes, shape=shapes, verb=verbs)
    def license_user(self, user: str, wish: str | None, shape: str, verb: str) -> None:
        self.change_user(user, {}, {"licenseType": wish}, shape, verb)

    @rule(user=users, path=st.sampled_from((f"{EXT}:licenseType", "entitlements", "roles", "phoneNumbers")))
    def remove_from_user(self, user: str, path: str) -> None:
        self.send("PATCH", f"/Users/{user}", {"schemas": [PATCH_OP], "Operations": [op("remove", path)]})

    @rule(user=users, activated=booleans, shape=shapes, verb=verbs)
    def activate_or_reset(self, user: str, activated: bool, shape: str, verb: str) -> None:
        self.change_user(user, {}, {"licenseActivated": activated}, shape, verb)

    @rule(user=users, name=st.sampled_from(("smsReturnsEnabled", "microsoftReturnsEnabled", "twoFactorEnabled")))
    def secure(self, user: str, name: str) -> None:
        said = {"phoneNumbers": MOBILE}, {name: True, "smsCountryCode": "CA"}
        self.change_user(user, *said, "nested", "replace")

    @rule(user=users, wish=wishes, verb=verbs)
    def license_user_as_okta(self, user: str, wish: str | None, verb: str) -> None:
        change = op(verb, 'entitlements[type eq "license"].value', wish)
        self.send("PATCH", f"/Users/{user}", {"schemas": [PATCH_OP], "Operations": [change]})

    @rule(user=users, role=st.sampled_from(("administrator", "standard")))
    def change_role_as_entra(self, user: str, role: str) -> None:
        change = op("Replace", 'roles[primary eq "True"].value', role)
        self.send("PATCH", f"/Users/{user}", {"schemas": [PATCH_OP], "Operations": [change]})

    @rule(user=users, other=users)
    def transfer(self, user: str, other: str) -> None:
        self.change_user(user, {}, {"licenseTransferTo": other}, "path", "replace")

    @rule(user=users, core=attributes, extension=extensions, silent=st.sets(st.sampled_from((EXT, *TYPES))))
    def put_user(self, user: str, core: dict[str, Any], extension: dict[str, Any], silent: set[str]) -> None:
        """Send back what was read with some of it changed; some of it, or the whole extension, left out."""
        read = self.shown[f"/Users/{user}"]
        said = {name: value for name, value in read.items() if name not in ("title", "active", "roles") or not silent}
        body = {**said, **core, EXT: {**read[EXT], **extension}}
        if EXT in silent:
            del body[EXT]
        self.send("PUT", f"/Users/{user}", body)

    @rule(target=users, user=consumes(users))
    def delete_user(self, user: str) -> Any:
        return user if self.send("DELETE", f"/Users/{user}") is None else multiple()

    # Groups

    @rule(
        target=groups,
        name=names,
        gives=gifts,
        members=st.lists(users, max_size=3),
    )
    def create_group(self, name: str, gives: str | None, members: list[str]) -> Any:
        self.number += 1
        block = {GEXT: {"licenseType": gives}} if gives else {}
        taken = any(one.get("displayName") == name for one in self.shown.values())
        body = {"schemas": [GROUP], "displayName": f"{name}{self.number if taken else ''}", **block}
        one = self.send("POST", "/Groups", {**body, "members": members_of(members)})
        return one["id"] if one else multiple()

    def change_group(self, group: str, *changes: dict[str, Any]) -> None:
        self.send("PATCH", f"/Groups/{group}", {"schemas": [PATCH_OP], "Operations": list(changes)})

    @rule(group=groups, wish=gifts, removes=booleans, verb=verbs)
    def license_group(self, group: str, wish: str | None, removes: bool, verb: str) -> None:
        path = f"{GEXT}:licenseType"
        self.change_group(group, op("remove", path) if removes and wish is None else op(verb, path, wish))

    @rule(
        group=groups, members=st.lists(users, min_size=1, max_size=3), verb=st.sampled_from(("add", "Add", "replace"))
    )
    def add_members(self, group: str, members: list[str], verb: str) -> None:
        self.change_group(group, op(verb, "members", members_of(members)))

    @rule(member=users, several=st.lists(groups, min_size=2, max_size=3, unique=True))
    def join_groups(self, member: str, several: list[str]) -> None:
        for group in several:
            self.change_group(group, op("add", "members", members_of([member])))

    @rule(group=groups, members=st.lists(users, min_size=1, max_size=2))
    def remove_members(self, group: str, members: list[str]) -> None:
        self.change_group(group, op("remove", "members", members_of(members)))

    @rule(group=groups, member=users)
    def remove_member_as_entra(self, group: str, member: str) -> None:
        self.change_group(group, op("Remove", f'members[value eq "{member}"]'))

    @rule(group=groups, members=st.lists(users, max_size=3))
    def replace_members(self, group: str, members: list[str]) -> None:
        self.change_group(group, op("replace", "members", members_of(members)))

    @rule(
        group=groups,
        members=st.none() | st.lists(users, max_size=3),
        block=st.fixed_dictionaries({}, optional={"licenseType": gifts}),
        renames=booleans,
    )
    def put_group(self, group: str, members: list[str] | None, block: dict[str, Any], renames: bool) -> None:
        read = self.shown[f"/Groups/{group}"]
        body = {"schemas": [GROUP], "displayName": read["displayName"] + "x" * renames}
        said = {} if members is None else {"members": members_of(members)}
        self.send("PUT", f"/Groups/{group}", {**body, **said, **({GEXT: block} if block else {})})

    @rule(group=consumes(groups))
    def delete_group(self, group: str) -> None:
        self.send("DELETE", f"/Groups/{group}")

    # The portal, the users, time

    @rule(kind=licence_types)
    def buy_licence(self, kind: str) -> None:
        with self.administering():
            self.portal.add_licences(self.name, kind, 1)

    @rule(kind=licence_types)
    def remove_licence(self, kind: str) -> None:
        with self.administering():
            self.portal.remove_licences(self.name, kind, 1)

    @rule(chosen=policies)
    def set_policies(self, chosen: dict[str, str]) -> None:
        with self.administering():
            answer = self.portal.set_policies(self.name, chosen)
        self.purges = answer["policies"]["withdrawal.logPolicy"] == "purge"

    @rule()
    def sweep(self) -> None:
        with self.administering():
            self.portal.sweep(self.name)

    @rule(days=st.sampled_from((1, 9, 30)))
    def days_pass(self, days: int) -> None:
        mine = (user_table.c.account_id == self.api.account_id, user_table.c.deactivated_at.is_not(None))
        earlier = user_table.c.deactivated_at - days * 86_400_000_000
        with self.api.database.transaction(self.api.account_id):
            execute(user_table.update().where(*mine).values(deactivated_at=earlier))
        self.shown, self.world = self.seen(), check(self.api)

    @rule(user=users)
    def send_messages(self, user: str) -> None:
        self.api.write_log(user, 2)
        self.world = check(self.api)


def test_what_holds_of_an_account_holds_after_every_step(new_account: Callable[..., Api]) -> None:
    run_state_machine_as_test(
        lambda: Requests(new_account(licences=1)),
        settings=settings(
            max_examples=int(MORE or 12),
            stateful_step_count=40,
            derandomize=MORE is None,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
