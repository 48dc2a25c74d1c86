"""How long deciding takes, and what is left out when there is too little time for it.

A model is asked on the event loop and cannot be stopped midway: one that hangs, hangs the
server. One that is slow is late once or twice; then the offers' priors decide wherever the time
that is left would not do for it, until what was seen of it has faded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from nbo.decision.decide import World, decide
from nbo.decision.decision import Decision
from nbo.decision.prior import PriorPropensity
from nbo.decision.request import Request

TOO_LITTLE_TIME = "too little time for the model"

_WEIGHT = 0.5
"""Of the latest decision in the running mean: two slow ones are enough to see it."""
_HALF_LIFE_SECONDS = 10.0
"""While the model is left out nothing is seen of it; it must get another chance."""


class Pace:
    """The running mean of the time that deciding with the models takes.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mean = 0.0
        self._seen = clock()

    def expected(self) -> float:
        """Seconds the next decision with the models will probably take."""
        return float(self._mean * 0.5 ** ((self._clock() - self._seen) / _HALF_LIFE_SECONDS))

    def fit(self, request: Request, world: World, seconds: float) -> tuple[Request, World]:
        """Choose what to decide with in so many seconds, before anything is decided.

        Of whom nothing is known, there is nothing to score: the fallback needs no model.

        Returns:
            Both as they are, or the request with the step it takes and a world without models.
        """
        if request.only is None:
            if self.expected() <= seconds:
                return request, world
            request = replace(request, degraded=(*request.degraded, TOO_LITTLE_TIME))
        return request, without_models(world)

    def decide(self, request: Request, world: World) -> Decision:
        """Decide, and see how long it takes unless the world is one without models."""
        before = self._clock()
        decision = decide(request, world)
        if has_models(world):
            self._seen = self._clock()
            self._mean += _WEIGHT * (self._seen - before - self._mean)
        return decision


def has_models(world: World) -> bool:
    """Whether anything but the offers' priors scores here."""
    return any(
        not isinstance(model, PriorPropensity)
        for model in (world.propensity, *world.models.values())
    )


def without_models(world: World) -> World:
    """The world with the offers' priors in place of every model."""
    prior = PriorPropensity()
    return replace(world, propensity=prior, models=dict.fromkeys(world.models, prior))
