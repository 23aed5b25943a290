"""Random requests against a real server: every answer is a SCIM one, none is above 499, and the server stays as it is.

``SCIM_FUZZ_EXAMPLES=30000 pytest tests/web/test_fuzz.py`` runs for longer.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from socket import socket

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.live import SCIM, Answer, Server, check, received, serving
from tests.web.random_requests import CANARY, Request, requests

EXAMPLES = int(os.environ.get("SCIM_FUZZ_EXAMPLES", "700"))
GROWTH = 48
"""Megabytes by which the memory of the worker may grow once it has seen a third of the requests, or a thousand."""
KEPT = 40
"""How many users and groups are kept to be changed; when there are more, the oldest goes."""


class Fuzzer:
    """A client on raw sockets, with keep-alive, that checks whatever comes back."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.statuses: Counter[int] = Counter()
        self.ids: dict[str, list[str]] = {"Users": [], "Groups": []}
        self.memory: list[int] = []
        self._socket: socket | None = None
        for number in range(3):
            self.send(Request("POST", "/Users", body=b'{"userName":"first%d"}' % number))
            self.send(Request("POST", "/Groups", body=b'{"displayName":"First %d"}' % number))

    def send(self, request: Request) -> None:
        """Send a request, and assert what holds for every answer."""
        answer = self._answered(request)
        self.statuses[answer.status] += 1
        if self.statuses.total() in (EXAMPLES // 3, 1000, EXAMPLES):
            self.memory.append(self.server.memory())
        if not answer.is_from_the_application:  # refused by the HTTP server: no method, no path, no header of HTTP
            assert answer.status in (400, 414, 431), answer
            assert answer.body == b""
            return
        check(answer, request.method)
        locations = [answer.headers.pop(name, "") for name in ("location", "content-location")]
        where = rf"http://127\.0\.0\.1:{self.server.port}/scim/v2/[A-Za-z]+/[A-Za-z0-9._~-]+"
        assert all(re.fullmatch(where, one) for one in locations if one), locations
        assert CANARY not in str(answer.headers), answer.headers
        if answer.status == 201:
            self._keep(locations[0])
        if answer.status == 204 and request.method == "DELETE":
            self._forget(request)

    def _forget(self, request: Request) -> None:
        """Let another take the place of a resource that is gone."""
        kind = request.path.split("/")[1]
        known = self.ids[kind]
        if "{0}" in request.path and known:
            known.pop(request.pick % len(known))
            self.send(
                Request(
                    "POST",
                    f"/{kind}",
                    body=b'{"userName":"new%d","displayName":"new%d"}' % ((self.statuses.total(),) * 2),
                )
            )

    def _keep(self, location: str) -> None:
        kind, identifier = location.split("/")[-2:]
        self.ids[kind].append(identifier)
        if len(self.ids[kind]) > KEPT:
            self.send(Request("DELETE", f"/{kind}/{self.ids[kind].pop(0)}"))

    def _answered(self, request: Request) -> Answer:
        data = self._data(request)
        for attempt in range(2):
            kept = self._socket is not None
            self._socket = self._socket or self.server.connect(20)
            try:
                self._socket.sendall(data)
                response = HTTPResponse(self._socket, method=request.method)
                response.begin()
                answer = received(response)
            except ConnectionError:  # the server may close a kept connection, never one that it was just given
                assert kept and attempt == 0, data[:2000]
                self.close()
                continue
            if response.will_close or answer.headers.get("connection") == "close":
                self.close()
            return answer
        raise AssertionError(data[:2000])

    def _data(self, request: Request) -> bytes:
        known = self.ids["Groups" if request.path.startswith("/Groups") else "Users"] or ["none"]
        one = known[request.pick % len(known)]
        lines = {"Host": "localhost", "Authorization": f"Bearer {self.server.token}"}
        if request.body is not None:
            lines |= {"Content-Type": SCIM}
        lines |= dict(request.headers)
        body = (
            b"" if request.body is None else request.body.replace(b"{0}", (self.ids["Users"] or ["none"])[-1].encode())
        )
        if request.body is not None:
            lines["Content-Length"] = str(len(body))
        query = b"?" + request.query if request.query else b""
        target = f"/scim/v2{request.path.replace('{0}', one)}".encode("latin-1") + query
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode("latin-1")
        return b"%s %s HTTP/1.1\r\n%s\r\n%s" % (request.method.encode(), target, head, body)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


@pytest.fixture(params=["sqlite", "postgresql"])
def fuzzer(
    request: pytest.FixtureRequest, make_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fuzzer]:
    """A client of a server of its own, whose log must be without a traceback when it ends."""
    with serving(make_url(request.param), tmp_path_factory.mktemp("server")) as server:
        client = Fuzzer(server)
        yield client
        client.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_random_requests_get_scim_answers(fuzzer: Fuzzer) -> None:
    """OBS-01, OBS-02: no 5xx but 501 in the whole run, every 429 with Retry-After and a SCIM error; see check()."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests)
    def run(request: Request) -> None:
        fuzzer.send(request)

    run()
    assert fuzzer.statuses.total() >= EXAMPLES
    assert fuzzer.statuses.keys() >= {200, 201, 400}
    assert len(fuzzer.statuses) >= 8, fuzzer.statuses
    assert fuzzer.statuses[200] + fuzzer.statuses[201] + fuzzer.statuses[204] > EXAMPLES // 10
    assert fuzzer.memory[-1] - fuzzer.memory[0] < GROWTH, fuzzer.memory
    assert fuzzer.server.ask("GET", "/Users?count=1").status == 200
