"""The feature schema: what is known about a customer, of which types, and where it comes from.

Compiled once from a workspace's `feature_repo/definitions.py` (which imports Feast, slowly) and
saved as JSON, so that serving and the window worker start without Feast.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from features.definitions import EventType, Window
from nbo.decision.facts import INTERACTION_FACTS, FactSchema, FactType
from nbo.decision.history import HISTORY_FACTS
from nbo.errors import NotFoundError

_FORMAT = 1


class Column(NamedTuple):
    """One field of a view.

    Attributes:
        name: Becomes the fact ``customer.<name>``.
        dtype: ``"f4"``, ``"f8"``, ``"i8"``, ``"bool"``, ``"text"``, or ``"time"`` (whole
            seconds since 1970).
    """

    name: str
    dtype: str

    @property
    def fact_type(self) -> FactType:
        """Type of the fact this column becomes."""
        return {"bool": FactType.FLAG, "text": FactType.TEXT}.get(self.dtype, FactType.NUMBER)


@dataclass(frozen=True, slots=True)
class View:
    """One Feast feature view of the customer: a batch table, one row per customer and time.

    Attributes:
        name: Feast's name of the view.
        columns: In the order of the packed row.
        source: Parquet file or folder, relative to the feature repo; empty when the view's
            source is no file.
        timestamp: Column of `source` with the time from which a row holds.
        ttl_seconds: Rows older than this are unknown; 0 for never.
        fingerprint: Eight bytes that change with name or columns.
    """

    name: str
    columns: tuple[Column, ...]
    source: str = ""
    timestamp: str = "event_timestamp"
    ttl_seconds: float = 0.0
    fingerprint: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        meaning = json.dumps([self.name, [list(column) for column in self.columns]])
        digest = hashlib.blake2b(meaning.encode(), digest_size=8).digest()
        object.__setattr__(self, "fingerprint", digest)


@dataclass(frozen=True)
class FeatureSchema:
    """Everything `features` knows about a workspace.

    Attributes:
        views: View name to view.
        windows: In the order of the definitions.
        events: Event type name to type.
        identities: Parquet file with identities, relative to the feature repo; empty for none.
    """

    views: Mapping[str, View]
    windows: tuple[Window, ...] = ()
    events: Mapping[str, EventType] = field(default_factory=dict)
    identities: str = ""

    def fact_schema(self) -> FactSchema:
        """Facts that rules may read and models are encoded against."""
        types: dict[str, FactType] = {}
        for view in self.views.values():
            types.update({f"customer.{c.name}": c.fact_type for c in view.columns})
        for window in self.windows:
            types[f"customer.{window.name}"] = window_type(window, self.events)
        for event in self.events.values():
            types.update({f"event.{name}": kind for name, kind in event.types.items()})
        return FactSchema({**types, **INTERACTION_FACTS, **HISTORY_FACTS}, frozenset(self.events))

    def save(self, path: Path) -> None:
        """Write the schema as JSON, so that a reader sees the old file or the new, whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(self._json() + "\n", encoding="utf-8")
        fresh.replace(path)

    @classmethod
    def load(cls, path: Path) -> FeatureSchema:
        """Read what `save` wrote.

        Raises:
            NotFoundError: No schema was compiled yet, or by another version.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotFoundError("feature schema", str(path), "compile the feature repo") from None
        if stored.get("format") != _FORMAT:
            raise NotFoundError("feature schema format", str(path), "compile the feature repo")
        return _from_json(stored)

    def _json(self) -> str:
        return json.dumps(
            {
                "format": _FORMAT,
                "views": [
                    {
                        "name": view.name,
                        "columns": [list(column) for column in view.columns],
                        "source": view.source,
                        "timestamp": view.timestamp,
                        "ttl_seconds": view.ttl_seconds,
                    }
                    for view in self.views.values()
                ],
                "windows": [
                    {
                        "name": window.name,
                        "event": window.event,
                        "kind": window.kind,
                        "over": f"{window.over_us // 1_000_000}s",
                        "attribute": window.attribute,
                        "where": dict(window.where),
                    }
                    for window in self.windows
                ],
                "events": {e.name: dict(e.attributes) for e in self.events.values()},
                "identities": self.identities,
            },
            indent=1,
        )


def window_type(window: Window, events: Mapping[str, EventType]) -> FactType:
    """Type of a window's fact: that of its attribute for `last`, else a number."""
    from features.windows import matches

    if window.kind != "last":
        return FactType.NUMBER
    kinds = [e.types.get(window.attribute) for e in events.values() if matches(window, e.name)]
    return next((kind for kind in kinds if kind is not None), FactType.NUMBER)


def compile_schema(repo_path: Path) -> FeatureSchema:
    """Read `definitions.py` of a feature repo; imports Feast, which takes seconds.

    Raises:
        WorkspaceError: With every problem found, each with its file and line where known.
    """
    from features.compilation import compile_repo

    return compile_repo(repo_path)


def _from_json(stored: Mapping[str, Any]) -> FeatureSchema:
    views = [
        View(**{**view, "columns": tuple(Column(*column) for column in view["columns"])})
        for view in stored["views"]
    ]
    return FeatureSchema(
        views={view.name: view for view in views},
        windows=tuple(Window(**window) for window in stored["windows"]),
        events={name: EventType(name, kinds) for name, kinds in stored["events"].items()},
        identities=stored["identities"],
    )
