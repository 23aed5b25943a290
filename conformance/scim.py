"""Speaks SCIM to the server under test: remembers what it made, and what was said."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from conformance.capabilities import Capabilities
from conformance.evidence import exchange
from conformance.names import ERROR, GROUP, PATCH_OP, SCIM_JSON, USER
from conformance.registry import NotApplicable, Unmet, expect
from conformance.transport import Request, Response, Send, Unanswered

KEPT = 14
"""Exchanges of one check that are kept as evidence: the last ones."""
MOST = 600
"""Requests that one check may send."""
WAITS, LONGEST_WAIT = 5, 30
"""How often a request that is throttled is sent again, and the most seconds that are waited before."""

Json = dict[str, Any]


def op(verb: str, path: str | None = None, value: Any = ...) -> Json:
    """One PATCH operation."""
    operation: Json = {"op": verb}
    if path is not None:
        operation["path"] = path
    if value is not ...:
        operation["value"] = value
    return operation


def query(**parameters: Any) -> str:
    """A query string with its question mark."""
    return f"?{urlencode(parameters)}"


@dataclass
class Scim:
    """The server under test, as one client with one token sees it."""

    transport: Send
    base_url: str
    token: str | None
    domain: str
    prefix: str
    capabilities: Capabilities = field(default_factory=Capabilities)
    patience: float = 60.0
    """Seconds that one check may take."""
    made: list[str] = field(default_factory=list)
    """Paths of the resources that were made and not yet removed."""
    evidence: list[Json] = field(default_factory=list)
    last: Response | None = None
    """The last answer, for its headers."""
    faults: list[str] = field(default_factory=list)
    """Every answer of the whole run that was a 5xx other than 501."""
    throttled: list[Response] = field(default_factory=list)
    shared: Json = field(default_factory=dict)
    """What checks make once and look at together, by name."""
    _numbers: Any = field(default_factory=lambda: count(1))
    _sent: int = 0
    _until: float = float("inf")

    def begin(self) -> None:
        """Start the account of a new check."""
        self.evidence, self._sent, self._until = [], 0, time.monotonic() + self.patience

    def name(self, word: str = "user") -> str:
        """A name that nothing on the server has yet."""
        return f"{self.prefix}{word}{next(self._numbers)}"

    def mail(self, word: str = "user") -> str:
        """A userName that nobody has yet, in the domain that the server accepts."""
        return f"{self.name(word)}@{self.domain}"

    def send(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, bare: bool = False
    ) -> Response:
        """Send a request, with the token unless bare; returns the answer, whatever its status."""
        sent = {} if bare else {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {"Accept": SCIM_JSON, "User-Agent": "scim-conformance"}
        data = b""
        if body is not None:
            sent["Content-Type"] = SCIM_JSON
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        for key, value in (headers or {}).items():
            sent.pop(key, None)
            if value is not None:
                sent[key] = value
        self._bound()
        request = Request(method, path if "://" in path else f"{self.base_url}{path}", sent, data)
        response = self._answer(request, path)
        for _ in range(WAITS):
            wait = _seconds(response)
            if wait is None:
                break
            self._until += wait
            time.sleep(wait)
            response = self._answer(request, path)
        return response

    def _bound(self) -> None:
        self._sent += 1
        expect(self._sent <= MOST, f"more than {MOST} requests were needed")
        expect(time.monotonic() < self._until, f"not done within {self.patience:g} s")

    def _answer(self, request: Request, path: str) -> Response:
        response, problem = None, ""
        try:
            response = self.transport(request)
        except Unanswered as unanswered:
            problem = str(unanswered)
            raise Unmet(problem) from unanswered
        finally:
            self.evidence = [*self.evidence[1 - KEPT :], exchange(request, response, problem, self.token)]
        self.last = response
        if response.status >= 500 and response.status != 501:
            self.faults.append(f"{request.method} {path[:120]}: {response.status}")
        if response.status == 429:
            self.throttled.append(response)
        self._remember(request.method, path, response)
        return response

    def _remember(self, method: str, path: str, response: Response) -> None:
        if method != "POST" or response.status not in (200, 201) or not isinstance(response.value, dict):
            return
        where = urlsplit(path).path
        kind = next((one for one in ("/Users", "/Groups") if where.rstrip("/").endswith(one)), None)
        if kind and isinstance(response.value.get("id"), str):
            self.made.append(f"{kind}/{response.value['id']}")
        if where.endswith("/Bulk"):
            for one in response.value.get("Operations") or []:
                location = one.get("location") if isinstance(one, dict) else None
                if isinstance(location, str) and str(one.get("method")).upper() == "POST":
                    self.made.append("/" + "/".join(urlsplit(location).path.split("/")[-2:]))

    def call(self, method: str, path: str, body: Any = None, *, status: int | Sequence[int], **kw: Any) -> Json:
        """Send a request that must be answered with one of the statuses; returns the JSON object of the answer."""
        response = self.send(method, path, body, **kw)
        wanted = [status] if isinstance(status, int) else list(status)
        seen = f"{method} {path[:200]} was answered {response.status}, expected {' or '.join(map(str, wanted))}"
        expect(response.status in wanted, seen)
        if not response.body:
            return {}
        expect(isinstance(response.value, dict), f"the answer to {method} {path[:200]} is no JSON object")
        found: Json = response.value
        return found

    def read(self, path: str, **kw: Any) -> Json:
        """GET that must succeed."""
        return self.call("GET", path, status=200, **kw)

    def make(self, path: str, body: Json, **kw: Any) -> Json:
        """POST that must create."""
        return self.call("POST", path, body, status=201, **kw)

    def put(self, path: str, body: Json, **kw: Any) -> Json:
        """PUT that must succeed."""
        return self.call("PUT", path, body, status=200, **kw)

    def patch(self, path: str, *operations: Json, **kw: Any) -> Json:
        """PATCH that must succeed; returns the resource as it is afterwards, whether it was answered or not."""
        body = {"schemas": [PATCH_OP], "Operations": list(operations)}
        answered = self.call("PATCH", path, body, status=(200, 204), **kw)
        return answered if answered and path.startswith("/Users") else self.read(path)

    def delete(self, path: str) -> None:
        """DELETE that must succeed."""
        self.call("DELETE", path, status=204)
        if path in self.made:
            self.made.remove(path)

    def refused(
        self, method: str, path: str, body: Any = None, *, status: int | Sequence[int] = 400, kind: str = "", **kw: Any
    ) -> Json:
        """Send what must be refused with a SCIM error; a scimType that is given must be the one expected."""
        error = self.call(method, path, body, status=status, **kw)
        seen = self.last.status if self.last else 0
        expect(ERROR in (error.get("schemas") or []), f"the {seen} is no SCIM error: schemas {error.get('schemas')!r}")
        expect(error.get("status") == str(seen), f"status in the error is {error.get('status')!r}, not '{seen}'")
        if kind and error.get("scimType") is not None:
            expect(error["scimType"] in kind.split(), f"scimType is {error['scimType']!r}, expected {kind}")
        return error

    def refuse_patch(self, path: str, *operations: Any, status: int | Sequence[int] = 400, kind: str = "") -> Json:
        """PATCH that must be refused."""
        return self.refused(
            "PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)}, status=status, kind=kind
        )

    def user(self, **attributes: Any) -> Json:
        """Create a user; returns what was answered."""
        return self.make("/Users", self.person(**attributes))

    def person(self, **attributes: Any) -> Json:
        """The body of a new user."""
        return {"schemas": [USER], "userName": self.mail(), "active": True, **attributes}

    def group(self, *members: str, **attributes: Any) -> Json:
        """Create a group with these users in it."""
        listed = {"members": [{"value": one} for one in members]} if members else {}
        return self.make("/Groups", {"schemas": [GROUP], "displayName": self.name("group"), **listed, **attributes})

    def find(self, condition: str, path: str = "/Users", **parameters: Any) -> list[Json]:
        """The resources that a filter finds."""
        page = self.read(f"{path}{query(filter=condition, **parameters)}")
        expect(isinstance(page.get("totalResults"), int), "totalResults is no integer")
        return list(page.get("Resources") or [])

    def found(self, condition: str, path: str = "/Users", **parameters: Any) -> set[str]:
        """The ids of the resources that a filter finds."""
        return {str(one.get("id")) for one in self.find(condition, path, **parameters)}

    def once(self, name: str, build: "Callable[[], Any]") -> Any:
        """What several checks look at: made by the first of them, and kept until the run ends."""
        if name not in self.shared:
            kept = list(self.made)
            self.made.clear()
            try:
                self.shared[name] = build()
            finally:
                self.shared.setdefault("made", []).extend(self.made)
                self.made[:] = kept
        return self.shared[name]

    def follow(self, location: Any) -> Response:
        """GET an address of this server, which may be relative; the token is sent nowhere else."""
        expect(isinstance(location, str) and location, f"{location!r} is no address")
        address = self.resolve(location)
        self.need(self.is_here(address), f"{address} is on another host than {self.base_url}: it was not followed")
        return self.send("GET", address)

    def resolve(self, location: str) -> str:
        """The absolute form of an address: what is relative is relative to the base (RFC 7643 section 2.3.7)."""
        return urljoin(f"{self.base_url}/", location)

    def is_here(self, address: str) -> bool:
        """Whether an address has the scheme and the host that are tested."""
        here, there = urlsplit(self.base_url), urlsplit(address)
        return (here.scheme, here.netloc) == (there.scheme, there.netloc)

    def need(self, condition: object, reason: str) -> None:
        """Go on only where there is something to look at."""
        if not condition:
            raise NotApplicable(reason)


def _seconds(response: Response) -> int | None:
    """How long a throttled request waits before it is sent again, as every good client does; None for no time."""
    told = response.header("Retry-After") or ""
    is_told = response.status == 429 and told.isdigit() and len(told) < 4 and int(told) <= LONGEST_WAIT
    return int(told) if is_told else None
