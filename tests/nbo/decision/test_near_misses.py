"""Near misses of offers that come with one of several incentives: one of them is enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbo.decision.catalog_text import load_catalog
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decide import World, decide
from nbo.decision.explain import explain
from nbo.decision.explanation import NearMiss
from nbo.decision.facts import INTERACTION_FACTS, Fact, FactSchema, FactType
from nbo.decision.history import HISTORY_FACTS, Contact, Outcome
from nbo.decision.limits import Period, Usage, span_of
from nbo.decision.prior import PriorPropensity
from nbo.decision.request import Request

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
FLAGS = ("customer.a", "customer.b", "customer.c")
SCHEMA = FactSchema({**INTERACTION_FACTS, **HISTORY_FACTS, **dict.fromkeys(FLAGS, FactType.FLAG)})


class Sweetener(NamedTuple):
    """An incentive: flags it asks for, the period of its budget (empty: none), whether spent."""

    rules: tuple[str, ...] = ()
    period: str = ""
    spent: bool = False

    def fails(self, facts: Mapping[str, Fact], at: datetime) -> bool:
        gone = self.spent and self.period and at < span_of(Period(self.period), NOW).end
        return bool(gone) or not all(facts.get(rule) for rule in self.rules)


def catalog(x: Sweetener, y: Sweetener, conditions: tuple[str, ...] = ()) -> CompiledCatalog:
    """One offer that comes with x or y, never with nothing."""
    told = "".join(
        f"  - {{id: {name}, name: {{en: {name}}}, kind: d, cost: 10, rules: {_rules(one.rules)}"
        + (f", budget: {{amount: 100, period: {one.period}}}" if one.period else "")
        + "}\n"
        for name, one in (("x", x), ("y", y))
    )
    return load_catalog(
        f"""\
currency: EUR
languages: [en]
channels: {{voice: {{fallback: none}}}}
groups: [{{id: g}}]
incentives:
{told}offers:
  - id: o
    group: g
    name: {{en: o}}
    channels: [voice]
    value: 100
    prior: 0.2
    eligibility: {_rules(conditions)}
    incentives: [x, y]
policies:
  suppression: [{{name: s, outcome: DECLINED, scope: offer, window: 9d, count: 1, pause: 20d}}]
""",
        "catalog.yaml",
        SCHEMA,
    )


def _rules(flags: tuple[str, ...]) -> str:
    return "[" + ", ".join(f"{{name: {flag}, when: {flag}}}" for flag in flags) + "]"


def request(x: Sweetener, y: Sweetener, facts: Mapping[str, Fact], declined: bool) -> Request:
    said = Contact(NOW - timedelta(days=2), "voice", "i-0", "d-0", "o", "g", Outcome.DECLINED)
    spent = {name: 100.0 for name, one in (("x", x), ("y", y)) if one.spent}
    return Request(
        decision_id="d-1",
        customer_id="c-1",
        interaction_id="i-1",
        at=NOW,
        channel="voice",
        language="en",
        slots=1,
        facts=facts,
        history=(said,) if declined else (),
        seed=1,
        usage=Usage(budgets=spent),
    )


def near_miss(compiled: CompiledCatalog, asked: Request) -> NearMiss | None:
    decision = decide(asked, World(compiled, PriorPropensity()))
    found = explain(decision, compiled).near_misses
    return found[0] if found else None


def test_the_budget_that_comes_back_first_is_enough() -> None:
    x, y = Sweetener(period="year", spent=True), Sweetener(period="day", spent=True)
    miss = near_miss(catalog(x, y), request(x, y, {}, declined=False))
    assert miss is not None
    assert miss.allowed_from == datetime(2026, 3, 11, tzinfo=UTC)
    assert miss.needed == (
        "y: 100 of 100 spent this day, costs 10, allowed from 2026-03-11 00:00 UTC"
    )


@pytest.mark.parametrize("known", [False, None])
def test_one_fact_for_one_of_the_incentives_is_enough(known: bool | None) -> None:
    x, y = Sweetener(("customer.a",)), Sweetener(("customer.b",))
    facts: dict[str, Fact] = {} if known is None else {"customer.a": known, "customer.b": known}
    miss = near_miss(catalog(x, y), request(x, y, facts, declined=False))
    assert miss is not None
    was = "unknown" if known is None else "false"
    assert miss == NearMiss(
        "o", "eligibility", "customer.a", f"x: customer.a is {was}, needs true", None, 20.0
    )


sweeteners = st.builds(
    Sweetener,
    st.lists(st.sampled_from(FLAGS[:2]), max_size=2, unique=True).map(tuple),
    st.sampled_from(["", *Period]),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(
    x=sweeteners,
    y=sweeteners,
    conditions=st.sampled_from([(), (), ("customer.c",)]),  # a rule is one condition, not a fact
    facts=st.fixed_dictionaries({}, optional=dict.fromkeys(FLAGS, st.booleans())),
    declined=st.booleans(),
)
def test_whatever_one_change_mends_is_a_near_miss_and_nothing_else(
    x: Sweetener,
    y: Sweetener,
    conditions: tuple[str, ...],
    facts: dict[str, Fact],
    declined: bool,
) -> None:
    def stands(known: Mapping[str, Fact], at: datetime) -> bool:
        paused = declined and at < NOW + timedelta(days=18)
        asked_of = all(known.get(flag) for flag in conditions)
        return asked_of and not paused and not (x.fails(known, at) and y.fails(known, at))

    compiled, asked = catalog(x, y, conditions), request(x, y, facts, declined)
    decided = decide(asked, World(compiled, PriorPropensity()))
    assert bool(decided.slots) is stands(facts, NOW), "the test knows the rules"
    miss = near_miss(compiled, asked)
    if stands(facts, NOW):
        assert miss is None
        return
    ends = sorted({NOW + timedelta(days=18), *(span_of(period, NOW).end for period in Period)})
    soonest = next((at for at in ends if stands(facts, at)), None)
    flags = [flag for flag in FLAGS if stands({**facts, flag: True}, NOW)]
    assert (miss is not None and miss.allowed_from) == (soonest or (False if not flags else None))
    if soonest is None and miss is not None:
        assert any(f"{flag} is " in miss.needed for flag in flags)


@pytest.mark.parametrize("most", [0, 1])
def test_one_offer_is_one_near_miss(most: int) -> None:
    x, y = Sweetener(("customer.a",)), Sweetener(("customer.b",))
    compiled, asked = catalog(x, y), request(x, y, {}, declined=False)
    decision = decide(replace(asked, slots=3), World(compiled, PriorPropensity()))
    assert len(explain(decision, compiled, most_near_misses=most).near_misses) == most
