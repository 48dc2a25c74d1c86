"""What a catalogue would change: logged decisions decided again under both, and compared.

Same customers, facts, histories, draws and models; only the catalogue differs. Nothing is
logged, reserved or counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from nbo.decision.decide import World, decide
from nbo.decision.decision import Decision
from nbo.decision.facts import Fact
from nbo.decision.record import Record, request_from_record
from nbo.decision.request import Request

MOST_VALUES = 12
"""A number with more distinct values is told in four bands of about as many decisions each."""


class Count(NamedTuple):
    """How often something is returned.

    Attributes:
        key: Offer id, or the customer group.
        before: Under the catalogue in force.
        after: Under the new one.
        gained: Decisions that have it only after; of a group, that gain an offer.
        lost: Decisions that have it only before; of a group, that lose an offer.
    """

    key: str
    before: int
    after: int
    gained: int
    lost: int


class Example(NamedTuple):
    """One decision that changes.

    Attributes:
        before: Offer ids under the catalogue in force, in order.
        after: Offer ids under the new one, in order.
        reason: Why the first offer lost is lost, else why the first gained is gained.
    """

    decision_id: str
    customer_id: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    reason: str


@dataclass(slots=True)
class Preview:
    """What was seen so far.

    Attributes:
        in_force: What is decided with now.
        proposed: The same with the new catalogue.
        by: Fact that groups customers; empty for the channel.
        most_examples: At most so many are kept, of decisions that change in different ways.
        decisions: Decided again.
        changed: Of these, with another answer.
        examples: Some of those.
    """

    in_force: World
    proposed: World
    by: str
    most_examples: int
    decisions: int = 0
    changed: int = 0
    examples: list[Example] = field(default_factory=list)
    _offers: dict[str, Counter[str]] = field(default_factory=dict)
    _groups: list[tuple[Fact | None, Counter[str]]] = field(default_factory=list)
    _ways: set[tuple[frozenset[str], frozenset[str]]] = field(default_factory=set)

    def add(self, record: Record) -> None:
        """Decide again what a logged decision was asked; an unreadable one is left out."""
        try:
            request = request_from_record(record["request"])
        except (KeyError, TypeError, ValueError):
            return
        self._compare(request, decide(request, self.in_force), decide(request, self.proposed))

    def offers(self) -> list[Count]:
        """By offer, those with a difference, the largest first."""
        counts = [_count(offer_id, seen) for offer_id, seen in self._offers.items()]
        differing = [c for c in counts if c.gained or c.lost]
        return sorted(differing, key=lambda c: (-(c.gained + c.lost), c.key))

    def groups(self) -> list[Count]:
        """By customer group, in the order of its values."""
        seen: dict[str, Counter[str]] = {}
        for label, counted in _labelled(self._groups):
            seen.setdefault(label, Counter()).update(counted)
        return [_count(label, counted) for label, counted in seen.items()]

    def _compare(self, request: Request, before: Decision, after: Decision) -> None:
        was, now = _offers_of(before), _offers_of(after)
        lost, gained = frozenset(was) - frozenset(now), frozenset(now) - frozenset(was)
        for name, offer_ids in (
            ("before", was),
            ("after", now),
            ("lost", lost),
            ("gained", gained),
        ):
            for offer_id in offer_ids:
                self._offers.setdefault(offer_id, Counter())[name] += 1
        fact = request.facts.get(self.by) if self.by else request.channel
        counted = Counter(  # numbers: a message takes no True for a 1
            before=len(was), after=len(now), lost=int(bool(lost)), gained=int(bool(gained))
        )
        self._groups.append((fact, counted))
        self.decisions += 1
        if _answer(before) == _answer(after):
            return
        self.changed += 1
        if len(self.examples) < self.most_examples and (lost, gained) not in self._ways:
            self._ways.add((lost, gained))
            reason = _reason(before, after, self.in_force, self.proposed)
            ids = request.decision_id, request.customer_id
            self.examples.append(Example(*ids, was, now, reason))


def _offers_of(decision: Decision) -> tuple[str, ...]:
    return tuple(slot.offer_id for slot in decision.slots)


def _answer(decision: Decision) -> list[tuple[str, str]]:
    return [(slot.offer_id, slot.incentive_id) for slot in decision.slots]


def _count(key: str, seen: Counter[str]) -> Count:
    return Count(key, seen["before"], seen["after"], seen["gained"], seen["lost"])


def _reason(before: Decision, after: Decision, in_force: World, proposed: World) -> str:
    """Tell why the first offer lost is lost, else why the first gained is gained."""
    was, now = _offers_of(before), _offers_of(after)
    lost = [offer_id for offer_id in was if offer_id not in now]
    gained = [offer_id for offer_id in now if offer_id not in was]
    if lost:
        refusal = _refusal(after, lost[0])
        if lost[0] not in proposed.compiled.catalog.offers:
            refusal = "no longer in the catalogue"
        ahead = f"{gained[0]} ranks before it" if gained else "others rank before it"
        return f"{lost[0]}: {refusal or ahead}"
    if gained:
        refusal = _refusal(before, gained[0])
        if gained[0] not in in_force.compiled.catalog.offers:
            return f"{gained[0]}: new in the catalogue"
        return f"{gained[0]}: " + (
            f"until now {refusal}" if refusal else "ranks higher than before"
        )
    return "the same offers with another incentive or in another order"


def _refusal(decision: Decision, offer_id: str) -> str:
    """What was said against an offer; empty when nothing was."""
    found = next((r for r in decision.refusals if r.offer_id == offer_id), None)
    return f"{found.stage}: {found.rule} ({found.detail})" if found else ""


def _labelled(
    seen: Sequence[tuple[Fact | None, Counter[str]]],
) -> Iterator[tuple[str, Counter[str]]]:
    """Name the group of each, in the order of the facts; unknown ones come last."""
    known = [(fact, counted) for fact, counted in seen if fact is not None]
    edges = _edges([fact for fact, _ in known])
    for fact, counted in sorted(known, key=lambda pair: _order(pair[0])):
        yield (_band(float(fact), edges) if edges else _shown(fact)), counted
    yield from (("unknown", counted) for fact, counted in seen if fact is None)


def _edges(facts: Sequence[Fact]) -> list[float]:
    """Quartiles of numbers with many values; empty when each value is a group of its own."""
    numbers = [fact for fact in facts if isinstance(fact, float)]
    if len(set(numbers)) <= MOST_VALUES:
        return []
    return sorted({float(edge) for edge in np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1])})


def _order(fact: Fact) -> tuple[float, str]:
    return (0.0, fact) if isinstance(fact, str) else (float(fact), "")


def _band(value: float, edges: Sequence[float]) -> str:
    """The stretch between two edges that holds a value; the last includes its end."""
    last = len(edges) - 2
    position = min(max(bisect_right(edges, value) - 1, 0), last)
    low, high = edges[position], edges[position + 1]
    return f"{low:.6g} to {'' if position == last else '< '}{high:.6g}"


def _shown(fact: Fact) -> str:
    if isinstance(fact, bool):
        return str(fact).lower()
    return f"{fact:.6g}" if isinstance(fact, float) else fact
