"""Translate a Feast feature view into ours; the only place that knows Feast's types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from features.schema import Column, View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feast import FeatureView, Field

JOIN_KEY = "customer_id"
_DTYPES = {
    "FLOAT32": "f4",
    "FLOAT64": "f8",
    "INT32": "i8",
    "INT64": "i8",
    "BOOL": "bool",
    "STRING": "text",
    "UNIX_TIMESTAMP": "time",
}
_ALLOWED = "Float32, Float64, Int32, Int64, Bool, String or UnixTimestamp"
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")


def view_of(view: FeatureView) -> View:
    """Columns, source and age limit of a Feast view; fields that `mistakes` names are left out."""
    columns = [
        Column(field.name, _DTYPES[type_name(field)])
        for field in view.features
        if type_name(field) in _DTYPES
    ]
    source = view.batch_source
    return View(
        name=view.name,
        columns=tuple(columns),
        source=str(getattr(source, "path", "") or ""),
        timestamp=getattr(source, "timestamp_field", "") or "event_timestamp",
        ttl_seconds=view.ttl.total_seconds() if view.ttl else 0.0,
    )


def type_name(field: Field) -> str:
    """Name of a primitive Feast type, e.g. ``"FLOAT32"``; empty for lists and maps."""
    return str(getattr(field.dtype, "name", ""))


def mistakes(view: FeatureView, join_keys: Mapping[str, str]) -> list[tuple[str, str]]:
    """Find what the engine cannot serve in a view: the name to look for, and a sentence.

    Args:
        view: As defined, before Feast's registry fills in the rest.
        join_keys: Entity name to join key, of all defined entities.
    """
    found = []
    keys = [join_keys.get(entity, entity) for entity in view.entities]
    if keys != [JOIN_KEY]:
        message = f"view {view.name!r}: entity join keys == {keys}, must be ['{JOIN_KEY}']"
        found.append((view.name, message))
    if not view.features:
        found.append((view.name, f"view {view.name!r} has no fields, list them in its schema"))
    for field in view.features:
        if type_name(field) not in _DTYPES:
            message = f"field {field.name!r}: type == {field.dtype}, must be {_ALLOWED}"
            found.append((field.name, message))
        elif not _FIELD.fullmatch(field.name):
            message = f"field {field.name!r} must be lower case, like 'tenure_months'"
            found.append((field.name, message))
    return found
