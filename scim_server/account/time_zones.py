"""Which time zones there are, and what a name that is none may have meant (R15)."""

from functools import cache
from types import MappingProxyType
from zoneinfo import available_timezones

WINDOWS_NAMES = MappingProxyType(
    {
        "AUS Eastern Standard Time": "Australia/Sydney",
        "Alaskan Standard Time": "America/Anchorage",
        "Arab Standard Time": "Asia/Riyadh",
        "Arabian Standard Time": "Asia/Dubai",
        "Argentina Standard Time": "America/Argentina/Buenos_Aires",
        "Atlantic Standard Time": "America/Halifax",
        "Canada Central Standard Time": "America/Regina",
        "Central America Standard Time": "America/Guatemala",
        "Central Europe Standard Time": "Europe/Budapest",
        "Central European Standard Time": "Europe/Warsaw",
        "Central Standard Time": "America/Chicago",
        "Central Standard Time (Mexico)": "America/Mexico_City",
        "China Standard Time": "Asia/Shanghai",
        "E. Africa Standard Time": "Africa/Nairobi",
        "E. Australia Standard Time": "Australia/Brisbane",
        "E. Europe Standard Time": "Europe/Chisinau",
        "E. South America Standard Time": "America/Sao_Paulo",
        "Eastern Standard Time": "America/New_York",
        "Egypt Standard Time": "Africa/Cairo",
        "FLE Standard Time": "Europe/Kyiv",
        "GMT Standard Time": "Europe/London",
        "GTB Standard Time": "Europe/Bucharest",
        "Greenwich Standard Time": "Atlantic/Reykjavik",
        "Hawaiian Standard Time": "Pacific/Honolulu",
        "India Standard Time": "Asia/Kolkata",
        "Israel Standard Time": "Asia/Jerusalem",
        "Korea Standard Time": "Asia/Seoul",
        "Morocco Standard Time": "Africa/Casablanca",
        "Mountain Standard Time": "America/Denver",
        "New Zealand Standard Time": "Pacific/Auckland",
        "Newfoundland Standard Time": "America/St_Johns",
        "Pacific SA Standard Time": "America/Santiago",
        "Pacific Standard Time": "America/Los_Angeles",
        "Romance Standard Time": "Europe/Paris",
        "Russian Standard Time": "Europe/Moscow",
        "SA Pacific Standard Time": "America/Bogota",
        "SE Asia Standard Time": "Asia/Bangkok",
        "Singapore Standard Time": "Asia/Singapore",
        "South Africa Standard Time": "Africa/Johannesburg",
        "Tokyo Standard Time": "Asia/Tokyo",
        "Turkey Standard Time": "Europe/Istanbul",
        "US Mountain Standard Time": "America/Phoenix",
        "UTC": "Etc/UTC",
        "W. Australia Standard Time": "Australia/Perth",
        "W. Central Africa Standard Time": "Africa/Lagos",
        "W. Europe Standard Time": "Europe/Berlin",
    }
)
"""The commonest time zone names of Windows, which directories send, with the IANA names of the same zones."""


@cache
def _names() -> frozenset[str]:
    """Return the IANA names of places, read once."""
    return frozenset(available_timezones() - {"Factory", "localtime"})


@cache
def _spellings() -> dict[str, str]:
    """Return the IANA name for each name that people write for it, lower-cased."""
    windows = {name.lower(): iana for name, iana in WINDOWS_NAMES.items()}
    return windows | {name.lower(): name for name in _names()}


def is_time_zone(name: str) -> bool:
    """Tell whether the name is an IANA time zone, spelt as IANA spells it."""
    return name in _names()


def meant_time_zone(name: str) -> str | None:
    """Return the IANA name of the zone that a Windows name, or another spelling, stands for."""
    return _spellings().get(name.strip().lower())
