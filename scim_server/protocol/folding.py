"""The one way strings are compared: in filters, sorts, uniqueness and PATCH selections."""

from typing import Any
from unicodedata import category, normalize

from scim2_models import ScimPolicy

_WIDTHS = {
    code: mapped
    for code in (*range(0x3000, 0x3001), *range(0xFF00, 0xFFF0))
    if (mapped := normalize("NFKC", chr(code))) != chr(code)
}
"""Full-width and half-width characters onto their usual forms (RFC 8265 section 3.3, width mapping)."""


def fold(value: str, case_exact: bool = False) -> str:
    """Return the string that comparisons use in place of ``value``: NFC, and lower-cased unless case-exact.

    Lower-casing may leave NFC, so NFC is applied again; the result is a fixed point of the function.
    """
    normal = normalize("NFC", value)
    return normal if case_exact else normalize("NFC", normal.lower())


def fold_name(value: str) -> str:
    """Return the comparison key of a userName: width-mapped besides folded (RFC 7644 section 5, A-37)."""
    return fold(value.translate(_WIDTHS))


def invisible(name: str) -> str | None:
    """Return the first character of a userName that is not seen, or None (RFC 8265 section 3.3, USR-08).

    Formatting and control characters, line separators, blanks that are not the usual one, and what Unicode has not
    assigned (whose folding may yet change): with them two names could look the same.
    """
    return next((char for char in name if category(char) in _UNSEEN or ord(char) in _FILLERS), None)


def opaque(password: str) -> str | None:
    """Return a password as it is digested, or None where it may not be one (RFC 8265 section 4.2, PWD-02).

    The same letters and blanks are the same password however a keyboard writes them; case and width are kept.
    """
    blanks = "".join(" " if category(char) == "Zs" else char for char in password)
    return None if not blanks or any(category(char) in _UNSEEN for char in blanks) else normalize("NFC", blanks)


_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_FILLERS = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | {0x00A0, 0x1680, 0x202F, 0x205F, *range(0x2000, 0x200B)}
    | {*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
)
"""Letters, marks, symbols and blanks that show nothing, variation selectors among them (RFC 8264 section 9.13)."""


def comparison_key(binding: Any, value: str) -> str:
    """Fold a value of the bound attribute; the hook scim2-models compares through."""
    if binding.urn.lower().endswith(":user:username"):
        return fold_name(value)
    return fold(value, binding.case_exact)


TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
    comparison_key=comparison_key,
)
"""What the default profile lets scim2-models tolerate (A-02, A-01, A-05)."""
