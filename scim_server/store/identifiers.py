"""Identifiers that sort by time and cannot be guessed (UUID version 7, RFC 9562)."""

import secrets
import time
from uuid import UUID


def new_id() -> str:
    """Return a new identifier: 48 bits of milliseconds, then 74 random bits."""
    millis = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    number = (millis << 80) | (0x7 << 76) | ((random >> 62) << 64) | (0b10 << 62) | (random & (2**62 - 1))
    return str(UUID(int=number))


def now() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000
