"""The rules of a business account, for servers that announce its extension."""

from conformance.account import licences, people  # noqa: F401  they register their checks
