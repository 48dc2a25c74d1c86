"""A decision taken apart: where each offer ended, what each priority is made of, what was near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from nbo.decision.catalog import Treatment
from nbo.decision.decision import AFTER_SCORING, SCREEN_STAGES, Decision, Refusal
from nbo.decision.request import Request

ENDS = (*SCREEN_STAGES, "holdout", *AFTER_SCORING, "outranked", "offered")
"""Where an offer can end, in the order of the way through; the last two have passed it all."""


class FunnelStage(NamedTuple):
    """How many offers ended at one of `ENDS`."""

    stage: str
    offers: int


class Contribution(NamedTuple):
    """One input's part in a propensity.

    Attributes:
        input: The model's name for it: a fact, or a property of the offer or the history.
        value: As the model saw it, for people; ``"unknown"`` where it saw nothing.
        contribution: Added to the model's log-odds; negative when it takes away.
    """

    input: str
    value: str
    contribution: float


@runtime_checkable
class Explainable(Protocol):
    """A model that can say what moved one of its scores."""

    @property
    def version(self) -> str:
        """As in `nbo.decision.propensity.Propensity`."""

    def contributions(self, request: Request, treatment: Treatment) -> Sequence[Contribution]:
        """What moved the score of this treatment, strongest first."""


class Factors(NamedTuple):
    """What one slot's priority is made of, and how it was chosen.

    ``priority = propensity × (value - cost × (1 + shadow_price)) × context × lever``, each
    factor that the arm switched off being 1.

    Attributes:
        propensity: P, after smoothing: ``(S × prior + M × model) / (S + M)``.
        model_probability: The model's own; None when the decision was logged without it.
        evidence: M, outcomes the model had seen of it; None when logged without it.
        prior: p₀, the offer's declared acceptance rate or its group's observed one.
        value: V, in the catalogue's currency, before the incentive's cost.
        cost: Of the incentive, in the catalogue's currency.
        shadow_price: Of the incentive's budget, dimensionless, >= 0.
        context: C. context_rules: Names of the context rules that held for this offer.
        lever: L.
        switched_off: Which of ``"propensity"``, ``"value"``, ``"context"``, ``"lever"`` the
            experiment's arm leaves out.
        probability: With which the policy put it here.
        reasons: What moved the propensity most, strongest first; empty where unknown.
    """

    rank: int
    offer_id: str
    incentive_id: str
    priority: float
    propensity: float
    model_probability: float | None
    evidence: float | None
    prior: float
    value: float
    cost: float
    shadow_price: float
    context: float
    context_rules: tuple[str, ...]
    lever: float
    switched_off: tuple[str, ...]
    probability: float
    mandatory: bool
    reasons: tuple[Contribution, ...] = ()

    @property
    def product(self) -> float:
        """The priority reckoned anew from the factors."""
        off = self.switched_off
        money = self.value - self.cost * (1.0 + self.shadow_price)
        return (
            (1.0 if "propensity" in off else self.propensity)
            * (1.0 if "value" in off else money)
            * (1.0 if "context" in off else self.context)
            * (1.0 if "lever" in off else self.lever)
        )


class NearMiss(NamedTuple):
    """An offer that would have passed the screen but for one condition.

    Attributes:
        stage: Where it fell. rule: Which decided.
        needed: What was, and what would have had to be, in words with values.
        allowed_from: First instant at which it is allowed again with everything else as it
            was, where time alone decides, UTC; None otherwise.
        worth: By which near misses are ordered: p₀ × V × L, in the catalogue's currency.
    """

    offer_id: str
    stage: str
    rule: str
    needed: str
    allowed_from: datetime | None
    worth: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a decision is as it is.

    Attributes:
        decision: As logged.
        currency: ISO 4217, of every amount.
        funnel: One per stage, in order; adds up to the number of offers in the catalogue.
        refusals: Every rule that failed, by offer, in the order of the stages.
        slots: One per slot.
        near_misses: The most valuable first.
        without_reasons: Why propensities have no reasons; empty if they do.
    """

    decision: Decision
    currency: str
    funnel: tuple[FunnelStage, ...]
    refusals: tuple[Refusal, ...]
    slots: tuple[Factors, ...]
    near_misses: tuple[NearMiss, ...]
    without_reasons: str = ""
