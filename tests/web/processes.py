"""Processes that each have an application of their own on one database, and send requests at the same moment."""

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import orjson
from flask import Flask
from webtest import TestApp

from scim_server import create_app
from scim_server.provisioning.grace import sweep
from scim_server.settings import Settings

from .conftest import Api

Request = tuple[str, str, Any]
"""Method, path, body."""
SWEEP: Request = ("SWEEP", "", None)
"""Not a request: the sweep that cron runs."""
PATIENCE = 60.0
SECONDS = 1
"""How long a process goes by what it knows of a token; fewer than a server of its own, so that tests need not wait."""


@dataclass(frozen=True)
class Crew:
    """Processes that wait for work."""

    pipes: Sequence[Connection]

    def at_once(self, api: Api, *work: Sequence[Request]) -> list[list[int]]:
        """Have each process send requests to an account one after the other, all beginning together.

        Returns the statuses of each; of a sweep, how many seats it released.
        """
        for pipe, requests in zip(self.pipes, work, strict=True):
            pipe.send((api.account_id, api.token, list(requests)))
        assert all(pipe.poll(PATIENCE) for pipe in self.pipes), "the processes wait for each other"
        return [pipe.recv() for pipe in self.pipes]


@contextmanager
def crew(database_url: str, size: int, **settings: Any) -> Iterator[Crew]:
    """Start processes on a database, and end them; they send as fast as they can unless ``settings`` say otherwise."""
    settings = {"rate_limit": None, **settings}
    spawning = multiprocessing.get_context("spawn")
    barrier = spawning.Barrier(size)
    pipes, processes = [], []
    for _ in range(size):
        ours, theirs = spawning.Pipe()
        processes.append(spawning.Process(target=serve, args=(database_url, theirs, barrier, settings), daemon=True))
        processes[-1].start()
        pipes.append(ours)
    try:
        assert all(pipe.poll(PATIENCE) and pipe.recv() == "ready" for pipe in pipes)
        yield Crew(pipes)
    finally:
        for pipe in pipes:
            pipe.send(None)
        for process in processes:
            process.join(PATIENCE)
            process.close()


def serve(database_url: str, pipe: Connection, barrier: Any, settings: dict[str, Any]) -> None:
    """Do the work that comes through the pipe until None comes: the main function of a process."""
    app = create_app(Settings(database_url, "http://localhost", credential_seconds=SECONDS, **settings))
    pipe.send("ready")
    while (work := pipe.recv()) is not None:
        account_id, token, requests = work
        barrier.wait(PATIENCE)
        pipe.send([_answer(app, account_id, token, *request) for request in requests])
    app.extensions["scim"].database.engine.dispose()


def _answer(app: Flask, account_id: str, token: str, method: str, path: str, body: Any) -> int:
    if method == "SWEEP":
        return sweep(app.extensions["scim"].database, account_id)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
    answer = TestApp(app, lint=False).request(
        f"/scim/v2{path}", method=method, headers=headers, body=orjson.dumps(body), expect_errors=True
    )
    return answer.status_int
