"""What the model would say of a body that is not given to it: nothing, as all of it is settled on the way in."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import Context, SCIMException

from scim_server.idp.profiles import profiles
from scim_server.protocol.catalogue import Attribute, Catalogue, Endpoint
from scim_server.protocol.messages import read_resource, validated, with_schemas

CATALOGUE = Catalogue()
WORDS = st.sampled_from(["", " ", "a", "É", "true", "0", "a@b.example", "urn:x:y", "2026-01-01T00:00:00Z", "x" * 600])
ODD = st.sampled_from([None, [], {}, 0, -1, 1.5, 10**30, True, ["a"], {"value": "a"}, {"value": None}, [{"value": 1}]])
BY_TYPE = {"boolean": st.booleans(), "integer": st.integers(), "decimal": st.floats(allow_nan=False)}


def value_of(attribute: Attribute) -> st.SearchStrategy[Any]:
    """What a client may send for an attribute, now and then something that does not belong there."""
    one: st.SearchStrategy[Any] = BY_TYPE.get(attribute.type, WORDS)
    if attribute.type == "complex":
        one = object_of(attribute.sub_attributes)
    if attribute.canonical:
        one |= st.sampled_from(attribute.canonical)
    fit = st.lists(one, max_size=3) if attribute.multi_valued else one
    return st.integers(0, 29).flatmap(lambda number: ODD if number == 7 else fit)


def object_of(attributes: Mapping[str, Attribute]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {one.name: st.deferred(lambda one=one: value_of(one)) for one in attributes.values()}
    return st.fixed_dictionaries({}, optional=fields).map(lambda whole: dict(list(whole.items())[:6]))


@pytest.mark.parametrize("profile", ["default", "strict"])
@pytest.mark.parametrize("path", ["/Users", "/Groups"])
def test_model_has_nothing_against_what_is_not_left_to_it(path: str, profile: str) -> None:
    endpoint: Endpoint = CATALOGUE.endpoints[path]
    seen: Counter[Any] = Counter()
    required = dict.fromkeys(endpoint.required, "a")
    tolerance = profiles()[profile].tolerance
    kept = {name: one for name, one in endpoint.attributes.items() if one.name not in ("schemas", "id", "meta")}

    @settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(object_of(kept))
    def check(sent: dict[str, Any]) -> None:
        try:
            read = read_resource(endpoint, {"schemas": [endpoint.schema], **required, **sent}, tolerance, CATALOGUE)
        except SCIMException:
            seen["refused"] += 1
            return
        seen[read.notes.leaves_to_model] += 1
        if not read.notes.leaves_to_model:
            for context in (Context.RESOURCE_CREATION_REQUEST, Context.RESOURCE_REPLACEMENT_REQUEST):
                validated(endpoint, with_schemas(endpoint, read.document), context)

    check()
    assert seen[False] > 80, seen
