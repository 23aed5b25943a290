"""Identifiers that sort by time and cannot be guessed (UUID version 7, RFC 9562)."""

import hashlib
import secrets
import time
from uuid import UUID


def new_id() -> str:
    """Return a new identifier: 48 bits of milliseconds, 12 of their fraction (RFC 9562 method 3), 62 random bits."""
    millis, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000  # so that what follows within a millisecond sorts behind
    number = (millis << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | secrets.randbits(62)
    return str(UUID(int=number))


def lock_number(text: str) -> int:
    """Return the number of the advisory lock of PostgreSQL that stands for what a text names."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True)


def now() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000
