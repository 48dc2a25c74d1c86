"""Arbitration: what each treatment is worth, in expected money per exposure.

``priority = P × (V - incentive cost × (1 + λ)) × C × L``

P is the smoothed propensity, V the value if accepted, λ the shadow price of the incentive's
budget, C the context weight, L the lever. A factor that the arm switches off is 1. The cost is
charged on every acceptance, so those who would accept anyway are paid for.

Mandatory offers rank before all others, whatever they are worth.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nbo.decision.arms import Arm
from nbo.decision.columns import Flags, Rows
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Refusal
from nbo.decision.propensity import Array, Scores
from nbo.decision.rules import Activation
from nbo.decision.scoring import smooth


class Ranked(NamedTuple):
    """Treatments with their factors, columns of one length n, best first.

    Attributes:
        rows: Positions in `CompiledCatalog.treatments`.
        propensity: P after smoothing, whether or not the arm uses it.
        evidence: S + M, the outcomes P rests on.
        batch: The batch model's probability.
        value: V - incentive cost, whether or not the arm uses it; ties go by V alone.
        shadow_price: λ of the incentive's budget; 0 where switched off.
        context: C. lever: L; 1 where switched off.
        worth: Priority at a propensity of 1.
        priority: What the ranking is by.
        mandatory: Whether the offer must be said.
    """

    rows: Rows
    propensity: Array
    evidence: Array
    batch: Array
    value: Array
    shadow_price: Array
    context: Array
    lever: Array
    worth: Array
    priority: Array
    mandatory: Flags

    def take(self, which: Rows | Flags) -> Ranked:
        """Keep some treatments, in the order of `which` if it holds positions."""
        return Ranked(
            rows=self.rows[which],
            propensity=self.propensity[which],
            evidence=self.evidence[which],
            batch=self.batch[which],
            value=self.value[which],
            shadow_price=self.shadow_price[which],
            context=self.context[which],
            lever=self.lever[which],
            worth=self.worth[which],
            priority=self.priority[which],
            mandatory=self.mandatory[which],
        )


def arbitrate(
    rows: list[int],
    scores: Scores,
    compiled: CompiledCatalog,
    activation: Activation,
    arm: Arm,
    shadow_prices: Array,
) -> Ranked:
    """Rank treatments by priority; ties by higher V, then offer id, then incentive id.

    V is the value if accepted, before the incentive's cost: of two treatments worth the same
    to us the one that is worth more to begin with.

    Args:
        rows: (n,) positions of the treatments, ascending.
        scores: (n,) of them.
        compiled: The catalogue.
        activation: The request's facts, for context rules.
        arm: Which factors are on.
        shadow_prices: (n_incentives,) λ, in the catalogue's order.
    """
    at = np.array(rows, dtype=np.intp)
    ones = np.ones(len(at))
    evidence = compiled.catalog.policies.smoothing_evidence
    propensity = smooth(scores, compiled.prior[at], evidence)
    value = compiled.value[at] - compiled.cost[at]
    price = shadow_prices[compiled.incentive_of[at]] if arm.value else 0.0 * ones
    context = _context(compiled, activation)[compiled.offer_of[at]] if arm.context else ones
    lever = compiled.lever[at] if arm.levers else ones
    money = compiled.value[at] - compiled.cost[at] * (1.0 + price) if arm.value else ones
    worth = money * context * lever
    ranked = Ranked(
        rows=at,
        propensity=propensity,
        evidence=evidence + scores.evidence,
        batch=scores.batch,
        value=value,
        shadow_price=price,
        context=context,
        lever=lever,
        worth=worth,
        priority=propensity * worth if arm.propensity else worth,
        mandatory=np.array([compiled.treatments[row].offer.mandatory for row in rows], bool),
    )
    # Rows ascend by offer id, then incentive id; lexsort is stable, so they break the last ties.
    order = np.lexsort((-compiled.value[at], -ranked.priority, ~ranked.mandatory))
    return ranked.take(order)


def refuse_unworthy(
    ranked: Ranked, compiled: CompiledCatalog, arm: Arm
) -> tuple[Ranked, list[Refusal]]:
    """Drop treatments below the propensity floor or not worth offering.

    The floor looks at P, so it is off in arms without P and in random ones, which must
    explore what the model thinks little of. Priority not above zero is never offered. What is
    mandatory is said nevertheless.
    """
    floor = compiled.catalog.policies.propensity_floor
    free = ranked.mandatory
    floored = ~free & (ranked.propensity < (floor if arm.propensity and not arm.random else 0.0))
    falls = floored | (~free & ~(ranked.priority > 0.0))
    if not falls.any():
        return ranked, []
    staying = set(compiled.offer_of[ranked.rows[~falls]].tolist())
    refusals: list[Refusal] = []
    fallen_offers: set[int] = set()
    for position in np.flatnonzero(falls).tolist():
        offer, incentive = compiled.treatments[ranked.rows[position]]
        number = int(compiled.offer_of[ranked.rows[position]])
        if number in fallen_offers:
            continue
        whole = number not in staying
        if whole:
            fallen_offers.add(number)
        stage = "propensity floor" if floored[position] else "value"
        rule = "minimum propensity" if floored[position] else "worth offering"
        detail = _detail(ranked, position, floor, compiled, stage)
        refusals.append(
            Refusal(offer.offer_id, stage, rule, detail, "" if whole else incentive.incentive_id)
        )
    return ranked.take(~falls), refusals


def _context(compiled: CompiledCatalog, activation: Activation) -> Array:
    """(n_offers,) C = 1 + the percents of the context rules that hold, never below 0."""
    percent = np.zeros(len(compiled.offers))
    for condition, weight, applies in compiled.context:
        if condition.rule.check(activation).passed:
            percent += weight * applies
    return np.maximum(0.0, 1.0 + percent / 100.0)


def _detail(
    ranked: Ranked, position: int, floor: float, compiled: CompiledCatalog, stage: str
) -> str:
    if stage == "propensity floor":
        return f"propensity {ranked.propensity[position]:.4g}, floor {floor:.4g}"
    value = f"value {ranked.value[position]:.2f}"
    if price := ranked.shadow_price[position]:
        scarcity = compiled.cost[ranked.rows[position]] * price
        value = f"({value} - scarce budget {scarcity:.2f})"
    return (
        f"priority {ranked.priority[position]:.4g} {compiled.catalog.currency}, must be above 0: "
        f"propensity {ranked.propensity[position]:.3g} × {value} × "
        f"context {ranked.context[position]:.3g} × lever {ranked.lever[position]:.3g}"
    )
