"""How much of an account may be hit in a while: a number, or a share of it within bounds."""

import re
from dataclasses import dataclass
from functools import lru_cache

_TEXT = re.compile(r"(?P<number>\d{1,9})|(?P<percent>\d{1,3})%(?: min (?P<least>\d{1,9}))?(?: max (?P<most>\d{1,9}))?")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of changes, or a percentage of the account that is never less or more than a number."""

    least: int
    """So many are allowed whatever the size of the account."""
    percent: int = 0
    most: int | None = None

    @property
    def depends_on_size(self) -> bool:
        """Whether more than ``least`` may be allowed, by the size of the account."""
        return self.percent > 0

    def limit(self, size: int) -> int:
        """Return how many are allowed in an account of a size; a part of one counts as none."""
        share = max(self.least, size * self.percent // 100)
        return share if self.most is None else min(share, self.most)


@lru_cache(maxsize=1024)
def threshold(text: str) -> Threshold | None:
    """Read ``off``, ``50``, ``20%`` or ``20% min 20 max 500``; ValueError for anything else."""
    words = " ".join(text.lower().split())
    if words == "off":
        return None
    found = _TEXT.fullmatch(words)
    if found is None:
        raise ValueError
    given = {name: int(value) for name, value in found.groupdict().items() if value is not None}
    if "number" in given:
        return Threshold(given["number"])
    least, most = given.get("least", 0), given.get("most")
    if not 1 <= given["percent"] <= 100 or (most is not None and most < least):
        raise ValueError
    return Threshold(least, given["percent"], most)


def spelt(text: str) -> str:
    """Return the text of a threshold as it is stored and shown; ValueError where it is none."""
    threshold(text)
    return " ".join(text.lower().split())
