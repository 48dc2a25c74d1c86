"""Compile a feature repo: run its `definitions.py` and check what stands there, all at once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from features.definitions import EventType, IdentitySource, Kind, Window
from features.feast_views import mistakes, view_of
from features.python_file import run_file
from features.schema import FeatureSchema
from features.windows import matches
from nbo.decision.facts import FactType
from nbo.errors import Problem, WorkspaceError

if TYPE_CHECKING:
    from feast import FeatureView


@dataclass(frozen=True)
class Definitions:
    """What one `definitions.py` holds.

    Attributes:
        feast: Entities, sources and views, to be applied to Feast's registry.
        schema: The checked schema.
    """

    feast: tuple[Any, ...]
    schema: FeatureSchema


def compile_repo(repo_path: Path) -> FeatureSchema:
    """Compile the schema of a feature repo; see `features.schema.compile_schema`."""
    return read_definitions(repo_path).schema


def read_definitions(repo_path: Path) -> Definitions:
    """Run and check `definitions.py`.

    Raises:
        WorkspaceError: With every problem found.
    """
    from feast import Entity, FeatureView
    from feast.data_source import DataSource

    file = repo_path / "definitions.py"
    module = _run(file)
    _name_entity_types(module)
    values = list(vars(module).values())
    views = _unique(value for value in values if isinstance(value, FeatureView))
    kinds = (DataSource, Entity, FeatureView)
    compiled = _Compiler(file).compile(module, views)
    return Definitions(tuple(_unique(v for v in values if isinstance(v, kinds))), compiled)


def _run(file: Path) -> ModuleType:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Entity value_type", DeprecationWarning)
        return run_file(file, "definitions")


def _name_entity_types(module: ModuleType) -> None:
    """Take entities without a type for texts.

    Feast would infer the type from the file, and takes the large strings that Polars writes for
    JSON.
    """
    from feast import Entity, ValueType

    for value in vars(module).values():
        if isinstance(value, Entity) and value.value_type is ValueType.UNKNOWN:
            value.value_type = ValueType.STRING


def _unique(values: Iterator[Any]) -> list[Any]:
    """Drop the same object under a second name, keeping the order."""
    return list({id(value): value for value in values}.values())


class _Compiler:
    """Turn definitions into a schema and collect what is wrong with them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lines = file.read_text(encoding="utf-8").splitlines()
        self._problems: list[Problem] = []

    def compile(self, module: ModuleType, feast_views: Sequence[FeatureView]) -> FeatureSchema:
        events = {e.name: e for e in self._list(module, "events", EventType)}
        windows = tuple(self._list(module, "windows", Window))
        identities = getattr(module, "identities", None)
        if identities is not None and not isinstance(identities, IdentitySource):
            self._problem("identities", "identities must be an IdentitySource(path)")
            identities = None
        schema = FeatureSchema(
            views={view.name: view_of(view) for view in feast_views},
            windows=windows,
            events=events,
            identities=identities.path if identities else "",
        )
        join_keys = {
            e.name: e.join_key for e in vars(module).values() if type(e).__name__ == "Entity"
        }
        for view in feast_views:
            for quoted, message in mistakes(view, join_keys):
                self._problem(quoted, message)
        self._check_names(schema)
        self._check_attributes(events)
        for window in windows:
            self._check_window(window, events)
        if self._problems:
            raise WorkspaceError(self._problems)
        return schema

    def _problem(self, quoted: str, message: str) -> None:
        """Note a problem at the first line that mentions `quoted`."""
        lines = [n for n, text in enumerate(self._lines, 1) if quoted in text]
        self._problems.append(Problem(str(self._file), lines[0] if lines else 0, 0, message))

    def _list(self, module: ModuleType, name: str, kind: type[Any]) -> list[Any]:
        found = getattr(module, name, [])
        if not isinstance(found, list | tuple) or not all(isinstance(f, kind) for f in found):
            self._problem(name, f"{name} must be a list of {kind.__name__}")
            return []
        seen: set[str] = set()
        for item in found:
            if item.name in seen:
                self._problem(f'"{item.name}"', f"{name}: {item.name!r} is defined twice")
            seen.add(item.name)
        return list(found)

    def _check_names(self, schema: FeatureSchema) -> None:
        owner: dict[str, str] = {}
        named = [
            (column.name, f"view {view.name!r}")
            for view in schema.views.values()
            for column in view.columns
        ]
        for name, where in [*named, *((window.name, "windows") for window in schema.windows)]:
            if name in owner and not owner[name] == where == "windows":
                message = f"customer.{name} stands in {owner[name]} and in {where}; rename one"
                self._problem(f'"{name}"', message)
            owner.setdefault(name, where)

    def _check_attributes(self, events: dict[str, EventType]) -> None:
        first: dict[str, tuple[FactType, str]] = {}
        for event in events.values():
            for name, kind in event.types.items():
                known, where = first.setdefault(name, (kind, event.name))
                if known is not kind:
                    message = (
                        f"event.{name} is a {known} in {where!r} and a {kind} in {event.name!r}; "
                        "give one of them another name"
                    )
                    self._problem(f'"{event.name}"', message)

    def _check_window(self, window: Window, events: dict[str, EventType]) -> None:
        mine = [event for event in events.values() if matches(window, event.name)]
        quoted, where = f'"{window.name}"', f"window {window.name!r}"
        if not mine:
            known = ", ".join(events) or "none"
            message = f"{where}: event == {window.event!r} matches no event type ({known})"
            self._problem(quoted, message)
            return
        types: dict[str, FactType] = {}
        for event in mine:
            types.update(event.types)
        for name in [*([window.attribute] if window.attribute else []), *window.where]:
            if name not in types:
                known = ", ".join(types) or "none"
                message = f"{where}: attribute == {name!r}, must be one of its events' ({known})"
                self._problem(quoted, message)
        summed = window.kind in {Kind.SUM, Kind.MEAN}
        if summed and types.get(window.attribute, FactType.NUMBER) is not FactType.NUMBER:
            message = f"{where}: {window.kind} needs a number, {window.attribute!r} is a "
            self._problem(quoted, message + types[window.attribute])
        for name, wanted in window.where.items():
            if name in types and not _is(wanted, types[name]):
                self._problem(quoted, f"{where}: where {name!r} == {wanted!r}, is a {types[name]}")


def _is(value: object, kind: FactType) -> bool:
    python: dict[FactType, type] = {
        FactType.NUMBER: float,
        FactType.TEXT: str,
        FactType.FLAG: bool,
    }
    return isinstance(value, python[kind])
