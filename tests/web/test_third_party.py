"""Independent judges: scim2-tester through scim2-client, against a test account."""

from collections.abc import Callable
from typing import Any

from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import BulkResponse, Error, Extension, Resource, ResourceType, Schema, ScimPolicy, ScimProvider
from scim2_tester import CheckResult, Status, check_server

from scim_server.protocol.catalogue import Catalogue
from scim_server.store.accounts import LICENCE_TYPES
from tests.extra_types import EXTRA
from tests.web.bulk import delete, new_group, new_user, put
from tests.web.conftest import BULK_REQUEST, ENTERPRISE, GROUP, USER, Api

FAILED = (Status.ERROR, Status.CRITICAL, Status.DEVIATION)


def client_of(api: Api, provider: ScimProvider | None = None) -> WSGISCIMClient:
    headers = {"Authorization": f"Bearer {api.token}"}
    return WSGISCIMClient(api.app, base_url="http://localhost/scim/v2", headers=headers, provider=provider)


def test_account(new_account: Callable[..., Api]) -> Api:
    """An account as `scim-server account create --test` makes it, with licences of every type."""
    api = new_account(licences=50, domains__enforcement="off", timezone__enforcement="off")
    for licence_type in LICENCE_TYPES:
        api.buy(licence_type, 50)
    api.user("keeper", ext={"role": "administrator"})  # so that no other one is the last (R21)
    return api


test_account.__test__ = False


def without_the_account(*extra: str) -> ScimProvider:
    """The core and enterprise schemas as they are published, without the account's extensions; and these extra types.

    The tester fills every attribute that it knows with random words, which no licence type is called.
    """
    schemas = Catalogue().schemas
    core = [Resource.from_schema(Schema.model_validate(schemas[urn])) for urn in (USER, GROUP)]
    enterprise = Extension.from_schema(Schema.model_validate(schemas[ENTERPRISE]))
    extension = {"schema": ENTERPRISE, "required": False}
    types = [
        ResourceType.model_validate(
            {"name": "User", "endpoint": "/Users", "schema": USER, "schemaExtensions": [extension]}
        ),
        ResourceType.model_validate({"name": "Group", "endpoint": "/Groups", "schema": GROUP}),
    ]
    configured = Catalogue(extra=EXTRA) if extra else None
    extensions = [enterprise]
    for document in (configured.resource_types[name] for name in extra) if configured else ():
        types.append(ResourceType.model_validate(document))
        core.append(Resource.from_schema(Schema.model_validate(as_tested(configured.schemas[document["schema"]]))))
        urns = [one["schema"] for one in document.get("schemaExtensions", ())]
        extensions += [Extension.from_schema(Schema.model_validate(as_tested(configured.schemas[urn]))) for urn in urns]
    ignoring = ScimPolicy(unknown=ScimPolicy.Unknown.ignore)
    return ScimProvider([*core, *extensions], types, policy=ignoring)


def as_tested(definition: dict[str, Any]) -> dict[str, Any]:
    """A schema or an attribute of one without what the tester gets wrong."""
    parts = [name for name in ("attributes", "subAttributes") if name in definition]
    left = {name: [one for one in definition[name] if is_tested(definition, one)] for name in parts}
    return {**definition, **{name: [as_tested(one) for one in some] for name, some in left.items()}}


def is_tested(whole: dict[str, Any], one: dict[str, Any]) -> bool:
    """Whether the tester can test an attribute.

    It sends random words for decimals and times, compares the text of base64 with bytes, does not ask for what is
    returned on request, expects to remove what has an immutable part, and that an add to a list of an extension, which
    it has filled before, replaces the list.
    """
    return (
        one["type"] not in ("decimal", "dateTime", "binary")
        and one["returned"] != "request"
        and not ("subAttributes" in whole and one["mutability"] == "immutable")
        and not (":extension:" in whole.get("id", "") and one["multiValued"])
    )


def told(results: list[CheckResult]) -> list[str]:
    return [f"{one.title} {one.resource_type}: {one.reason}" for one in results if one.status in FAILED]


def test_scim2_tester_passes_all_checks_on_a_test_account(new_account: Callable[..., Api]) -> None:
    results = check_server(client_of(test_account(new_account), without_the_account()))
    assert len(results) > 100
    assert told(results) == []


def test_scim2_client_reads_the_answer_to_a_bulk_request(api: Api) -> None:
    """BLK-01: its models judge request and answer, and its own check of the announced limits lets it through."""
    client = client_of(api, without_the_account())
    client.discover(schemas=False, resource_types=False)
    taken = put("/Users/bulkId:ava", {"schemas": [USER], "userName": api.mail("bob")})
    operations = [new_group("G", "bulkId:ava"), new_user(api, "ava"), new_user(api, "bob"), taken, delete("/Users/x")]
    answer = client.bulk({"schemas": [BULK_REQUEST], "Operations": operations})
    assert isinstance(answer, BulkResponse)
    assert [int(one.status or 0) for one in answer.operations or []] == [201, 201, 201, 409, 404]
    assert [type(one.response) for one in answer.operations or []] == [type(None)] * 3 + [Error] * 2
