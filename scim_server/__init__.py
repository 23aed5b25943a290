"""A SCIM 2.0 service provider for the business accounts of a secure e-mail service."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from scim_server.settings import Settings

__all__ = ["create_app"]


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Return the WSGI application; the settings come from the environment when none are given."""
    from scim_server.web import create

    return create(settings)
