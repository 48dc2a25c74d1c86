"""Arbitration: what each treatment is worth, in expected money per exposure.

``priority = P × (V - incentive cost) × C × L``

P is the smoothed propensity, V the value if accepted, C the context weight, L the lever. A
factor that the arm switches off is 1. The cost is charged on every acceptance, so those who
would accept anyway are paid for.
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
        batch: The batch model's probability.
        value: V - incentive cost, whether or not the arm uses it.
        context: C. lever: L; 1 where switched off.
        priority: What the ranking is by.
    """

    rows: Rows
    propensity: Array
    batch: Array
    value: Array
    context: Array
    lever: Array
    priority: Array

    def take(self, which: Rows | Flags) -> Ranked:
        """Keep some treatments, in the order of `which` if it holds positions."""
        return Ranked(
            self.rows[which],
            self.propensity[which],
            self.batch[which],
            self.value[which],
            self.context[which],
            self.lever[which],
            self.priority[which],
        )


def arbitrate(
    rows: list[int], scores: Scores, compiled: CompiledCatalog, activation: Activation, arm: Arm
) -> Ranked:
    """Rank treatments by priority; ties by higher value, then offer id, then incentive id.

    Args:
        rows: (n,) positions of the treatments, ascending.
        scores: (n,) of them.
        compiled: The catalogue.
        activation: The request's facts, for context rules.
        arm: Which factors are on.
    """
    at = np.array(rows, dtype=np.intp)
    evidence = compiled.catalog.policies.smoothing_evidence
    propensity = smooth(scores, compiled.prior[at], evidence)
    value = compiled.value[at] - compiled.cost[at]
    ones = np.ones(len(at))
    context = _context(compiled, activation)[compiled.offer_of[at]] if arm.context else ones
    lever = compiled.lever[at] if arm.levers else ones
    priority = (
        (propensity if arm.propensity else 1.0) * (value if arm.value else 1.0) * context * lever
    )
    # Rows ascend by offer id, then incentive id; lexsort is stable, so they break the last ties.
    order = np.lexsort((-value, -priority))
    ranked = Ranked(at, propensity, scores.batch, value, context, lever, priority)
    return ranked.take(order)


def refuse_unworthy(
    ranked: Ranked, compiled: CompiledCatalog, arm: Arm
) -> tuple[Ranked, list[Refusal]]:
    """Drop treatments below the propensity floor or not worth offering.

    The floor looks at P, so it is off in arms without P and in random ones, which must
    explore what the model thinks little of. Priority not above zero is never offered.
    """
    floor = compiled.catalog.policies.propensity_floor
    floored = ranked.propensity < (floor if arm.propensity and not arm.random else 0.0)
    worthless = ~floored & ~(ranked.priority > 0.0)
    falls = floored | worthless
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
        detail = _detail(ranked, position, floor, compiled.catalog.currency, stage)
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


def _detail(ranked: Ranked, position: int, floor: float, currency: str, stage: str) -> str:
    if stage == "propensity floor":
        return f"propensity {ranked.propensity[position]:.4g}, floor {floor:.4g}"
    return (
        f"priority {ranked.priority[position]:.4g} {currency}, must be above 0: "
        f"propensity {ranked.propensity[position]:.3g} × value {ranked.value[position]:.2f} × "
        f"context {ranked.context[position]:.3g} × lever {ranked.lever[position]:.3g}"
    )
