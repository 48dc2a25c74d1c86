"""The oracle: a propensity model that is told the truth. The yardstick, not a rival.

It reads the hidden side of the customers from `data/hidden.npz`, which the simulation writes
and no model sees. An arm that asks it shows what perfect knowledge would earn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nbo.decision.catalog import Treatment
from nbo.decision.history import Outcome
from nbo.decision.propensity import Scores
from nbo.decision.request import Request
from world.behaviour import AGENTS, INTENTS, TRIGGERS, Situation, mood, probability
from world.calendar import day_of
from world.files import Hidden, read_hidden
from world.population import Profile
from world.terms import Terms

CERTAIN = 1e12  # evidence, in outcomes: smoothing towards a prior must not blur the truth
_NEEDED = ("senior", "partner", "dependents", "tenure_months")


class Oracle:
    """Scores with the simulation's own acceptance probability.

    Without a simulated world in the workspace it knows nothing and says so with NaN; the
    decision then falls back to the offers' priors and reports that.
    """

    version = "oracle"

    def __init__(self, workspace: Path) -> None:
        self._file = workspace / "data" / "hidden.npz"
        self._loaded: tuple[int, Hidden] | None = None

    def score(self, request: Request, treatments: Sequence[Treatment]) -> Scores:
        """The truth about each treatment, for a customer of the simulated world.

        NaN for strangers, and for what was not on offer when the world was drawn.
        """
        truth = np.full(len(treatments), np.nan)
        hidden = self._world()
        if hidden is not None and request.customer_id in hidden.row_of:
            terms, row = hidden.terms, hidden.row_of[request.customer_id]
            person = hidden.people.take(np.array([row]))
            cube = probability(person, _profile(request), _situation(request, terms), terms)[0]
            for place, (offer, incentive) in enumerate(treatments):
                if offer.offer_id in terms.offers and incentive.incentive_id in terms.incentives:
                    column = terms.incentives.index(incentive.incentive_id)
                    truth[place] = cube[terms.offers.index(offer.offer_id), column]
        return Scores(truth, np.full(len(treatments), CERTAIN), truth)

    def _world(self) -> Hidden | None:
        """The world written last; None before the first."""
        try:
            written = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if self._loaded is None or self._loaded[0] != written:
            self._loaded = (written, read_hidden(self._file))
        return self._loaded[1]


def _situation(request: Request, terms: Terms) -> Situation:
    agent = AGENTS.index(request.agent_id) if request.agent_id in AGENTS else -1
    named = request.facts.get("interaction.intent")
    intent = list(INTENTS).index(str(named)) if named in INTENTS else -1
    past = _past(request, terms)
    return Situation(
        at=np.array([day_of(request.at)]),
        trigger=np.array([_trigger(request)]),
        mood=mood(np.array([intent]), np.array([agent])),
        past_day=np.array([[day for day, _, _ in past]], dtype=float),
        past_offer=np.array([[offer for _, offer, _ in past]], dtype=np.intp),
        past_declined=np.array([[declined for _, _, declined in past]], dtype=bool),
    )


def _past(request: Request, terms: Terms) -> list[tuple[float, int, bool]]:
    """One entry per exposure: world day, offer's column, whether declined."""
    seen: dict[tuple[str, str], tuple[float, int, bool]] = {}
    for contact in request.history:
        if contact.outcome.is_exposure and contact.offer_id in terms.offers:
            key = (contact.decision_id or contact.interaction_id, contact.offer_id)
            day, declined = day_of(contact.at), contact.outcome is Outcome.DECLINED
            first, _, before = seen.get(key, (day, 0, False))
            seen[key] = min(first, day), terms.offers.index(contact.offer_id), declined or before
    return list(seen.values()) or [(-np.inf, 0, False)]


def _profile(request: Request) -> Profile:
    """The columns of the profile that the behaviour reads."""
    return {name: np.array([request.facts[f"customer.{name}"]]) for name in _NEEDED}


def _trigger(request: Request) -> int:
    """Index of the triggering event; 0 for none that matters."""
    name = str(request.facts.get("event.type", ""))
    if name == "web.clicked":
        name = f"web.clicked:{request.facts.get('event.topic', '')}"
    return TRIGGERS.index(name) if name in TRIGGERS else 0
