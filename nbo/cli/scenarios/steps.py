"""The steps of a scenario, read one after the other, while its clock goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import yaml

from features.events import Event
from features.schema import FeatureSchema
from nbo.cli.scenarios.expecting import read_expectation
from nbo.cli.scenarios.facts import read_fact, read_facts
from nbo.cli.scenarios.story import Answer, Ask, Happening, Identify, Publish, Screen, Step
from nbo.decision.catalog import Catalog
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_notes import Notes
from nbo.decision.history import Outcome
from nbo.decision.request import MAX_SLOTS

_OUTCOMES = tuple(Outcome)
_REASONS = ("PRICE", "NOT_NEEDED", "HAS_IT_ELSEWHERE", "BAD_MOMENT", "NOT_UNDERSTOOD", "OTHER")
_KINDS = ("ask", "answer", "event", "identify", "screen", "publish", "later")
_DEFAULT_SLOTS = 3


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


def known_offers(catalog: Catalog, own: Section) -> list[str]:
    """Offers a scenario may name: the catalogue's, and those its `publish` steps add."""
    added = []
    for node in own.items("steps"):
        step = _quiet(node)
        for offer in _quiet(step.at("publish")).items("offers"):
            identity = _quiet(offer).at("id")
            if isinstance(identity, yaml.ScalarNode):
                added.append(identity.value)
    return [*catalog.offers, *added]


def read_steps(telling: Telling, ask: yaml.Node | None) -> list[Step]:
    """Read `ask` and `expect` of a scenario, or its `steps`.

    Args:
        ask: What the file says of every question; None for nothing.
    """
    own = telling.own
    if not own.has("steps"):
        return [_ask(telling, own, ask)]
    for alone in ("ask", "expect"):
        if own.has(alone):
            own.problem(alone, "stands beside `steps`; make it a step")
    steps: list[Step] = []
    for number, node in enumerate(own.items("steps"), start=1):
        told = Section(node, f"{own.name}: step {number}", own.notes)
        kinds = [kind for kind in _KINDS if told.has(kind)]
        if len(kinds) != 1:
            told.problem("", f"must be one of {', '.join(_KINDS)}")
            continue
        if kinds[0] == "answer" and not any(isinstance(step, Ask) for step in steps):
            told.problem("answer", "comes before the first question; ask before it")
        step = _step(telling, told, kinds[0], ask)
        told.done()
        steps += [step] if step else []
    return steps


def _step(telling: Telling, told: Section, kind: str, ask: yaml.Node | None) -> Step | None:
    line = _line(told)
    if kind == "ask":
        return _ask(telling, told, ask)
    if kind == "later":
        telling.now += told.duration("later")
        telling.contact += 1
        return None
    return _READERS[kind](telling, told.section(kind), line)


def _ask(telling: Telling, told: Section, default: yaml.Node | None) -> Ask:
    """A question: what `ask` says, else what the file says of every question."""
    part = told.section("ask")
    usual = Section(default, "ask", telling.own.notes)

    def text(field: str, otherwise: str = "") -> str:
        given = part if part.has(field) else usual
        return given.text(field, otherwise)

    at = part.instant("at")
    if at is not None:
        if at < telling.now:
            part.problem(
                "at", f"must not lie before {telling.now:%Y-%m-%dT%H:%MZ}, the step before"
            )
        telling.now = max(at, telling.now)
    channel = text("channel", next(iter(telling.catalog.channels)))
    if channel not in telling.catalog.channels:
        (part if part.has("channel") else usual).choice("channel", telling.catalog.channels)
    slots = (part if part.has("slots") else usual).count("slots", _DEFAULT_SLOTS, low=1)
    if slots > MAX_SLOTS:
        part.problem("slots", f"must be <= {MAX_SLOTS}, was {slots}")
    customer_id = telling.customer(part)
    asked = Ask(
        line=_line(part) or _line(told),
        at=telling.now,
        customer_id=customer_id,
        channel=channel,
        interaction_id=_interaction(telling, part, customer_id, channel),
        slots=slots,
        intent=text("intent"),
        language=text("language"),
        agent_id=text("agent"),
        facts=read_facts(part, "facts", telling.schema, room="desktop"),
        expect=read_expectation(told, telling.offers, telling.catalog),
    )
    part.done()
    for usable in ("channel", "slots", "intent", "language", "agent"):
        usual.at(usable)
    usual.done()
    return asked


def _interaction(telling: Telling, part: Section, customer_id: str, channel: str) -> str:
    """Questions on one channel belong together until time passes, or as the file says."""
    named = part.key("interaction", "")
    return f"{customer_id}-{named or f'{channel}-{telling.contact}'}"


def _answer(telling: Telling, part: Section, line: int) -> Answer:
    offer = part.choice("offer", telling.offers)
    outcome = part.choice("outcome", _OUTCOMES)
    reason = part.choice("reason", _REASONS, "")
    until = part.instant("until")
    if (outcome == Outcome.DEFERRED) != (until is not None):
        part.problem("until", "belongs to DEFERRED: when to offer it again")
    part.done()
    return Answer(line, telling.now, offer, outcome, reason, until)


def _identify(telling: Telling, part: Section, line: int) -> Identify:
    expected = None
    if part.has("expect"):
        ids = telling.cast.ids
        for name, node in part.texts("expect"):
            if name not in ids:
                known = ", ".join(ids)
                part.problem("expect", f"unknown customer {name!r}; known are {known}", node)
        expected = tuple(ids[name] for name, _ in part.texts("expect") if name in ids)
        if part.items("expect") == []:
            expected = ()
    value = part.text("value")
    part.done()
    return Identify(line, value, expected, {v: k for k, v in telling.cast.ids.items()})


def _screen(telling: Telling, part: Section, line: int) -> Screen:
    customer_id = telling.customer(part)
    expect = part.section("expect")
    contacts = None
    if expect.has("contacts"):
        contacts = []
        for contact in expect.sections("contacts", "contact", id_field="offer"):
            offer = contact.choice("offer", telling.offers)
            contacts.append((offer, contact.choice("outcome", _OUTCOMES)))
            contact.done()
    seen = Screen(
        line=line,
        at=telling.now,
        customer_id=customer_id,
        facts=_seen_facts(telling, expect),
        contacts=None if contacts is None else tuple(contacts),
        latest_event=expect.choice("latest_event", telling.schema.events, ""),
    )
    expect.done()
    part.done()
    return seen


def _seen_facts(telling: Telling, expect: Section) -> dict[str, float | str | bool]:
    """Facts of any room: profile, windows, history."""
    types = telling.schema.fact_schema().types
    seen = {}
    for name, node in expect.section("facts").fields():
        if name not in types:
            expect.problem("facts", f"unknown fact {name!r}", node)
        elif (value := read_fact(expect, f"facts: {name}", node, types[name])) is not None:
            seen[name] = value
    return seen


def _happening(telling: Telling, part: Section, line: int) -> Happening:
    return Happening(line, telling.event(part))


def _publish(telling: Telling, part: Section, line: int) -> Publish:
    assert part.node is not None  # a step has the field of its kind
    return Publish(line, part.node)


_READERS: Mapping[str, Callable[[Telling, Section, int], Step]] = {
    "answer": _answer,
    "event": _happening,
    "identify": _identify,
    "screen": _screen,
    "publish": _publish,
}


def expects(step: Step) -> bool:
    """Whether a step can fail."""
    if isinstance(step, Ask):
        return step.expect.told
    return isinstance(step, Screen) or (isinstance(step, Identify) and step.expected is not None)


def _line(told: Section) -> int:
    return told.node.start_mark.line + 1 if told.node else 0


def _quiet(node: yaml.Node | None) -> Section:
    """A section whose mistakes are noted elsewhere."""
    return Section(node, "", Notes([""]))
