"""PATCH against the reference: what is stored is what scim2-models' own PatchOp makes of the document.

The operations leave out what is known of the library: members (S3), the same value twice in one operation (S4), readOnly
attributes (S14), ``schemas`` (S16), removals by value (S25) and keys with a filter (S26).
"""

from itertools import count
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scim2_models import Context, PatchOp, SCIMException

from scim_server.idp.profiles import profiles
from scim_server.protocol.catalogue import Endpoint
from tests.web.conftest import ENTERPRISE, PATCH_OP, USER, Api, op

DEFAULT = profiles()["default"]
_names = count(1)

words = st.sampled_from(["a", "b", "A", "é", "  x ", '"q"', "\\", "<b>", "0"])
names = st.dictionaries(st.sampled_from(["givenName", "familyName", "middleName"]), words, min_size=1)
elements = st.fixed_dictionaries(
    {"value": words},
    optional={"type": st.sampled_from(["xmpp", "aim", "own"]), "display": words, "primary": st.booleans()},
)
lists = st.lists(elements, max_size=3, unique_by=lambda one: orjson.dumps(one, option=orjson.OPT_SORT_KEYS)).filter(
    lambda all_: sum(one.get("primary") is True for one in all_) <= 1
)
enterprise = st.dictionaries(st.sampled_from(["department", "costCenter", "division"]), words, min_size=1)
documents = st.fixed_dictionaries(
    {}, optional={"title": words, "nickName": words, "name": names, "ims": lists, ENTERPRISE: enterprise}
)

literals = st.sampled_from(["a", "b", "é", "xmpp", "aim", "own", "0"]).map(lambda text: f'"{text}"')
comparisons = st.builds(
    "{} {} {}".format, st.sampled_from(["type", "value", "display", "TYPE"]), st.sampled_from(["eq", "ne", "sw", "co"]), literals
) | st.sampled_from(["primary eq true", "primary eq false", "display pr", "not (type pr)"])  # fmt: skip
choices = comparisons | st.builds(
    "{} {} {}".format, comparisons, st.sampled_from(["and", "or"]), comparisons
)  # fmt: skip
verbs = st.sampled_from(["add", "replace"])
chosen = choices.map("ims[{}]".format)
operations = st.one_of(
    st.builds(op, verbs, st.sampled_from(["title", "nickName", "NICKNAME", f"{USER}:title"]), words),
    st.builds(op, verbs, st.sampled_from(["name.givenName", "name.familyName", "Name.MiddleName"]), words),
    st.builds(op, st.just("replace"), st.sampled_from(["title", "nickName", "name.givenName"]), st.none()),
    st.builds(op, verbs, st.just("name"), names),
    st.builds(op, verbs, st.just("ims"), lists | elements),
    st.builds(op, verbs, chosen, elements),
    st.builds(op, verbs, chosen.map("{}.display".format), words),
    st.builds(op, verbs, chosen.map("{}.primary".format), st.booleans()),
    st.builds(op, verbs, st.sampled_from([f"{ENTERPRISE}:department", f"{ENTERPRISE}:costCenter"]), words),
    st.builds(op, verbs, st.just(ENTERPRISE), enterprise),
    st.builds(lambda verb, value: op(verb, value=value), verbs, documents.filter(bool)),
    st.builds(
        op,
        st.just("remove"),
        st.sampled_from(
            ["title", "nickName", "name", "name.givenName", "ims", "ims.display", f"{ENTERPRISE}:department"]
        )
        | chosen
        | chosen.map("{}.display".format),
    ),
)


def by_the_library(endpoint: Endpoint, document: Any, sent: list[Any]) -> dict[str, Any] | None:
    """What PatchOp makes of a document, or None where it refuses."""
    model: Any = endpoint.model
    resource = model.model_validate({"schemas": [USER], "id": "1", "userName": "u", **document})
    body = {"schemas": [PATCH_OP], "Operations": sent}
    try:
        message = PatchOp[model].model_validate(
            body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=DEFAULT.policy
        )
        message.patch(resource, DEFAULT.policy)
    except (SCIMException, ValidationError):
        return None
    return written(resource.model_dump())


def written(document: dict[str, Any]) -> dict[str, Any]:
    """What the operations write of a user."""
    return {name: document[name] for name in ("title", "nickName", "name", "ims", ENTERPRISE) if document.get(name)}


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(document=documents, sent=st.lists(operations, min_size=1, max_size=4))
def test_patched_user_is_what_the_reference_makes_of_it(api: Api, document: Any, sent: list[Any]) -> None:
    """RFC 7644 section 3.5.2; what the reference refuses is refused and changes nothing."""
    user = api.user(f"u{next(_names)}", **document)
    path = f"/Users/{user['id']}"
    assert written(user) == written(document)
    expected = by_the_library(api.service.catalogue.endpoint_of("User"), document, sent)
    if expected is None:
        assert api.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": sent}).status_int == 400
        assert api.get(path) == user
        return
    after = api.patch(path, *sent)
    assert written(after) == expected
    assert api.get(path) == after
    assert (after["meta"] == user["meta"]) is (written(after) == written(user))
