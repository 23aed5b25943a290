"""The WSGI entry point: `granian --interface wsgi wsgi:application`."""

from scim_server import create_app

application = create_app()
