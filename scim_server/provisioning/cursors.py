"""Cursors: positions in a walk, sealed, so that no client can read, forge or lend them (RFC 9865 section 5).

The key is derived from the credential's digest, which every worker has when it has identified the caller: there is
no secret to distribute, and the cursor of another credential cannot be opened.
"""

import hashlib
import hmac
from decimal import Decimal
from typing import Any

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from scim2_models import InvalidCursorException

from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.searches import Search
from scim_server.provisioning.caller import Caller
from scim_server.store.walks import Position

_HEADER = {"alg": "dir", "enc": "A256GCM"}
_PURPOSE = b"scim-server: cursors"
_DECIMAL = "decimal"


def seal(caller: Caller, endpoint: Endpoint, asked: Search, position: Position) -> str:
    """Return a position as a cursor that this caller can go on from, with this query alone; it is URL-safe."""
    key: Any = position.key
    if isinstance(key, Decimal):
        key = {_DECIMAL: str(key)}
    return jwe.encrypt_compact(_HEADER, orjson.dumps([_query(endpoint, asked), key, position.ties]), _key(caller))


def unseal(caller: Caller, endpoint: Endpoint, asked: Search) -> Position | None:
    """Return the position of the cursor of a search, None at the beginning of a walk; raises invalidCursor."""
    if not asked.cursor:
        return None
    try:
        query, key, ties = orjson.loads(jwe.decrypt_compact(asked.cursor, _key(caller)).plaintext or b"")
    except (JoseError, ValueError):
        raise InvalidCursorException(
            detail="the cursor is none that this server gave to this token; begin again with an empty cursor"
        ) from None
    if query != _query(endpoint, asked):
        raise InvalidCursorException(
            detail="the cursor belongs to another query; repeat the endpoint, filter, sortBy and sortOrder of the one "
            "that it came from, or begin again with an empty cursor"
        )
    return Position(Decimal(key[_DECIMAL]) if isinstance(key, dict) else key, tuple(ties))


def _key(caller: Caller) -> OctKey:
    return OctKey.import_key(hmac.digest(caller.credential.encode(), _PURPOSE, hashlib.sha256))


def _query(endpoint: Endpoint, asked: Search) -> str:
    """Return a digest of what decides the order and the number of the resources."""
    told = orjson.dumps([endpoint.path, asked.filter, asked.sort_by, asked.descending])
    return hashlib.sha256(told).hexdigest()[:32]
