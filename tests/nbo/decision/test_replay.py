"""Replay: a logged decision comes out the same, from its record and the catalogue alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbo.decision.catalog import Treatment
from nbo.decision.catalog_text import load_catalog
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decide import World, decide
from nbo.decision.facts import Fact, FactSchema
from nbo.decision.history import Contact, Outcome
from nbo.decision.limits import CapUse, Usage
from nbo.decision.propensity import Propensity, Scores
from nbo.decision.record import from_record, to_record
from nbo.decision.replay import ABSENT, Difference, LoggedPropensity, other_engine, replay
from nbo.decision.request import Request
from nbo.errors import BadInputError

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
Ask = Callable[..., Request]
Change = Callable[..., CompiledCatalog]


class Drifting:
    """A model that never says the same twice, like one that goes on learning."""

    def __init__(self) -> None:
        self._draw = np.random.RandomState(5)
        self.version = "drifting/1+online/99"

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        n = len(treatments)
        p, batch = self._draw.uniform(0.01, 0.99, (2, n))
        return Scores(p, self._draw.uniform(0.0, 300.0, n), batch)


class Failing(Drifting):
    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        raise RuntimeError("weights are lost")


class Implausible(Drifting):
    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        scores = super().score(request, treatments)
        return replace(scores, probability=scores.probability + 1.0)


MODELS: dict[str, Propensity] = {
    "drifting": Drifting(),
    "failing": Failing(),
    "implausible": Implausible(),
}

RICHER = """\
  - id: red-blue
    group: both
    name: {en: Red and blue, de: Rot und Blau}
    channels: [voice, web]
    value: 260
    prior: 0.2
    bundle: [red-1, blue-1]
  - id: must
    group: both
    name: {en: We must say this, de: Das muss sein}
    channels: [voice, web]
    value: 0
    prior: 0.1
    mandatory: true
    triggers: ["address.*"]
  - id: few
    group: few
    name: {en: A few, de: Wenige}
    channels: [voice, web]
    value: 120
    caps: {total: 10, daily: 2}
    incentives: [none, discount]
    variants: [v]
experiments:
  - id: first
    salt: s1
    layer: one
    buckets: [0, 0.5]
    unit: customer.plan
    arms:
      - {id: holdout, share: 0.1, holdout: true}
      - {id: random, share: 0.2, random: true}
      - {id: propensity, share: 0.1, value: false, levers: false, context: false}
      - {id: plain, share: 0.2, propensity: false, incentives: false}
      - {id: other-model, share: 0.2, model: other}
      - {id: gone-model, share: 0.2, model: gone, variant: v}
  - id: second
    salt: s2
    layer: one
    buckets: [0.5, 1]
    unit: customer.plan
    arms:
      - {id: greedy, share: 0.25, selection: {policy: greedy}}
      - {id: epsilon, share: 0.25, selection: {policy: epsilon, epsilon: 0.4}, variant: v}
      - {id: softmax, share: 0.25, selection: {policy: softmax, temperature: 9}}
      - {id: thompson, share: 0.25, selection: {policy: thompson, draws: 30}, variant: v}
"""
BUDGET = ("    cost: 30", "    budget: {amount: 1000, period: month}\n    cost: 30")
GROUPS = ("groups:\n", "groups:\n  - {id: both, lever: 5}\n  - {id: few, issue: grow}\n")


@pytest.fixture(scope="module")
def richer(catalog_text: str, schema: FactSchema) -> CompiledCatalog:
    """The catalogue with every kind of arm, policy, limit and offer."""
    text = catalog_text + RICHER
    for old, new in (
        BUDGET,
        GROUPS,
        ("per_group: 1", "per_group: 2"),
    ):
        text = text.replace(old, new, 1)
    return load_catalog(text, "catalog.yaml", schema, {"few": 0.123456789})


PLANS = ["p0", "p1", "p2", "p3", "p6", "p16", "p18", "p19", "p36", "p46"]
"""The first of each arm: a unit's place never changes."""

facts = st.fixed_dictionaries(
    {"customer.plan": st.sampled_from(PLANS)},
    optional={
        "customer.consent_voice": st.sampled_from([True, True, True, False]),
        "customer.complaint_open": st.sampled_from([False, False, False, True]),
        "customer.has_red": st.booleans(),
        "customer.tenure_months": st.floats(0, 40) | st.just(float("nan")),
        "interaction.intent": st.sampled_from(["billing", "moving"]),
        "event.type": st.sampled_from(["address.changed", "other"]),
    },
)
contacts = st.builds(
    lambda days, offer, outcome: Contact(
        NOW - timedelta(days=days), "voice", f"i{days}", f"d{days}", offer, "red", outcome
    ),
    st.integers(0, 100),
    st.sampled_from(["red-1", "red-2", "blue-1"]),
    st.sampled_from([Outcome.PRESENTED, Outcome.DECLINED, Outcome.ACCEPTED]),
)
usages = st.builds(
    lambda total, daily, spent, known: Usage(
        {"few": CapUse(total, daily)}, {"discount": spent}, known
    ),
    st.integers(0, 12),
    st.integers(0, 3),
    st.floats(0.0, 1000.0),
    st.sampled_from([True, True, True, False]),
)


@settings(
    max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    known=facts,
    history=st.lists(contacts, max_size=4),
    usage=usages,
    history_known=st.sampled_from([True, True, True, False]),
    degraded=st.lists(st.sampled_from(["last known customer vector", "no events"]), max_size=2),
    channel=st.sampled_from(["voice", "web"]),
    language=st.sampled_from(["en", "de", ""]),
    slots=st.integers(1, 6),
    seed=st.integers(0, 2**63),
    champion=st.sampled_from(sorted(MODELS)),
    other=st.sampled_from(sorted(MODELS)),
)
def test_a_decision_is_decided_again_bit_for_bit(
    ask: Ask,
    richer: CompiledCatalog,
    known: Mapping[str, Fact],
    history: list[Contact],
    usage: Usage,
    history_known: bool,
    degraded: list[str],
    channel: str,
    language: str,
    slots: int,
    seed: int,
    champion: str,
    other: str,
) -> None:
    """Whatever is asked, in every arm, under every policy, with models that learn or fail."""
    request = ask(
        facts=known,
        history=tuple(history),
        usage=usage,
        history_known=history_known,
        degraded=tuple(degraded),
        channel=channel,
        language=language,
        slots=slots,
        seed=seed,
    )
    world = World(richer, MODELS[champion], {"other": MODELS[other]}, engine_version="1")
    decision = decide(request, world)
    assert decision.degraded[: len(degraded)] == tuple(degraded)
    assert decision.rates == {"few": 0.123456789}
    record = json.loads(json.dumps(to_record(decision), allow_nan=False))
    assert replay(record, richer, "1") == ()
    sold = [
        name
        for slot in decision.slots
        for name in (slot.offer_id, *richer.catalog.offers[slot.offer_id].bundle)
    ]
    assert len(sold) == len(set(sold)), "no bundle stands with its member"
    mandatory = [slot.mandatory for slot in decision.slots]
    assert mandatory == sorted(mandatory, reverse=True)


def test_every_arm_and_offer_is_decided_again(ask: Ask, richer: CompiledCatalog) -> None:
    """Of the units above: none of them would be missed by chance."""
    world = World(richer, MODELS["drifting"], {"other": MODELS["drifting"]}, engine_version="1")
    decisions = [
        decide(ask(facts={"customer.plan": plan, **event}, slots=6, seed=seed), world)
        for plan in PLANS
        for event in ({}, {"event.type": "address.changed"})
        for seed in range(8)
    ]
    seen = {arm for decision in decisions for arm in decision.arms.values()}
    seen |= {slot.offer_id for decision in decisions for slot in decision.slots}
    arms = {arm.arm_id for one in richer.catalog.experiments for arm in one.arms}
    assert arms | set(richer.catalog.offers) <= seen
    for decision in decisions:
        record = json.loads(json.dumps(to_record(decision), allow_nan=False))
        assert replay(record, richer, "1") == ()


@pytest.fixture
def record(ask: Ask, world: World) -> dict[str, Any]:
    decision = decide(ask(), replace(world, propensity=Drifting()))
    logged: dict[str, Any] = json.loads(json.dumps(to_record(decision)))
    return logged


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("slots", 0, "probability"), 0.5, "slots[0].probability"),
        (("slots", 1, "priority"), 1.0000001, "slots[1].priority"),
        (("scores", 0, 2), 0.123, "slots["),
        (("scores", 0, 0), "ghost", "scores[0][0]"),
        (("arms",), {"policy": "other"}, "arms.policy"),
        (("versions", "catalog"), "000000000000", "versions.catalog"),
        (("rates",), {"red": 0.5}, "rates.red"),
        (("refusals",), [["ghost", "caps", "total cap", "all gone", ""]], "refusals[0]"),
    ],
)
def test_what_was_tampered_with_is_found(
    record: dict[str, Any],
    compiled: CompiledCatalog,
    path: tuple[Any, ...],
    value: object,
    found: str,
) -> None:
    assert replay(record, compiled, "test") == ()
    tampered = copy.deepcopy(record)
    place = tampered
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    differences = replay(tampered, compiled, "test")
    assert any(difference.path.startswith(found) for difference in differences)


def test_a_difference_is_located_with_both_values(
    record: dict[str, Any], compiled: CompiledCatalog
) -> None:
    said = record["slots"][0]["probability"]
    record["slots"][0]["probability"] = 0.25
    assert replay(record, compiled, "test") == (Difference("slots[0].probability", 0.25, said),)
    record["slots"][0]["probability"] = said
    removed = record["slots"].pop()
    (found,) = replay(record, compiled, "test")
    assert found == Difference("slots[1]", ABSENT, {**removed})
    assert found.values() == {"again": removed}


@pytest.mark.parametrize(
    ("path", "then", "now"),
    [
        (("slots", 0, "shadow_price"), -0.0, 0.0),
        (("slots", 0, "rank"), 1.0, 1),
        (("slots", 0, "mandatory"), 0, False),
        (("slots", 0, "rank"), "1", 1),
        (("arms", "gone"), None, ABSENT),
        (("rates", "gone"), None, ABSENT),
    ],
)
def test_what_reads_alike_and_is_not_is_a_difference(
    record: dict[str, Any],
    compiled: CompiledCatalog,
    path: tuple[Any, ...],
    then: object,
    now: object,
) -> None:
    place = record
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = then
    (found,) = replay(record, compiled, "test")
    assert (repr(found.logged), repr(found.again)) == (repr(then), repr(now))


ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, 0, 0.0, -0.0, 1, 1.0, True, False, "", "1", [], {}, [None]]
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_changes_the_text_of_the_answer_is_a_difference(
    record: dict[str, Any], compiled: CompiledCatalog, data: st.DataObject
) -> None:
    """A record that can still be read, and differs in any way, never passes for the same."""
    tampered = copy.deepcopy(record)
    place: Any = tampered[data.draw(st.sampled_from(["slots", "arms", "refusals", "rates"]))]
    while True:
        keys = list(range(len(place))) if isinstance(place, list) else list(place)
        key = data.draw(
            st.sampled_from([*keys, "new"])
            if isinstance(place, dict)
            else st.sampled_from(keys or [None])
        )
        inner = place[key] if key in keys else None
        if not isinstance(inner, list | dict) or not inner:
            break
        place = inner
    if key is None:
        place.append(data.draw(ODD))
    elif key in keys and data.draw(st.booleans()):
        del place[key]
    else:
        place[key] = data.draw(ODD)
    try:
        written = json.dumps(to_record(from_record(tampered)), sort_keys=True)
    except (BadInputError, TypeError):
        return
    if written != json.dumps(record, sort_keys=True):
        assert replay(tampered, compiled, "test")


def test_another_catalogue_differs(record: dict[str, Any], changed: Change) -> None:
    paths = {one.path for one in replay(record, changed(("value: 100", "value: 101")), "test")}
    assert "versions.catalog" in paths
    assert any(path.startswith("slots[") for path in paths)


def test_another_engine_is_noted_and_not_compared(
    record: dict[str, Any], compiled: CompiledCatalog
) -> None:
    assert replay(record, compiled, "newer") == ()
    assert other_engine(record, "newer") == "test"
    assert other_engine(record, "test") == ""


def test_a_record_without_scores_cannot_be_decided_again(
    record: dict[str, Any], compiled: CompiledCatalog
) -> None:
    old = {name: value for name, value in record.items() if name != "scores"}
    with pytest.raises(BadInputError, match=r"scores: missing from the record; it was imported"):
        replay(old, compiled, "test")
    with pytest.raises(BadInputError, match="scores: missing from decision 'd-1'"):
        replay({**record, "scores": []}, compiled, "test")
    with pytest.raises(BadInputError, match="is not a decision record"):
        replay({"scores": []}, compiled, "test")


def test_a_treatment_that_was_not_scored_has_its_prior(ask: Ask, compiled: CompiledCatalog) -> None:
    decision = decide(ask(), World(compiled, Drifting()))
    logged = LoggedPropensity(replace(decision, scores=decision.scores[1:]))
    scores = logged.score(ask(), compiled.treatments)
    assert scores.probability[0] == compiled.treatments[0].offer.prior
    assert scores.evidence[0] == 0.0
    assert scores.probability[1:].tolist() == [one.probability for one in decision.scores[1:]]
    assert scores.batch[1:].tolist() == [one.batch for one in decision.scores[1:]]
    assert scores.evidence[1:].tolist() == [one.evidence for one in decision.scores[1:]]
    assert logged.version == "drifting/1+online/99"
