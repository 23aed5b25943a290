"""Reads captures: documents that say what an identity provider sends and what it expects back."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from marshmallow import Schema, fields, post_load, validate

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Step:
    """One request, and what its answer must be."""

    title: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: tuple[int, ...]
    fields: Mapping[str, Any]
    """Values of the answer by their path."""
    absent: tuple[str, ...]
    """Paths that have no value in the answer."""
    capture: Mapping[str, str]
    """Variables that later steps use, by the path of their value."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One conversation of an identity provider."""

    idp: str
    title: str
    about: str
    needs: tuple[str, ...]
    steps: tuple[Step, ...]


class StepSchema(Schema):
    """The JSON of a step."""

    title = fields.String(required=True, validate=validate.Length(min=1))
    method = fields.String(required=True, validate=validate.OneOf(METHODS))
    path = fields.String(required=True, validate=validate.Regexp(r"/"))
    query = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    headers = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    body = fields.Raw(load_default=None, allow_none=True)
    status = fields.List(fields.Integer(strict=True), required=True, validate=validate.Length(min=1))
    fields_ = fields.Dict(keys=fields.String(), data_key="fields", load_default=dict)
    absent = fields.List(fields.String(), load_default=list)
    capture = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)

    @post_load
    def made(self, read: dict[str, Any], **_: Any) -> Step:
        """The step."""
        read["fields"] = read.pop("fields_")
        return Step(**{**read, "status": tuple(read["status"]), "absent": tuple(read["absent"])})


class DialogueSchema(Schema):
    """The JSON of a capture."""

    idp = fields.String(required=True)
    title = fields.String(required=True)
    about = fields.String(required=True)
    needs = fields.List(fields.String(), load_default=list)
    steps = fields.List(fields.Nested(StepSchema), required=True, validate=validate.Length(min=2))

    @post_load
    def made(self, read: dict[str, Any], **_: Any) -> Dialogue:
        """The dialogue."""
        return Dialogue(**{**read, "needs": tuple(read["needs"]), "steps": tuple(read["steps"])})


def dialogues() -> Iterator[tuple[str, Dialogue]]:
    """Every capture with its place, in the order of their names."""
    here = files("conformance.dialogues")
    for folder in sorted((one for one in here.iterdir() if one.is_dir()), key=lambda one: one.name):
        for file in sorted(folder.iterdir(), key=lambda one: one.name):
            if file.name.endswith(".json"):
                read: Dialogue = DialogueSchema().load(json.loads(file.read_text("utf-8")))
                yield f"{folder.name}/{file.name.removesuffix('.json')}", read
