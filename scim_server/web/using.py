"""Has the use of every token noted: the last one, the end that comes near, the refusal (provisioning/using.py)."""

import logging
from functools import partial

from flask import Flask, Response, g

from scim_server.protocol.documents import instant
from scim_server.provisioning.using import WARNED, Seldom, days_left, note_use, record_refusal
from scim_server.store.credentials import Credential
from scim_server.store.database import Database
from scim_server.store.identifiers import now
from scim_server.store.journal import Actor, Entry

log = logging.getLogger("scim_server")

PAUSE = 300
"""Seconds between two notes of a worker that a token was used."""
MINUTE, DAY = 60, 86_400


def install(app: Flask, database: Database, pause: float = PAUSE) -> None:
    """Have the uses of tokens noted."""
    app.after_request(partial(_note, database, Seldom(), pause))


def _note(database: Database, seldom: Seldom, pause: float, response: Response) -> Response:
    """Note what is due, once the answer is sent."""
    credential: Credential | None = g.get("credential")
    if credential is None:
        return response
    if g.get("refused") is not None:
        if seldom.is_due("refused", credential.id, MINUTE):
            response.call_on_close(partial(_record, database, credential, g.request_id, g.refused))
        return response
    if seldom.is_due("used", credential.id, pause):
        used = partial(note_use, database, credential.account_id, credential.id, is_foreign=credential.is_foreign)
        response.call_on_close(used)
    is_ours = credential.client_id is None and not credential.is_foreign
    days = days_left(credential.expires_at, now()) if is_ours else None
    if days is not None and days < WARNED and seldom.is_due("warned", credential.id, DAY):
        _warn(credential, days)
    return response


def _warn(credential: Credential, days: int) -> None:
    log.warning(
        "token %s of connection '%s' in account %s expires in %d days, at %s: issue another one for the connection, "
        "enter it in the identity provider, then revoke this one",
        credential.id, credential.connection, credential.account_id, days, instant(credential.expires_at or 0),
    )  # fmt: skip


def _record(database: Database, credential: Credential, request_id: str, detail: str) -> None:
    actor = Actor("scimToken", credential.connection, request_id)
    about = ("TrustedIssuer" if credential.is_foreign else "Credential", credential.id, credential.connection)
    entry = Entry("token.refused", "refused", *about, status=401, error="invalid_token", detail=detail)
    record_refusal(database, credential.account_id, actor, entry)
