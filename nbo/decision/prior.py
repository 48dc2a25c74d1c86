"""Propensity without a model: the acceptance rate the catalogue declares for each offer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nbo.decision.catalog import Treatment
from nbo.decision.propensity import Scores
from nbo.decision.request import Request


class PriorPropensity:
    """Every treatment has its offer's declared prior; nothing was learnt, evidence is 0."""

    @property
    def version(self) -> str:
        """Always ``"prior"``: the priors are part of the catalogue's version."""
        return "prior"

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        """Score treatments by their offers' priors; the request does not matter."""
        del request
        prior = np.array([treatment.offer.prior for treatment in treatments], dtype=np.float64)
        return Scores(probability=prior, evidence=np.zeros_like(prior), batch=prior)
