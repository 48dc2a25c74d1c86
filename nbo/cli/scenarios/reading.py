"""From scenario files to scenarios: every mistake at once, each with its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import yaml

from features.events import Event
from features.identity import Identity, normalise
from features.schema import FeatureSchema
from nbo.cli.scenarios.facts import read_facts
from nbo.cli.scenarios.steps import expects, known_offers, read_steps
from nbo.cli.scenarios.story import Past, Person, Scenario
from nbo.cli.scenarios.telling import Cast, Telling
from nbo.decision.catalog import NO_INCENTIVE, Catalog
from nbo.decision.catalog_nodes import Section
from nbo.decision.catalog_notes import Notes
from nbo.decision.catalog_tree import parse_files
from nbo.decision.facts import Fact
from nbo.errors import BadInputError, Problem, WorkspaceError, unreadable

_ONE = "customer"
"""What a scenario's only customer is called when the file gives no name."""

_PAST_OUTCOMES = ("PRESENTED", "ACCEPTED", "DECLINED", "NO_RESPONSE", "SKIPPED")


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a scenario may name.

    Attributes:
        country: Of phone numbers without a country code.
    """

    schema: FeatureSchema
    catalog: Catalog
    country: str


@dataclass(slots=True)
class _Defaults:
    """What the top of a file says for all its scenarios."""

    now: datetime | None = None
    facts: dict[str, Fact] = field(default_factory=dict)
    events: list[yaml.Node] = field(default_factory=list)
    ask: yaml.Node | None = None


def read_scenarios(files: Sequence[Path], workspace: Workspace) -> list[Scenario]:
    """Read and check every scenario of these files.

    Raises:
        WorkspaceError: A file is missing or wrong; holds every mistake found.
    """
    problems: list[Problem] = []
    found: list[Scenario] = []
    identities: dict[tuple[str, str], str] = {}
    for file in files:
        notes = Notes([str(file)])
        try:
            root = parse_files([(str(file), file.read_text(encoding="utf-8"))], notes)
            found += _FileReader(file, notes, workspace, identities, len(found)).read(root)
        except (OSError, UnicodeDecodeError) as error:
            problems.append(unreadable(str(file), error))
        except WorkspaceError as error:  # not YAML, or too many mistakes to read on
            problems += error.problems
            continue
        problems += sorted(notes.problems, key=lambda p: (p.line, p.column))
    if problems:
        raise WorkspaceError(problems)
    return found


class _FileReader:
    """Reads one file.

    Args:
        identities: Normalised identities of all files so far, and whose scenario they are of.
        before: How many scenarios were read before.
    """

    def __init__(
        self,
        file: Path,
        notes: Notes,
        workspace: Workspace,
        identities: dict[tuple[str, str], str],
        before: int,
    ) -> None:
        self._file = file
        self._notes = notes
        self._workspace = workspace
        self._identities = identities
        self._before = before
        self._defaults = _Defaults()

    def read(self, root: yaml.Node) -> list[Scenario]:
        nodes = root.value if isinstance(root, yaml.SequenceNode) else self._top(root)
        found = []
        for number, node in enumerate(nodes, start=1):
            own = Section(node, f"scenario {number}", self._notes)
            name = own.text("name")
            own.name = f"scenario {name!r}" if name else own.name
            if (scenario := self._scenario(self._before + number, name, own)) is not None:
                found.append(scenario)
        if not nodes:
            self._notes.add(root, "holds no scenarios; write them as a list under `scenarios:`")
        return found

    def _top(self, root: yaml.Node) -> list[yaml.Node]:
        top = Section(root, "scenarios", self._notes)
        self._defaults = _Defaults(
            now=top.instant("now"),
            facts=read_facts(top, "profile", self._workspace.schema, room="customer"),
            events=top.items("events"),
            ask=top.at("ask"),
        )
        nodes = top.items("scenarios")
        top.done()
        return nodes

    def _scenario(self, number: int, name: str, own: Section) -> Scenario | None:
        before = len(self._notes.problems)
        begins = self._begins(own)
        if begins is None:
            own.problem("", "say when: `now: 2026-03-10T12:00Z` at the top of the file, or here")
            return None
        people, cast = self._people(own, number)
        telling = Telling(own, cast, self._workspace.catalog, self._workspace.schema, begins)
        telling.offers = known_offers(self._workspace.catalog, own)
        events = self._events(own, telling)
        history = list(self._history(own, telling))
        steps = read_steps(telling, self._defaults.ask)
        own.done()
        if len(self._notes.problems) == before and not any(expects(step) for step in steps):
            own.problem("", "expects nothing; say what in `expect`")
        line = own.node.start_mark.line + 1 if own.node else 0
        return Scenario(number, name, self._file, line, begins, people, events, history, steps)

    def _begins(self, own: Section) -> datetime | None:
        """The instant a scenario begins at: its own, else that of its question, else the file's."""
        asked = own.section("ask").instant("at")
        return own.instant("now") or asked or self._defaults.now

    def _people(self, own: Section, number: int) -> tuple[list[Person], Cast]:
        """The customers of a scenario, and their ids by the names the file has for them."""
        several = own.section("customers")
        told = [
            (name, Section(node, f"{own.name}: customer {name!r}", self._notes))
            for name, node in several.fields()
        ]
        if several.fields():
            for alone in ("customer", "facts", "without", "identities"):
                if own.has(alone):
                    own.problem(alone, "stands beside `customers`; give it to one of them")
        else:
            told = [(own.text("customer", _ONE) or _ONE, own)]
        ids = {name: f"s{number}-{name}" for name, _ in told}
        people = [self._person(ids[name], section, own.name) for name, section in told]
        silent = {
            ids[name]: frozenset(left_out for left_out, _ in section.texts("without"))
            for name, section in told
        }
        for _, section in told:
            if section is not own:
                section.done()
        return people, Cast(ids, silent)

    def _person(self, customer_id: str, told: Section, scenario: str) -> Person:
        schema = self._workspace.schema
        facts = {**self._defaults.facts, **read_facts(told, "facts", schema, room="customer")}
        for name, node in told.texts("without"):
            if name not in facts and name not in schema.events:
                known = ", ".join([*facts, *schema.events][:8])
                told.problem("without", f"{name!r} is not told anyway; told are {known}, …", node)
            facts.pop(name, None)
        return Person(customer_id, facts, tuple(self._identities_of(customer_id, told, scenario)))

    def _identities_of(self, customer_id: str, told: Section, scenario: str) -> Iterator[Identity]:
        for node in told.items("identities"):
            own = Section(node, f"{told.name}: identity", self._notes)
            if not self._workspace.schema.identities:
                own.problem("", "definitions.py names no `identities`, so nobody could be found")
                return
            score = own.number("score", 1.0, low=0.0)
            kinds = [kind for kind in ("phone", "email", "account") if own.has(kind)]
            if len(kinds) != 1:
                own.problem("", "must be one of phone, email or account, e.g. {phone: 030 123456}")
                continue
            kind, value = kinds[0], own.text(kinds[0])
            own.done()
            try:
                normal = normalise(kind, value, self._workspace.country)
            except BadInputError as error:
                own.problem(kind, error.constraint)
                continue
            owner = self._identities.setdefault((kind, normal), scenario)
            if owner != scenario:
                own.problem(kind, f"{normal} is taken by {owner}; every scenario needs its own")
            yield Identity(customer_id, kind, value, score)

    def _events(self, own: Section, telling: Telling) -> list[Event]:
        """The file's events for every customer, then the scenario's own."""
        everyone = [
            event
            for customer_id in telling.cast.ids.values()
            for event in telling.events(self._defaults.events, customer_id)
            if event.type not in telling.cast.silent[customer_id]
        ]
        mine = telling.events(own.items("events"))
        return sorted(everyone + mine, key=lambda event: event.at)

    def _history(self, own: Section, telling: Telling) -> Iterator[Past]:
        for number, node in enumerate(own.items("history"), start=1):
            told = Section(node, f"{own.name}: history {number}", self._notes)
            at = telling.instant(told)
            if at >= telling.now:
                told.problem(
                    "", f"must lie before the scenario begins ({telling.now:%Y-%m-%dT%H:%MZ})"
                )
            answered = told.instant("answered_at") or at
            past = Past(
                customer_id=telling.customer(told),
                at=at,
                channel=told.choice("channel", self._workspace.catalog.channels),
                offer_id=told.choice("offer", self._workspace.catalog.offers),
                incentive_id=told.choice(
                    "incentive", self._workspace.catalog.incentives, NO_INCENTIVE.incentive_id
                ),
                outcome=told.choice("outcome", _PAST_OUTCOMES),
                answered_at=max(at, answered),
            )
            told.done()
            yield past
