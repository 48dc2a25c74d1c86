"""The logged answer: what was chosen, how likely that was, what was refused and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from nbo.decision.request import Request

SCREEN_STAGES = (
    "availability",
    "consent",
    "service first",
    "eligibility",
    "applicability",
    "suitability",
    "contact policy",
    "caps",
)
"""Stages of the screen, in order."""

AFTER_SCORING = ("propensity floor", "value")
"""Stages in which offers fall that the model has scored, in order."""


class Refusal(NamedTuple):
    """Why a candidate was dropped.

    Attributes:
        offer_id: What was refused.
        incentive_id: The incentive, when only this treatment fell; empty for the whole offer.
        stage: Of `SCREEN_STAGES`, of `AFTER_SCORING` (``value``: priority not above zero), or
            ``holdout``.
        rule: Name of the rule or policy that decided.
        detail: The facts and values that decided, for people.
    """

    offer_id: str
    stage: str
    rule: str
    detail: str
    incentive_id: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """One position in the answer.

    Attributes:
        rank: 1 first.
        probability: Probability with which the policy put this offer here, given the slots
            before; in (0, 1].
        propensity: P after smoothing.
        batch: The batch model's probability, before online learning and smoothing.
        value: V - incentive cost, in the catalogue's currency; without the shadow price.
        priority: Expected money per exposure, P × (V - cost × (1 + λ)) × C × L; λ is
            `shadow_price`. A factor that the arm switches off is 1.
        context: C. lever: L.
        reasons: Short sentences for the agent, most important first.
        mandatory: Whether it stands here because it must be said.
        bundle: Offers sold as one under this id; empty for an ordinary offer.
        probability_error: Standard error of `probability` where it was counted in random
            draws; 0 where it is exact.
        shadow_price: Of the incentive's budget, dimensionless, >= 0.
        monthly_revenue: What an acceptance adds to the bill per month, the incentive's part
            taken off.
        incentive_cost: Charged on an acceptance, in the catalogue's currency; what it takes
            from the incentive's budget.
    """

    rank: int
    offer_id: str
    group_id: str
    incentive_id: str
    probability: float
    propensity: float
    batch: float
    value: float
    priority: float
    context: float
    lever: float
    reasons: tuple[str, ...]
    mandatory: bool = False
    bundle: tuple[str, ...] = ()
    probability_error: float = 0.0
    shadow_price: float = 0.0
    monthly_revenue: float = 0.0
    incentive_cost: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.probability <= 1.0:
            raise ValueError(f"probability == {self.probability}, must be in (0, 1]")


class ScoredTreatment(NamedTuple):
    """What the model said of one treatment that passed the screen.

    Attributes:
        probability: Of the model, before smoothing.
        batch: The batch model's own, before online learning.
        evidence: M, outcomes the model has seen of it.
    """

    offer_id: str
    incentive_id: str
    probability: float
    batch: float
    evidence: float


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request, with enough to decide it again bit for bit.

    Attributes:
        request: The question, with the facts and history as used.
        arms: Experiment id to arm id.
        slots: What to say, in order; may be empty.
        refusals: One per candidate that fell, at its first failing stage.
        versions: ``{"catalog": ..., "model": ..., "engine": ...}``.
        degraded: Steps of the ladder that were taken, empty for a full decision.
        scores: One per treatment that passed the screen, by offer id, then incentive id.
        rates: Observed acceptance rates that stood in for undeclared priors, by group.
    """

    request: Request
    arms: Mapping[str, str]
    slots: tuple[Slot, ...]
    refusals: tuple[Refusal, ...]
    versions: Mapping[str, str]
    degraded: tuple[str, ...] = ()
    scores: tuple[ScoredTreatment, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
