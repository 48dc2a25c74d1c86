"""Propensities of the treatments that passed the screen, from a model or, failing it, priors.

A decision that is decided again takes them from its own log instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nbo.decision.catalog import Treatment
from nbo.decision.decision import ScoredTreatment
from nbo.decision.logged_propensity import LoggedPropensity
from nbo.decision.prior import PriorPropensity
from nbo.decision.propensity import Array, Propensity, Scores
from nbo.decision.request import Request

_PRIOR = PriorPropensity()
_LONGEST = 200
"""Characters of a model's own complaint that are passed on."""


class Scored(NamedTuple):
    """Scores with the model that gave them.

    Attributes:
        scores: One row per treatment.
        model: Version of the model used.
        degraded: Steps down the ladder that were taken, a failure of the model with its reason.
    """

    scores: Scores
    model: str
    degraded: tuple[str, ...]


def score(
    request: Request,
    treatments: Sequence[Treatment],
    champion: Propensity,
    models: Mapping[str, Propensity],
    wanted: str,
) -> Scored:
    """Score treatments with the model an arm wants, the champion, or the offers' priors.

    A model that is not loaded is replaced by the champion. A model that raises, or whose
    scores are not probabilities, is replaced by the priors: a broken model must cost the
    answer's quality, never the answer. Priors, wanted or not, are named as a step down, after
    what was wrong with the model.

    A `LoggedPropensity` as champion stands for whichever model scored then: its scores,
    version and steps are taken as they were logged, whatever the arm wants.
    """
    if isinstance(champion, LoggedPropensity):
        return Scored(champion.score(request, treatments), champion.version, champion.degraded)
    model = champion
    degraded: tuple[str, ...] = ()
    if wanted:
        model = models.get(wanted, champion)
        degraded = () if wanted in models else (f"model {wanted} missing",)
    if isinstance(model, PriorPropensity):
        degraded = (*degraded, "prior propensity")
    if not treatments:
        return Scored(_PRIOR.score(request, treatments), model.version, degraded)
    try:
        scores = model.score(request, treatments)
        reason = _implausibility(scores, len(treatments))
    except Exception as error:
        reason = f"failed: {_in_a_line(error)}"
    else:
        if not reason:
            return Scored(scores, model.version, degraded)
    prior = _PRIOR.score(request, treatments)
    steps = (*degraded, f"model {model.version} {reason}", "prior propensity")
    return Scored(prior, _PRIOR.version, steps)


def scored_treatments(
    treatments: Sequence[Treatment], scores: Scores
) -> tuple[ScoredTreatment, ...]:
    """List what was said of each treatment, for the log."""
    return tuple(
        map(
            ScoredTreatment,
            [offer.offer_id for offer, _ in treatments],
            [incentive.incentive_id for _, incentive in treatments],
            scores.probability.tolist(),
            scores.batch.tolist(),
            scores.evidence.tolist(),
        )
    )


def smooth(scores: Scores, prior: Array, evidence: float) -> Array:
    """Draw each score towards its offer's prior while little was seen of it.

    ``(S * p0 + M * p) / (S + M)`` with S the starting evidence and M the model's.

    Args:
        scores: (n,) of a model.
        prior: (n,) p0, the offers' declared acceptance rates.
        evidence: S, in outcomes, >= 0.

    Returns:
        (n,) P; where S + M is 0 the model's own score.
    """
    seen = scores.evidence
    total = evidence + seen
    weighted = evidence * prior + seen * scores.probability
    return np.where(total > 0.0, weighted / np.where(total > 0.0, total, 1.0), scores.probability)


def _in_a_line(error: Exception) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _implausibility(scores: Scores, n: int) -> str:
    """Say what is wrong with scores; empty if nothing is."""
    for name, values in (("probability", scores.probability), ("batch", scores.batch)):
        if values.shape != (n,):
            return f"gave {name} of shape {values.shape}, must be ({n},)"
        if not bool(np.all((values >= 0.0) & (values <= 1.0))):
            return f"gave a {name} outside [0, 1] or not a number"
    evidence = scores.evidence
    if evidence.shape != (n,) or not bool(np.all((evidence >= 0.0) & np.isfinite(evidence))):
        return "gave evidence that is not one finite number >= 0 per treatment"
    return ""
