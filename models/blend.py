"""Batch and online together: the batch model's probability, corrected by recent outcomes."""

from __future__ import annotations

from collections.abc import Sequence

from models.online import within_open_interval
from models.weights import OnlineWeights
from nbo.decision.catalog import Treatment
from nbo.decision.propensity import Propensity, Scores
from nbo.decision.request import Request


class BlendedPropensity:
    """A batch model with one state of the online weights.

    Immutable: new weights make a new object, so that a decision never sees half of an update.
    Weights that were learnt beside another batch model are left out, because they correct
    errors this one does not make.

    Attributes:
        batch: The model corrected; any propensity, e.g. the offers' declared priors.
        weights: As used; without effect where the given ones did not belong to `batch`.
    """

    def __init__(self, batch: Propensity, weights: OnlineWeights | None = None) -> None:
        fits = weights is not None and weights.base in ("", batch.version)
        self.batch = batch
        self.weights = weights if weights is not None and fits else OnlineWeights()

    @property
    def version(self) -> str:
        """E.g. ``"champion/3+online/1042"``."""
        return f"{self.batch.version}+online/{self.weights.learnt}"

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        """See `nbo.decision.propensity.Propensity`; `batch` holds the uncorrected probability."""
        scores = self.batch.score(request, treatments)
        if not self.weights.learnt:
            return scores
        blended = self.weights.probability(request, treatments, scores.probability)
        return Scores(
            probability=within_open_interval(blended),
            evidence=scores.evidence + self.weights.evidence(treatments),
            batch=scores.probability,
        )
