"""The online model: River's logistic regression, one outcome at a time.

Beside a batch model it learns what the batch model gets wrong: the batch log-odds are an input
whose weight starts at one, the others start at zero and pick up what changed since the batch
model was fitted, per offer and per offer with an incentive, a triggering event, a channel.
Without a batch model it learns from chosen facts instead.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from models.weights import BATCH, Key, OnlineWeights, Scale, batch_input, fact_inputs
from nbo.decision.catalog import Treatment
from nbo.decision.propensity import Array, Scores
from nbo.decision.request import Request

RATE = 0.005
"""Step of the stochastic gradient. Four inputs of an offer move together, so that an offer's
log-odds follow a shift with a time constant of about 1 / (4 × RATE × p (1 - p)) of its outcomes:
300 at an acceptance of 20 %. The noise it leaves costs about 0.15 % of log loss; twice the step
costs twice as much and follows twice as fast."""


class OnlineLearner:
    """Learns from outcomes; one writer, not thread-safe.

    Attributes:
        base: Version of the batch model it corrects; empty when unknown or none.
        facts: Facts it learns from where an outcome comes without a batch probability.
        learnt: Outcomes learnt so far.
    """

    def __init__(self, base: str = "", facts: Sequence[str] = (), rate: float = RATE) -> None:
        self._load(OnlineWeights(base=base, facts=tuple(facts)), rate)

    @classmethod
    def restore(
        cls, state: str | None, base: str = "", facts: Sequence[str] = (), rate: float = RATE
    ) -> OnlineLearner:
        """Go on where `weights().to_json()` left off, or start anew.

        Args:
            state: What was saved; None to start anew.
            base: Version of the batch model in service. Where it is given and the state was
                learnt beside another one, the learner starts anew: the new batch model has
                seen those outcomes, and its errors are not the old one's.
            facts: For a new start, see `facts`.
            rate: Step of the gradient.
        """
        learner = cls(base, facts, rate)
        if state is not None:
            saved = OnlineWeights.from_json(state)
            if not base or saved.base == base:
                learner._load(saved, rate)
        return learner

    def learn(
        self,
        request: Request,
        offer_id: str,
        incentive_id: str,
        batch_probability: float | None,
        accepted: bool,
    ) -> None:
        """Learn from what came of one exposure.

        Args:
            request: The question as it was decided, with the facts as served.
            offer_id: What was presented.
            incentive_id: What it came with.
            batch_probability: The batch model's probability as logged with the slot; None when
                there was no batch model.
            accepted: Whether the customer accepted.
        """
        if batch_probability is None:
            self._scaler.learn_one(self._numbers(request))
        self._model.learn_one(
            self._inputs(request, offer_id, incentive_id, batch_probability), accepted
        )
        self._counts[offer_id] += 1
        self.learnt += 1

    def predict(
        self,
        request: Request,
        offer_id: str,
        incentive_id: str,
        batch_probability: float | None,
    ) -> float:
        """River's own probability of acceptance; `weights()` must give the same."""
        inputs = self._inputs(request, offer_id, incentive_id, batch_probability)
        return float(self._model.predict_proba_one(inputs)[True])

    def weights(self) -> OnlineWeights:
        """Give the present state, for serving and for `restore`."""
        return OnlineWeights(
            base=self.base,
            learnt=self.learnt,
            intercept=float(self._model.intercept),
            weights=self._model.weights,
            counts=dict(self._counts),
            facts=self.facts,
            scales=self._scales(),
        )

    def _load(self, state: OnlineWeights, rate: float) -> None:
        self.base = state.base
        self.facts = state.facts
        self.learnt = state.learnt
        self._counts: Counter[str] = Counter(state.counts)
        self._model: Any = _logistic_regression(state, rate)
        self._scaler: Any = _scaler(state)

    def _inputs(
        self, request: Request, offer_id: str, incentive_id: str, batch: float | None
    ) -> dict[Key, float]:
        inputs: dict[Key, float] = {
            ("offer", offer_id): 1.0,
            ("incentive", offer_id, incentive_id): 1.0,
            ("channel", offer_id, request.channel): 1.0,
        }
        event = request.facts.get("event.type")
        if event:
            inputs["event", offer_id, str(event)] = 1.0
        if batch is None:
            return inputs | fact_inputs(request.facts, self.facts, self._scales())
        inputs[BATCH] = float(batch_input(np.array(batch)))
        return inputs

    def _numbers(self, request: Request) -> dict[str, float]:
        values = ((name, request.facts.get(name)) for name in self.facts)
        return {
            name: float(value)
            for name, value in values
            if value is not None and not isinstance(value, str) and math.isfinite(value)
        }

    def _scales(self) -> dict[str, Scale]:
        scaler = self._scaler
        return {
            name: Scale(count, scaler.means[name], scaler.vars[name])
            for name, count in scaler.counts.items()
        }


class OnlinePropensity:
    """The online model alone, as a propensity.

    Its outcomes must be learnt with ``batch_probability=None``.
    """

    def __init__(self, weights: OnlineWeights) -> None:
        self._weights = weights

    @property
    def version(self) -> str:
        """``"online/<outcomes learnt>"``."""
        return f"online/{self._weights.learnt}"

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        """See `nbo.decision.propensity.Propensity`."""
        probability: Array = within_open_interval(
            self._weights.probability(request, treatments, batch=None)
        )
        return Scores(probability, self._weights.evidence(treatments), probability)


def within_open_interval(probability: Array) -> Array:
    """Keep probabilities off 0 and 1, which a saturated logistic curve rounds to."""
    return np.clip(probability, 1e-6, 1.0 - 1e-6)


def _logistic_regression(state: OnlineWeights, rate: float) -> Any:
    from river import linear_model, optim
    from river.utils import VectorDict

    model: Any = linear_model.LogisticRegression(optim.SGD(rate), intercept_lr=rate / 2)
    model.intercept = state.intercept
    # River has no public way to start from given weights.
    model._weights = VectorDict(dict(state.weights))
    return model


def _scaler(state: OnlineWeights) -> Any:
    from river import preprocessing

    scaler = preprocessing.StandardScaler()
    for name, (count, mean, variance) in state.scales.items():
        scaler.counts[name] = count
        scaler.means[name] = mean
        scaler.vars[name] = variance
    return scaler
