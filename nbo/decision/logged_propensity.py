"""The model of a logged decision: says again what was said then, from the log alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nbo.decision.catalog import Treatment
from nbo.decision.decision import AFTER_SCORING, Decision
from nbo.decision.propensity import Scores
from nbo.decision.request import Request
from nbo.errors import BadInputError


class LoggedPropensity:
    """Scores of one decision as it logged them, whatever model they came from.

    A treatment that was not scored then, e.g. one of an offer that is new in the catalogue, has
    its offer's prior with no evidence, as under a model that never saw it.
    """

    def __init__(self, decision: Decision) -> None:
        """Take the scores of a decision.

        Raises:
            BadInputError: It scored treatments and does not say how.
        """
        scored = bool(decision.slots) or any(
            refusal.stage in AFTER_SCORING for refusal in decision.refusals
        )
        if scored and not decision.scores:
            raise BadInputError(
                "scores",
                f"missing from decision {decision.request.decision_id!r}; it was imported, or "
                "logged before scores were, and cannot be decided again",
            )
        self.version = decision.versions.get("model", "")
        self.degraded = decision.degraded[len(decision.request.degraded) :]
        self._rows = {
            (offer_id, incentive_id): row for offer_id, incentive_id, *row in decision.scores
        }

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        """Look the treatments up; the request does not matter."""
        del request
        rows = np.array(
            [
                self._rows.get(
                    (offer.offer_id, incentive.incentive_id), [offer.prior, offer.prior, 0.0]
                )
                for offer, incentive in treatments
            ],
            dtype=np.float64,
        ).reshape(-1, 3)
        return Scores(probability=rows[:, 0], batch=rows[:, 1], evidence=rows[:, 2])
