"""The WSGI application: the only place where the parts meet."""

from flask import Flask, Response, g

from scim_server.protocol.catalogue import Catalogue
from scim_server.provisioning import Limits, Service
from scim_server.settings import Settings, load
from scim_server.store.database import Database
from scim_server.store.identifiers import new_id
from scim_server.store.upgrading import NotUpgraded, check
from scim_server.web import discovery, errors, scim

HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
)


def create(settings: Settings | None = None) -> Flask:
    """Return the application; raises SettingsError, or an error that says to upgrade the database."""
    settings = settings or load()
    app = Flask("scim_server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.merge_slashes = False  # which would answer with a redirect (HTP-17)
    limits = Limits(
        page=settings.max_page,
        default_page=settings.default_page,
        patch_operations=settings.max_patch_operations,
        members=settings.max_members_per_request,
    )
    catalogue = Catalogue(extra=settings.extra_schemas)
    database = Database(app, settings.database_url)
    try:
        check(database)
    except NotUpgraded:
        database.engine.dispose()
        raise
    app.extensions["scim"] = Service(catalogue, database, settings.external_url + scim.BASE_PATH, limits)
    routes = scim.blueprint(list(catalogue.endpoints.values()))
    discovery.install(routes, catalogue, limits, settings.max_body_bytes)
    app.register_blueprint(routes)
    errors.install(app)
    app.before_request(_name_request)
    app.after_request(_add_headers)
    return app


def _name_request() -> None:
    g.request_id = new_id()


def _add_headers(response: Response) -> Response:
    for name, value in (*HEADERS, ("X-Request-Id", g.request_id)):
        response.headers.add(name, value)
    return response
