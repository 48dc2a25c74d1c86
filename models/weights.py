"""The online model's weights as arrays: what serving reads, without River.

The model is a logistic regression. Its log-odds for one treatment are

    intercept + batch · log_odds(batch probability)
              + offer[o] + incentive[o, i] + event[o, e] + channel[o, c]
              + Σ fact[f] · standardised(f)

where the sum over facts stands only in models that learn without a batch model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from models.calibration import log_odds, sigmoid
from nbo.decision.catalog import Treatment
from nbo.decision.facts import Facts
from nbo.decision.propensity import Array
from nbo.decision.request import Request

BATCH_SCALE = 0.25
"""The batch log-odds enter scaled by this and weighted by its inverse: the blend starts as the
batch model itself, and moves along this input 16 times more slowly than along the others, so
that noise does not bend a calibrated model."""

MOST_DEVIATIONS = 4.0
"""Standardised facts are cut off here; one odd bill must not move every weight."""

MOST_CERTAIN = 1e-6
"""Probabilities are kept this far from 0 and 1 before their log-odds are taken."""

Key = tuple[str, ...]
"""Name of one input: ``("offer", o)``, ``("incentive", o, i)``, ``("event", o, type)``,
``("channel", o, c)``, ``("fact", name)``, ``("text", name, value)`` or `BATCH`."""

BATCH: Key = ("batch",)


class Scale(NamedTuple):
    """Running moments of one numeric fact: how often seen, mean, population variance."""

    seen: int
    mean: float
    variance: float


@dataclass(frozen=True)
class OnlineWeights:
    """One state of the online model, immutable and safe to share between threads.

    Attributes:
        base: Version of the batch model whose errors were learnt; empty when unknown or none.
        learnt: Outcomes learnt so far; the state's version.
        intercept: Log-odds.
        weights: Input to weight.
        counts: Offer id to outcomes learnt of it.
        facts: Facts read by a model that learns without a batch model.
        scales: Numeric fact to its moments.
    """

    base: str = ""
    learnt: int = 0
    intercept: float = 0.0
    weights: Mapping[Key, float] = field(default_factory=lambda: {BATCH: 1.0 / BATCH_SCALE})
    counts: Mapping[str, int] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    scales: Mapping[str, Scale] = field(default_factory=dict)

    def probability(
        self, request: Request, treatments: Sequence[Treatment], batch: Array | None
    ) -> Array:
        """Blended probabilities (n,).

        Args:
            request: Its channel, triggering event and, without `batch`, its facts are read.
            treatments: What to score.
            batch: (n,) the batch model's probabilities; None for the online model alone.
        """
        tables = self._tables
        offers = tables.offers
        at = np.array([offers.get(offer.offer_id, -1) for offer, _ in treatments], np.intp)
        with_incentive = np.array(
            [tables.incentives.get(one.incentive_id, -1) for _, one in treatments], np.intp
        )
        event = tables.events.get(str(request.facts.get("event.type", "")), -1)
        channel = tables.channels.get(request.channel, -1)
        by_offer = tables.bias + tables.event[event] + tables.channel[channel] + self.intercept
        logit = by_offer[at] + tables.incentive[with_incentive, at]
        if batch is None:
            logit = logit + self._from_facts(request.facts)
        else:
            logit = logit + self.weights.get(BATCH, 0.0) * batch_input(batch)
        return sigmoid(logit)

    def evidence(self, treatments: Sequence[Treatment]) -> Array:
        """(n,) outcomes learnt of each treatment's offer."""
        return np.array([self.counts.get(offer.offer_id, 0) for offer, _ in treatments], np.float64)

    def to_json(self) -> str:
        """Text that `from_json` reads back exactly; also the learner's whole memory."""
        return json.dumps(
            {
                "base": self.base,
                "learnt": self.learnt,
                "intercept": self.intercept,
                "weights": [[*key, weight] for key, weight in self.weights.items()],
                "counts": dict(self.counts),
                "facts": self.facts,
                "scales": self.scales,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> OnlineWeights:
        """Read what `to_json` wrote."""
        raw = json.loads(text)
        return cls(
            base=raw["base"],
            learnt=raw["learnt"],
            intercept=raw["intercept"],
            weights={tuple(row[:-1]): row[-1] for row in raw["weights"]},
            counts=raw["counts"],
            facts=tuple(raw["facts"]),
            scales={name: Scale(*moments) for name, moments in raw["scales"].items()},
        )

    def _from_facts(self, facts: Facts) -> float:
        inputs = fact_inputs(facts, self.facts, self.scales)
        return sum(self.weights.get(key, 0.0) * value for key, value in inputs.items())

    @cached_property
    def _tables(self) -> _Tables:
        return _Tables.of(self.weights)


class _Tables(NamedTuple):
    """The weights by offer, dense; the last row and column are zeros for what was never learnt."""

    offers: Mapping[str, int]
    bias: Array
    incentives: Mapping[str, int]
    incentive: Array
    events: Mapping[str, int]
    event: Array
    channels: Mapping[str, int]
    channel: Array

    @classmethod
    def of(cls, weights: Mapping[Key, float]) -> _Tables:
        offers = _positions(key[1] for key in weights if key[0] in _BY_OFFER)
        bias = np.zeros(len(offers) + 1)
        for key, weight in weights.items():
            if key[0] == "offer":
                bias[offers[key[1]]] = weight
        return cls(
            offers,
            bias,
            *_table(weights, "incentive", offers),
            *_table(weights, "event", offers),
            *_table(weights, "channel", offers),
        )


_BY_OFFER = frozenset({"offer", "incentive", "event", "channel"})


def batch_input(probability: Array) -> Array:
    """Compute the batch model's input to the online model, from its probabilities."""
    return BATCH_SCALE * log_odds(np.clip(probability, MOST_CERTAIN, 1.0 - MOST_CERTAIN))


def fact_inputs(
    facts: Facts, names: Sequence[str], scales: Mapping[str, Scale]
) -> dict[Key, float]:
    """Build the inputs from the customer's facts: numbers standardised, texts one-hot.

    What is unknown is left out.
    A number that has not varied yet is zero.
    """
    inputs: dict[Key, float] = {}
    for name in names:
        value = facts.get(name)
        if isinstance(value, str):
            inputs["text", name, value] = 1.0
        elif value is not None and name in scales and np.isfinite(value):
            _, mean, variance = scales[name]
            deviations = (float(value) - mean) / variance**0.5 if variance > 0.0 else 0.0
            inputs["fact", name] = min(max(deviations, -MOST_DEVIATIONS), MOST_DEVIATIONS)
    return inputs


def _positions(names: Iterable[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(dict.fromkeys(names))}


def _table(
    weights: Mapping[Key, float], kind: str, offers: Mapping[str, int]
) -> tuple[dict[str, int], Array]:
    """Weights of one kind as (values + 1, offers + 1)."""
    values = _positions(key[2] for key in weights if key[0] == kind)
    table = np.zeros((len(values) + 1, len(offers) + 1))
    for key, weight in weights.items():
        if key[0] == kind:
            table[values[key[2]], offers[key[1]]] = weight
    return values, table
