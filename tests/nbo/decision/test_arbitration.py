"""Arbitration: priority = P × (V - cost) × C × L, and what is not worth offering is not offered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from nbo.decision.arbitration import Ranked, arbitrate, refuse_unworthy
from nbo.decision.arms import DEFAULT_ARM, Arm
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.facts import Fact
from nbo.decision.limits import NOTHING_USED, Usage
from nbo.decision.pacing import shadow_prices
from nbo.decision.propensity import Scores

Change = Callable[..., CompiledCatalog]
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MOVING: dict[str, Fact] = {"event.type": "address.changed"}


def rank(
    compiled: CompiledCatalog,
    facts: dict[str, Fact] | None = None,
    arm: Arm = DEFAULT_ARM,
    p: float | list[float] = 0.5,
    evidence: float = 1e12,
    usage: Usage = NOTHING_USED,
) -> Ranked:
    n = len(compiled.treatments)
    probability = np.broadcast_to(np.array(p, dtype=float), (n,)).copy()
    scores = Scores(probability, np.full(n, evidence), probability)
    activation = compiled.language.activate(facts or {})
    prices = shadow_prices(compiled.catalog.incentives.values(), usage, NOW)
    return arbitrate(list(range(n)), scores, compiled, activation, arm, prices)


def names(ranked: Ranked, compiled: CompiledCatalog) -> list[str]:
    treatments = [compiled.treatments[row] for row in ranked.rows]
    return [f"{t.offer.offer_id}/{t.incentive.incentive_id}" for t in treatments]


def priorities(ranked: Ranked, compiled: CompiledCatalog) -> dict[str, float]:
    return dict(zip(names(ranked, compiled), ranked.priority.tolist(), strict=True))


def test_priority_by_hand(compiled: CompiledCatalog) -> None:
    assert priorities(rank(compiled), compiled) == pytest.approx(
        {
            "blue-1/none": 0.5 * 180 * 1.2,
            "red-1/none": 0.5 * 100 * 1.1,
            "red-2/none": 0.5 * 80 * 1.1,
            "red-1/discount": 0.5 * 70 * 1.1,
            "blue-note/none": 0.5 * 5,
        },
        rel=1e-9,
    )


def test_best_first(compiled: CompiledCatalog) -> None:
    ranked = rank(compiled)
    assert ranked.priority.tolist() == sorted(ranked.priority.tolist(), reverse=True)
    assert names(ranked, compiled)[0] == "blue-1/none"


def test_context_counts_while_its_rule_holds(compiled: CompiledCatalog) -> None:
    with_event = priorities(rank(compiled, MOVING), compiled)
    assert with_event["red-1/none"] == pytest.approx(0.5 * 100 * 1.5 * 1.1)
    assert with_event["blue-1/none"] == pytest.approx(0.5 * 180 * 1.2)
    other: dict[str, Fact] = {"event.type": "other"}
    assert priorities(rank(compiled, other), compiled)["red-1/none"] == pytest.approx(55)


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        (Arm("", 1.0, propensity=False), 70 * 1.5 * 1.1),
        (Arm("", 1.0, value=False), 0.5 * 1.5 * 1.1),
        (Arm("", 1.0, context=False), 0.5 * 70 * 1.1),
        (Arm("", 1.0, levers=False), 0.5 * 70 * 1.5),
        (Arm("", 1.0, propensity=False, value=False, context=False, levers=False), 1.0),
    ],
)
def test_a_factor_that_is_switched_off_is_1(
    compiled: CompiledCatalog, arm: Arm, expected: float
) -> None:
    ranked = rank(compiled, MOVING, arm)
    assert priorities(ranked, compiled)["red-1/discount"] == pytest.approx(expected)
    at = names(ranked, compiled).index("red-1/discount")
    assert (ranked.propensity[at], ranked.value[at]) == (pytest.approx(0.5), 70)


def test_ties_go_to_higher_value_then_offer_id_then_incentive_id(changed: Change) -> None:
    tied = changed(
        ("lever: 10", "lever: 0"),
        ("lever: 20", "lever: 0"),
        ("cost: 30", "cost: 0"),
        ("value: 80", "value: 100"),
    )
    indifferent = Arm("", 1.0, propensity=False, value=False)
    assert names(rank(tied, arm=indifferent), tied) == [
        "blue-1/none",
        "red-1/discount",
        "red-1/none",
        "red-2/none",
        "blue-note/none",
    ]


def test_ties_go_by_the_value_before_the_incentives_cost(changed: Change) -> None:
    """Both are worth 100 after costs; red-2 with its discount brings 130 of them."""
    tied = changed(("value: 80", "value: 130\n    incentives: [discount]"))
    ranked = rank(tied, arm=Arm("", 1.0, propensity=False))
    found = [name for name in names(ranked, tied) if name in ("red-1/none", "red-2/discount")]
    assert found == ["red-2/discount", "red-1/none"]
    assert len({ranked.priority[names(ranked, tied).index(name)] for name in found}) == 1


def test_levers_of_issue_group_and_offer_add_up(changed: Change) -> None:
    listed = "issues:\n  - {id: grow, lever: 30}\n  - {id: retain, lever: -15}\n"
    compiled = changed(append=listed)
    levers = {
        treatment.offer.offer_id: float(lever)
        for treatment, lever in zip(compiled.treatments, compiled.lever, strict=True)
    }
    assert levers == pytest.approx({"red-1": 1.4, "red-2": 1.4, "blue-1": 1.05, "blue-note": 0.85})
    found = priorities(rank(compiled), compiled)
    assert found["blue-1/none"] == pytest.approx(0.5 * 180 * 1.05)


def test_context_and_levers_never_turn_negative(changed: Change) -> None:
    damped = changed(("weight: 50", "weight: -100"), ("lever: 20", "lever: -100"))
    found = priorities(rank(damped, MOVING), damped)
    assert found["red-1/none"] == 0.0
    assert found["blue-1/none"] == 0.0


def test_new_offers_are_smoothed_towards_their_prior(compiled: CompiledCatalog) -> None:
    ranked = rank(compiled, p=0.9, evidence=50.0)
    at = names(ranked, compiled).index("red-1/none")
    assert ranked.propensity[at] == pytest.approx((50 * 0.3 + 50 * 0.9) / 100)
    assert ranked.batch[at] == 0.9


def test_what_costs_more_than_it_brings_is_not_offered(changed: Change) -> None:
    dear = changed(("cost: 30", "cost: 100"), ("value: 5\n", "value: 0\n"))
    kept, refusals = refuse_unworthy(rank(dear), dear, DEFAULT_ARM)
    assert names(kept, dear) == ["blue-1/none", "red-1/none", "red-2/none"]
    assert [(r.offer_id, r.incentive_id, r.stage) for r in refusals] == [
        ("red-1", "discount", "value"),
        ("blue-note", "", "value"),
    ]
    assert refusals[1].detail == (
        "priority 0 EUR, must be above 0: propensity 0.5 × value 0.00 × context 1 × lever 1"
    )
    random, _ = refuse_unworthy(rank(dear), dear, Arm("r", 1.0, random=True))
    assert names(random, dear) == names(kept, dear), "chance is no reason to lose money"


def test_below_the_propensity_floor_is_refused(changed: Change) -> None:
    floored = changed(("per_group: 1", "propensity_floor: 0.2"))
    p = [0.1, 0.5, 0.3, 0.1, 0.2]  # blue-1, blue-note, red-1 discount, red-1 none, red-2
    kept, refusals = refuse_unworthy(rank(floored, p=p), floored, DEFAULT_ARM)
    assert set(names(kept, floored)) == {"blue-note/none", "red-1/discount", "red-2/none"}
    assert {(r.offer_id, r.incentive_id, r.stage, r.detail) for r in refusals} == {
        ("blue-1", "", "propensity floor", "propensity 0.1, floor 0.2"),
        ("red-1", "none", "propensity floor", "propensity 0.1, floor 0.2"),
    }


@pytest.mark.parametrize("arm", [Arm("r", 1.0, random=True), Arm("p", 1.0, propensity=False)])
def test_the_floor_is_off_where_propensity_does_not_count(changed: Change, arm: Arm) -> None:
    floored = changed(("per_group: 1", "propensity_floor: 0.9"))
    _, refusals = refuse_unworthy(rank(floored, arm=arm), floored, arm)
    assert refusals == []
