"""Where the telling of a scenario stands: whom and what it may name, and its clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import yaml

from features.events import Event
from features.schema import FeatureSchema
from nbo.cli.scenarios.facts import read_fact
from nbo.decision.catalog import Catalog
from nbo.decision.catalog_nodes import Section


@dataclass(frozen=True, slots=True)
class Cast:
    """The customers of a scenario.

    Attributes:
        ids: The engine's id by the name the file has for it.
        silent: Event types of the file's `events` that a customer, by id, never had.
    """

    ids: Mapping[str, str]
    silent: Mapping[str, frozenset[str]]

    @property
    def first(self) -> str:
        """The id of the customer meant where none is named."""
        return next(iter(self.ids.values()))


@dataclass(slots=True)
class Telling:
    """A scenario being read: what it may name, and where its clock stands.

    Attributes:
        own: The scenario.
        now: Moves with `later` and with the instants of questions.
        offers: Of the catalogue, and those the scenario publishes.
        contact: Number of the contact; time that passes ends one.
        events_told: How many events were read, for their ids.
    """

    own: Section
    cast: Cast
    catalog: Catalog
    schema: FeatureSchema
    now: datetime
    offers: Sequence[str] = ()
    contact: int = 1
    events_told: int = field(default=0)

    def customer(self, told: Section) -> str:
        """The id of the customer a section names, else of the first."""
        if not told.has("customer"):
            return self.cast.first
        name = told.choice("customer", self.cast.ids)
        return self.cast.ids.get(name, self.cast.first)

    def instant(self, told: Section) -> datetime:
        """When something happened: ``at``, or so long before now; else now."""
        given = [name for name in ("at", "ago", *_UNITS) if told.has(name)]
        if len(given) > 1:
            told.problem(given[1], f"stands beside {given[0]!r}; keep one of them")
        if not given:
            return self.now
        if given[0] == "at":
            return told.instant("at") or self.now
        if given[0] == "ago":
            return self.now - told.duration("ago")
        return self.now - _UNITS[given[0]] * told.number(given[0], low=0, high=_FARTHEST)

    def events(self, nodes: Sequence[yaml.Node], customer_id: str = "") -> list[Event]:
        """Read events; of `customer_id` if it is given, else of whom each names."""
        return [
            self.event(
                Section(node, f"{self.own.name}: event {number}", self.own.notes), customer_id
            )
            for number, node in enumerate(nodes, start=1)
        ]

    def event(self, told: Section, customer_id: str = "") -> Event:
        """Read one event."""
        kind = told.text("type")
        if kind and kind not in self.schema.events:
            told.choice("type", self.schema.events)
        self.events_told += 1
        customer_id = customer_id or self.customer(told)
        types = self.schema.events[kind].types if kind in self.schema.events else {}
        attributes = {}
        for name, node in told.section("attributes").fields():
            if name not in types:
                known = ", ".join(types) or "none"
                told.problem("attributes", f"{kind!r} has no {name!r} (it has: {known})", node)
            elif (value := read_fact(told, f"attributes: {name}", node, types[name])) is not None:
                attributes[name] = value
        event_id = f"{customer_id}-e{self.events_told}"
        event = Event(event_id, customer_id, kind, self.instant(told), attributes)
        told.done()
        return event


_UNITS = {
    "minutes_ago": timedelta(minutes=1),
    "hours_ago": timedelta(hours=1),
    "days_ago": timedelta(days=1),
}
_FARTHEST = 10_000.0
