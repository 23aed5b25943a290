"""Texts that a standard has a form for: countries, locales, languages, times, addresses of pages.

Countries, locales and languages are judged only where the profile of a connection asks for it (A-44).
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files

from scim_server.protocol.catalogue import USER

_SUBTAG = "[A-Za-z0-9]"
_LOCALE = re.compile(
    rf"""
    (?:
      (?: [A-Za-z]{{2,3}} (?:[-_][A-Za-z]{{3}}){{0,3}} | [A-Za-z]{{4,8}} )        # the language
      (?: [-_][A-Za-z]{{4}} )?                                                    # the script
      (?: [-_](?:[A-Za-z]{{2}}|[0-9]{{3}}) )?                                     # the region
      (?: [-_](?:{_SUBTAG}{{5,8}}|[0-9]{_SUBTAG}{{3}}) )*                         # variants
      (?: [-_][A-WY-Za-wy-z0-9](?:[-_]{_SUBTAG}{{2,8}})+ )*                       # extensions
      (?: [-_][Xx](?:[-_]{_SUBTAG}{{1,8}})+ )?                                    # private use
    | [Xx](?:[-_]{_SUBTAG}{{1,8}})+
    )""",
    re.VERBOSE,
)
"""A language tag (RFC 5646 section 2.1), its parts joined by a hyphen, or by the underscore that directories send."""
_GRANDFATHERED = frozenset(
    {
        "en-gb-oed", "i-ami", "i-bnn", "i-default", "i-enochian", "i-hak", "i-klingon", "i-lux", "i-mingo", "i-navajo",
        "i-pwn", "i-tao", "i-tay", "i-tsu", "sgn-be-fr", "sgn-be-nl", "sgn-ch-de",
    }
)  # fmt: skip
"""The tags of before RFC 5646 that do not have its form; the others of them do."""

_RANGE = r"(?:\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)(?:[ \t]*;[ \t]*[Qq]=(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
_LANGUAGES = re.compile(rf"{_RANGE}(?:[ \t]*,[ \t]*{_RANGE})*")
"""The value of an Accept-Language header (RFC 9110 section 12.5.4); its subtags are joined by hyphens (6007)."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)

_SCRIPT = re.compile(r"(?:javascript|data|vbscript):", re.IGNORECASE)
_UNREAD = re.compile("[\x00-\x20]")
"""What a browser does not read in front of a scheme or within it."""


@cache
def countries() -> frozenset[str]:
    """Return the codes of ISO 3166-1 alpha-2, as the time zone database publishes them."""
    text = (files("tzdata.zoneinfo") / "iso3166.tab").read_text("utf-8")
    return frozenset(line.partition("\t")[0] for line in text.splitlines() if not line.startswith("#"))


def is_country(text: str) -> bool:
    """Whether a text is the code of a country: ``CA``, never ``CAN`` (errata 5990, 5991)."""
    return text.upper() in countries()


def is_locale(text: str) -> bool:
    """Whether a text has the form of a language tag: ``en-US``, ``zh-Hant-TW``, also ``en_US``."""
    return _LOCALE.fullmatch(text) is not None or text.lower() in _GRANDFATHERED


def is_language_list(text: str) -> bool:
    """Whether a text has the form of an Accept-Language header: ``fr-CA, en;q=0.8``."""
    return _LANGUAGES.fullmatch(text) is not None


def is_time(text: str) -> bool:
    """Whether a text is an xsd:dateTime that exists: date and time, down to the second (RFC 7643 section 2.3.5)."""
    try:
        return _TIME.fullmatch(text) is not None and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def runs_script(address: str) -> bool:
    """Whether a browser that follows an address would run what it says instead of fetching a page."""
    return _SCRIPT.match(_UNREAD.sub("", address)) is not None


FORMATS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    f"{USER}:addresses.country": (is_country, "a country code of ISO 3166-1 such as CA"),
    f"{USER}:locale": (is_locale, "a locale such as en-US"),
    f"{USER}:preferredLanguage": (is_language_list, "a list of languages such as fr-CA, en;q=0.8"),
}
"""The attributes whose texts have a form, by their fully qualified names: the test, and the words for it."""
