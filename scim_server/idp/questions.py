"""What a filter asks, without the values: ``userName Eq``, ``emails[type eq].value eq``, ``and``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from scim_server.protocol.catalogue import Endpoint

LONGEST = 4096
"""Characters of a filter that are looked at."""
LONGEST_QUESTION = 200
UNREADABLE = "unreadable"
OPERATORS = frozenset({"eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "pr"})

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_TOKEN = re.compile(r'""|[()\[\]]|[^\s()\[\]"]+')


def questions(endpoint: Endpoint, condition: str) -> tuple[str, ...]:
    """Return the comparisons and connectives of a filter as the client spells them, each once.

    A name that no schema knows is told as ``?``: it could be part of a value that the client forgot to quote.
    """
    return _asked(endpoint, " ".join(_TEXT.sub('""', condition[:LONGEST]).split())[:1000])


def without_urn(endpoint: Endpoint, name: str) -> bool:
    """Whether a name is that of an extension's attribute that lacks the URN."""
    return ":" not in name and any(endpoint.named(f"{urn}:{name}") for urn in endpoint.extensions)


@lru_cache(maxsize=512)
def _asked(endpoint: Endpoint, text: str) -> tuple[str, ...]:
    reader = _Reader(endpoint, _TOKEN.findall(text))
    try:
        found = [one[:LONGEST_QUESTION] for one in reader.read()]
    except (IndexError, ValueError):
        found = [UNREADABLE]
    return tuple(dict.fromkeys(found))


@dataclass
class _Reader:
    """Walks the tokens of a filter whose texts are blanked; ValueError and IndexError where they are none."""

    endpoint: Endpoint
    tokens: list[str]
    place: int = 0
    within: str = ""
    """The attribute whose elements are asked about, with a dot."""

    def read(self) -> Iterator[str]:
        """Yield what is asked, up to the end or the bracket that closes."""
        joined = True
        while self.place < len(self.tokens):
            word = self._next()
            if word == "]":
                return
            if word in "()":
                continue
            if word.lower() in ("and", "or", "not"):
                yield word
                joined = True
            elif joined:
                yield self._comparison(word)
                joined = False
            else:
                raise ValueError(word)

    def _comparison(self, name: str) -> str:
        shown = name if self._is_known(name) else "?"
        if self._peek() == "[":
            shown = f"{shown}[{self._elements(name)}]"
            if not self._peek().startswith("."):
                return shown
            part = self._next()
            shown += part if self._is_known(f"{name}{part}") else ".?"
        operator = self._next()
        if operator.lower() not in OPERATORS:
            raise ValueError(operator)
        if operator.lower() != "pr" and self._next() in "()[]":
            raise ValueError(name)
        return f"{shown} {operator}"

    def _elements(self, name: str) -> str:
        """Read the question between brackets, and what closes it."""
        if self.within:
            raise ValueError(name)  # brackets do not nest (RFC 7644 section 3.4.2.2)
        self._next()
        self.within = f"{name}."
        asked = " ".join(self.read())
        self.within = ""
        return asked

    def _is_known(self, name: str) -> bool:
        full = f"{self.within}{name}"
        return self.endpoint.named(full) is not None or without_urn(self.endpoint, full)

    def _next(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1]

    def _peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""
