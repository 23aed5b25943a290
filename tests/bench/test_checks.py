"""A wrong answer is noticed, whatever the scenario; ratios are those of what was measured."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from bench import goals, report
from bench.client import Answer
from bench.dataset import MIXED
from bench.measure import Cell, Results, run
from bench.scenarios import NAMES, SCENARIOS, chosen
from bench.side import Known, Scenario, Side, Wrong

BODY = json.dumps({"id": "1", "userName": "a@example.com", "totalResults": 7, "Resources": [], "members": []}).encode()


class _Constant(BaseHTTPRequestHandler):
    """Answers everything alike, quickly and wrongly."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Constant)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def _side(port: int) -> Side:
    server: Any = SimpleNamespace(port=port, name="constant", cpu_seconds=lambda: 0.0, check_alive=lambda: None)
    users = [Known(f"id{number}", number) for number in range(50)]
    groups = {"100": "g100", "10000": "g1", "100000": "g2", MIXED: "mixed"}
    side = Side(server, "none", users, 50, groups, lanes=2)
    side.tags = {known.id: 'W/"1"' for known in users}
    side.created = [Known("made", 5_000_000), Known("made2", 5_000_001)]
    side.joined = {"100": users[:3], "10000": users[:3], "100000": users[:3]}
    return side


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.key)
def test_server_that_answers_everything_alike_is_found_wrong(scenario: Scenario, port: int) -> None:
    assert run(_side(port), scenario, 0.02).wrong


def test_answer_of_another_user_is_wrong() -> None:
    side = _side(1)
    question = SCENARIOS[0].ask(side, 0, 0)
    assert question is not None
    right = {"id": "id0", "userName": side.users[0].user_name, "meta": {"version": 'W/"1"'}}
    question.check(Answer(200, json.dumps(right).encode(), 0.1))
    with pytest.raises(Wrong, match="userName"):
        question.check(Answer(200, json.dumps(right | {"userName": "b@example.com"}).encode(), 0.1))
    with pytest.raises(Wrong, match="status 500"):
        question.check(Answer(500, b"{}", 0.1))


def _cell(cpu: float, latency: float) -> Cell:
    return Cell(requests=100, seconds=2.0, cpu_seconds=cpu, latencies=[latency] * 100, body_bytes=1000)


def test_ratio_is_the_median_over_rounds_of_ours_over_the_floor() -> None:
    rounds = [(_cell(0.1, 0.001), _cell(0.2, 0.003)), (_cell(0.1, 0.001), _cell(0.5, 0.003))]
    rounds.append((_cell(0.2, 0.001), _cell(0.6, 0.003)))
    get = SCENARIOS[0]
    stage = report.stage(Results([get], {"get": rounds}), 1000, "sqlite") | {"memory_mb": {"ours": 100.0}}
    found = stage["scenarios"]["get"]
    assert found["ratios"] == [2.0, 5.0, 3.0]
    assert found["ratio"] == 3.0
    assert found["floor"]["cpu_us"] == 1000
    assert found["ours"]["cpu_us"] == 5000
    assert found["p50_ms_ratio"] == 3.0
    assert found["rate_ratio"] == 1.0
    assert found["verdict"] == "MISSED"
    twice = Results([get], {"get": [(_cell(0.1, 0.001), _cell(1.0, 0.003))]})
    larger = report.stage(twice, 10_000, "sqlite") | {"memory_mb": {"ours": 130.0}}
    growth = report.summary([stage, larger], {"database": "sqlite"})["growth"]
    assert [(one["ratio"], one["verdict"]) for one in growth] == [(2.0, "MISSED"), (1.3, "reached within 20 %")]


def test_goal_is_missed_only_beyond_the_margin() -> None:
    assert [goals.verdict(one, 2.0) for one in (2.0, 2.3, 2.41, None)] == [
        "reached",
        "reached within 20 %",
        "MISSED",
        "too short to tell",
    ]
    assert set(goals.GOALS) == set(NAMES)


def test_groups_that_do_not_fit_are_left_out() -> None:
    sizes = {users: {one.members for one in chosen(NAMES, users)} for users in (120, 1000, 20_000, 120_000)}
    assert sizes == {
        120: {None},
        1000: {None, 100},
        20_000: {None, 100, 10_000},
        120_000: {None, 100, 10_000, 100_000},
    }


def test_who_is_removed_or_deleted_was_added_or_created_before() -> None:
    assert [one.key for one in chosen(["delete"], 200)] == ["create", "delete"]
    assert [one.key for one in chosen(["member_remove"], 200)] == ["member_add_100", "member_remove_100"]
