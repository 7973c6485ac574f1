"""JSON merge patches (RFC 7396): the shape of one, and what becomes of what it is applied to."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, create_model

from api.schemas.common import Body


def merged(target: Any, patch: Any) -> Any:
    """`target` with `patch` applied; neither is changed."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def patch_of(shape: type[Body], name: str, doc: str, **nested: type[Body]) -> type[Body]:
    """The shape of a patch of `shape`: each field as there, or null, or left out.

    Rules between fields are not among them: they hold for what comes out. `nested` are the
    patches of fields that are objects.
    """
    fields: dict[str, Any] = {
        each: (
            nested.get(each, field.rebuild_annotation()) | None,
            Field(None, description=field.description, examples=field.examples),
        )
        for each, field in shape.model_fields.items()
    }
    return create_model(name, __base__=Body, __doc__=doc, **fields)
