"""The WSGI application: the only place where the parts meet."""

import logging

from flask import Flask, Response, g

from scim_server.protocol.catalogue import Catalogue
from scim_server.provisioning import Limits, Service
from scim_server.settings import Settings, load
from scim_server.store.database import Database
from scim_server.store.filters import FilterLimits
from scim_server.store.identifiers import new_id
from scim_server.store.replica import Replica
from scim_server.store.upgrading import NotUpgraded, check, is_above_rows
from scim_server.web import (
    auth,
    braking,
    bulk,
    certificates,
    discovery,
    errors,
    failing,
    federation,
    metadata,
    noticing,
    oauth,
    protecting,
    scim,
    using,
)

log = logging.getLogger("scim_server")


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
        bulk_operations=settings.max_bulk_operations,
        bulk_bytes=settings.max_bulk_bytes,
        filter=FilterLimits(settings.max_filter_bytes, settings.max_filter_terms),
        nesting=settings.max_nesting,
        seconds=settings.request_seconds,
    )
    catalogue = Catalogue(extra=settings.extra_schemas)
    database = Database(app, settings.database_url, settings.request_seconds)
    try:
        check(database)
    except NotUpgraded:
        database.engine.dispose()
        raise
    if is_above_rows(database):
        log.warning("the database's role is a superuser, or has BYPASSRLS: row-level security does not hold it")
    url = settings.replica_url
    replica = Replica(database, url, settings.request_seconds) if url else None
    service = Service(catalogue, database, settings.external_url + scim.BASE_PATH, limits, replica=replica)
    app.extensions["scim"] = service
    auth.install(app, database, settings.credential_seconds)
    federation.install(app)
    braking.install(app, service, settings)
    routes = scim.blueprint(list(catalogue.endpoints.values()))
    metadata.install(app, settings, scim.BASE_PATH)
    discovery.install(routes, catalogue, limits, metadata.is_served(app))
    bulk.install(routes)
    app.register_blueprint(routes)
    errors.install(app)
    failing.install(app.name)
    noticing.install(app, service, scim.BASE_PATH)
    using.install(app, database)
    certificates.install(app, settings.tls_client_header)
    if metadata.is_served(app):
        oauth.install(app)
    app.before_request(_name_request)
    app.after_request(_tell_name)
    protecting.install(app, settings.external_url)
    return app


def _name_request() -> None:
    g.request_id = new_id()


def _tell_name(response: Response) -> Response:
    response.headers.add("X-Request-Id", g.request_id)
    return response
