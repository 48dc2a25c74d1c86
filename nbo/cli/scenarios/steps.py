"""The steps of a scenario, read one after the other, while its clock goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import yaml

from nbo.cli.scenarios.expecting import read_expectation
from nbo.cli.scenarios.facts import read_fact, read_facts
from nbo.cli.scenarios.story import Answer, Ask, Happening, Identify, Publish, Screen, Step
from nbo.cli.scenarios.telling import Telling
from nbo.decision.catalog import Catalog
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_notes import Notes
from nbo.decision.history import Outcome
from nbo.decision.request import MAX_SLOTS

_OUTCOMES = tuple(Outcome)
_REASONS = ("PRICE", "NOT_NEEDED", "HAS_IT_ELSEWHERE", "BAD_MOMENT", "NOT_UNDERSTOOD", "OTHER")
_KINDS = ("ask", "answer", "event", "identify", "screen", "publish", "later")
_DEFAULT_SLOTS = 3


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
