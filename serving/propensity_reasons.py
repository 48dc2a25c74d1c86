"""What moved the propensities of a logged decision, from the model that gave them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from models.blend import BlendedPropensity
from nbo.decision.catalog import Treatment
from nbo.decision.compiled import CompiledCatalog
from nbo.decision.decide import World
from nbo.decision.decision import Decision, ScoredTreatment
from nbo.decision.explanation import Contribution, Explainable
from nbo.decision.prior import PriorPropensity
from nbo.decision.propensity import Propensity

log = structlog.get_logger()

MOST_REASONS = 5
"""Inputs told per slot, the strongest."""

RECENT_OUTCOMES = "recent outcomes"
"""The line for what online learning added to the batch model."""

_ONLINE = "+online/"
_ROUNDING = 1e-9


class Reasons(NamedTuple):
    """What moved propensities.

    Attributes:
        by_rank: Slot to its strongest inputs, strongest first.
        without: Why there are none; empty if there are.
    """

    by_rank: dict[int, list[Contribution]]
    without: str = ""


def propensity_reasons(decision: Decision, compiled: CompiledCatalog, world: World) -> Reasons:
    """Ask the batch model that decided, if it is still served, and read the rest off the log.

    The batch model's part takes the model itself, by its version. What online learning added
    is the difference between the two probabilities that were logged, so that it is exact
    whatever has been learnt since. Takes milliseconds a slot.
    """
    version = decision.versions.get("model", "")
    base, _, learnt = version.partition(_ONLINE)
    model, without = _explainable(base, world)
    scores = {(one.offer_id, one.incentive_id): one for one in decision.scores}
    offers, incentives = compiled.catalog.offers, compiled.catalog.incentives
    by_rank: dict[int, list[Contribution]] = {}
    for slot in decision.slots:
        treatment = Treatment(offers[slot.offer_id], incentives[slot.incentive_id])
        found = _of_online(scores.get((slot.offer_id, slot.incentive_id)), learnt)
        if model is not None:
            try:
                found += model.contributions(decision.request, treatment)
            except Exception as error:  # a workspace's own model may do anything
                log.warning("propensities not explained", model=base, reason=repr(error))
                model, without = None, f"model {base} failed to say what moves it"
        by_rank[slot.rank] = _strongest(found)
    return Reasons(by_rank, without)


def _explainable(version: str, world: World) -> tuple[Explainable | None, str]:
    """Find the model of a version if it can be asked, else say why not."""
    model = _served(version, world)
    if version == PriorPropensity().version:
        return None, "no batch model decided: the offers' own acceptance rates did"
    if model is None:
        return None, f"model {version} decided, this server has {world.propensity.version} now"
    if not isinstance(model, Explainable):
        return None, f"model {version} does not say what moves it"
    return model, ""


def _served(version: str, world: World) -> Propensity | None:
    """Find the model of a version among those served, the batch models of blends included."""
    for model in (world.propensity, *world.models.values()):
        for part in (model, model.batch) if isinstance(model, BlendedPropensity) else (model,):
            if part.version == version:
                return part
    return None


def _of_online(scored: ScoredTreatment | None, learnt: str) -> list[Contribution]:
    if scored is None or not learnt or scored.probability == scored.batch:
        return []
    added = _log_odds(scored.probability) - _log_odds(scored.batch)
    return (
        [Contribution(RECENT_OUTCOMES, f"{learnt} learnt", added)] if math.isfinite(added) else []
    )


def _strongest(several: Sequence[Contribution]) -> list[Contribution]:
    return sorted(several, key=lambda one: -abs(one.contribution))[:MOST_REASONS]


def _log_odds(probability: float) -> float:
    """Log-odds; of 0 and 1, which a workspace's own model may claim, as of almost that sure."""
    kept = min(max(probability, _ROUNDING), 1.0 - _ROUNDING)
    return math.log(kept) - math.log1p(-kept)
