"""Explaining a logged decision: the same rules once more, from what was logged.

Nothing is trained, counted or written: all that it takes is the record and the catalogue
version that decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbo.decision.arms import Arm
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decision import Decision, Refusal
from nbo.decision.experiments import combine
from nbo.decision.explanation import ENDS, Contribution, Explanation
from nbo.decision.factors import factors
from nbo.decision.failure import Failure
from nbo.decision.failures import all_failures
from nbo.decision.funnel import funnel
from nbo.decision.near_misses import near_misses

NEAR_MISSES = 5
"""So many are told unless more are asked for."""


def explain(
    decision: Decision,
    compiled: CompiledCatalog,
    contributions: Mapping[int, Sequence[Contribution]] | None = None,
    *,
    most_near_misses: int = NEAR_MISSES,
    without_reasons: str = "",
) -> Explanation:
    """Take a decision apart. Pure: the same record and catalogue give the same explanation.

    Args:
        decision: As logged.
        compiled: The catalogue version that decided, with the rates it decided with.
        contributions: By rank, what moved the propensity, strongest first; None where unknown.
        most_near_misses: At most so many.
        without_reasons: Why there are no contributions.
    """
    request = decision.request
    activation = compiled.language.activate(request.facts)
    arm = arm_of(decision, compiled)
    failures = all_failures(request, compiled, activation, arm)
    return Explanation(
        decision=decision,
        currency=compiled.catalog.currency,
        funnel=funnel(decision, compiled),
        refusals=_refusals(decision, failures),
        slots=factors(decision, compiled, activation, arm, contributions or {}),
        near_misses=near_misses(decision, compiled, arm, failures, most_near_misses),
        without_reasons=without_reasons,
    )


def arm_of(decision: Decision, compiled: CompiledCatalog) -> Arm:
    """Find what the customer's arms overrode, all together."""
    return combine(
        arm
        for experiment in compiled.catalog.experiments
        for arm in experiment.arms
        if decision.arms.get(experiment.experiment_id) == arm.arm_id
    )


def _refusals(decision: Decision, failures: Mapping[str, Sequence[Failure]]) -> tuple[Refusal, ...]:
    """List every failure, and what was logged besides: incentives, scores, holdouts.

    Rules may share a name, so only rows that are equal throughout are one.
    """
    found = [
        Refusal(offer_id, failure.stage, failure.rule, failure.detail, failure.incentive_id)
        for offer_id, several in failures.items()
        for failure in several
    ]
    return tuple(sorted(dict.fromkeys([*found, *decision.refusals]), key=_place))


def _place(refusal: Refusal) -> tuple[str, int, bool]:
    """Sort by offer, then stage, incentives last; the sort keeps the order of the rules of each."""
    stage = ENDS.index(refusal.stage) if refusal.stage in ENDS else len(ENDS)
    return refusal.offer_id, stage, bool(refusal.incentive_id)
