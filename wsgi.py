"""The WSGI entry point: `granian --interface wsgi wsgi:application`."""

import gc

from scim_server import create_app

application = create_app()
gc.freeze()  # what was built at start stays: no collection needs to walk it again
